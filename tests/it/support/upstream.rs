//! What stands behind the gateway: the mock provider, or a script that answers with exactly these bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use causeway::mock::{Mock, Running, Settings};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// The mock provider on a free port of this test.
pub(crate) fn mock() -> Running {
    mock_with(Settings::default())
}

/// The same with settings.
pub(crate) fn mock_with(settings: Settings) -> Running {
    Mock::start(settings, SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
}

/// Where a mock is.
pub(crate) fn url(mock: &Running) -> String {
    format!("http://{}", mock.address())
}

/// One step of a scripted answer.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// These bytes, in a write of their own.
    Send(Bytes),
    /// A pause.
    Wait(Duration),
    /// The connection closes.
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing more comes.
    Hang,
    /// Nothing more comes until this has a permit; one whose client leaves meanwhile ends.
    Until(Arc<Semaphore>),
}

impl Step {
    pub(crate) fn send(bytes: impl AsRef<[u8]>) -> Self {
        Self::Send(Bytes::copy_from_slice(bytes.as_ref()))
    }
}

/// An upstream that reads one whole request per connection and plays a script.
pub(crate) struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// One script per connection; the last one stays.
    scripts: Mutex<Vec<Vec<Step>>>,
    requests: Mutex<Vec<Bytes>>,
    /// Connections that the other side closed while it was kept waiting.
    left: AtomicUsize,
    /// Plays before anything was asked.
    at_once: bool,
    /// Instead of the scripts: one for whole answers, one for streams.
    by_request: Option<[Vec<Step>; 2]>,
}

impl Shared {
    fn next_script(&self, request: &[u8]) -> Vec<Step> {
        if let Some([whole, streamed]) = &self.by_request {
            let asked = request.windows(13).any(|window| window == b"\"stream\":true");
            return if asked { streamed.clone() } else { whole.clone() };
        }
        let mut scripts = self.scripts.lock();
        if scripts.len() > 1 { scripts.remove(0) } else { scripts.first().cloned().unwrap_or_default() }
    }
}

impl Scripted {
    /// Starts with this script for every connection.
    pub(crate) async fn start(steps: Vec<Step>) -> Self {
        Self::on(Shared { scripts: Mutex::new(vec![steps]), ..Shared::default() }).await
    }

    /// Starts with this script for every connection, played before anything was asked there.
    pub(crate) async fn at_once(steps: Vec<Step>) -> Self {
        Self::on(Shared { scripts: Mutex::new(vec![steps]), at_once: true, ..Shared::default() }).await
    }

    /// Starts with a script that depends on whether a stream is asked for.
    pub(crate) async fn by_request(script: fn(bool) -> Vec<Step>) -> Self {
        Self::on(Shared { by_request: Some([script(false), script(true)]), ..Shared::default() }).await
    }

    async fn on(shared: Shared) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(shared);
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(play(stream, Arc::clone(&serving)));
            }
        });
        Self { address, shared, task }
    }

    /// From now on another script.
    pub(crate) fn play(&self, steps: Vec<Step>) {
        self.play_each(vec![steps]);
    }

    /// From now on one script after the other, one per request; the last one stays.
    pub(crate) fn play_each(&self, scripts: Vec<Vec<Step>>) {
        *self.shared.scripts.lock() = scripts;
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, as they arrived.
    pub(crate) fn requests(&self) -> Vec<Bytes> {
        self.shared.requests.lock().clone()
    }

    /// How many were left by the other side while they kept it waiting.
    pub(crate) fn left(&self) -> usize {
        self.shared.left.load(Ordering::Relaxed)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn play(mut stream: TcpStream, shared: Arc<Shared>) {
    stream.set_nodelay(true).unwrap();
    let request = if shared.at_once {
        Bytes::new()
    } else {
        let Some(request) = whole_request(&mut stream).await else { return };
        shared.requests.lock().push(request.clone());
        request
    };
    let steps = shared.next_script(&request);
    for step in steps {
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Step::Wait(pause) => tokio::time::sleep(pause).await,
            Step::Close => return,
            Step::Reset => {
                let _ = stream.set_zero_linger();
                return;
            }
            Step::Hang => {
                gone(&mut stream).await;
                shared.left.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Step::Until(released) => tokio::select! {
                permit = released.acquire() => permit.unwrap().forget(),
                () = gone(&mut stream) => {
                    shared.left.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            },
        }
    }
}

/// Until the other side leaves.
async fn gone(stream: &mut TcpStream) {
    while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
}

/// Head and body, by content-length.
async fn whole_request(stream: &mut TcpStream) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Some(bytes.freeze());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// The head of a streamed answer that ends with its connection.
pub(crate) fn stream_head() -> String {
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_owned()
}

/// One chunk of a chunked body; the empty chunk ends it.
pub(crate) fn chunk(bytes: &[u8]) -> Bytes {
    let mut chunk = BytesMut::from(format!("{:x}\r\n", bytes.len()).as_bytes());
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk.freeze()
}

/// The head of a streamed answer in chunks.
pub(crate) fn chunked_head() -> String {
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()
}
