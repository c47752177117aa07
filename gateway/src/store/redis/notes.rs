//! What was accepted without waiting: reads look here first, and the link's thread writes it in order.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};
use tokio::sync::oneshot;

use super::super::keyspace::{Key, Space};
use super::super::{Batch, StoreError};
use super::link::Link;
use super::write;

/// So many may wait.
const ROOM: usize = 512;
/// So many are written at once.
const AT_ONCE: usize = 64;
/// How often a note is tried while the store is lost, and the wait in between.
const TRIES: (u32, Duration) = (5, Duration::from_millis(200));

/// Notes on their way.
pub(super) struct Notes {
    waiting: Sender<Task>,
    values: Arc<Values>,
}

/// The latest note of each key, with its number.
#[derive(Default)]
pub(super) struct Values(Mutex<Latest>);

#[derive(Default)]
struct Latest {
    next: u64,
    values: HashMap<Key, (u64, Option<Bytes>)>,
}

enum Task {
    Note(u64, Batch),
    /// Told when everything before is written or given up.
    Reached(oneshot::Sender<()>),
}

/// What the link's thread needs to write them.
pub(super) struct Waiting {
    tasks: Receiver<Task>,
    values: Arc<Values>,
    limit: fn(Space) -> u64,
}

impl Notes {
    pub(super) fn new(limit: fn(Space) -> u64) -> (Self, Waiting) {
        let (waiting, tasks) = channel(ROOM);
        let values = Arc::<Values>::default();
        (Self { waiting, values: Arc::clone(&values) }, Waiting { tasks, values, limit })
    }

    /// Accepts a batch.
    pub(super) fn accept(&self, batch: Batch) -> Result<(), StoreError> {
        // One lock over both, so that notes are written in the order in which reads saw them.
        let mut latest = self.values.0.lock();
        let room = self.waiting.try_reserve().map_err(|error| match error {
            TrySendError::Full(()) => StoreError::Busy,
            TrySendError::Closed(()) => StoreError::Failed("its thread has ended".to_owned()),
        })?;
        let number = latest.next;
        latest.next += 1;
        for change in &batch.0 {
            let value = change.put.as_ref().map(|put| put.value.clone());
            latest.values.insert(change.key.clone(), (number, value));
        }
        room.send(Task::Note(number, batch));
        Ok(())
    }

    /// What was noted of a key and is not yet written; the inner `None`: it is gone.
    pub(super) fn value(&self, key: &Key) -> Option<Option<Bytes>> {
        self.values.0.lock().values.get(key).map(|(_, value)| value.clone())
    }

    /// Comes back when no note of these keys is on its way, so that what follows comes after.
    pub(super) async fn passed<'k>(&self, keys: impl Iterator<Item = &'k Key>) {
        let is_noted = {
            let latest = self.values.0.lock();
            !latest.values.is_empty() && keys.into_iter().any(|key| latest.values.contains_key(key))
        };
        if is_noted {
            self.all_passed().await;
        }
    }

    /// Comes back when everything accepted before is written or given up.
    pub(super) async fn all_passed(&self) {
        let (told, reached) = oneshot::channel();
        if self.waiting.send(Task::Reached(told)).await.is_ok() {
            let _ = reached.await;
        }
    }
}

impl Waiting {
    /// Writes what comes in, until nobody is left who could note.
    pub(super) async fn run(mut self, link: Weak<Link>) {
        let mut tasks = Vec::with_capacity(AT_ONCE);
        while self.tasks.recv_many(&mut tasks, AT_ONCE).await > 0 {
            let mut together = Batch::default();
            let mut written = Vec::new();
            let mut reached = Vec::new();
            for task in tasks.drain(..) {
                match task {
                    Task::Note(number, batch) => {
                        written.extend(batch.0.iter().map(|change| (number, change.key.clone())));
                        together.0.extend(batch.0);
                    }
                    Task::Reached(told) => reached.push(told),
                }
            }
            if !together.0.is_empty()
                && let Err(error) = put(&link, &together, self.limit).await
            {
                tracing::error!(%error, count = written.len(), "notes were not written");
            }
            let mut latest = self.values.0.lock();
            for (number, key) in written {
                if latest.values.get(&key).is_some_and(|(newest, _)| *newest == number) {
                    latest.values.remove(&key);
                }
            }
            drop(latest);
            for told in reached {
                let _ = told.send(());
            }
        }
    }
}

/// Writes a batch, and tries again for a moment while the store is lost.
async fn put(link: &Weak<Link>, batch: &Batch, limit: fn(Space) -> u64) -> Result<(), StoreError> {
    let mut tries = 0;
    loop {
        let Some(held) = link.upgrade() else { return Err(StoreError::Failed("it is closed".to_owned())) };
        let written = write(&held, batch, limit).await;
        drop(held);
        tries += 1;
        match written {
            Err(StoreError::Lost(_)) if tries < TRIES.0 => tokio::time::sleep(TRIES.1).await,
            done => return done,
        }
    }
}
