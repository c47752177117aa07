//! An answer that is still coming, and its readers.
//!
//! There is no task behind it. What makes the answer is a future; whoever reads and finds nothing new polls it, under
//! a lock that is held for that one poll. It is woken through all readers, so when the one who polled it leaves, or is
//! busy with a slow client, the next one goes on. When nobody reads any more it is dropped, and the call upstream with it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;

use super::fingerprint::Fingerprint;
use super::flights::Flights;
use super::kept::{Kept, Opening, Refusal};
use super::sink::{Sink, State, Told};
use crate::domain::{Record, Usage};

/// What makes an answer.
pub type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One answer that is coming.
pub struct Flight {
    told: Arc<Told>,
    driver: Mutex<Option<Driver>>,
    /// What was asked: who joins must ask the same.
    asked: Fingerprint,
    /// Where it is listed.
    listed: Option<(Flights, Fingerprint)>,
}

impl Flight {
    /// A flight of what `make` makes, for the request `leader`. Answers of up to `limit` bytes can be joined and kept.
    pub(super) fn new(
        leader: String,
        limit: usize,
        asked: Fingerprint,
        make: impl FnOnce(Sink) -> Driver,
        listed: Option<(Flights, Fingerprint)>,
    ) -> Arc<Self> {
        let told = Told::new(limit, leader);
        let driver = Mutex::new(Some(make(Sink(Arc::clone(&told)))));
        Arc::new(Self { told, driver, asked, listed })
    }

    /// The first reader.
    pub(super) fn lead(self: Arc<Self>) -> Reader {
        self.told.state.lock().readers.insert(0, 0);
        Reader { flight: self, number: 0, leads: true, left: false }
    }

    /// One more reader, unless it is too late.
    pub(super) fn join(self: &Arc<Self>, asked: &Fingerprint) -> Option<Join> {
        let mut state = self.told.state.lock();
        if state.closed {
            return None;
        }
        if self.asked != *asked {
            return Some(Join::Other);
        }
        let number = state.readers.keys().max().map_or(0, |last| last + 1);
        state.readers.insert(number, 0);
        drop(state);
        Some(Join::Reader(Reader { flight: Arc::clone(self), number, leads: false, left: false }))
    }

    /// Goes on with making the answer, unless somebody is at it or a slow reader has too much ahead of it.
    fn drive(&self) {
        if !self.told.has_room() {
            return;
        }
        let Some(mut driver) = self.driver.try_lock() else { return };
        self.told.woken.store(false, Ordering::SeqCst);
        // Taken out: what has panicked must not be asked again.
        let Some(mut running) = driver.take() else { return };
        let waker = Waker::from(Arc::clone(&self.told));
        if running.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
            *driver = Some(running);
        }
        drop(driver);
        if self.told.woken.load(Ordering::SeqCst) {
            // Whoever was woken meanwhile found the lock taken.
            self.told.changed.notify_waiters();
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some((flights, fingerprint)) = &self.listed {
            flights.forget(fingerprint);
        }
    }
}

/// What came of joining.
pub(super) enum Join {
    /// One more reader.
    Reader(Reader),
    /// It was asked something else.
    Other,
}

/// How a reader left.
#[derive(Debug)]
pub enum Left {
    /// It pays: what the call upstream cost, up to now.
    Paying(Box<Record>),
    /// Somebody else pays, or has paid; the usage as far as it is known.
    Free(Option<Box<Usage>>),
}

/// One request's part in an answer.
pub struct Reader {
    flight: Arc<Flight>,
    number: u64,
    leads: bool,
    left: bool,
}

impl Reader {
    /// A reader of an answer that is complete.
    pub fn of(kept: &Kept, kind: &'static str) -> Self {
        let told = Told::new(usize::MAX, kept.request_id.clone());
        *told.state.lock() = State::complete(kept, kept.again(kind));
        let asked = Fingerprint::of("complete").done();
        let flight = Flight { told, driver: Mutex::new(None), asked, listed: None };
        Self { flight: Arc::new(flight), number: 0, leads: true, left: false }
    }

    /// True when the answer is made for this request.
    pub fn leads(&self) -> bool {
        self.leads
    }

    /// The request the answer is made for.
    pub fn leader(&self) -> &str {
        &self.flight.told.leader
    }

    /// Waits for the answer to begin. May be dropped and asked again.
    ///
    /// # Errors
    /// When there is none.
    pub async fn opening(&mut self) -> Result<Arc<Opening>, Box<Refusal>> {
        self.until(|state, _| match (&state.opening, &state.end) {
            (Some(opening), _) => Some(Ok(Arc::clone(opening))),
            (None, Some(Err(refusal))) => Some(Err(refusal.clone())),
            (None, _) => None,
        })
        .await
    }

    /// The next piece; `None` after the last. May be dropped and asked again.
    ///
    /// # Errors
    /// When the answer broke off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Box<Refusal>> {
        self.until(|state, number| {
            let next = state.readers.get(&number).copied()?;
            if let Some(piece) = state.pieces.get(next.checked_sub(state.first)?).cloned() {
                state.readers.insert(number, next + 1);
                state.trim();
                return Some(Ok(Some(piece)));
            }
            state.end.clone().map(|end| end.map(|()| None))
        })
        .await
    }

    /// Waits until `look` finds something, and pulls as long as it does not.
    async fn until<T>(&mut self, look: impl Fn(&mut State, u64) -> Option<T>) -> T {
        let told = Arc::clone(&self.flight.told);
        loop {
            let mut changed = std::pin::pin!(told.changed.notified());
            changed.as_mut().enable();
            let had_room = told.has_room();
            let found = look(&mut told.state.lock(), self.number);
            if !had_room && told.has_room() {
                // Those in front have waited for this one.
                told.changed.notify_waiters();
            }
            if let Some(found) = found {
                return found;
            }
            // An upstream that is always ready must not keep this worker from its other tasks.
            tokio::task::consume_budget().await;
            self.flight.drive();
            changed.await;
        }
    }

    /// Leaves, at the end or before it. The leader pays when it hears the end; when it has left before, the first one
    /// who does; when nobody is left, the last one.
    pub fn leave(mut self) -> Left {
        self.left = true;
        self.go()
    }

    fn go(&self) -> Left {
        let told = &self.flight.told;
        let (ended, last) = {
            let mut state = told.state.lock();
            state.readers.remove(&self.number);
            state.leader_left |= self.leads;
            let last = state.readers.is_empty();
            state.closed |= last;
            state.trim();
            (state.end.is_some(), last)
        };
        if last {
            // Nobody else can be at it: only readers drive. Its end tells the bill.
            drop(self.flight.driver.lock().take());
        }
        // Slow as it may have been, it holds up nobody any more.
        told.changed.notify_waiters();
        let mut state = told.state.lock();
        let pays = (ended || last) && (self.leads || state.leader_left);
        match state.bill.take_if(|_| pays) {
            Some(bill) => Left::Paying(bill),
            None => Left::Free(state.usage.map(Box::new)),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.left {
            self.go();
        }
    }
}
