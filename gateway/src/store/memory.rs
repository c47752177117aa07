//! State for as long as the process runs: for the demo, for tests, and where nothing shall be written.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;

use super::keyspace::{Key, Space};
use super::records::{self, Entry, Raw, Tree, Writer};
use super::{Batch, Class, Clock, Page, Scan, Store, StoreError, Swap, Take};

/// A store in memory. The lock is held for microseconds.
pub struct Memory {
    writer: Mutex<Writer<Map>>,
    clock: Clock,
}

impl Memory {
    /// An empty one.
    pub fn new(clock: Clock) -> Self {
        Self::limited(clock, Space::limit)
    }

    /// With other limits than usual.
    pub(super) fn limited(clock: Clock, limit: fn(Space) -> u64) -> Self {
        let writer = Writer::empty(Map::default(), Arc::clone(&clock), limit);
        Self { writer: Mutex::new(writer), clock }
    }
}

/// The map itself.
#[derive(Default)]
struct Map(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);

impl Tree for Map {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.lock().get(key).cloned())
    }

    fn apply(&self, changes: Raw) -> Result<(), StoreError> {
        let mut map = self.0.lock();
        for (key, value) in changes {
            match value {
                Some(value) => drop(map.insert(key, value)),
                None => drop(map.remove(&key)),
            }
        }
        Ok(())
    }

    fn range(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let from = match after {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(prefix),
        };
        let map = self.0.lock();
        let entries = map.range::<[u8], _>((from, Bound::Unbounded));
        let inside = entries.take_while(|(key, _)| key.starts_with(prefix)).take(limit);
        Ok(inside.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

#[async_trait]
impl Store for Memory {
    async fn get_all(&self, keys: Vec<Key>) -> Result<Vec<Option<Bytes>>, StoreError> {
        let now = (self.clock)();
        let writer = self.writer.lock();
        let one = |key: &Key| Ok(records::get(writer.tree(), now, key)?.map(|record| record.value));
        keys.iter().map(one).collect()
    }

    async fn write(&self, batch: Batch, _: Class) -> Result<(), StoreError> {
        self.writer.lock().write(batch)
    }

    fn note(&self, batch: Batch) -> Result<(), StoreError> {
        self.writer.lock().write(batch)
    }

    async fn swap(&self, swap: Swap, _: Class) -> Result<bool, StoreError> {
        self.writer.lock().swap(swap)
    }

    async fn increment(&self, key: Key, by: i64, life: Option<Duration>) -> Result<i64, StoreError> {
        self.writer.lock().increment(key, by, life)
    }

    async fn scan(&self, scan: Scan) -> Result<Page, StoreError> {
        records::scan(self.writer.lock().tree(), (self.clock)(), &scan)
    }

    async fn sweep(&self) -> Result<usize, StoreError> {
        self.writer.lock().sweep()
    }

    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn walk(&self, spaces: &[Space], take: Take<'_>) -> Result<(), StoreError> {
        let now = (self.clock)();
        let mut found = Vec::new();
        {
            let writer = self.writer.lock();
            for space in spaces {
                found.extend(writer.tree().range(&space.prefix(), None, usize::MAX)?);
            }
        }
        take(records::kept(now, found)?)
    }
}
