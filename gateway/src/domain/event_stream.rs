//! AWS's event-stream framing (`application/vnd.amazon.eventstream`): a prelude with two lengths and a checksum, headers,
//! a payload, a checksum.
//!
//! The format: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html>.

/// Both lengths and their checksum.
pub const PRELUDE: usize = 12;
/// AWS allows 24 MiB; more is no frame but garbage.
pub const LONGEST: usize = 24 * 1024 * 1024;

const CHECKSUM: usize = 4;
/// The type of a header whose value is text, with its length before it.
const TEXT: u8 = 7;

/// One message, its headers of interest read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame<'f> {
    /// `event`, `exception` or `error`.
    pub message_type: &'f str,
    /// Name of the event, type of the exception or code of the error.
    pub name: &'f str,
    /// Of an `error`, which has no payload.
    pub error_message: &'f str,
    /// JSON.
    pub payload: &'f [u8],
}

/// Writes an event.
pub fn event(out: &mut Vec<u8>, name: &str, payload: &[u8]) {
    write(out, [":event-type", name], "event", payload);
}

/// Writes an exception, which ends the stream.
pub fn exception(out: &mut Vec<u8>, name: &str, payload: &[u8]) {
    write(out, [":exception-type", name], "exception", payload);
}

fn write(out: &mut Vec<u8>, named: [&str; 2], message_type: &str, payload: &[u8]) {
    let [kind, name] = named;
    let headers = [(kind, name), (":content-type", "application/json"), (":message-type", message_type)];
    let length = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>();
    let total = PRELUDE + length + payload.len() + CHECKSUM;
    let start = out.len();
    out.reserve(total);
    // A frame of 4 GiB cannot be: what is in it came through limits far below that.
    out.extend_from_slice(&u32::try_from(total).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    check_off(out, start);
    for (name, value) in headers {
        out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(name.as_bytes());
        out.push(TEXT);
        out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(value.as_bytes());
    }
    out.extend_from_slice(payload);
    check_off(out, start);
}

/// Puts the checksum behind everything from `start` on.
fn check_off(out: &mut Vec<u8>, start: usize) {
    let sum = crc32fast::hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&sum.to_be_bytes());
}

/// The length of a whole frame, by its prelude.
///
/// # Errors
/// What is wrong with it.
pub fn length(prelude: &[u8; PRELUDE]) -> Result<usize, &'static str> {
    check(prelude)?;
    let length = number(prelude, 0);
    if (PRELUDE + CHECKSUM..=LONGEST).contains(&length) {
        Ok(length)
    } else {
        Err("a frame's length cannot be")
    }
}

/// Reads one whole frame.
///
/// # Errors
/// What is wrong with it.
pub fn read(message: &[u8]) -> Result<Frame<'_>, &'static str> {
    let prelude = message.first_chunk::<PRELUDE>().ok_or("a frame is too short")?;
    if length(prelude)? != message.len() {
        return Err("a frame is not as long as it says");
    }
    check(message)?;
    let inside = message.get(PRELUDE..message.len() - CHECKSUM).unwrap_or_default();
    let (mut headers, payload) =
        inside.split_at_checked(number(message, 4)).ok_or("a frame's headers are longer than the frame")?;
    let mut frame = Frame { payload, ..Frame::default() };
    while !headers.is_empty() {
        let (name, value, behind) = header(headers).ok_or("a frame's header cannot be read")?;
        match (name, value) {
            (":message-type", Some(value)) => frame.message_type = value,
            (":event-type" | ":exception-type" | ":error-code", Some(value)) => frame.name = value,
            (":error-message", Some(value)) => frame.error_message = value,
            _ => {}
        }
        headers = behind;
    }
    Ok(frame)
}

/// The last four bytes are the checksum of all before them.
fn check(bytes: &[u8]) -> Result<(), &'static str> {
    match bytes.split_last_chunk::<CHECKSUM>() {
        Some((covered, told)) if crc32fast::hash(covered) == u32::from_be_bytes(*told) => Ok(()),
        _ => Err("a frame's checksum is wrong"),
    }
}

/// A big-endian number of four bytes; 0 where there are fewer.
fn number(bytes: &[u8], at: usize) -> usize {
    let four = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<4>());
    four.map_or(0, |four| u32::from_be_bytes(*four) as usize)
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
        6 | TEXT => {
            let (length, bytes) = bytes.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), bytes)
        }
        9 => (16, bytes),
        _ => return None,
    };
    let (value, behind) = bytes.split_at_checked(length)?;
    let text = if kind == TEXT { Some(std::str::from_utf8(value).ok()?) } else { None };
    Some((name, text, behind))
}

#[cfg(test)]
mod tests;
