//! Rows into the store: the rows, their sums and their money in one batch, each row once.
//!
//! Rows of one minute that come together stand in one record: a store takes a few large records with a fraction of the work
//! that many small ones are. Whether a row is there already is looked up only where that may be: of what is read again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Ledger;
use super::place::{self, MINUTE};
use super::rows;
use super::sums::{self, Sums};
use crate::domain::LedgerRow;
use crate::store::{Batch, Class, Key, Page, Scan, StoreError};

/// So many rows go into one batch.
const AT_ONCE: usize = 1024;
/// So many rows stand in one record at most.
const TOGETHER: usize = 64;
/// Entries looked at in one go.
const LOOKED_AT: usize = 64;
/// Of so many minutes it is remembered which rows are there, while what is there is read again.
const REMEMBERED: usize = 4;

/// What was spent of one counter of money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Spent {
    /// In millionths of a micro-dollar.
    pub(super) cost: i128,
    /// When the last of it was booked, Unix time in milliseconds.
    pub(super) at: u64,
}

/// A row, and how it is written.
pub(super) struct Written {
    pub(super) row: LedgerRow,
    json: Bytes,
}

impl Written {
    /// A row that was not written yet.
    pub(super) fn of(row: LedgerRow) -> Result<Self, StoreError> {
        let json = json(&row)?.into();
        Ok(Self { row, json })
    }

    /// A row as it stands in the journal.
    pub(super) fn read(json: &Bytes) -> serde_json::Result<Self> {
        Ok(Self { row: serde_json::from_slice(json)?, json: json.clone() })
    }

    fn minute(&self) -> u64 {
        self.row.at / MINUTE
    }
}

/// Ids of rows that are there, by minute. Those of a minute with a damaged record are not known: then all are taken to be
/// there, for what was damaged was.
#[derive(Default)]
pub(super) struct Known(BTreeMap<u64, Option<HashSet<String>>>);

impl Known {
    fn has(&self, written: &Written) -> bool {
        let of_minute = self.0.get(&written.minute());
        of_minute.is_some_and(|ids| ids.as_ref().is_none_or(|ids| ids.contains(&written.row.id)))
    }

    fn add(&mut self, written: &Written) {
        if let Some(Some(ids)) = self.0.get_mut(&written.minute()) {
            ids.insert(written.row.id.clone());
        }
    }
}

impl Ledger {
    /// Enters rows and says how many were new. `fresh`: none of them can be there.
    ///
    /// # Errors
    /// When the store did not take them; some may be there then. Doing it again, and not as fresh, does no harm.
    pub(super) async fn enter(&self, rows: &[Written], fresh: bool) -> Result<usize, StoreError> {
        let mut entered = 0;
        for rows in rows.chunks(AT_ONCE) {
            let mut known = self.writing.lock().await;
            if fresh {
                known.0.clear();
            } else {
                self.look_up(rows, &mut known).await?;
            }
            entered += self.enter_some(rows, &mut known).await?;
        }
        Ok(entered)
    }

    async fn enter_some(&self, rows: &[Written], known: &mut Known) -> Result<usize, StoreError> {
        let mut seen = HashSet::new();
        let new: Vec<&Written> = rows
            .iter()
            .filter(|written| seen.insert(written.row.id.as_str()) && !known.has(written))
            .collect();
        if new.is_empty() {
            return Ok(0);
        }
        let mut batch = Batch::default();
        for (key, record) in records(&new) {
            batch = batch.put(key, record, None);
        }
        batch = self.add_sums(batch, self.sums_of(&new)).await?;
        batch = self.add_spent(batch, self.spent_of(&new)).await?;
        self.store.write(batch, Class::Durable).await?;
        new.iter().for_each(|written| known.add(written));
        Ok(new.len())
    }

    fn sums_of(&self, rows: &[&Written]) -> BTreeMap<Key, Sums> {
        // Most rows have the same place as another one, and making its name takes longer than adding up.
        let mut alike: HashMap<_, (&LedgerRow, Sums)> = HashMap::new();
        for Written { row, .. } in rows {
            let of = (&row.key, &row.user, &row.team, &row.model, &row.provider, &row.target);
            let entry = alike.entry((of, row.at / place::HOUR));
            entry.or_insert_with(|| (row, Sums::default())).1.add(&Sums::of(row));
        }
        let mut added: BTreeMap<Key, Sums> = BTreeMap::new();
        for (row, sums) in alike.into_values() {
            for key in place::sums(row, &self.node) {
                added.entry(key).or_default().add(&sums);
            }
        }
        added
    }

    fn spent_of(&self, rows: &[&Written]) -> BTreeMap<Key, Spent> {
        let mut alike: HashMap<(&str, u64), Spent> = HashMap::new();
        for Written { row, .. } in rows {
            for place in &row.places {
                let spent = alike.entry((place, row.at / place::SECOND)).or_default();
                spent.cost = spent.cost.saturating_add(sums::cost(row.cost));
                spent.at = spent.at.max(row.at);
            }
        }
        let mut added: BTreeMap<Key, Spent> = BTreeMap::new();
        for ((place, _), some) in alike {
            let spent = added.entry(place::budget(place, &self.node, some.at)).or_default();
            spent.cost = spent.cost.saturating_add(some.cost);
            spent.at = spent.at.max(some.at);
        }
        added
    }

    /// Which rows are there of the minutes of these.
    async fn look_up(&self, rows: &[Written], known: &mut Known) -> Result<(), StoreError> {
        let wanted: BTreeMap<u64, u64> =
            rows.iter().map(|written| (written.minute(), written.row.at)).collect();
        if known.0.len() > REMEMBERED {
            known.0.retain(|minute, _| wanted.contains_key(minute));
        }
        for (minute, at) in wanted {
            if known.0.contains_key(&minute) {
                continue;
            }
            let ids = match self.ids(place::minute(&place::Moment::of(at))).await {
                Err(error @ StoreError::Corrupted { .. }) => {
                    tracing::error!(%error, "rows of the ledger in this minute are not entered again");
                    None
                }
                ids => Some(ids?),
            };
            known.0.insert(minute, ids);
        }
        Ok(())
    }

    async fn ids(&self, prefix: Key) -> Result<HashSet<String>, StoreError> {
        let (mut ids, mut after) = (HashSet::new(), None);
        loop {
            let scan = Scan { prefix: prefix.clone(), after, limit: LOOKED_AT };
            let Page { entries, next } = self.store.scan(scan).await?;
            ids.extend(entries.iter().flat_map(|(key, value)| rows::read(key, value)).map(|row| row.id));
            after = next;
            if after.is_none() {
                return Ok(ids);
            }
        }
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

/// Records with these rows, those of a minute together.
fn records(rows: &[&Written]) -> Vec<(Key, Vec<u8>)> {
    let mut minutes: BTreeMap<u64, Vec<&Written>> = BTreeMap::new();
    for written in rows {
        minutes.entry(written.minute()).or_default().push(written);
    }
    let some = minutes.values().flat_map(|rows| rows.chunks(TOGETHER));
    some.filter_map(|rows| Some((place::row(&rows.first()?.row), together(rows)))).collect()
}

fn together(rows: &[&Written]) -> Vec<u8> {
    let mut record = Vec::with_capacity(2 + rows.iter().map(|written| written.json.len() + 1).sum::<usize>());
    record.push(b'[');
    for written in rows {
        if record.len() > 1 {
            record.push(b',');
        }
        record.extend_from_slice(&written.json);
    }
    record.push(b']');
    record
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
