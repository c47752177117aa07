//! A store as text: one JSON object a line, for moving to another backend and for reading with other programs.
//!
//! The first line says what it is, the last one how many records there are and the digest of their lines. Each record
//! has a checksum of its own, so that a line that was touched is told by its number.

use std::io::{self, BufRead, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::snapshot;
use super::{Batch, Class, Clock, Kept, Scan, Space, Store, StoreError};
use crate::domain::date::rfc3339;

/// So many records are written together.
const TOGETHER: usize = 256;
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct First {
    /// The form of the lines.
    causeway_store: u32,
    made: String,
    program: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    space: String,
    key: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// What is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    /// Milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    crc32: u32,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    records: u64,
    blake3: String,
}

/// Writes records as lines.
pub struct Export<W> {
    to: W,
    digest: blake3::Hasher,
    records: u64,
}

impl<W: Write> Export<W> {
    /// Writes the first line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(mut to: W, seconds: u64) -> Result<Self, StoreError> {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let first = First { causeway_store: VERSION, made: rfc3339(seconds), program };
        to.write_all(&line(&first)?).map_err(|error| unwritten(&error))?;
        Ok(Self { to, digest: blake3::Hasher::new(), records: 0 })
    }

    /// Writes a record.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn take(&mut self, kept: &Kept) -> Result<(), StoreError> {
        let nowhere = || StoreError::Corrupted { key: kept.key.to_string(), what: "its key is none of ours" };
        let space = kept.key.space().ok_or_else(nowhere)?;
        let key = kept.key.parts().ok_or_else(nowhere)?.into_iter().map(str::to_owned).collect();
        let text = std::str::from_utf8(&kept.value).ok().map(str::to_owned);
        let base64 = text.is_none().then(|| STANDARD.encode(&kept.value));
        let written = line(&Line {
            space: space.name().to_owned(),
            key,
            text,
            base64,
            expires: kept.expires,
            crc32: snapshot::sum(kept),
        })?;
        self.digest.update(&written);
        self.records += 1;
        self.to.write_all(&written).map_err(|error| unwritten(&error))
    }

    /// Writes the last line, and says how many records there are.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(mut self) -> Result<(u64, W), StoreError> {
        let last = Last { records: self.records, blake3: self.digest.finalize().to_hex().to_string() };
        self.to.write_all(&line(&last)?).and_then(|()| self.to.flush()).map_err(|error| unwritten(&error))?;
        Ok((self.records, self.to))
    }
}

fn line(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let mut line = serde_json::to_vec(value).map_err(|error| StoreError::Failed(error.to_string()))?;
    line.push(b'\n');
    Ok(line)
}

fn unwritten(error: &io::Error) -> StoreError {
    StoreError::Failed(format!("the lines cannot be written: {error}"))
}

/// Reads lines to their end and says how many records there were. Only then are they known to be whole: look first,
/// then take.
///
/// # Errors
/// The number of the line that is wrong, and what is wrong with it.
pub fn read(
    from: impl BufRead,
    mut take: impl FnMut(Kept) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let mut digest = blake3::Hasher::new();
    let (mut records, mut whole) = (0, false);
    for (at, text) in from.split(b'\n').enumerate() {
        let number = at + 1;
        let wrong = |what: &str| StoreError::Damaged(format!("line {number}: {what}"));
        let text = text.map_err(|error| wrong(&error.to_string()))?;
        if number == 1 {
            let first: First =
                serde_json::from_slice(&text).map_err(|_| wrong("this is no export of a store"))?;
            if first.causeway_store != VERSION {
                return Err(wrong("a newer version of this program wrote it"));
            }
        } else if whole {
            return Err(wrong("there is something behind the last line"));
        } else if let Ok(last) = serde_json::from_slice::<Last>(&text) {
            if last != (Last { records, blake3: digest.finalize().to_hex().to_string() }) {
                return Err(wrong("the lines before are not all that were written"));
            }
            whole = true;
        } else {
            let line: Line = serde_json::from_slice(&text).map_err(|error| wrong(&error.to_string()))?;
            digest.update(&text).update(b"\n");
            records += 1;
            take(parse(line).map_err(|what| wrong(&what))?)?;
        }
    }
    if !whole {
        return Err(StoreError::Damaged("the last line is missing: the file was cut off".to_owned()));
    }
    Ok(records)
}

fn parse(line: Line) -> Result<Kept, String> {
    let space = Space::named(&line.space)
        .ok_or_else(|| format!("`{}` is no space that this version of the program knows", line.space))?;
    let parts: Vec<&str> = line.key.iter().map(String::as_str).collect();
    let value = match (line.text, line.base64) {
        (Some(text), None) => Bytes::from(text),
        (None, Some(base64)) => {
            Bytes::from(STANDARD.decode(base64).map_err(|error| format!("base64: {error}"))?)
        }
        _ => return Err("either `text` or `base64` is wanted".to_owned()),
    };
    let kept = Kept { key: space.key(&parts), value, expires: line.expires };
    if snapshot::sum(&kept) != line.crc32 {
        return Err("its checksum is wrong".to_owned());
    }
    Ok(kept)
}

/// Writes records into a store, some at a time.
pub struct Import<'s> {
    store: &'s dyn Store,
    clock: Clock,
    batch: Batch,
    waiting: usize,
    /// How many were written.
    pub written: u64,
    /// How many had expired and were left out.
    pub expired: u64,
}

impl<'s> Import<'s> {
    /// Into this store.
    pub fn into(store: &'s dyn Store, clock: Clock) -> Self {
        Self { store, clock, batch: Batch::default(), waiting: 0, written: 0, expired: 0 }
    }

    /// The first of these spaces in which there is something already.
    ///
    /// # Errors
    /// As the store's.
    pub async fn occupied(&self, spaces: &[Space]) -> Result<Option<Space>, StoreError> {
        for space in spaces {
            let scan = Scan { prefix: space.key(&[]), after: None, limit: 1 };
            if !self.store.scan(scan).await?.entries.is_empty() {
                return Ok(Some(*space));
            }
        }
        Ok(None)
    }

    /// Writes one record.
    ///
    /// # Errors
    /// As the store's.
    pub async fn take(&mut self, kept: Kept) -> Result<(), StoreError> {
        let now = (self.clock)();
        let life = kept.expires.map(|expires| std::time::Duration::from_millis(expires.saturating_sub(now)));
        let space = kept.key.space();
        if life.is_some_and(|life| life.is_zero()) {
            self.expired += 1;
            return Ok(());
        }
        if space.is_none_or(Space::is_own) {
            return Ok(());
        }
        self.written += 1;
        if space == Some(Space::Counter) {
            return self.count(kept, life).await;
        }
        self.batch = std::mem::take(&mut self.batch).put(kept.key, kept.value, life);
        self.waiting += 1;
        if self.waiting < TOGETHER { Ok(()) } else { self.write().await }
    }

    /// Every backend has counters of its own form.
    async fn count(&mut self, kept: Kept, life: Option<std::time::Duration>) -> Result<(), StoreError> {
        let Ok(bytes) = <[u8; 8]>::try_from(kept.value.as_ref()) else {
            return Err(StoreError::Corrupted { key: kept.key.to_string(), what: "it holds no counter" });
        };
        self.store.write(Batch::default().delete(kept.key.clone()), Class::Relaxed).await?;
        self.store.increment(kept.key, i64::from_be_bytes(bytes), life).await.map(|_| ())
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        self.waiting = 0;
        self.store.write(std::mem::take(&mut self.batch), Class::Relaxed).await
    }

    /// Writes what is left, and waits until all of it is on the disk.
    ///
    /// # Errors
    /// As the store's.
    pub async fn end(mut self) -> Result<(u64, u64), StoreError> {
        self.write().await?;
        self.store.flush().await?;
        Ok((self.written, self.expired))
    }
}

#[cfg(test)]
mod tests;
