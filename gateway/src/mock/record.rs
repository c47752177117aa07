//! What the mock received, kept for tests: the last few thousand requests and how they ended.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use hyper::HeaderMap;
use parking_lot::Mutex;

const MOST_REQUESTS: usize = 4096;
const MOST_BODY: usize = 8 << 20;
/// Bodies of older requests make room for newer ones beyond this.
const MOST_BYTES: usize = 256 << 20;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// `POST`.
    pub method: String,
    /// `/v1/messages`, undecoded.
    pub path: String,
    /// What stands behind `?`, undecoded; empty when there is none.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, its first 8 MiB.
    pub body: Bytes,
    /// When it had arrived.
    pub at: Instant,
    /// The answer went out to its end (also when the end was a fault).
    pub finished: bool,
    /// The client left before the end of the answer, and when.
    pub aborted_at: Option<Instant>,
}

impl Received {
    /// Whether the client left before the end of the answer.
    pub fn aborted(&self) -> bool {
        self.aborted_at.is_some()
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

type Entry = Arc<Mutex<Received>>;

#[derive(Default)]
struct Ring {
    entries: VecDeque<Entry>,
    bytes: usize,
}

#[derive(Default)]
pub(super) struct Recorder {
    ring: Mutex<Ring>,
    connections: AtomicUsize,
}

impl Recorder {
    /// Keeps a request; the watch says how it ended.
    pub(super) fn keep(&self, mut received: Received) -> Watch {
        received.body.truncate(MOST_BODY);
        let size = received.body.len();
        let entry = Arc::new(Mutex::new(received));
        let mut ring = self.ring.lock();
        ring.bytes += size;
        ring.entries.push_back(Arc::clone(&entry));
        while ring.entries.len() > MOST_REQUESTS || ring.bytes > MOST_BYTES {
            let Some(oldest) = ring.entries.pop_front() else { break };
            ring.bytes -= oldest.lock().body.len();
        }
        Watch(Some(entry))
    }

    pub(super) fn requests(&self) -> Vec<Received> {
        self.ring.lock().entries.iter().map(|entry| entry.lock().clone()).collect()
    }

    pub(super) fn clear(&self) {
        *self.ring.lock() = Ring::default();
    }

    pub(super) fn open_connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Counts a connection for as long as the returned value lives.
    pub(super) fn connection(self: &Arc<Self>) -> Connection {
        self.connections.fetch_add(1, Ordering::SeqCst);
        Connection(Arc::clone(self))
    }
}

pub(super) struct Connection(Arc<Recorder>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Held until the answer is out; dropped earlier, the client has gone.
pub(super) struct Watch(Option<Entry>);

impl Watch {
    pub(super) fn is_open(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn finish(&mut self) {
        if let Some(entry) = self.0.take() {
            entry.lock().finished = true;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(entry) = self.0.take() {
            entry.lock().aborted_at = Some(Instant::now());
        }
    }
}
