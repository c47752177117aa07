//! What an ordered map of bytes lacks to be a store: records, expiry, counters, and spaces with a limit.
//!
//! Beside each record that expires stands an entry of the space `due`: the record's space, its time, its key. So what
//! has expired is found without looking at anything else, and when a space is full, what goes first.

pub(super) mod tally;

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

pub(super) use self::tally::{Missing, Tally};
use super::keyspace::{Key, Space};
use super::record::{self, Record};
use super::{Batch, Change, Clock, Kept, Page, Put, Scan, StoreError, Swap};

/// So much is removed at once, so that others get their turn.
const SWEPT_AT_ONCE: usize = 256;

/// A key and its value, raw.
pub(super) type Entry = (Vec<u8>, Vec<u8>);

/// Raw changes by key; `None` removes.
pub(super) type Raw = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// An ordered map of bytes.
pub(super) trait Tree {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// All changes or none.
    fn apply(&self, changes: Raw) -> Result<(), StoreError>;

    /// At most `limit` entries whose key begins with `prefix` and stands behind `after`.
    fn range(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError>;
}

/// One record, if it is there and has not expired.
pub(super) fn get(tree: &impl Tree, now: u64, key: &Key) -> Result<Option<Record>, StoreError> {
    let Some(bytes) = tree.get(&key.0)? else { return Ok(None) };
    Ok(Some(Record::decode(&key.0, &bytes)?).filter(|record| record.is_alive(now)))
}

/// One page of a scan.
pub(super) fn scan(tree: &impl Tree, now: u64, scan: &Scan) -> Result<Page, StoreError> {
    let after = scan.after.as_ref().map(|key| key.0.as_slice());
    let found = tree.range(&scan.prefix.0, after, scan.limit)?;
    let full = found.len() == scan.limit;
    let next = found.last().filter(|_| full).map(|(key, _)| Key(key.clone()));
    let mut entries = Vec::with_capacity(found.len());
    for (key, bytes) in found {
        let record = Record::decode(&key, &bytes)?;
        if record.is_alive(now) {
            entries.push((Key(key), record.value));
        }
    }
    Ok(Page { entries, next })
}

/// What is alive of these entries, to be carried elsewhere.
pub(super) fn kept(now: u64, entries: Vec<Entry>) -> Result<Vec<Kept>, StoreError> {
    let mut alive = Vec::with_capacity(entries.len());
    for (key, bytes) in entries {
        let record = Record::decode(&key, &bytes)?;
        if record.is_alive(now) {
            alive.push(Kept { key: Key(key), value: record.value, expires: record.expires });
        }
    }
    Ok(alive)
}

/// The one who writes. There is only one per tree, so reading and then writing is safe.
pub(super) struct Writer<T> {
    tree: T,
    clock: Clock,
    limit: fn(Space) -> u64,
    /// Bytes of records that expire, by space.
    held: HashMap<Space, u64>,
    /// What must be there, by space, where that is kept beside the records.
    tallies: Option<HashMap<Space, Tally>>,
}

impl<T: Tree> Writer<T> {
    /// Counts what is there.
    pub(super) fn new(tree: T, clock: Clock, limit: fn(Space) -> u64) -> Result<Self, StoreError> {
        let mut held = HashMap::new();
        for space in Space::ALL {
            let mut after: Option<Vec<u8>> = None;
            loop {
                let page = tree.range(&due_prefix(space), after.as_deref(), SWEPT_AT_ONCE)?;
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                for (key, bytes) in &page {
                    *held.entry(space).or_default() += size_in(key, bytes)?;
                }
            }
        }
        Ok(Self { held, ..Self::empty(tree, clock, limit) })
    }

    /// Of a tree that has nothing in it.
    pub(super) fn empty(tree: T, clock: Clock, limit: fn(Space) -> u64) -> Self {
        Self { tree, clock, limit, held: HashMap::new(), tallies: None }
    }

    /// From now on every batch says what must be there after it. Spaces that hold more than `at_most` bytes of what
    /// expires are taken as they are; for the others comes back how they differ from what was said last.
    pub(super) fn counting(mut self, at_most: u64) -> Result<(Self, Vec<Missing>), StoreError> {
        let mut tallies = HashMap::new();
        let mut missing = Vec::new();
        for space in Space::ALL.into_iter().filter(|space| tally::is_counted(*space)) {
            let said = tally::said(&self.tree, space)?;
            if self.held.get(&space).is_some_and(|held| *held > at_most) {
                tallies.insert(space, said.unwrap_or_default());
                continue;
            }
            let found = match tally::found(&self.tree, space) {
                Ok(found) => found,
                Err(error) => {
                    missing.push(Missing { space, what: error.to_string() });
                    continue;
                }
            };
            if let Some(said) = said.filter(|said| *said != found) {
                missing.push(Missing { space, what: said.against(found) });
            }
            tallies.insert(space, found);
        }
        let all = tallies.iter().map(|(space, tally)| tally.record(*space));
        self.tree.apply(all.collect())?;
        self.tallies = Some(tallies);
        Ok((self, missing))
    }

    pub(super) fn tree(&self) -> &T {
        &self.tree
    }

    /// Applies a batch, and makes room where a space got too full.
    pub(super) fn write(&mut self, batch: Batch) -> Result<(), StoreError> {
        let now = (self.clock)();
        let mut work = Work::default();
        for Change { key, put } in batch.0 {
            work.set(&self.tree, now, key, put)?;
        }
        self.finish(work)
    }

    /// Compare and swap.
    pub(super) fn swap(&mut self, swap: Swap) -> Result<bool, StoreError> {
        let found = get(&self.tree, (self.clock)(), &swap.key)?.map(|record| record.value);
        if found != swap.expected {
            return Ok(false);
        }
        self.write(Batch::default().put(swap.key, swap.value, swap.life))?;
        Ok(true)
    }

    /// Adds to a counter. It keeps the end it was born with.
    pub(super) fn increment(
        &mut self,
        key: Key,
        by: i64,
        life: Option<std::time::Duration>,
    ) -> Result<i64, StoreError> {
        let now = (self.clock)();
        let found = get(&self.tree, now, &key)?;
        let (before, expires) = match &found {
            None => (0, life.map(|life| end_of(now, life))),
            Some(record) => {
                let bytes: [u8; 8] = record.value.as_ref().try_into().map_err(|_| StoreError::Corrupted {
                    key: key.to_string(),
                    what: "it holds no counter",
                })?;
                (i64::from_be_bytes(bytes), record.expires)
            }
        };
        let after = before.saturating_add(by);
        let mut work = Work::default();
        let value = Bytes::copy_from_slice(&after.to_be_bytes());
        work.put(&self.tree, key, Some(Record { expires, value }))?;
        self.finish(work)?;
        Ok(after)
    }

    /// Removes some of what has expired.
    pub(super) fn sweep(&mut self) -> Result<usize, StoreError> {
        let now = (self.clock)();
        let mut work = Work::default();
        let mut swept = 0;
        for space in Space::ALL {
            let due = self.tree.range(&due_prefix(space), None, SWEPT_AT_ONCE)?;
            for (entry, bytes) in due {
                let Some((expires, key)) = due_in(space, &entry) else { continue };
                if expires > now {
                    break;
                }
                let size = size_in(&entry, &bytes).unwrap_or(0);
                work.expire(&self.tree, &Due { space, entry: &entry, expires, key, size })?;
                swept += 1;
            }
        }
        self.finish(work)?;
        Ok(swept)
    }

    fn finish(&mut self, work: Work) -> Result<(), StoreError> {
        for (space, by) in self.apply(work)? {
            if by > 0 {
                self.make_room(space)?;
            }
        }
        Ok(())
    }

    /// Applies changes together with what must be there after them; tells how much the spaces grew.
    fn apply(&mut self, work: Work) -> Result<HashMap<Space, i64>, StoreError> {
        let Work { mut changes, grown, counted } = work;
        let mut after = Vec::new();
        if let Some(tallies) = &self.tallies {
            let known =
                counted.into_iter().filter_map(|(space, by)| Some((space, tallies.get(&space)?.and(by))));
            after.extend(known);
            changes.extend(after.iter().map(|(space, tally)| tally.record(*space)));
        }
        self.tree.apply(changes)?;
        if let Some(tallies) = &mut self.tallies {
            tallies.extend(after);
        }
        for (space, by) in &grown {
            let held = self.held.entry(*space).or_default();
            *held = held.saturating_add_signed(*by);
        }
        Ok(grown)
    }

    fn make_room(&mut self, space: Space) -> Result<(), StoreError> {
        let limit = (self.limit)(space);
        while self.held.get(&space).is_some_and(|held| *held > limit) {
            let due = self.tree.range(&due_prefix(space), None, SWEPT_AT_ONCE)?;
            if due.is_empty() {
                return Ok(());
            }
            let mut over = self.held.get(&space).copied().unwrap_or(0).saturating_sub(limit);
            let mut work = Work::default();
            for (entry, bytes) in due {
                let Some((expires, key)) = due_in(space, &entry) else { continue };
                let size = size_in(&entry, &bytes).unwrap_or(0);
                work.expire(&self.tree, &Due { space, entry: &entry, expires, key, size })?;
                over = over.saturating_sub(size);
                if over == 0 {
                    break;
                }
            }
            self.apply(work)?;
        }
        Ok(())
    }
}

/// An entry of `due`, taken apart.
struct Due<'d> {
    space: Space,
    entry: &'d [u8],
    expires: u64,
    key: &'d [u8],
    size: u64,
}

/// Raw changes in the making. What is set twice in one batch is seen by the second.
#[derive(Default)]
struct Work {
    changes: Raw,
    grown: HashMap<Space, i64>,
    counted: HashMap<Space, Tally>,
}

impl Work {
    fn set(&mut self, tree: &impl Tree, now: u64, key: Key, put: Option<Put>) -> Result<(), StoreError> {
        let record =
            put.map(|Put { value, life }| Record { expires: life.map(|life| end_of(now, life)), value });
        self.put(tree, key, record)
    }

    fn put(&mut self, tree: &impl Tree, key: Key, record: Option<Record>) -> Result<(), StoreError> {
        let space = Space::of(&key.0)
            .ok_or_else(|| StoreError::Failed(format!("`{key}` belongs to no space that is known")))?;
        let before = match self.changes.get(&key.0) {
            Some(change) => change.clone(),
            None => tree.get(&key.0)?,
        };
        // A newer program wrote it and knows why; what this one would write in its place, that one may not read.
        if before.as_ref().and_then(|bytes| bytes.first()).is_some_and(|version| *version > record::NEWEST) {
            let what = "a newer version of this program wrote it, and this one leaves it alone";
            return Err(StoreError::Corrupted { key: key.to_string(), what });
        }
        self.count(space, before.as_deref(), Tally::minus);
        // What cannot be read is being replaced; its entry of `due` finds that out by itself.
        let before = before.and_then(|bytes| {
            let size = bytes.len();
            Some((Record::decode(&key.0, &bytes).ok()?.expires?, size))
        });
        if let Some((expires, size)) = before {
            self.changes.insert(due_key(space, expires, &key.0), None);
            self.grow(space, -signed(size));
        }
        let bytes = record.as_ref().map(|record| record.encode(&key.0));
        self.count(space, bytes.as_deref(), Tally::plus);
        if let (Some(bytes), Some(expires)) = (&bytes, record.and_then(|record| record.expires)) {
            let entry = due_key(space, expires, &key.0);
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes();
            let marked = Record { expires: None, value: Bytes::copy_from_slice(&size) }.encode(&entry);
            self.changes.insert(entry, Some(marked));
            self.grow(space, signed(bytes.len()));
        }
        self.changes.insert(key.0, bytes);
        Ok(())
    }

    /// Removes an entry of `due`, and the record if it is still the one that was meant.
    fn expire(&mut self, tree: &impl Tree, due: &Due<'_>) -> Result<(), StoreError> {
        let &Due { space, entry, expires, key, size } = due;
        self.changes.insert(entry.to_vec(), None);
        self.grow(space, -i64::try_from(size).unwrap_or(i64::MAX));
        let Some(bytes) = tree.get(key)? else { return Ok(()) };
        let meant = match Record::decode(key, &bytes) {
            Ok(record) => record.expires == Some(expires),
            Err(error) => {
                tracing::error!(%error, "a corrupted record was removed at its end");
                true
            }
        };
        if meant {
            self.count(space, Some(&bytes), Tally::minus);
            self.changes.insert(key.to_vec(), None);
        }
        Ok(())
    }

    fn count(&mut self, space: Space, record: Option<&[u8]>, change: fn(Tally, &[u8]) -> Tally) {
        if let Some(record) = record {
            let counted = self.counted.entry(space).or_default();
            *counted = change(*counted, record);
        }
    }

    fn grow(&mut self, space: Space, by: i64) {
        let grown = self.grown.entry(space).or_default();
        *grown = grown.saturating_add(by);
    }
}

fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn end_of(now: u64, life: std::time::Duration) -> u64 {
    now.saturating_add(u64::try_from(life.as_millis()).unwrap_or(u64::MAX))
}

fn due_prefix(space: Space) -> Vec<u8> {
    [Space::Due.prefix(), space.prefix()].concat()
}

fn due_key(space: Space, expires: u64, key: &[u8]) -> Vec<u8> {
    [due_prefix(space).as_slice(), &expires.to_be_bytes(), key].concat()
}

/// Time and key in an entry of `due`.
fn due_in(space: Space, entry: &[u8]) -> Option<(u64, &[u8])> {
    let rest = entry.strip_prefix(due_prefix(space).as_slice())?;
    let (expires, key) = rest.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*expires), key))
}

fn size_in(entry: &[u8], bytes: &[u8]) -> Result<u64, StoreError> {
    let record = Record::decode(entry, bytes)?;
    let size: Option<[u8; 8]> = record.value.as_ref().try_into().ok();
    Ok(size.map_or(0, u64::from_be_bytes))
}
