//! AWS's event-stream framing: a prelude with two lengths and a checksum, headers, a payload, a checksum.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html> describes it.

use plugin_sdk::{Failure, failure};

/// Both lengths and their checksum.
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;
/// AWS allows 24 MiB; more is no frame but garbage.
const LONGEST: usize = 24 * 1024 * 1024;

/// One message, its three headers of interest read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Frame<'f> {
    /// `event`, `exception` or `error`.
    pub(super) message_type: &'f str,
    /// Name of the event, type of the exception or code of the error.
    pub(super) name: &'f str,
    /// Of an `error`, which has no payload.
    pub(super) error_message: &'f str,
    pub(super) payload: &'f [u8],
}

/// Cuts bytes into frames, however they come.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// Begins with a frame that is not complete.
    waiting: Vec<u8>,
}

impl Frames {
    /// Hands every frame that is complete to `take`, until that fails.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        mut take: impl FnMut(Frame<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.waiting.extend_from_slice(bytes);
        let mut rest = self.waiting.as_slice();
        while let Some((message, behind)) = split(rest)? {
            take(Frame::read(message)?)?;
            rest = behind;
        }
        let used = self.waiting.len() - rest.len();
        self.waiting.drain(..used);
        Ok(())
    }
}

/// A message and what is behind it.
type Parted<'b> = (&'b [u8], &'b [u8]);

/// The first message and what is behind it; nothing while it is not complete.
fn split(bytes: &[u8]) -> Result<Option<Parted<'_>>, Failure> {
    let Some(prelude) = bytes.get(..PRELUDE) else { return Ok(None) };
    check(prelude, "prelude")?;
    let length = number(prelude, 0);
    if !(PRELUDE + CHECKSUM..=LONGEST).contains(&length) {
        return Err(wrong("a length that cannot be"));
    }
    let Some((message, behind)) = bytes.split_at_checked(length) else { return Ok(None) };
    check(message, "message")?;
    Ok(Some((message, behind)))
}

/// The last four bytes are the checksum of all before them.
fn check(bytes: &[u8], what: &str) -> Result<(), Failure> {
    let Some((covered, told)) = bytes.split_last_chunk::<CHECKSUM>() else {
        return Err(wrong("too few bytes"));
    };
    if crc32(covered) == u32::from_be_bytes(*told) {
        return Ok(());
    }
    Err(wrong(&format!("a {what} whose checksum is wrong")))
}

/// A big-endian number of four bytes; 0 where there are fewer.
fn number(bytes: &[u8], at: usize) -> usize {
    let four = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<4>());
    four.map_or(0, |four| u32::from_be_bytes(*four) as usize)
}

impl<'f> Frame<'f> {
    fn read(message: &'f [u8]) -> Result<Self, Failure> {
        let headers = number(message, 4);
        let inside = message.len().checked_sub(CHECKSUM).and_then(|end| message.get(PRELUDE..end));
        let (headers, payload) = inside
            .and_then(|inside| inside.split_at_checked(headers))
            .ok_or_else(|| wrong("headers longer than the message"))?;
        let mut frame = Self { payload, ..Self::default() };
        let mut rest = headers;
        while !rest.is_empty() {
            let (name, value, behind) = header(rest).ok_or_else(|| wrong("a header that cannot be read"))?;
            match (name, value) {
                (":message-type", Some(value)) => frame.message_type = value,
                (":event-type" | ":exception-type" | ":error-code", Some(value)) => frame.name = value,
                (":error-message", Some(value)) => frame.error_message = value,
                _ => {}
            }
            rest = behind;
        }
        Ok(frame)
    }
}

/// The first header: its name, its value where that is text, and what is behind it.
fn header(bytes: &[u8]) -> Option<(&str, Option<&str>, &[u8])> {
    let (&length, bytes) = bytes.split_first()?;
    let (name, bytes) = bytes.split_at_checked(usize::from(length))?;
    let name = std::str::from_utf8(name).ok()?;
    let (&kind, bytes) = bytes.split_first()?;
    // 0 and 1 are booleans, 2 to 5 whole numbers, 6 bytes and 7 text with a length before them, 8 a time, 9 a UUID.
    let (length, bytes) = match kind {
        0 | 1 => (0, bytes),
        2 => (1, bytes),
        3 => (2, bytes),
        4 => (4, bytes),
        5 | 8 => (8, bytes),
        6 | 7 => {
            let (length, bytes) = bytes.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), bytes)
        }
        9 => (16, bytes),
        _ => return None,
    };
    let (value, behind) = bytes.split_at_checked(length)?;
    let text = if kind == 7 { Some(std::str::from_utf8(value).ok()?) } else { None };
    Some((name, text, behind))
}

fn wrong(what: &str) -> Failure {
    failure::malformed(format!("the provider's event stream makes no sense: {what}"))
}

/// CRC-32 as in Ethernet and gzip.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let place = (crc as u8 ^ byte) as usize;
        TABLE.get(place).copied().unwrap_or(0) ^ (crc >> 8)
    };
    !bytes.iter().fold(!0, step)
}

static TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut place = 0;
    while place < 256 {
        let mut crc = place as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[place] = crc;
        place += 1;
    }
    table
}

#[cfg(test)]
mod tests;
