//! Server-sent events, as far as a load generator must understand them.

use memchr::memmem;

/// Collects a body until events are whole.
#[derive(Debug, Default)]
pub(super) struct Events {
    pending: Vec<u8>,
}

impl Events {
    /// Takes more of a body and hands on each event that is complete.
    pub(super) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        self.pending.extend_from_slice(bytes);
        let mut rest = self.pending.as_slice();
        while let Some(end) = end(rest) {
            let (event, after) = rest.split_at(end);
            each(event);
            rest = after;
        }
        let used = self.pending.len() - rest.len();
        self.pending.drain(..used);
    }
}

/// Behind the blank line that ends the first event.
fn end(bytes: &[u8]) -> Option<usize> {
    let ends = [(&b"\n\n"[..], 2), (b"\r\n\r\n", 4)];
    ends.iter().filter_map(|(blank, length)| Some(memmem::find(bytes, blank)? + length)).min()
}

/// Does it carry data? Comments and pings of a keep-alive do not.
pub(super) fn has_data(event: &[u8]) -> bool {
    let data = event.starts_with(b"data:") || memmem::find(event, b"\ndata:").is_some();
    data && memmem::find(event, b"\"type\":\"ping\"").is_none()
}

/// Is it the last one of a stream, for the vendors that mark it?
pub(super) fn is_last(event: &[u8]) -> bool {
    ["[DONE]", "\"message_stop\"", "\"finishReason\"", "\"response.completed\""]
        .iter()
        .any(|mark| memmem::find(event, mark.as_bytes()).is_some())
}

/// Does it tell of a failure, which can no longer be told by a status?
pub(super) fn is_error(event: &[u8]) -> bool {
    ["event: error", "data: {\"error\"", "data:{\"error\"", "\"type\":\"error\"", "\"response.failed\""]
        .iter()
        .any(|mark| memmem::find(event, mark.as_bytes()).is_some())
}

/// When the upstream wrote it: `@<nanoseconds of the monotonic clock>;` in its text.
pub(super) fn mark(event: &[u8]) -> Option<u64> {
    let at = memchr::memchr(b'@', event)?;
    let rest = event.get(at + 1..)?;
    let digits = rest.iter().take_while(|letter| letter.is_ascii_digit()).count();
    let digits = rest.get(..digits).filter(|digits| digits.len() >= 8)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
