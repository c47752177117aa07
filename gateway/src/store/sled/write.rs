//! The one thread that writes: it takes what is waiting, applies it, and flushes once for everybody.
//!
//! It also lives through what sled does not: after an error of the system's, sled refuses everything for ever, so the
//! database is closed and opened again, here, without a restart. While the disk is full nothing is written.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use super::super::keyspace::{Key, Space};
use super::super::records::{Missing, Tree as _, Writer};
use super::super::{Class, Clock, State, StoreError};
use super::disk::{Disk, drop_quietly};
use super::manifest::Manifest;
use super::open::{self, Opened, Place};
use super::room::Room;
use super::{Job, ROOM, Shared, Task, Told, holder, quiet};

/// So long a relaxed write may be without a flush.
const FLUSHED_WITHIN: Duration = Duration::from_millis(100);
/// Spaces of what expires that are larger than this are not counted at the start: that would take too long.
const COUNTED: u64 = 256 << 20;
/// How often the disk is looked at, and a closed store is tried again.
const LOOKED_EVERY: Duration = Duration::from_secs(1);

/// An answer that waits for the flush.
type Waiting = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// What the thread has in hand.
pub(super) struct Group {
    place: Place,
    clock: Clock,
    limit: fn(Space) -> u64,
    shared: Arc<Shared>,
    room: Room,
    open: Option<Open>,
    waiting: Vec<Waiting>,
    permits: Vec<OwnedSemaphorePermit>,
    /// Since when something is applied and not on the disk.
    since: Option<Instant>,
    looked: Instant,
    /// The database broke, most likely over a full disk: first there must be room.
    broke: bool,
}

struct Open {
    writer: Writer<Disk>,
    manifest: Manifest,
}

impl Group {
    /// Of a store that was just opened.
    pub(super) fn new(
        place: Place,
        (clock, limit): (Clock, fn(Space) -> u64),
        shared: Arc<Shared>,
        opened: Opened,
    ) -> Result<Self, StoreError> {
        let room = Room::new(place.beside("ballast"), place.ballast, place.least_free);
        let mut group = Self {
            place,
            clock,
            limit,
            shared,
            room,
            open: None,
            waiting: Vec::new(),
            permits: Vec::new(),
            since: None,
            looked: Instant::now(),
            broke: false,
        };
        group.adopt(opened)?;
        Ok(group)
    }

    /// Works until nobody can ask any more.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let wait =
                self.since.map_or(LOOKED_EVERY, |since| FLUSHED_WITHIN.saturating_sub(since.elapsed()));
            match jobs.recv_timeout(wait) {
                Ok(Job { task: Task::Close(told), .. }) => {
                    drop(told.send(self.end()));
                    return;
                }
                Ok(job) => self.take(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return drop(self.end()),
            }
            while self.permits.len() < ROOM / 2
                && let Ok(job) = jobs.try_recv()
            {
                if let Job { task: Task::Close(told), .. } = job {
                    drop(told.send(self.end()));
                    return;
                }
                self.take(job);
            }
            let late = self.since.is_some_and(|since| since.elapsed() >= FLUSHED_WITHIN);
            if late || !self.waiting.is_empty() || self.permits.len() >= ROOM / 2 {
                self.flush();
            }
            self.look();
        }
    }

    fn take(&mut self, Job { task, permit }: Job) {
        let refused = match &*self.shared.state.read() {
            State::Ready => None,
            State::ReadOnly(_) => Some(StoreError::Full),
            State::Down(why) => Some(StoreError::Failed(why.clone())),
        };
        if let Some(error) = refused {
            return self.refuse(task, error);
        }
        self.permits.extend(permit);
        if !matches!(task, Task::Flush(_)) {
            self.since.get_or_insert_with(Instant::now);
        }
        // Whoever asked is told when its half of the channel goes.
        if let Err(panic) = quiet::guarded(|| self.apply(task)) {
            tracing::error!(panic, "the store panicked; it is opened again");
            self.break_down();
        }
    }

    fn apply(&mut self, task: Task) {
        let Some(Open { writer, .. }) = &mut self.open else { return };
        match task {
            Task::Write(batch, class, told) => {
                let done = writer.write(batch);
                self.answer(class, done, told);
            }
            Task::Note(number, batch) => {
                let keys: Vec<Key> = batch.0.iter().map(|change| change.key.clone()).collect();
                if let Err(error) = writer.write(batch) {
                    tracing::error!(%error, "a note was not written");
                }
                self.shared.noted.forget(number, keys);
            }
            Task::Swap(swap, class, told) => {
                let done = writer.swap(swap);
                self.answer(class, done, told);
            }
            Task::Increment(key, by, life, told) => {
                let done = writer.increment(key, by, life);
                self.answer(Class::Relaxed, done, told);
            }
            Task::Sweep(told) => {
                let done = writer.sweep();
                self.answer(Class::Relaxed, done, told);
            }
            Task::Flush(told) => self.answer(Class::Durable, Ok(()), told),
            Task::Close(_) => {}
        }
    }

    /// Says no without touching the database.
    fn refuse(&mut self, task: Task, error: StoreError) {
        match task {
            Task::Write(_, _, told) => drop(told.send(Err(error))),
            Task::Swap(_, _, told) => drop(told.send(Err(error))),
            Task::Increment(_, _, _, told) => drop(told.send(Err(error))),
            // What has expired is not shown; it goes when there is room again.
            Task::Sweep(told) => drop(told.send(Ok(0))),
            Task::Flush(told) | Task::Close(told) => {
                drop(told.send(self.open.as_ref().map(|_| ()).ok_or(error)))
            }
            Task::Note(number, batch) => {
                let keys = batch.0.into_iter().map(|change| change.key);
                self.shared.noted.forget(number, keys);
            }
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
        let flushed = quiet::guarded(|| self.bring_to_disk());
        let flushed = flushed.unwrap_or_else(|panic| {
            self.break_down();
            Err(StoreError::Failed(panic))
        });
        if let Err(error) = &flushed {
            tracing::error!(%error, "the store could not be flushed");
        }
        for answer in self.waiting.drain(..) {
            answer(flushed.clone());
        }
        self.permits.clear();
        self.since = None;
    }

    fn bring_to_disk(&mut self) -> Result<(), StoreError> {
        let Some(Open { writer, manifest }) = &mut self.open else {
            return Err(StoreError::Failed("it is closed at the moment".to_owned()));
        };
        if self.since.is_none() {
            return Ok(());
        }
        let mut mark = self.shared.mark.lock().clone();
        mark.sequence += 1;
        let (key, bytes) = open::mark_record(&mark)?;
        writer.tree().apply([(key, Some(bytes))].into())?;
        writer.tree().flush()?;
        if let Err(error) = manifest.write(&mark) {
            tracing::error!(%error, "the manifest of the store could not be written");
        }
        *self.shared.mark.lock() = mark;
        Ok(())
    }

    /// Whether all is well with the database and its disk.
    fn look(&mut self) {
        if self.open.as_ref().is_some_and(|open| open.writer.tree().is_broken()) {
            self.shut();
            self.try_again();
        }
        if self.looked.elapsed() < LOOKED_EVERY {
            return;
        }
        self.looked = Instant::now();
        if self.open.is_none() {
            self.try_again();
        }
        let low = self.room.is_low();
        let state = self.shared.state.read().clone();
        match state {
            State::Ready if low => self.set(State::ReadOnly(self.room.shown())),
            State::ReadOnly(_) if self.room.is_back() && self.room.fill().is_ok() => {
                self.broke = false;
                self.set(State::Ready);
            }
            _ => {}
        }
    }

    fn break_down(&mut self) {
        if let Some(open) = &self.open {
            open.writer.tree().break_down();
        }
    }

    /// Lets go of a database that does not work any more.
    fn shut(&mut self) {
        self.set(State::Down("it is being opened again".to_owned()));
        self.broke = true;
        for answer in self.waiting.drain(..) {
            answer(Err(StoreError::Full));
        }
        self.permits.clear();
        self.since = None;
        drop_quietly(self.open.take());
        // The last handle: this waits for a reader that is at it.
        let last = self.shared.disk.write().take();
        drop_quietly(last);
        self.room.give_up();
    }

    fn try_again(&mut self) {
        let opened = open::open(&self.place).and_then(|opened| self.adopt(opened));
        if let Err(error) = opened {
            self.set(State::Down(error.to_string()));
        }
    }

    fn adopt(&mut self, opened: Opened) -> Result<(), StoreError> {
        let Opened { disk, mark, manifest } = opened;
        let counted = quiet::guarded(|| {
            let writer = Writer::new(disk.clone(), Arc::clone(&self.clock), self.limit)?;
            let counted = writer.counting(COUNTED)?;
            disk.flush()?;
            Ok(counted)
        });
        let (writer, missing) = match counted.map_err(StoreError::Failed).and_then(|counted| counted) {
            Ok(counted) => counted,
            Err(StoreError::Full) => return Err(StoreError::Full),
            Err(error) => return Err(self.place.damaged(&error.to_string())),
        };
        self.complain(missing)?;
        *self.shared.mark.lock() = mark;
        *self.shared.disk.write() = Some(disk);
        self.open = Some(Open { writer, manifest });
        if self.broke || self.room.is_low() {
            self.set(State::ReadOnly(self.room.shown()));
            return Ok(());
        }
        if let Err(error) = self.room.fill() {
            tracing::warn!(%error, "there is no ballast: a full disk would close the store");
        }
        self.set(State::Ready);
        Ok(())
    }

    /// What a gateway cannot do without must be whole; of the rest it is enough to say so.
    fn complain(&self, missing: Vec<Missing>) -> Result<(), StoreError> {
        for Missing { space, what } in missing {
            let told = format!("in `{}` {what}", space.name());
            if space.is_in_snapshots() {
                return Err(self.place.damaged(&told));
            }
            tracing::error!(
                what = told,
                "the store is damaged and goes on without; `causeway store check` tells what else is missing, and \
                 `causeway store restore` brings back a backup"
            );
            self.shared.missing.lock().push(told);
        }
        Ok(())
    }

    fn set(&self, state: State) {
        let mut current = self.shared.state.write();
        if *current == state {
            return;
        }
        match &state {
            State::Ready => tracing::info!("the store takes everything"),
            State::ReadOnly(why) => {
                tracing::error!(%why, "the store is full: what is there is read, and nothing is written");
            }
            State::Down(why) => tracing::error!(%why, "the store is not open"),
        }
        *current = state;
    }

    /// The last flush.
    fn end(&mut self) -> Result<(), StoreError> {
        self.flush();
        let closed = match &*self.shared.state.read() {
            State::Ready | State::ReadOnly(_) => Ok(()),
            State::Down(why) => Err(StoreError::Failed(why.clone())),
        };
        drop_quietly(self.open.take());
        let last = self.shared.disk.write().take();
        drop_quietly(last);
        holder::unsign(&self.place.beside("holder"));
        *self.shared.state.write() = State::Down("it is closed".to_owned());
        closed
    }
}
