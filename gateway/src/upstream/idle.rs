//! Connections to providers that wait for their next request.
//!
//! A shelf belongs to some of the workers, so that they do not wait for each other; who finds nothing on the own one looks
//! at the others. Pingora's pool keeps a task for each idle connection, which must be woken to let go of it; here whether a
//! connection still lives is looked at when it is taken, and now and then.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pingora::protocols::Stream;

use super::wire::is_silent;

const SHELVES: usize = 16;
/// Connections on one shelf; more are closed.
const MOST: usize = 1_024;

/// Connections that wait, by where they lead.
#[derive(Default)]
pub(super) struct Idle {
    shelves: [Mutex<HashMap<u64, VecDeque<Kept>>>; SHELVES],
}

struct Kept {
    stream: Stream,
    until: Option<Instant>,
}

impl Kept {
    fn is_usable(&mut self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until) && is_silent(&mut self.stream)
    }
}

impl Idle {
    /// The connection to this place that was used last.
    pub(super) fn take(&self, place: u64) -> Option<Stream> {
        let (own, now) = (own_shelf(), Instant::now());
        let (before, from) = self.shelves.split_at(own);
        from.iter().chain(before).find_map(|shelf| {
            let mut shelf = shelf.lock();
            let kept = shelf.get_mut(&place)?;
            std::iter::from_fn(|| kept.pop_back())
                .find_map(|mut kept| kept.is_usable(now).then_some(kept.stream))
        })
    }

    /// Keeps a connection that can be used again, for so long.
    pub(super) fn put(&self, place: u64, mut stream: Stream, life: Option<Duration>) {
        if !is_silent(&mut stream) {
            return;
        }
        let until = life.and_then(|life| Instant::now().checked_add(life));
        let Some(shelf) = self.shelves.get(own_shelf()) else { return };
        let mut shelf = shelf.lock();
        let kept = shelf.entry(place).or_default();
        kept.push_back(Kept { stream, until });
        let oldest = if kept.len() > MOST { kept.pop_front() } else { None };
        drop(shelf);
        // Closed behind the lock.
        drop(oldest);
    }

    /// Closes what has waited too long, and what the other side has closed.
    pub(super) fn sweep(&self) {
        for shelf in &self.shelves {
            let now = Instant::now();
            let mut gone = Vec::new();
            let mut shelf = shelf.lock();
            shelf.retain(|_, kept| {
                let mut index = 0;
                while index < kept.len() {
                    let usable = kept.get_mut(index).is_some_and(|kept| kept.is_usable(now));
                    if usable {
                        index += 1;
                    } else {
                        gone.extend(kept.remove(index));
                    }
                }
                !kept.is_empty()
            });
            drop(shelf);
            drop(gone);
        }
    }
}

/// The shelf of this thread.
fn own_shelf() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed) % SHELVES;
    }
    OWN.with(|own| *own)
}
