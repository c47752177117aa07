//! Streams that are open while somebody looks at what they take.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::address::Request;
use super::connection::connect;

/// The first event of a stream comes in this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// Streams of which the first bytes were read; they end when this is dropped.
pub struct Held {
    streams: Vec<TcpStream>,
}

impl Held {
    /// Opens `count` streams, and waits for the first event of each.
    ///
    /// # Errors
    /// When one of them cannot be opened, or is answered with an error.
    pub fn open(request: &Request, count: usize) -> Result<Self, String> {
        let mut streams = Vec::with_capacity(count);
        for number in 0..count {
            let mut stream =
                connect(request.address).map_err(|error| format!("connection {number}: {error}"))?;
            let timeout = stream.set_read_timeout(Some(PATIENCE));
            timeout
                .and_then(|()| stream.write_all(&request.bytes))
                .map_err(|error| format!("stream {number}: {error}"))?;
            streams.push(stream);
        }
        for (number, stream) in streams.iter_mut().enumerate() {
            first_event(stream).map_err(|problem| format!("stream {number}: {problem}"))?;
        }
        Ok(Self { streams })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.streams.len()
    }
}

fn first_event(stream: &mut TcpStream) -> Result<(), String> {
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).map_err(|error| error.to_string())?;
        if read == 0 {
            return Err("closed before its first event".to_owned());
        }
        seen.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let text = String::from_utf8_lossy(&seen);
        if !"HTTP/1.1 200".starts_with(text.get(..12).unwrap_or(&text)) {
            return Err(text.into_owned());
        }
        if text.contains("\ndata:") {
            return Ok(());
        }
    }
}
