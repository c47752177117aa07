//! A walk through everything as it stood at one moment, while writing goes on.
//!
//! sled 0.34 has no snapshots. So a walk that has begun keeps, of every key it has not reached yet, the value from
//! before the first change; the walk shows that one. What lies behind the walk changes as it likes.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::super::StoreError;
use super::super::records::{Entry, Tree as _};
use super::disk::Disk;

/// So many entries are looked at under one lock: the writer waits that long.
const PAGE: usize = 256;

/// How far a walk has come, and what was changed ahead of it.
#[derive(Default)]
pub(super) struct Frozen {
    past: Vec<u8>,
    before: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Frozen {
    /// Called before a change.
    pub(super) fn keep(
        &mut self,
        key: &[u8],
        now: impl FnOnce() -> Result<Option<Vec<u8>>, StoreError>,
    ) -> Result<(), StoreError> {
        if key > self.past.as_slice() && !self.before.contains_key(key) {
            self.before.insert(key.to_vec(), now()?);
        }
        Ok(())
    }
}

/// From now on every change is remembered.
pub(super) fn freeze(disk: &Disk) {
    *disk.frozen().lock() = Some(Frozen::default());
}

/// Forgets the walk.
pub(super) fn thaw(disk: &Disk) {
    *disk.frozen().lock() = None;
}

/// The next entries below a prefix; prefixes come in their order. `None`: there are no more.
pub(super) fn page(disk: &Disk, prefix: &[u8]) -> Result<Option<Vec<Entry>>, StoreError> {
    let mut frozen = disk.frozen().lock();
    let Some(frozen) = &mut *frozen else {
        return Err(StoreError::Failed("it was opened anew during the walk".to_owned()));
    };
    let after = (frozen.past.as_slice() >= prefix).then_some(frozen.past.as_slice());
    let end = end_of(prefix);
    if after.is_some_and(|after| after >= end.as_slice()) {
        return Ok(None);
    }
    let from =
        after.map_or_else(|| Bound::Included(prefix.to_vec()), |after| Bound::Excluded(after.to_vec()));
    let found = disk.range(prefix, after, PAGE)?;
    let reached = if found.len() == PAGE { found.last().map(|(key, _)| key.clone()) } else { None };
    let reached = reached.unwrap_or_else(|| end.clone());
    let mut entries: BTreeMap<Vec<u8>, Vec<u8>> = found.into_iter().collect();
    let changed = frozen.before.range((from, Bound::Included(reached.clone())));
    for (key, before) in changed.filter(|(key, _)| key.starts_with(prefix)) {
        match before {
            Some(before) => drop(entries.insert(key.clone(), before.clone())),
            None => drop(entries.remove(key)),
        }
    }
    frozen.past = reached;
    Ok(Some(entries.into_iter().collect()))
}

/// The first key behind all that begin like this; a prefix ends in `/`.
pub(super) fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    end
}
