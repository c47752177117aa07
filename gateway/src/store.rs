//! State that outlives a request: one trait, and a backend for each place it can be kept in.
//!
//! `keyspace` lists everything that is written. A backend is one file that passes `suite`: `sled` keeps state on this
//! machine's disk, `redis` on a server for many nodes, `memory` for as long as the process runs. `record` is the form of a value (version, expiry,
//! checksum), `records` what an ordered map of bytes lacks to be a store.
//!
//! What is written has a [`Class`]. Durable: the answer comes when it is on the disk, and concurrent writers share one
//! flush. Relaxed: the answer comes when reads see it, and a crash may lose the last tenth of a second.

mod changes;
pub mod holds;
pub mod journal;
mod keyspace;
pub mod lines;
mod memory;
mod record;
mod records;
mod redis;
pub mod sled;
pub mod snapshot;
#[cfg(test)]
mod suite;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use self::changes::Changes;
pub use self::holds::Holds;
pub use self::journal::Journal;
pub use self::keyspace::{Key, Space};
pub use self::memory::Memory;
pub use self::redis::{Address, Redis, Shared};
pub use self::sled::{Place, Sled};
use crate::error::{GatewayError, Kind};

/// What an acknowledgement means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It survives a crash of the process and of the machine.
    Durable,
    /// It is seen by reads; a crash may lose what is younger than a tenth of a second.
    Relaxed,
}

/// Changes that happen together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch(Vec<Change>);

/// One change; no value: the key goes.
#[derive(Clone, Debug)]
struct Change {
    key: Key,
    put: Option<Put>,
}

#[derive(Clone, Debug)]
struct Put {
    value: Bytes,
    life: Option<Duration>,
}

impl Batch {
    /// Sets a key; after `life` it is gone.
    #[must_use]
    pub fn put(mut self, key: Key, value: impl Into<Bytes>, life: Option<Duration>) -> Self {
        self.0.push(Change { key, put: Some(Put { value: value.into(), life }) });
        self
    }

    /// Removes a key.
    #[must_use]
    pub fn delete(mut self, key: Key) -> Self {
        self.0.push(Change { key, put: None });
        self
    }
}

/// Which entries to list.
#[derive(Clone, Debug)]
pub struct Scan {
    /// All keys that begin like this one.
    pub prefix: Key,
    /// Only those behind this one.
    pub after: Option<Key>,
    /// At most so many are looked at.
    pub limit: usize,
}

/// A page of a scan.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What is there, in order of key.
    pub entries: Vec<(Key, Bytes)>,
    /// Where to go on; nothing: this was the last page.
    pub next: Option<Key>,
}

/// Replaces a value only if it is still what the caller saw.
#[derive(Clone, Debug)]
pub struct Swap {
    /// The key.
    pub key: Key,
    /// What must be there now; nothing: the key must not exist.
    pub expected: Option<Bytes>,
    /// What shall be there.
    pub value: Bytes,
    /// After this time it is gone.
    pub life: Option<Duration>,
}

/// A record as it is carried elsewhere: into a snapshot, into a file, into another store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its key.
    pub key: Key,
    /// What was put; of a counter its eight bytes, the highest first.
    pub value: Bytes,
    /// Until when, in milliseconds since 1970.
    pub expires: Option<u64>,
}

/// Takes the records of a walk, some at a time.
pub type Take<'t> = &'t mut (dyn FnMut(Vec<Kept>) -> Result<(), StoreError> + Send);

/// Which state of which store this is. Of two marks of one store the greater one is the later one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// The store's own name, given when it was made.
    pub store: String,
    /// How often it was opened.
    pub epoch: u64,
    /// How often something was brought to the disk.
    pub sequence: u64,
}

/// What a store can do at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything.
    Ready,
    /// What is there can be read; what is new is refused. Why.
    ReadOnly(String),
    /// Nothing. Why.
    Down(String),
}

impl State {
    /// In one word: `ready`, `read-only`, `down`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::ReadOnly(_) => "read-only",
            Self::Down(_) => "down",
        }
    }

    /// What there is to say about it.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Ready => None,
            Self::ReadOnly(why) | Self::Down(why) => Some(why),
        }
    }
}

/// Where state is kept. Nothing here blocks a worker.
#[async_trait]
pub trait Store: Send + Sync {
    /// The values of these keys, in their order.
    ///
    /// # Errors
    /// [`StoreError::Corrupted`] when one of them is not what was written.
    async fn get_all(&self, keys: Vec<Key>) -> Result<Vec<Option<Bytes>>, StoreError>;

    /// Applies a batch and answers as `class` says.
    ///
    /// # Errors
    /// When it was not applied.
    async fn write(&self, batch: Batch, class: Class) -> Result<(), StoreError>;

    /// Applies a batch without waiting: reads of single keys see it at once, scans soon, the disk within a tenth of a second.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when too much is on its way already.
    fn note(&self, batch: Batch) -> Result<(), StoreError>;

    /// Compare and swap; false: something else was there.
    ///
    /// # Errors
    /// As [`Store::write`].
    async fn swap(&self, swap: Swap, class: Class) -> Result<bool, StoreError>;

    /// Adds to a counter and tells its new value. A new counter begins at zero and ends after `life`.
    ///
    /// # Errors
    /// As [`Store::write`]; also when the key holds something that is no counter.
    async fn increment(&self, key: Key, by: i64, life: Option<Duration>) -> Result<i64, StoreError>;

    /// One page of the keys with a prefix.
    ///
    /// # Errors
    /// As [`Store::get_all`].
    async fn scan(&self, scan: Scan) -> Result<Page, StoreError>;

    /// Removes some of what has expired and tells how much; zero: there was nothing.
    ///
    /// # Errors
    /// As [`Store::write`].
    async fn sweep(&self) -> Result<usize, StoreError>;

    /// Comes back when everything accepted before is on the disk.
    ///
    /// # Errors
    /// When it is not.
    async fn flush(&self) -> Result<(), StoreError>;

    /// What it can do at the moment.
    fn state(&self) -> State {
        State::Ready
    }

    /// Which state of which store this is; nothing: it keeps no count.
    fn mark(&self) -> Option<Mark> {
        None
    }

    /// Everything that stands in these spaces and has not expired, in pieces: on disk and in memory as it stood when
    /// the walk began.
    ///
    /// # Errors
    /// When a record cannot be read, or `take` fails.
    async fn walk(&self, spaces: &[Space], take: Take<'_>) -> Result<(), StoreError> {
        let _ = (spaces, take);
        Err(StoreError::Failed("this store cannot be walked through".to_owned()))
    }

    /// Brings everything to the disk and lets go of it. Nothing can be asked afterwards.
    ///
    /// # Errors
    /// As [`Store::flush`].
    async fn close(&self) -> Result<(), StoreError> {
        self.flush().await
    }

    /// One value.
    ///
    /// # Errors
    /// As [`Store::get_all`].
    async fn get(&self, key: Key) -> Result<Option<Bytes>, StoreError> {
        Ok(self.get_all(vec![key]).await?.pop().flatten())
    }
}

/// Milliseconds since 1970; a parameter, so that time can pass in a test.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The clock of this machine.
pub fn clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// A store that is lost is looked for at least so often.
const LOOKED_FOR: Duration = Duration::from_secs(2);

/// Why the store did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// More is waiting than may wait.
    Busy,
    /// The disk is full, or nearly: what is there can be read, and nothing can be written until there is room again.
    Full,
    /// What stands at this key is not what was written there.
    Corrupted {
        /// The key, readable.
        key: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The engine could not.
    Failed(String),
    /// The store as a whole is not what was written, or less; the text says how to bring it back.
    Damaged(String),
    /// The server that keeps it does not answer, or takes nothing any more. What was asked may have happened.
    Lost(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => formatter.write_str("the store is busy"),
            Self::Full => {
                formatter.write_str("the store's disk is full: nothing is written until there is room")
            }
            Self::Corrupted { key, what } => {
                write!(
                    formatter,
                    "the store's record `{key}` is corrupted: {what}; `causeway store check` tells what else is, and \
                     `causeway store restore` brings back the last snapshot"
                )
            }
            Self::Failed(why) => write!(formatter, "the store failed: {why}"),
            Self::Damaged(why) => formatter.write_str(why),
            Self::Lost(why) => write!(formatter, "the store is lost: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for GatewayError {
    fn from(error: StoreError) -> Self {
        let told = match &error {
            StoreError::Busy => Self::gateway(Kind::Overloaded, "the gateway's store is busy"),
            StoreError::Full => {
                Self::gateway(Kind::Overloaded, "the gateway's store has no room at the moment")
            }
            StoreError::Corrupted { .. } => Self::gateway(
                Kind::Internal,
                "what the gateway kept for this request cannot be read any more",
            ),
            StoreError::Failed(_) | StoreError::Damaged(_) => {
                Self::gateway(Kind::Overloaded, "the gateway's store does not answer")
            }
            StoreError::Lost(_) => Self {
                code: Some(Self::STORE_UNAVAILABLE.to_owned()),
                retry_after: Some(LOOKED_FOR),
                ..Self::gateway(Kind::Overloaded, "the gateway's store does not answer")
            },
        };
        told.context(error)
    }
}
