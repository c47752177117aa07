//! One kept connection: a request out, an answer in.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use memchr::memmem;

use super::address::Request;
use super::clock::now;
use super::framing::Framing;

/// Nothing that is measured is silent for so long.
const PATIENCE: Duration = Duration::from_secs(60);
const BUFFER: usize = 64 << 10;

/// A connection that is opened when it is needed.
pub(super) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
    /// How often it was opened.
    pub(super) opened: u64,
}

impl Connection {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, buffer: vec![0; BUFFER], opened: 0 }
    }

    /// Opens it, if it is not open.
    pub(super) fn open(&mut self) -> io::Result<()> {
        if self.stream.is_none() {
            self.stream = Some(connect(self.address)?);
            self.opened += 1;
        }
        Ok(())
    }

    /// One exchange; `each` sees the body's pieces with the time of their reading, and says whether to go on. The status.
    ///
    /// # Errors
    /// When the connection breaks; the next exchange then opens another one.
    pub(super) fn exchange(
        &mut self,
        request: &[u8],
        mut each: impl FnMut(&[u8], u64) -> bool,
    ) -> io::Result<u16> {
        let kept = self.stream.is_some();
        self.open()?;
        match self.head(request) {
            // A server may close a kept connection while nothing is asked on it: that is no answer.
            Err(error) if kept && error.kind() != io::ErrorKind::WouldBlock => {
                self.stream = None;
                self.open()?;
                self.head(request)
            }
            head => head,
        }
        .and_then(|(stream, head_end, have)| self.body(stream, head_end..have, &mut each))
    }

    /// Sends the request and reads until the head is there: the stream, the end of the head, and of what was read.
    fn head(&mut self, request: &[u8]) -> io::Result<(TcpStream, usize, usize)> {
        let mut stream = self.stream.take().ok_or(io::ErrorKind::NotConnected)?;
        stream.write_all(request)?;
        let mut have = 0;
        loop {
            let room = self.buffer.get_mut(have..).filter(|room| !room.is_empty());
            let room = room.ok_or_else(|| io::Error::other("the head of the answer is too long"))?;
            let read = stream.read(room)?;
            if read == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed without an answer"));
            }
            have += read;
            let seen = self.buffer.get(..have).unwrap_or_default();
            if let Some(at) = memmem::find(seen, b"\r\n\r\n") {
                return Ok((stream, at + 4, have));
            }
        }
    }

    fn body(
        &mut self,
        mut stream: TcpStream,
        first: std::ops::Range<usize>,
        each: &mut impl FnMut(&[u8], u64) -> bool,
    ) -> io::Result<u16> {
        let mut read_at = now();
        let head = self.buffer.get(..first.start).unwrap_or_default();
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("this is no HTTP answer"))?;
        let closes = head.lines().any(|line| line.starts_with("connection:") && line.contains("close"));
        let mut framing = Framing::of(&head);
        let mut range = first;
        loop {
            let read = self.buffer.get(range).unwrap_or_default();
            if !framing.take(read, &mut |piece| each(piece, read_at)) {
                return Ok(status);
            }
            if framing.is_over() {
                break;
            }
            let read = stream.read(&mut self.buffer)?;
            read_at = now();
            if read == 0 && framing == Framing::UntilClose {
                return Ok(status);
            }
            if read == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer broke off"));
            }
            range = 0..read;
        }
        if !closes {
            self.stream = Some(stream);
        }
        Ok(status)
    }
}

impl Request {
    /// Asks once, on a connection of its own: status and body.
    ///
    /// # Errors
    /// When there is no answer, or no end of it.
    pub fn ask(&self) -> io::Result<(u16, Vec<u8>)> {
        let mut body = Vec::new();
        let status = Connection::new(self.address).exchange(&self.bytes, |piece, _| {
            body.extend_from_slice(piece);
            true
        })?;
        Ok((status, body))
    }
}

pub(super) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    // Without it a small request may wait for an acknowledgement that is delayed by 40 ms.
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}
