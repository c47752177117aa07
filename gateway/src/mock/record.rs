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

/// What the mock itself counts of one request, to be compared with what others counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// The first word of what the user said.
    pub label: String,
    /// The status of the answer; 0: there was none.
    pub status: u16,
    /// Tokens of the prompt.
    pub input: u64,
    /// Tokens of the whole answer.
    pub output: u64,
    /// The answer says so itself.
    pub told: bool,
    /// Pieces the answer consists of.
    pub pieces: u64,
    /// Pieces that were sent.
    pub sent: u64,
    /// The answer went out to its end.
    pub finished: bool,
}

impl Served {
    /// Tokens of as much of the answer as was sent.
    pub fn output_sent(&self) -> u64 {
        if self.finished { self.output } else { self.output * self.sent / self.pieces.max(1) }
    }
}

type Entry = Arc<Mutex<Received>>;
pub(super) type Counted = Arc<Mutex<Served>>;

#[derive(Default)]
struct Ring {
    entries: VecDeque<Entry>,
    bytes: usize,
}

#[derive(Default)]
pub(super) struct Recorder {
    ring: Mutex<Ring>,
    /// What was served, as soon as somebody wants to know.
    served: Mutex<Option<Vec<Counted>>>,
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
        Watch { entry: Some(entry), counted: None }
    }

    pub(super) fn requests(&self) -> Vec<Received> {
        self.ring.lock().entries.iter().map(|entry| entry.lock().clone()).collect()
    }

    /// Counts what is served from now on.
    pub(super) fn count(&self) {
        self.served.lock().get_or_insert_default();
    }

    /// One more that was served, where that is counted.
    pub(super) fn serve(&self, served: Served) -> Option<Counted> {
        let mut all = self.served.lock();
        let counted = Arc::new(Mutex::new(served));
        all.as_mut()?.push(Arc::clone(&counted));
        Some(counted)
    }

    pub(super) fn served(&self) -> Vec<Served> {
        self.served.lock().iter().flatten().map(|counted| counted.lock().clone()).collect()
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
pub(super) struct Watch {
    entry: Option<Entry>,
    counted: Option<Counted>,
}

impl Watch {
    pub(super) fn is_open(&self) -> bool {
        self.entry.is_some()
    }

    /// Counts what is sent of this answer.
    pub(super) fn counting(&mut self, counted: Option<Counted>) {
        self.counted = counted;
    }

    /// A piece of the answer was sent.
    pub(super) fn sent(&self) {
        if let Some(counted) = &self.counted {
            counted.lock().sent += 1;
        }
    }

    /// The answer is whole.
    pub(super) fn complete(&mut self) {
        if let Some(counted) = &self.counted {
            counted.lock().finished = true;
        }
        self.finish();
    }

    pub(super) fn finish(&mut self) {
        if let Some(entry) = self.entry.take() {
            entry.lock().finished = true;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            entry.lock().aborted_at = Some(Instant::now());
        }
    }
}
