//! State on a Redis or Valkey server, shared by many nodes. Only here and below `redis/` is the client's crate named.
//!
//! Each verb is one Lua script, so it is one step for all nodes, and time is the server's. A record stands under its key
//! with its end as the server's own expiry. Beside it stand, per space: the keys in order (for scans), the ends (to make
//! room and to tidy up the order), and the sizes where a space has a limit. All names begin with one tag in braces, so a
//! cluster keeps a deployment in one slot: any batch is one step there too.
//!
//! Acknowledged is what the server has taken. How much of that a crash of the server loses is said by its own settings:
//! with `appendonly yes` and `appendfsync everysec` the last second, with `always` nothing.

mod address;
mod checks;
mod holds;
mod link;
mod notes;
mod verb;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

pub use self::address::Address;
pub use self::holds::Shared;
use self::link::Link;
use self::notes::Notes;
use super::keyspace::{Key, Space};
use super::record::{self, Record};
use super::{Batch, Change, Class, Kept, Page, Put, Scan, State, Store, StoreError, Swap, Take};

/// So much is removed per space at once.
const SWEPT_AT_ONCE: usize = 256;
/// So much is read at once on a walk.
const WALKED_AT_ONCE: usize = 200;
/// Longer lives than this are for ever.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A store on a server.
pub struct Redis {
    link: Arc<Link>,
    notes: Notes,
    limit: fn(Space) -> u64,
}

impl Redis {
    /// Connects, and looks whether the server is fit to keep our state. Waits for the server, within its time limits.
    ///
    /// # Errors
    /// What is wrong with the server, and which of its settings helps.
    pub fn open(address: Address) -> Result<Self, StoreError> {
        Self::limited(address, Space::limit)
    }

    /// With other limits than usual.
    pub(super) fn limited(address: Address, limit: fn(Space) -> u64) -> Result<Self, StoreError> {
        let (notes, waiting) = Notes::new(limit);
        let link = Link::open(address, |link| waiting.run(link))?;
        let server = link.server();
        if !server.keeps {
            tracing::warn!(
                server = %server.shown,
                "`appendonly` is off: the server forgets what is younger than its last snapshot when it crashes; \
                 set `appendonly yes`"
            );
        }
        Ok(Self { link, notes, limit })
    }

    /// Where it is and what it is, for people.
    pub fn place(&self) -> String {
        format!("{} at {}", self.link.server().shown, self.link.address.shown())
    }

    /// Which store it is: given to it by the first node that came.
    pub fn identity(&self) -> String {
        self.link.identity()
    }

    /// What is looked at for one page, with what has expired.
    async fn page(&self, scan: &Scan) -> Result<Vec<Found>, StoreError> {
        let space = space_of(&scan.prefix)?;
        let first = match &scan.after {
            Some(after) => [b"(", after.0.as_slice()].concat(),
            None => [b"[", scan.prefix.0.as_slice()].concat(),
        };
        let mut call = self.link.verbs.scan.prepare_invoke();
        call.key(self.link.address.tag()).arg(self.link.identity()).arg(space.name());
        call.arg(first).arg(behind(&scan.prefix)).arg(scan.limit);
        let answer: Vec<Option<Vec<u8>>> = self.link.run(&call).await?;
        let mut page = Vec::with_capacity(answer.len() / 3);
        for found in answer.chunks_exact(3) {
            let [Some(key), value, end] = found else { continue };
            let key = Key(key.clone());
            let value = value.as_ref().map(|value| decode(&key, value)).transpose()?;
            let expires = end.as_ref().and_then(|end| std::str::from_utf8(end).ok()?.parse().ok());
            page.push(Found { key, value, expires });
        }
        Ok(page)
    }
}

/// An entry of the order.
struct Found {
    key: Key,
    /// Nothing: it has expired.
    value: Option<Bytes>,
    expires: Option<u64>,
}

#[async_trait]
impl Store for Redis {
    async fn get_all(&self, keys: Vec<Key>) -> Result<Vec<Option<Bytes>>, StoreError> {
        let mut found: Vec<Option<Option<Bytes>>> = keys.iter().map(|key| self.notes.value(key)).collect();
        let unknown: Vec<usize> =
            found.iter().enumerate().filter(|(_, value)| value.is_none()).map(|(at, _)| at).collect();
        if !unknown.is_empty() {
            let tag = self.link.address.tag();
            let mut command = redis::cmd("MGET");
            for key in unknown.iter().filter_map(|at| keys.get(*at)) {
                command.arg(name(&tag, key));
            }
            let values: Vec<Option<Vec<u8>>> = self.link.ask(&command).await?;
            for (at, value) in unknown.into_iter().zip(values) {
                if let (Some(key), Some(slot)) = (keys.get(at), found.get_mut(at)) {
                    *slot = Some(value.map(|value| decode(key, &value)).transpose()?);
                }
            }
        }
        Ok(found.into_iter().map(Option::flatten).collect())
    }

    async fn write(&self, batch: Batch, _: Class) -> Result<(), StoreError> {
        self.notes.passed(batch.0.iter().map(|change| &change.key)).await;
        write(&self.link, &batch, self.limit).await
    }

    fn note(&self, batch: Batch) -> Result<(), StoreError> {
        self.notes.accept(batch)
    }

    async fn swap(&self, swap: Swap, _: Class) -> Result<bool, StoreError> {
        self.notes.passed(std::iter::once(&swap.key)).await;
        let space = space_of(&swap.key)?;
        let mut call = self.link.verbs.swap.prepare_invoke();
        call.key(self.link.address.tag()).arg(self.link.identity()).arg(space.name());
        call.arg(&swap.key.0).arg(encode(&swap.key, &swap.value)).arg(millis(swap.life));
        call.arg(bytes(self.limit, space));
        call.arg(swap.expected.map(|expected| encode(&swap.key, &expected)).unwrap_or_default());
        self.link.run(&call).await
    }

    async fn increment(&self, key: Key, by: i64, life: Option<Duration>) -> Result<i64, StoreError> {
        self.notes.passed(std::iter::once(&key)).await;
        let space = space_of(&key)?;
        let mut call = self.link.verbs.increment.prepare_invoke();
        call.key(self.link.address.tag()).arg(self.link.identity()).arg(space.name());
        call.arg(&key.0).arg(by).arg(millis(life));
        let counted: String = self.link.run(&call).await?;
        counted.parse().map_err(|_| no_counter(&key))
    }

    async fn scan(&self, scan: Scan) -> Result<Page, StoreError> {
        let looked_at = self.page(&scan).await?;
        let last = looked_at.last().map(|found| found.key.clone());
        let next = last.filter(|_| looked_at.len() == scan.limit);
        let alive = looked_at.into_iter().filter_map(|found| Some((found.key, found.value?)));
        Ok(Page { entries: alive.collect(), next })
    }

    async fn sweep(&self) -> Result<usize, StoreError> {
        let mut call = self.link.verbs.sweep.prepare_invoke();
        call.key(self.link.address.tag()).arg(self.link.identity()).arg(SWEPT_AT_ONCE);
        for space in Space::ALL {
            call.arg(space.name());
        }
        self.link.run(&call).await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.notes.all_passed().await;
        Ok(())
    }

    fn state(&self) -> State {
        match *self.link.is_up().borrow() {
            true => State::Ready,
            false => State::Down(format!("{} does not answer", self.link.address.shown())),
        }
    }

    /// Not as of one moment: what is written meanwhile may be in it or not.
    async fn walk(&self, spaces: &[Space], take: Take<'_>) -> Result<(), StoreError> {
        self.notes.all_passed().await;
        for space in spaces {
            let mut scan = Scan { prefix: Key(space.prefix()), after: None, limit: WALKED_AT_ONCE };
            loop {
                let found = self.page(&scan).await?;
                scan.after = found.last().map(|found| found.key.clone());
                let is_last = found.len() < scan.limit;
                let kept = |Found { key, value, expires }| Some(Kept { key, value: value?, expires });
                take(found.into_iter().filter_map(kept).collect())?;
                if is_last {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Applies a batch.
async fn write(link: &Link, batch: &Batch, limit: fn(Space) -> u64) -> Result<(), StoreError> {
    let only_removes = batch.0.iter().all(|change| change.put.is_none());
    let verb = if only_removes { &link.verbs.remove } else { &link.verbs.write };
    let mut call = verb.prepare_invoke();
    call.key(link.address.tag()).arg(link.identity());
    for Change { key, put } in &batch.0 {
        let space = space_of(key)?;
        call.arg(space.name()).arg(&key.0);
        match put {
            Some(Put { value, life }) => call.arg(encode(key, value)).arg(millis(*life)),
            None => call.arg("").arg(""),
        };
        call.arg(bytes(limit, space));
    }
    link.run(&call).await
}

fn name(tag: &str, key: &Key) -> Vec<u8> {
    [tag.as_bytes(), b":v:", key.0.as_slice()].concat()
}

fn space_of(key: &Key) -> Result<Space, StoreError> {
    Space::of(&key.0).ok_or_else(|| StoreError::Failed(format!("`{key}` belongs to no space that is known")))
}

/// A life as the scripts read it; empty: for ever.
fn millis(life: Option<Duration>) -> String {
    life.filter(|life| *life < LONGEST).map(|life| life.as_millis().to_string()).unwrap_or_default()
}

/// The limit of a space as the scripts read it; empty: none.
fn bytes(limit: fn(Space) -> u64, space: Space) -> String {
    Some(limit(space)).filter(|limit| *limit != u64::MAX).map(|limit| limit.to_string()).unwrap_or_default()
}

/// The bound behind the last key with a prefix: the prefix with its last byte one higher.
fn behind(prefix: &Key) -> Vec<u8> {
    let mut bound = prefix.0.clone();
    while let Some(last) = bound.pop() {
        if let Some(higher) = last.checked_add(1) {
            return [b"(", bound.as_slice(), &[higher]].concat();
        }
    }
    b"+".to_vec()
}

/// The value as it stands on the server: a record without an end, which the server keeps. Counters stand as text, which
/// the server can add to; no record begins with a digit or a sign.
fn encode(key: &Key, value: &Bytes) -> Vec<u8> {
    const { assert!(record::NEWEST < b'-') };
    if matches!(space_of(key), Ok(Space::Counter | Space::Epoch))
        && let Ok(counter) = value.as_ref().try_into()
    {
        return i64::from_be_bytes(counter).to_string().into_bytes();
    }
    Record { expires: None, value: value.clone() }.encode(&key.0)
}

fn decode(key: &Key, value: &[u8]) -> Result<Bytes, StoreError> {
    if value.first().is_some_and(|first| first.is_ascii_digit() || *first == b'-') {
        let counter = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
        return Ok(Bytes::copy_from_slice(&counter.ok_or_else(|| no_counter(key))?.to_be_bytes()));
    }
    Ok(Record::decode(&key.0, value)?.value)
}

fn no_counter(key: &Key) -> StoreError {
    StoreError::Corrupted { key: key.to_string(), what: "it holds no counter" }
}

#[cfg(test)]
pub(super) mod tests;
