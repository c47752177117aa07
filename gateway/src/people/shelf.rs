//! How records stand in the store: JSON with a version, one key each, changed only if they are still what was read.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use crate::store::{Batch, Class, Key, Scan, Space, Store, StoreError, Swap};

/// The form of the records that this program writes.
const VERSION: u32 = 1;

/// So many records are read at once.
const PAGE: usize = 512;

/// A record as it is written.
#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    v: u32,
    is: T,
}

/// The store, for records.
pub(super) struct Shelf {
    pub(super) store: Arc<dyn Store>,
}

impl Shelf {
    /// All records of a space. One that cannot be read is left out and told to the operator: whoever it stands for does
    /// not get in.
    pub(super) async fn all<T: DeserializeOwned>(&self, space: Space) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let scan = Scan { prefix: space.key(&[]), after, limit: PAGE };
            let page = self.store.scan(scan).await?;
            for (key, bytes) in &page.entries {
                match read(key, bytes) {
                    Ok(record) => found.push(record),
                    Err(error) => tracing::error!(%error, "a record is left out"),
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// A record, and its bytes to change it by.
    pub(super) async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<(Bytes, T)>, StoreError> {
        let Some(bytes) = self.store.get(key.clone()).await? else { return Ok(None) };
        let record = read(&key, &bytes)?;
        Ok(Some((bytes, record)))
    }

    /// Puts a record in the place of what was read there; `None`: of nothing. When this comes back it is on the disk.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] when something else is there by now.
    pub(super) async fn put<T: Serialize>(
        &self,
        key: Key,
        expected: Option<Bytes>,
        record: &T,
    ) -> Result<(), Refusal> {
        let life = key.space().and_then(Space::life);
        let swap = Swap { key, expected, value: written(record)?, life };
        match self.store.swap(swap, Class::Durable).await? {
            true => Ok(()),
            false => {
                Err(Refusal::Conflict("somebody else changed it at the same time; look again".to_owned()))
            }
        }
    }

    /// Removes a record.
    pub(super) async fn remove(&self, key: Key) -> Result<(), StoreError> {
        self.store.write(Batch::default().delete(key), Class::Durable).await
    }

    /// Tells everybody who reads this store that something changed, and gives the number of the change.
    pub(super) async fn changed(&self) -> Result<i64, StoreError> {
        self.store.increment(epoch(), 1, None).await
    }

    /// The number of the last change.
    pub(super) async fn epoch(&self) -> Result<i64, StoreError> {
        let bytes = self.store.get(epoch()).await?;
        let number: Option<[u8; 8]> = bytes.and_then(|bytes| bytes.as_ref().try_into().ok());
        Ok(number.map_or(0, i64::from_be_bytes))
    }
}

fn epoch() -> Key {
    Space::Counter.key(&["epoch", "people"])
}

fn written<T: Serialize>(record: &T) -> Result<Bytes, Refusal> {
    let bytes = serde_json::to_vec(&Versioned { v: VERSION, is: record });
    bytes.map(Bytes::from).map_err(|error| Refusal::Internal(format!("a record cannot be written: {error}")))
}

/// A record of its bytes.
pub(super) fn read<T: DeserializeOwned>(key: &Key, bytes: &[u8]) -> Result<T, StoreError> {
    let corrupted = |what| StoreError::Corrupted { key: key.to_string(), what };
    #[derive(Deserialize)]
    struct Form {
        v: u32,
    }
    let form: Form = serde_json::from_slice(bytes).map_err(|_| corrupted("it is no JSON of ours"))?;
    if form.v > VERSION {
        return Err(corrupted("it was written by a newer program"));
    }
    let record: Versioned<T> = serde_json::from_slice(bytes).map_err(|error| {
        tracing::error!(key = %key, %error, "a record does not fit");
        corrupted("a field is missing or of another kind")
    })?;
    Ok(record.is)
}
