//! State in a folder on this machine's disk. The only file that names sled.
//!
//! sled's calls can wait for the disk, so two threads of our own make them: one reads, one writes. The writer takes all
//! that is waiting, applies it, and flushes once for everybody (group commit). `flush` of sled 0.34 hands its pages
//! to the kernel without waiting for the device, so an `fdatasync` of ours follows. How much may be on its way, and
//! how much may be applied without a flush, is bounded: sled by itself would let both grow without end.

use std::collections::HashMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::keyspace::{Key, Space};
use super::records::{self, Entry, Raw, Tree, Writer};
use super::{Batch, Class, Clock, Page, Scan, Store, StoreError, Swap};

/// So many jobs may wait or be applied without a flush; then writers wait for room.
const ROOM: usize = 512;
/// So long a relaxed write may be without a flush.
const FLUSHED_WITHIN: Duration = Duration::from_millis(100);
/// sled's own cache of pages.
const CACHE: u64 = 64 << 20;
/// The layout of keys, kept at `meta/format`.
const FORMAT: &[u8] = b"1";

/// A store on disk.
pub struct Sled {
    reads: Sender<Read>,
    writes: Sender<Job>,
    room: Arc<Semaphore>,
    noted: Arc<Noted>,
}

/// What [`Store::note`] accepted and the writer has not yet applied: reads look here first.
#[derive(Default)]
struct Noted {
    next: AtomicU64,
    values: Mutex<HashMap<Key, (u64, Option<Bytes>)>>,
}

enum Read {
    Get(Vec<Key>, oneshot::Sender<Result<Vec<Option<Bytes>>, StoreError>>),
    Scan(Scan, oneshot::Sender<Result<Page, StoreError>>),
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
}

type Told<T> = oneshot::Sender<Result<T, StoreError>>;

impl Sled {
    /// Opens the store in `folder`, or makes one.
    ///
    /// # Errors
    /// One line that says what is wrong with the folder.
    pub fn open(folder: &Path, clock: Clock) -> Result<Self, StoreError> {
        Self::limited(folder, clock, Space::limit)
    }

    /// With other limits than usual.
    pub(super) fn limited(folder: &Path, clock: Clock, limit: fn(Space) -> u64) -> Result<Self, StoreError> {
        let shown = folder.display();
        let failed = |what: &dyn std::fmt::Display| StoreError::Failed(format!("{shown}: {what}"));
        if folder.exists() && !folder.is_dir() {
            return Err(failed(&"this is a file, and the store needs a folder"));
        }
        std::fs::create_dir_all(folder)
            .map_err(|error| failed(&format!("cannot make the folder: {error}")))?;
        let configured = sled::Config::new()
            .path(folder)
            .cache_capacity(CACHE)
            .flush_every_ms(None)
            .use_compression(false);
        // sled 0.34 panics where its files are cut off.
        let opened = catch_unwind(AssertUnwindSafe(|| configured.open()));
        let db = opened
            .map_err(|_| failed(&"the files of the store are damaged: it panicked when it read them"))?;
        let db = db.map_err(|error| match error.to_string() {
            text if text.contains("could not acquire lock") => {
                failed(&"another process uses this store; every process needs a folder of its own")
            }
            text => failed(&format!("cannot open the store: {text}")),
        })?;
        let file = File::open(folder.join("db")).map_err(|error| failed(&format!("db: {error}")))?;
        let disk = Disk { db, file: Arc::new(file) };
        let mut writer = Writer::new(disk.clone(), Arc::clone(&clock), limit)?;
        check_format(&mut writer)?;
        Self::run(disk, writer, clock)
    }

    fn run(disk: Disk, writer: Writer<Disk>, clock: Clock) -> Result<Self, StoreError> {
        let (reads, to_read) = channel();
        let (writes, to_write) = channel();
        let noted = Arc::new(Noted::default());
        let seen = Arc::clone(&noted);
        let started = |error: std::io::Error| StoreError::Failed(format!("no thread for the store: {error}"));
        thread::Builder::new()
            .name("store-read".to_owned())
            .spawn(move || guarded("reads", || read(&disk, &clock, &to_read)))
            .map_err(started)?;
        thread::Builder::new()
            .name("store-write".to_owned())
            .spawn(move || guarded("writes", || Group::new(writer, seen).run(&to_write)))
            .map_err(started)?;
        Ok(Self { reads, writes, room: Arc::new(Semaphore::new(ROOM)), noted })
    }

    /// Hands a task to the writer when there is room, and waits for what it says.
    async fn ask<T>(&self, task: impl FnOnce(Told<T>) -> Task) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.room).acquire_owned().await.map_err(|_| stopped())?;
        let (told, answer) = oneshot::channel();
        self.writes.send(Job { task: task(told), permit: Some(permit) }).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

#[async_trait]
impl Store for Sled {
    async fn get_all(&self, keys: Vec<Key>) -> Result<Vec<Option<Bytes>>, StoreError> {
        let noted: Vec<Option<Option<Bytes>>> = {
            let values = self.noted.values.lock();
            keys.iter().map(|key| Some(values.get(key)?.1.clone())).collect()
        };
        let unknown = keys.into_iter().zip(&noted).filter(|(_, noted)| noted.is_none());
        let unknown: Vec<Key> = unknown.map(|(key, _)| key).collect();
        let mut read = Vec::new();
        if !unknown.is_empty() {
            let (told, answer) = oneshot::channel();
            self.reads.send(Read::Get(unknown, told)).map_err(|_| stopped())?;
            read = answer.await.map_err(|_| stopped())??;
        }
        let mut read = read.into_iter();
        Ok(noted.into_iter().map(|noted| noted.unwrap_or_else(|| read.next().flatten())).collect())
    }

    async fn write(&self, batch: Batch, class: Class) -> Result<(), StoreError> {
        self.ask(|told| Task::Write(batch, class, told)).await
    }

    fn note(&self, batch: Batch) -> Result<(), StoreError> {
        let permit = Arc::clone(&self.room).try_acquire_owned().map_err(|_| StoreError::Busy)?;
        // One lock over both, so that notes reach the writer in the order in which reads saw them.
        let mut values = self.noted.values.lock();
        let number = self.noted.next.fetch_add(1, Ordering::Relaxed);
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
        let (told, answer) = oneshot::channel();
        self.reads.send(Read::Scan(scan, told)).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    async fn sweep(&self) -> Result<usize, StoreError> {
        self.ask(Task::Sweep).await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.ask(Task::Flush).await
    }
}

fn stopped() -> StoreError {
    StoreError::Failed("its thread has ended".to_owned())
}

/// A panic of sled's ends the thread; whoever asks afterwards is told that it has ended.
fn guarded(what: &str, run: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(run)).is_err() {
        tracing::error!(what, "the store panicked and does not work any more; restart the gateway");
    }
}

fn check_format(writer: &mut Writer<Disk>) -> Result<(), StoreError> {
    let key = Space::Meta.key(&["format"]);
    match records::get(writer.tree(), 0, &key)? {
        Some(found) if found.value.as_ref() == FORMAT => Ok(()),
        Some(_) => Err(StoreError::Failed("it was written by a newer version of this program".to_owned())),
        None => writer.write(Batch::default().put(key, FORMAT, None)),
    }
}

fn read(disk: &Disk, clock: &Clock, jobs: &Receiver<Read>) {
    while let Ok(job) = jobs.recv() {
        let now = clock();
        match job {
            Read::Get(keys, told) => {
                let one = |key: &Key| Ok(records::get(disk, now, key)?.map(|record| record.value));
                let _ = told.send(keys.iter().map(one).collect());
            }
            Read::Scan(scan, told) => drop(told.send(records::scan(disk, now, &scan))),
        }
    }
}

/// An answer that waits for the flush.
type Waiting = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// What is applied and not yet on the disk.
struct Group {
    writer: Writer<Disk>,
    noted: Arc<Noted>,
    /// Answers that wait for the flush.
    waiting: Vec<Waiting>,
    permits: Vec<OwnedSemaphorePermit>,
    since: Option<Instant>,
}

impl Group {
    fn new(writer: Writer<Disk>, noted: Arc<Noted>) -> Self {
        Self { writer, noted, waiting: Vec::new(), permits: Vec::new(), since: None }
    }

    fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let next = match self.since {
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(since) => jobs.recv_timeout(FLUSHED_WITHIN.saturating_sub(since.elapsed())),
            };
            match next {
                Ok(job) => self.take(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.flush(),
            }
            while self.permits.len() < ROOM / 2
                && let Ok(job) = jobs.try_recv()
            {
                self.take(job);
            }
            let late = self.since.is_some_and(|since| since.elapsed() >= FLUSHED_WITHIN);
            if late || !self.waiting.is_empty() || self.permits.len() >= ROOM / 2 {
                self.flush();
            }
        }
    }

    fn take(&mut self, Job { task, permit }: Job) {
        self.since.get_or_insert_with(Instant::now);
        self.permits.extend(permit);
        match task {
            Task::Write(batch, class, told) => {
                let done = self.writer.write(batch);
                self.answer(class, done, told);
            }
            Task::Note(number, batch) => {
                let keys: Vec<Key> = batch.0.iter().map(|change| change.key.clone()).collect();
                if let Err(error) = self.writer.write(batch) {
                    tracing::error!(%error, "a note was not written");
                }
                let mut values = self.noted.values.lock();
                for key in keys {
                    if values.get(&key).is_some_and(|(latest, _)| *latest == number) {
                        values.remove(&key);
                    }
                }
            }
            Task::Swap(swap, class, told) => {
                let done = self.writer.swap(swap);
                self.answer(class, done, told);
            }
            Task::Increment(key, by, life, told) => {
                let done = self.writer.increment(key, by, life);
                self.answer(Class::Relaxed, done, told);
            }
            Task::Sweep(told) => {
                let done = self.writer.sweep();
                self.answer(Class::Relaxed, done, told);
            }
            Task::Flush(told) => self.answer(Class::Durable, Ok(()), told),
        }
    }

    fn answer<T: Send + 'static>(&mut self, class: Class, done: Result<T, StoreError>, told: Told<T>) {
        match (class, done) {
            (Class::Durable, Ok(done)) => {
                self.waiting.push(Box::new(move |flushed| drop(told.send(flushed.map(|()| done)))));
            }
            (_, done) => drop(told.send(done)),
        }
    }

    fn flush(&mut self) {
        let flushed = self.writer.tree().flush();
        if let Err(error) = &flushed {
            tracing::error!(%error, "the store could not be flushed");
        }
        for answer in self.waiting.drain(..) {
            answer(flushed.clone());
        }
        self.permits.clear();
        self.since = None;
    }
}

/// The database and its file.
#[derive(Clone)]
struct Disk {
    db: sled::Db,
    file: Arc<File>,
}

impl Disk {
    fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(failed)?;
        self.file.sync_data().map_err(|error| StoreError::Failed(error.to_string()))
    }
}

fn failed(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { at, .. } => StoreError::Corrupted {
            key: format!("{at:?}"),
            what: "the engine found its own checksum wrong at this place of its file",
        },
        error => StoreError::Failed(error.to_string()),
    }
}

impl Tree for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get(key).map_err(failed)?.map(|value| value.to_vec()))
    }

    fn apply(&self, changes: Raw) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.db.apply_batch(batch).map_err(failed)
    }

    fn range(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        // The first key behind another one is that key with a zero.
        let from = after.map_or_else(|| prefix.to_vec(), |after| [after, b"\0"].concat());
        let mut found = Vec::new();
        for entry in self.db.range(from..).take(limit) {
            let (key, value) = entry.map_err(failed)?;
            if !key.starts_with(prefix) {
                break;
            }
            found.push((key.to_vec(), value.to_vec()));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
