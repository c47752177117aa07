//! The form of a value: a version, when it expires, a checksum over key and value, the value.
//!
//! The key is part of the sum, so a value under another's key is noticed too. A large value is compressed with zstd where
//! that makes it smaller: rows of the ledger come to a tenth, and a store writes each of them several times.

use std::cell::RefCell;

use bytes::Bytes;
use zstd::bulk::Compressor;

use super::StoreError;
use super::keyspace::Key;

/// The form of a value as it is.
const PLAIN: u8 = 1;
/// The form of a compressed one: its length, four bytes, and a frame of zstd.
const PACKED: u8 = 2;
/// The newest form this program knows.
pub(super) const NEWEST: u8 = PACKED;

/// Values from this size on are compressed.
const LARGE: usize = 2 << 10;
/// A compressed value is never longer than this; more is a damage that has passed its checksum.
const LONGEST: usize = 256 << 20;
/// The fastest of zstd's own levels.
const LEVEL: i32 = 1;

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
        let packed = packed(&self.value);
        let (version, value) = match &packed {
            Some(packed) => (PACKED, packed.as_slice()),
            None => (PLAIN, self.value.as_ref()),
        };
        let mut bytes = Vec::with_capacity(HEAD + value.len());
        bytes.push(version);
        bytes.extend_from_slice(&expires);
        bytes.extend_from_slice(&sum(version, key, &expires, value));
        bytes.extend_from_slice(value);
        bytes
    }

    /// Reads what [`Record::encode`] wrote.
    pub(super) fn decode(key: &[u8], bytes: &[u8]) -> Result<Self, StoreError> {
        let corrupted = |what| StoreError::Corrupted { key: Key(key.to_vec()).to_string(), what };
        let (version, rest) = bytes.split_first().ok_or_else(|| corrupted("it is empty"))?;
        if !(PLAIN..=NEWEST).contains(version) {
            return Err(corrupted("it is of a version this program does not know"));
        }
        let short = || corrupted("it is cut off");
        let (expires, rest) = rest.split_first_chunk::<EXPIRY>().ok_or_else(short)?;
        let (found, value) = rest.split_first_chunk::<SUM>().ok_or_else(short)?;
        if *found != sum(*version, key, expires, value) {
            return Err(corrupted("its checksum is wrong"));
        }
        let expires = Some(u64::from_be_bytes(*expires)).filter(|expires| *expires != 0);
        let value = match *version {
            PACKED => unpacked(value).ok_or_else(|| corrupted("it cannot be unpacked"))?.into(),
            _ => Bytes::copy_from_slice(value),
        };
        Ok(Self { expires, value })
    }
}

/// The value compressed, where that is worth it.
fn packed(value: &[u8]) -> Option<Vec<u8>> {
    thread_local! {
        static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    let length = u32::try_from(value.len()).ok().filter(|_| (LARGE..=LONGEST).contains(&value.len()))?;
    let frame = COMPRESSOR.with_borrow_mut(|kept| {
        if kept.is_none() {
            *kept = Compressor::new(LEVEL).ok();
        }
        kept.as_mut()?.compress(value).ok()
    })?;
    (frame.len() < value.len() / 8 * 7).then(|| [&length.to_be_bytes(), frame.as_slice()].concat())
}

fn unpacked(value: &[u8]) -> Option<Vec<u8>> {
    let (length, frame) = value.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok().filter(|length| *length <= LONGEST)?;
    zstd::bulk::decompress(frame, length).ok().filter(|value| value.len() == length)
}

/// The checksum that stands in the bytes of a record; it is not looked at whether it is right.
pub(super) fn sum_in(bytes: &[u8]) -> u64 {
    let sum = bytes.get(1 + EXPIRY..).and_then(|rest| rest.first_chunk::<SUM>());
    sum.map_or(0, |sum| u64::from_be_bytes(*sum))
}

fn sum(version: u8, key: &[u8], expires: &[u8; EXPIRY], value: &[u8]) -> [u8; SUM] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[version]).update(&key.len().to_be_bytes()).update(key).update(expires).update(value);
    let mut sum = [0; SUM];
    hasher.finalize_xof().fill(&mut sum);
    sum
}
