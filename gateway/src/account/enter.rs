//! Rows into the store: the row, its sums and its money in one batch, each row once.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::sums::{self, Sums};
use super::{Ledger, place};
use crate::domain::LedgerRow;
use crate::store::{Batch, Class, Key, StoreError};

/// So many rows go into one batch.
const AT_ONCE: usize = 256;

/// What was spent of one counter of money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Spent {
    /// In millionths of a micro-dollar.
    pub(super) cost: i128,
    /// When the last of it was booked, Unix time in milliseconds.
    pub(super) at: u64,
}

impl Ledger {
    /// Enters rows that are not there yet, and says how many those were.
    ///
    /// # Errors
    /// When the store did not take them; some may be there then. Doing it again does no harm.
    pub(super) async fn enter(&self, rows: &[LedgerRow]) -> Result<usize, StoreError> {
        let mut entered = 0;
        for rows in rows.chunks(AT_ONCE) {
            let _one = self.writing.lock().await;
            entered += self.enter_some(rows).await?;
        }
        Ok(entered)
    }

    async fn enter_some(&self, rows: &[LedgerRow]) -> Result<usize, StoreError> {
        let mut seen = HashSet::new();
        let rows: Vec<_> = rows.iter().filter(|row| seen.insert(row.id.as_str())).collect();
        let keys: Vec<_> = rows.iter().map(|row| place::row(row)).collect();
        let there = self.known(&keys).await?;
        let new: Vec<_> = rows.into_iter().zip(keys).zip(there).filter(|(_, there)| !there).collect();
        if new.is_empty() {
            return Ok(0);
        }
        let mut batch = Batch::default();
        let mut added: BTreeMap<Key, Sums> = BTreeMap::new();
        let mut spent: BTreeMap<Key, Spent> = BTreeMap::new();
        let entered = new.len();
        for ((row, key), _) in new {
            batch = batch.put(key, json(row)?, None);
            for key in place::sums(row, &self.node) {
                added.entry(key).or_default().add(&Sums::of(row));
            }
            for place in &row.places {
                let spent = spent.entry(place::budget(place, &self.node, row.at)).or_default();
                spent.cost = spent.cost.saturating_add(sums::cost(row.cost));
                spent.at = spent.at.max(row.at);
            }
        }
        batch = self.add_sums(batch, added).await?;
        batch = self.add_spent(batch, spent).await?;
        self.store.write(batch, Class::Durable).await?;
        Ok(entered)
    }

    /// Which of these keys are there. One that cannot be read is there as well: what it was is not known any more.
    async fn known(&self, keys: &[Key]) -> Result<Vec<bool>, StoreError> {
        match self.store.get_all(keys.to_vec()).await {
            Ok(found) => return Ok(found.iter().map(Option::is_some).collect()),
            Err(StoreError::Corrupted { .. }) => {}
            Err(error) => return Err(error),
        }
        let mut known = Vec::with_capacity(keys.len());
        for key in keys {
            known.push(match self.store.get(key.clone()).await {
                Ok(found) => found.is_some(),
                Err(StoreError::Corrupted { .. }) => true,
                Err(error) => return Err(error),
            });
        }
        Ok(known)
    }

    /// What stands at these keys. What is damaged begins anew, loudly: sums can be made again from rows.
    pub(super) async fn standing<T: DeserializeOwned + Default>(
        &self,
        keys: &[Key],
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::with_capacity(keys.len());
        match self.store.get_all(keys.to_vec()).await {
            Ok(values) => found.extend(values.into_iter().map(|value| read(value.as_ref()))),
            Err(StoreError::Corrupted { .. }) => {
                for key in keys {
                    match self.store.get(key.clone()).await {
                        Ok(value) => found.push(read(value.as_ref())),
                        Err(error @ StoreError::Corrupted { .. }) => {
                            tracing::error!(%error, "a sum of the ledger begins anew");
                            found.push(T::default());
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
            Err(error) => return Err(error),
        }
        Ok(found)
    }

    /// The batch with these sums added to what stands.
    pub(super) async fn add_sums(
        &self,
        mut batch: Batch,
        added: BTreeMap<Key, Sums>,
    ) -> Result<Batch, StoreError> {
        let keys: Vec<Key> = added.keys().cloned().collect();
        let standing: Vec<Sums> = self.standing(&keys).await?;
        for ((key, added), mut sums) in added.into_iter().zip(standing) {
            sums.add(&added);
            batch = batch.put(key, json(&sums)?, None);
        }
        Ok(batch)
    }

    /// The batch with this money added to what was spent.
    pub(super) async fn add_spent(
        &self,
        mut batch: Batch,
        added: BTreeMap<Key, Spent>,
    ) -> Result<Batch, StoreError> {
        let keys: Vec<Key> = added.keys().cloned().collect();
        let standing: Vec<Spent> = self.standing(&keys).await?;
        for ((key, added), mut spent) in added.into_iter().zip(standing) {
            spent.cost = spent.cost.saturating_add(added.cost);
            spent.at = spent.at.max(added.at);
            let place = key.parts().and_then(|parts| place::rolling(parts.first()?));
            // Behind its window nobody asks for it.
            let life = place.map(|window| Duration::from_millis(window.saturating_mul(2)));
            batch = batch.put(key, json(&spent)?, life);
        }
        Ok(batch)
    }
}

fn read<T: DeserializeOwned + Default>(value: Option<&Bytes>) -> T {
    let Some(value) = value else { return T::default() };
    serde_json::from_slice(value).unwrap_or_else(|error| {
        tracing::error!(%error, "a sum of the ledger is not what was written, and begins anew");
        T::default()
    })
}

pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Failed(error.to_string()))
}
