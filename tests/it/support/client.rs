//! A client that speaks HTTP/1.1 by hand: it sees how a body ends, can be odd, and can leave at any time.

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::sse::{self, Event};
use super::{KEY, PATIENCE, Shape};

/// Where to ask, and with which headers.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    address: String,
    headers: Vec<(String, String)>,
}

/// A reply, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// The body ended as its framing says; not so when it was cut.
    pub(crate) complete: bool,
}

impl Client {
    /// A client without a key.
    pub(crate) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), headers: Vec::new() }
    }

    /// With one more header on every request.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the key of the tests.
    pub(crate) fn with_key(self) -> Self {
        self.with("authorization", &format!("Bearer {KEY}"))
    }

    /// The address it asks at.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// GET, to the end.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, b"").await
    }

    /// GET; `None` when nobody answers there.
    pub(crate) async fn try_get(&self, path: &str) -> Option<Reply> {
        let stream = TcpStream::connect(&self.address).await.ok()?;
        let mut open = Open::on(stream);
        open.write(&self.request("GET", path, b"")).await;
        open.head().await.then_some(())?;
        Some(open.rest().await)
    }

    /// POST of JSON, to the end.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, body.to_string().as_bytes()).await
    }

    /// Any request, to the end.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &[u8]) -> Reply {
        self.open(method, path, body).await.rest().await
    }

    /// Any request, as far as the head of its answer.
    pub(crate) async fn open(&self, method: &str, path: &str, body: &[u8]) -> Open {
        let mut open = self.connect().await;
        open.write(&self.request(method, path, body)).await;
        assert!(open.head().await, "the connection closed without an answer to {method} {path}");
        open
    }

    /// A bare connection, for requests that are odd.
    pub(crate) async fn connect(&self) -> Open {
        Open::on(TcpStream::connect(&self.address).await.unwrap())
    }

    /// A conversation in one vendor's form, to the end of a whole answer. `body` as [`Shape::request`] makes it.
    pub(crate) async fn ask(&self, dialect: Shape, model: &str, body: &Value) -> Reply {
        self.clone().with_key().post(&dialect.path(model, false), &dialect.named(body, model, false)).await
    }

    /// The same streamed, as far as the head of its answer.
    pub(crate) async fn stream(&self, dialect: Shape, model: &str, body: &Value) -> Open {
        let body = dialect.named(body, model, true).to_string();
        self.clone().with_key().open("POST", &dialect.path(model, true), body.as_bytes()).await
    }

    /// The bytes of a request.
    pub(crate) fn request(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if matches!(method, "POST" | "PUT" | "PATCH") {
            if header(&self.headers, "content-type").is_empty() {
                head.push_str("content-type: application/json\r\n");
            }
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("connection: close\r\n\r\n");
        [head.as_bytes(), body].concat()
    }
}

impl Reply {
    /// A header; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        header(&self.headers, name)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as events.
    pub(crate) fn events(&self) -> Vec<Event> {
        sse::events(&self.text())
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

/// A connection on which an answer comes in. Dropping it is leaving.
pub(crate) struct Open {
    stream: TcpStream,
    buffer: BytesMut,
    framing: Framing,
    ended: bool,
    complete: bool,
    /// Bytes of the body that are not yet a whole event.
    unread: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
}

impl Open {
    fn on(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: BytesMut::new(),
            framing: Framing::UntilClose,
            ended: false,
            complete: false,
            unread: String::new(),
            status: 0,
            headers: Vec::new(),
        }
    }

    /// A header of the answer; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        header(&self.headers, name)
    }

    /// Sends bytes as they are. A server that has hung up is no failure here: its answer may be there.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = tokio::time::timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .expect("the server takes no bytes");
    }

    /// Reads the head of the next answer; `false` when the connection closed instead.
    pub(crate) async fn head(&mut self) -> bool {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            if !self.read().await {
                return false;
            }
        };
        let head = self.buffer.split_to(end + 4);
        let head = String::from_utf8(head.to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        self.status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let fields = lines.filter_map(|line| line.split_once(':'));
        self.headers =
            fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        self.framing = if self.header("transfer-encoding") == "chunked" {
            Framing::Chunked
        } else if let Ok(length) = self.header("content-length").parse() {
            Framing::Length(length)
        } else {
            Framing::UntilClose
        };
        (self.ended, self.complete) = (false, false);
        true
    }

    /// More bytes into the buffer; `false` when there are none.
    async fn read(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
        // A reset is an end like any other.
        read.expect("the server is silent").unwrap_or(0) > 0
    }

    /// The next piece of the body; `None` at its end, clean or not.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let piece = match self.framing {
            Framing::Length(0) => {
                self.complete = true;
                None
            }
            Framing::Length(left) => {
                let more = !self.buffer.is_empty() || self.read().await;
                let piece = self.buffer.split_to(left.min(self.buffer.len())).freeze();
                self.framing = Framing::Length(left - piece.len());
                more.then_some(piece)
            }
            Framing::UntilClose => {
                let more = !self.buffer.is_empty() || self.read().await;
                self.complete = !more;
                more.then(|| self.buffer.split().freeze())
            }
            Framing::Chunked => self.chunk().await,
        };
        self.ended = piece.is_none();
        piece
    }

    async fn chunk(&mut self) -> Option<Bytes> {
        let end = loop {
            match self.buffer.windows(2).position(|window| window == b"\r\n") {
                Some(end) => break end,
                None if !self.read().await => return None,
                None => {}
            }
        };
        let size = std::str::from_utf8(&self.buffer[..end]).unwrap();
        let size = usize::from_str_radix(size.split(';').next().unwrap().trim(), 16).unwrap();
        while self.buffer.len() < end + 2 + size + 2 {
            if !self.read().await {
                return None;
            }
        }
        let mut chunk = self.buffer.split_to(end + 2 + size + 2);
        self.complete = size == 0;
        (size > 0).then(|| chunk.split_to(end + 2 + size).freeze().slice(end + 2..))
    }

    /// Reads so many bytes of the body, or all there are.
    pub(crate) async fn some(&mut self, most: usize) {
        let mut read = 0;
        while read < most
            && let Some(piece) = self.next().await
        {
            read += piece.len();
        }
    }

    /// The next event of a stream; `None` when no more come.
    pub(crate) async fn event(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = sse::first(&self.unread) {
                self.unread = rest.to_owned();
                if let Some(event) = event {
                    return Some(event);
                }
                continue;
            }
            // No test cuts a character in two on this side.
            let piece = self.next().await?;
            // No test cuts a line's end in two on this side.
            self.unread.push_str(&sse::with_plain_lines(std::str::from_utf8(&piece).unwrap()));
        }
    }

    /// The rest of the answer.
    pub(crate) async fn rest(mut self) -> Reply {
        let mut body = BytesMut::from(self.unread.as_bytes());
        while let Some(piece) = self.next().await {
            body.extend_from_slice(&piece);
        }
        Reply { status: self.status, headers: self.headers, body: body.freeze(), complete: self.complete }
    }
}
