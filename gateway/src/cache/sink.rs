//! Where the one who makes an answer tells it, and what its readers see.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Wake};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::kept::{Kept, Opening, Refusal};
use crate::domain::{Record, Usage};
use crate::error::{GatewayError, Kind};

/// What was told so far, and who has heard how much of it.
pub(super) struct Told {
    pub(super) state: Mutex<State>,
    /// Something changed, or the maker of the answer can go on.
    pub(super) changed: Notify,
    /// The maker can go on.
    pub(super) woken: AtomicBool,
    /// The largest answer that others may join and that is kept.
    limit: usize,
    /// The request that leads.
    pub(super) leader: String,
}

impl Told {
    pub(super) fn new(limit: usize, leader: String) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            changed: Notify::new(),
            woken: AtomicBool::new(false),
            limit,
            leader,
        })
    }
}

impl Wake for Told {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.changed.notify_waiters();
    }
}

#[derive(Default)]
pub(super) struct State {
    pub(super) opening: Option<Arc<Opening>>,
    pub(super) pieces: VecDeque<Bytes>,
    /// The number of the first piece in `pieces`; those before it everybody has.
    pub(super) first: usize,
    /// Bytes told altogether.
    told: usize,
    /// Bytes in `pieces`.
    held: usize,
    pub(super) end: Option<Result<(), Box<Refusal>>>,
    /// The next piece of each reader, by its number.
    pub(super) readers: HashMap<u64, usize>,
    /// Nobody joins any more: it has ended, its beginning is gone, or there was nobody left.
    pub(super) closed: bool,
    pub(super) leader_left: bool,
    /// What it cost, until somebody takes it.
    pub(super) bill: Option<Box<Record>>,
    pub(super) usage: Option<Usage>,
}

impl State {
    /// Of an answer that is complete and has one reader.
    pub(super) fn complete(kept: &Kept, opening: Opening) -> Self {
        Self {
            opening: Some(Arc::new(opening)),
            pieces: kept.pieces.iter().cloned().collect(),
            held: kept.pieces.iter().map(Bytes::len).sum(),
            end: Some(Ok(())),
            readers: HashMap::from([(0, 0)]),
            closed: true,
            usage: kept.usage,
            ..Self::default()
        }
    }

    /// Lets go of what every reader has, once nobody can join any more.
    pub(super) fn trim(&mut self) {
        if !self.closed {
            return;
        }
        let slowest = self.readers.values().copied().min().unwrap_or(usize::MAX);
        while self.first < slowest
            && let Some(piece) = self.pieces.pop_front()
        {
            self.first += 1;
            self.held -= piece.len();
        }
    }

    /// False while a slow reader has more ahead of it than may wait.
    pub(super) fn has_room(&self, limit: usize) -> bool {
        self.held <= limit
    }
}

impl Told {
    pub(super) fn has_room(&self) -> bool {
        self.state.lock().has_room(self.limit)
    }
}

/// The maker's end of an answer. Dropped before the end was told, it tells that the answer broke off.
pub struct Sink(pub(super) Arc<Told>);

impl Sink {
    /// The answer begins.
    pub fn open(&self, opening: Opening) {
        self.0.state.lock().opening = Some(Arc::new(opening));
        self.0.changed.notify_waiters();
    }

    /// One more piece; goes on when a reader has nothing left and wants more.
    pub async fn tell(&self, piece: Bytes) {
        {
            let mut state = self.0.state.lock();
            state.told += piece.len();
            state.held += piece.len();
            state.pieces.push_back(piece);
            if state.told > self.0.limit {
                state.closed = true;
                state.trim();
            }
        }
        self.0.changed.notify_waiters();
        let mut told = false;
        poll_fn(|_| if std::mem::replace(&mut told, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// The whole answer so far with the usage of its bill, unless it is too large to keep.
    pub fn kept(&self, made: u64) -> Option<Kept> {
        let state = self.0.state.lock();
        let opening = state.opening.clone().filter(|_| state.told <= self.0.limit)?;
        let pieces = state.pieces.iter().cloned().collect();
        Some(Kept { opening, pieces, usage: state.usage, request_id: self.0.leader.clone(), made })
    }

    /// What it cost. Told before the end, so that who hears the end finds it.
    pub fn bill(&self, record: Record) {
        let mut state = self.0.state.lock();
        state.usage = record.usage;
        state.bill = Some(Box::new(record));
    }

    /// What it took when it was made; nothing was spent this time.
    pub fn usage(&self, usage: Option<Usage>) {
        self.0.state.lock().usage = usage;
    }

    /// That was all of it.
    pub fn finish(&self) {
        self.end(Ok(()));
    }

    /// There is no answer, or no more of it.
    pub fn refuse(&self, refusal: Refusal) {
        self.end(Err(Box::new(refusal)));
    }

    fn end(&self, end: Result<(), Box<Refusal>>) {
        {
            let mut state = self.0.state.lock();
            if state.end.is_some() {
                return;
            }
            state.end = Some(end);
            state.closed = true;
            state.trim();
        }
        self.0.changed.notify_waiters();
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let error = GatewayError::gateway(Kind::Internal, "the answer was given up before its end");
        self.refuse(Refusal { error, headers: http::HeaderMap::new(), reused: false });
    }
}
