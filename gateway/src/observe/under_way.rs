//! Requests that have not ended: what is known of each, and a way to end one by hand.
//!
//! Whether a request ended by itself or was cancelled is decided once: the first to say so is right, and the other is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// So that requests that begin on different threads do not wait for one lock.
const SHELVES: usize = 16;

const RUNNING: u8 = 0;
const CANCELLED: u8 = 1;
const ENDED: u8 = 2;

/// All requests that have not ended.
pub struct UnderWay {
    next: AtomicU64,
    shelves: [Mutex<HashMap<u64, Arc<Ongoing>>>; SHELVES],
}

/// A request that has not ended.
#[derive(Debug)]
pub struct Ongoing {
    /// Ours alone; clients may choose request ids, so two can be the same.
    pub number: u64,
    /// Its id in logs and headers.
    pub request_id: String,
    /// Method and path.
    pub path: String,
    /// When it began.
    pub began: Instant,
    facts: Mutex<Facts>,
    state: AtomicU8,
    cancelled: Notify,
}

/// What is known once it has been read.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The client dialect.
    pub dialect: &'static str,
    /// The virtual key's name.
    pub key: Arc<str>,
    /// The key's team.
    pub team: Option<Arc<str>>,
    /// The model, as it is configured.
    pub model: Arc<str>,
    /// The client wants a stream.
    pub stream: bool,
}

/// Keeps a request in the list for as long as it is held.
pub struct Entered<'u> {
    list: &'u UnderWay,
    /// The request.
    pub ongoing: Arc<Ongoing>,
}

impl Default for UnderWay {
    fn default() -> Self {
        // Numbers of two runs are not the same.
        let start = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let first = u64::try_from(start).unwrap_or(0) << 20;
        Self { next: AtomicU64::new(first), shelves: Default::default() }
    }
}

impl UnderWay {
    /// A request begins.
    pub fn enter(&self, request_id: &str, path: &str) -> Entered<'_> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let ongoing = Arc::new(Ongoing {
            number,
            request_id: request_id.to_owned(),
            path: path.to_owned(),
            began: Instant::now(),
            facts: Mutex::default(),
            state: AtomicU8::new(RUNNING),
            cancelled: Notify::new(),
        });
        if let Some(shelf) = self.shelf(number) {
            shelf.lock().insert(number, Arc::clone(&ongoing));
        }
        Entered { list: self, ongoing }
    }

    /// All of them, the oldest first.
    pub fn all(&self) -> Vec<Arc<Ongoing>> {
        let each =
            |shelf: &Mutex<HashMap<u64, Arc<Ongoing>>>| shelf.lock().values().cloned().collect::<Vec<_>>();
        let mut all: Vec<_> = self.shelves.iter().flat_map(each).collect();
        all.sort_by_key(|ongoing| ongoing.number);
        all
    }

    /// The one with this number.
    pub fn of(&self, number: u64) -> Option<Arc<Ongoing>> {
        self.shelf(number)?.lock().get(&number).cloned()
    }

    fn shelf(&self, number: u64) -> Option<&Mutex<HashMap<u64, Arc<Ongoing>>>> {
        self.shelves.get(usize::try_from(number % SHELVES as u64).ok()?)
    }
}

impl Ongoing {
    /// It was read; this is what it is.
    pub fn is(&self, facts: Facts) {
        *self.facts.lock() = facts;
    }

    /// What is known of it.
    pub fn facts(&self) -> Facts {
        self.facts.lock().clone()
    }

    /// Ends it by hand. False: it ended by itself before, or was cancelled already.
    pub fn cancel(&self) -> bool {
        let won = self.state.compare_exchange(RUNNING, CANCELLED, Ordering::AcqRel, Ordering::Acquire);
        // Also for whoever begins to wait later.
        self.cancelled.notify_one();
        won.is_ok()
    }

    /// It ended by itself. False: it was cancelled before.
    pub fn end(&self) -> bool {
        let won = self.state.compare_exchange(RUNNING, ENDED, Ordering::AcqRel, Ordering::Acquire);
        won.is_ok()
    }

    /// Somebody wants it to end.
    pub fn is_cancelled(&self) -> bool {
        self.state.load(Ordering::Acquire) == CANCELLED
    }

    /// Comes back when somebody wants it to end, and not before.
    pub async fn cancelled(&self) {
        while !self.is_cancelled() {
            self.cancelled.notified().await;
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if let Some(shelf) = self.list.shelf(self.ongoing.number) {
            shelf.lock().remove(&self.ongoing.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_it_ended_or_it_was_cancelled() {
        let list = UnderWay::default();
        for _ in 0..1_000 {
            let entered = list.enter("r", "POST /v1/chat/completions");
            let ongoing = Arc::clone(&entered.ongoing);
            let other = std::thread::scope(|scope| {
                let other = scope.spawn(|| ongoing.cancel());
                let ended = entered.ongoing.end();
                (ended, other.join().unwrap())
            });
            assert!(other.0 != other.1, "{other:?}");
        }
        assert!(list.all().is_empty());
    }

    #[tokio::test]
    async fn who_waits_is_told_also_when_it_came_before() {
        let list = UnderWay::default();
        let entered = list.enter("r", "p");
        assert_eq!(list.all().len(), 1);
        let found = list.of(entered.ongoing.number).unwrap();
        assert!(found.cancel() && !found.cancel());
        entered.ongoing.cancelled().await;
        assert!(!entered.ongoing.end());
        drop(entered);
        assert!(list.all().is_empty());
    }
}
