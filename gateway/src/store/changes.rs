//! Changes made through one node, seen by all: a mark per space, written in the same step as the change.
//!
//! Who makes a change adds [`Batch::announce`] to its batch; who keeps something in memory asks [`Changes::of`] and
//! reads again when the number moves. Every node looks at all marks with one question twice a second.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::keyspace::{Key, Space};
use super::{Batch, Store, StoreError};

/// How often a node looks. Changes are seen within a second, with room for a slow answer.
const EVERY: Duration = Duration::from_millis(500);

impl Batch {
    /// Says in the same step that something in `space` has changed.
    #[must_use]
    pub fn announce(self, space: Space) -> Self {
        self.put(mark(space), ulid::Ulid::generate().to_string(), None)
    }
}

/// What has changed since.
pub struct Changes {
    store: Arc<dyn Store>,
    watched: Mutex<HashMap<Space, Watched>>,
}

struct Watched {
    /// The mark as it was last seen; `None`: not looked at yet.
    mark: Option<Option<Bytes>>,
    moves: watch::Sender<u64>,
}

impl Changes {
    /// Of this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, watched: Mutex::default() }
    }

    /// A number that moves when something in `space` was changed, by whichever node. It moves once after the first look
    /// too: nobody knows what happened before.
    pub fn of(&self, space: Space) -> watch::Receiver<u64> {
        let mut watched = self.watched.lock();
        let entry =
            watched.entry(space).or_insert_with(|| Watched { mark: None, moves: watch::Sender::new(0) });
        entry.moves.subscribe()
    }

    /// Looks once at all that is asked for.
    ///
    /// # Errors
    /// When the store does not answer; nothing has moved then.
    pub async fn look(&self) -> Result<(), StoreError> {
        let spaces: Vec<Space> = self.watched.lock().keys().copied().collect();
        if spaces.is_empty() {
            return Ok(());
        }
        let marks = self.store.get_all(spaces.iter().map(|space| mark(*space)).collect()).await?;
        let mut watched = self.watched.lock();
        for (space, mark) in spaces.into_iter().zip(marks) {
            let Some(entry) = watched.get_mut(&space) else { continue };
            if entry.mark.as_ref() != Some(&mark) {
                entry.mark = Some(mark);
                entry.moves.send_modify(|number| *number += 1);
            }
        }
        Ok(())
    }

    /// Looks again and again.
    pub async fn keep_looking(&self) -> Infallible {
        loop {
            if let Err(error) = self.look().await {
                tracing::debug!(%error, "whether something has changed could not be seen");
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

fn mark(space: Space) -> Key {
    Space::Epoch.key(&[space.name()])
}

#[cfg(test)]
mod tests;
