//! The form of a value: a version, when it expires, a checksum over key and value, the value.
//!
//! The key is part of the sum, so a value under another's key is noticed too.

use bytes::Bytes;

use super::StoreError;
use super::keyspace::Key;

/// The form this version writes, and the only one it reads.
pub(super) const VERSION: u8 = 1;

const EXPIRY: usize = 8;
const SUM: usize = 8;
const HEAD: usize = 1 + EXPIRY + SUM;

/// A value as it was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Unix time in milliseconds.
    pub(super) expires: Option<u64>,
    pub(super) value: Bytes,
}

impl Record {
    /// Whether it still stands.
    pub(super) fn is_alive(&self, now: u64) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    /// The bytes of it under `key`.
    pub(super) fn encode(&self, key: &[u8]) -> Vec<u8> {
        let expires = self.expires.unwrap_or(0).to_be_bytes();
        let mut bytes = Vec::with_capacity(HEAD + self.value.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&expires);
        bytes.extend_from_slice(&sum(key, &expires, &self.value));
        bytes.extend_from_slice(&self.value);
        bytes
    }

    /// Reads what [`Record::encode`] wrote.
    pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Result<Self, StoreError> {
        let corrupted = |what| StoreError::Corrupted { key: Key(key.to_vec()).to_string(), what };
        let (version, rest) = bytes.split_first().ok_or_else(|| corrupted("it is empty"))?;
        if *version != VERSION {
            return Err(corrupted("it is of a version this program does not know"));
        }
        let short = || corrupted("it is cut off");
        let (expires, rest) = rest.split_first_chunk::<EXPIRY>().ok_or_else(short)?;
        let (found, value) = rest.split_first_chunk::<SUM>().ok_or_else(short)?;
        if *found != sum(key, expires, value) {
            return Err(corrupted("its checksum is wrong"));
        }
        let expires = Some(u64::from_be_bytes(*expires)).filter(|expires| *expires != 0);
        Ok(Self { expires, value: Bytes::copy_from_slice(value) })
    }
}

/// The checksum that stands in the bytes of a record; it is not looked at whether it is right.
pub(super) fn sum_in(bytes: &[u8]) -> u64 {
    let sum = bytes.get(1 + EXPIRY..).and_then(|rest| rest.first_chunk::<SUM>());
    sum.map_or(0, |sum| u64::from_be_bytes(*sum))
}

fn sum(key: &[u8], expires: &[u8; EXPIRY], value: &[u8]) -> [u8; SUM] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[VERSION]).update(&key.len().to_be_bytes()).update(key).update(expires).update(value);
    let mut sum = [0; SUM];
    hasher.finalize_xof().fill(&mut sum);
    sum
}
