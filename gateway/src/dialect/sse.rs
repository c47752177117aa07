//! Server-sent events: writing them, and finding them in a stream that passes through.

use std::borrow::Cow;

use memchr::memchr2;

/// One event without a name. `data` holds no line feed (compact JSON).
pub fn data(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
}

/// One event with a name, as Anthropic and OpenAI Responses send them.
pub fn event(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
}

/// Finds where events end (WHATWG: a blank line; lines end in LF, CR or CRLF), in bytes cut anywhere.
/// It looks at every byte once and keeps none.
#[derive(Debug)]
pub struct Boundary {
    at_line_start: bool,
    /// The last byte was CR: a LF that follows is part of the same line end.
    after_carriage_return: bool,
}

impl Default for Boundary {
    fn default() -> Self {
        Self { at_line_start: true, after_carriage_return: false }
    }
}

impl Boundary {
    /// The end of the next event in `bytes`, searched from `from` on; everything before was searched earlier.
    /// `None`: all of it was searched. A CR at the very end counts as a line end at once; a LF that follows later is
    /// then the first byte of the next event, where it means nothing.
    pub fn next_end(&mut self, bytes: &[u8], mut from: usize) -> Option<usize> {
        while let Some(rest) = bytes.get(from..).filter(|rest| !rest.is_empty()) {
            if self.after_carriage_return {
                self.after_carriage_return = false;
                if rest.first() == Some(&b'\n') {
                    from += 1;
                    continue;
                }
            }
            let Some(length) = memchr2(b'\r', b'\n', rest) else {
                self.at_line_start = false;
                return None;
            };
            let blank = self.at_line_start && length == 0;
            from += length + 1;
            if rest.get(length) == Some(&b'\r') {
                match bytes.get(from) {
                    Some(b'\n') => from += 1,
                    Some(_) => {}
                    None => self.after_carriage_return = true,
                }
            }
            self.at_line_start = true;
            if blank {
                return Some(from);
            }
        }
        None
    }
}

/// The data of one event: its `data:` lines, joined by line feeds. `None`: it has none (a comment, a blank line).
pub fn data_of(event: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut rest = event.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(event);
    let mut found: Option<Cow<'_, [u8]>> = None;
    while !rest.is_empty() {
        let end = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        // CRLF gives an empty line in between, which has no data.
        rest = tail.get(1..).unwrap_or_default();
        let value = match line.strip_prefix(b"data") {
            Some([]) => &[][..],
            Some([b':', b' ', value @ ..] | [b':', value @ ..]) => value,
            _ => continue,
        };
        found = Some(match found {
            None => Cow::Borrowed(value),
            Some(before) => {
                let mut joined = before.into_owned();
                joined.push(b'\n');
                joined.extend_from_slice(value);
                Cow::Owned(joined)
            }
        });
    }
    found
}

#[cfg(test)]
mod tests;
