//! State in a folder on this machine's disk. The only module that names sled.
//!
//! sled's calls can wait for the disk, so two threads of our own make them: one reads, one writes. The writer takes all
//! that is waiting, applies it, and flushes once for everybody (group commit). `flush` of sled 0.34 hands its pages
//! to the kernel without waiting for the device, so an `fdatasync` of ours follows. How much may be on its way, and
//! how much may be applied without a flush, is bounded: sled by itself would let both grow without end.
//!
//! `open` says everything that can be wrong with a folder, `manifest` notices one that is empty or older than it was,
//! `room` keeps space for the worst day, `write` lives through a full disk, `salvage` reads what can still be read.

mod disk;
mod frozen;
mod holder;
mod manifest;
mod open;
mod quiet;
mod read;
mod restore;
mod room;
mod salvage;
mod write;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use self::disk::Disk;
pub use self::open::Place;
use self::read::Read;
pub use self::restore::{Restored, held_by, restore};
pub use self::salvage::{Copy, Count, Lost, Report, salvage};
use self::write::Group;
use super::keyspace::{Key, Space};
use super::{Batch, Class, Clock, Mark, Page, Scan, State, Store, StoreError, Swap, Take};

/// So many jobs may wait or be applied without a flush; then writers wait for room.
const ROOM: usize = 512;

/// A store on disk.
pub struct Sled {
    reads: Sender<Read>,
    writes: Sender<Job>,
    room: Arc<Semaphore>,
    shared: Arc<Shared>,
    /// One walk at a time.
    walking: tokio::sync::Mutex<()>,
}

/// What the threads and whoever asks have in common.
struct Shared {
    /// The open database; nothing while it is opened again.
    disk: RwLock<Option<Disk>>,
    state: RwLock<State>,
    mark: Mutex<Mark>,
    noted: Noted,
    /// What was found missing when the store was opened, though it can do without.
    missing: Mutex<Vec<String>>,
}

/// What [`Store::note`] accepted and the writer has not yet applied: reads look here first.
#[derive(Default)]
struct Noted {
    next: AtomicU64,
    values: Mutex<HashMap<Key, (u64, Option<Bytes>)>>,
}

impl Noted {
    /// The note of this number has been applied, or never will be.
    fn forget(&self, number: u64, keys: impl IntoIterator<Item = Key>) {
        let mut values = self.values.lock();
        for key in keys {
            if values.get(&key).is_some_and(|(latest, _)| *latest == number) {
                values.remove(&key);
            }
        }
    }
}

struct Job {
    task: Task,
    /// Given back when what was done is on the disk.
    permit: Option<OwnedSemaphorePermit>,
}

enum Task {
    Write(Batch, Class, Told<()>),
    Note(u64, Batch),
    Swap(Swap, Class, Told<bool>),
    Increment(Key, i64, Option<Duration>, Told<i64>),
    Sweep(Told<usize>),
    Flush(Told<()>),
    Close(Told<()>),
}

type Told<T> = oneshot::Sender<Result<T, StoreError>>;

impl Sled {
    /// Opens the store in `folder`, or makes one.
    ///
    /// # Errors
    /// One line that says what is wrong with the folder.
    pub fn open(folder: &Path, clock: Clock) -> Result<Self, StoreError> {
        Self::open_at(&Place::at(folder), clock)
    }

    /// The same with everything that belongs to a store.
    ///
    /// # Errors
    /// As [`Sled::open`].
    pub fn open_at(place: &Place, clock: Clock) -> Result<Self, StoreError> {
        Self::run(place, clock, Space::limit)
    }

    /// With other limits than usual.
    #[cfg(test)]
    pub(super) fn limited(folder: &Path, clock: Clock, limit: fn(Space) -> u64) -> Result<Self, StoreError> {
        Self::run(&Place::at(folder), clock, limit)
    }

    fn run(place: &Place, clock: Clock, limit: fn(Space) -> u64) -> Result<Self, StoreError> {
        let opened = open::open(place)?;
        let shared = Arc::new(Shared {
            disk: RwLock::new(None),
            state: RwLock::new(State::Ready),
            mark: Mutex::default(),
            noted: Noted::default(),
            missing: Mutex::default(),
        });
        let group = Group::new(place.clone(), (Arc::clone(&clock), limit), Arc::clone(&shared), opened)?;
        let (reads, to_read) = channel();
        let (writes, to_write) = channel();
        let seen = Arc::clone(&shared);
        let started = |error: std::io::Error| StoreError::Failed(format!("no thread for the store: {error}"));
        let reading = thread::Builder::new().name("store-read".to_owned());
        reading.spawn(move || read::run(&seen, &clock, &to_read)).map_err(started)?;
        let writing = thread::Builder::new().name("store-write".to_owned());
        writing.spawn(move || group.run(&to_write)).map_err(started)?;
        let room = Arc::new(Semaphore::new(ROOM));
        Ok(Self { reads, writes, room, shared, walking: tokio::sync::Mutex::default() })
    }

    /// What was found missing when the store was opened: conversations, kept answers, counters. What matters more is a
    /// reason not to open it.
    pub fn missing(&self) -> Vec<String> {
        self.shared.missing.lock().clone()
    }

    /// Hands a task to the writer when there is room, and waits for what it says.
    async fn ask<T>(&self, task: impl FnOnce(Told<T>) -> Task) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.room).acquire_owned().await.map_err(|_| stopped())?;
        let (told, answer) = oneshot::channel();
        self.writes.send(Job { task: task(told), permit: Some(permit) }).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Hands a question to the reader, and waits for what it says.
    async fn read<T>(&self, question: impl FnOnce(Told<T>) -> Read) -> Result<T, StoreError> {
        let (told, answer) = oneshot::channel();
        self.reads.send(question(told)).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

#[async_trait]
impl Store for Sled {
    async fn get_all(&self, keys: Vec<Key>) -> Result<Vec<Option<Bytes>>, StoreError> {
        let noted: Vec<Option<Option<Bytes>>> = {
            let values = self.shared.noted.values.lock();
            keys.iter().map(|key| Some(values.get(key)?.1.clone())).collect()
        };
        let unknown = keys.into_iter().zip(&noted).filter(|(_, noted)| noted.is_none());
        let unknown: Vec<Key> = unknown.map(|(key, _)| key).collect();
        let mut read = Vec::new();
        if !unknown.is_empty() {
            read = self.read(|told| Read::Get(unknown, told)).await?;
        }
        let mut read = read.into_iter();
        Ok(noted.into_iter().map(|noted| noted.unwrap_or_else(|| read.next().flatten())).collect())
    }

    async fn write(&self, batch: Batch, class: Class) -> Result<(), StoreError> {
        self.ask(|told| Task::Write(batch, class, told)).await
    }

    fn note(&self, batch: Batch) -> Result<(), StoreError> {
        match &*self.shared.state.read() {
            State::Ready => {}
            State::ReadOnly(_) => return Err(StoreError::Full),
            State::Down(why) => return Err(StoreError::Failed(why.clone())),
        }
        let permit = Arc::clone(&self.room).try_acquire_owned().map_err(|_| StoreError::Busy)?;
        // One lock over both, so that notes reach the writer in the order in which reads saw them.
        let mut values = self.shared.noted.values.lock();
        let number = self.shared.noted.next.fetch_add(1, Ordering::Relaxed);
        for change in &batch.0 {
            let value = change.put.as_ref().map(|put| put.value.clone());
            values.insert(change.key.clone(), (number, value));
        }
        self.writes.send(Job { task: Task::Note(number, batch), permit: Some(permit) }).map_err(|_| stopped())
    }

    async fn swap(&self, swap: Swap, class: Class) -> Result<bool, StoreError> {
        self.ask(|told| Task::Swap(swap, class, told)).await
    }

    async fn increment(&self, key: Key, by: i64, life: Option<Duration>) -> Result<i64, StoreError> {
        self.ask(|told| Task::Increment(key, by, life, told)).await
    }

    async fn scan(&self, scan: Scan) -> Result<Page, StoreError> {
        self.read(|told| Read::Scan(scan, told)).await
    }

    async fn sweep(&self) -> Result<usize, StoreError> {
        self.ask(Task::Sweep).await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.ask(Task::Flush).await
    }

    fn state(&self) -> State {
        self.shared.state.read().clone()
    }

    fn mark(&self) -> Option<Mark> {
        Some(self.shared.mark.lock().clone())
    }

    async fn walk(&self, spaces: &[Space], take: Take<'_>) -> Result<(), StoreError> {
        let _alone = self.walking.lock().await;
        let mut prefixes: Vec<Vec<u8>> = spaces.iter().map(|space| space.prefix()).collect();
        prefixes.sort();
        // What a note holds is seen by reads; it must be seen by a walk too.
        if self.state() == State::Ready {
            self.flush().await?;
        }
        self.read(Read::Freeze).await?;
        let _thawing = Thawing(&self.reads);
        for prefix in prefixes {
            while let Some(page) = self.read(|told| Read::Walk(prefix.clone(), told)).await? {
                take(page)?;
            }
        }
        Ok(())
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.ask(Task::Close).await
    }
}

/// Ends a walk, however it ends.
struct Thawing<'s>(&'s Sender<Read>);

impl Drop for Thawing<'_> {
    fn drop(&mut self) {
        let _ = self.0.send(Read::Thaw);
    }
}

fn stopped() -> StoreError {
    StoreError::Failed("it is closed, or its engine panicked".to_owned())
}

/// An error of the system's at a file.
fn told(error: &std::io::Error, path: &Path) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Failed(format!("{}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests;
