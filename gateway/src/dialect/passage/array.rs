//! Where the elements of a top-level JSON array end, in bytes cut anywhere (Gemini without `alt=sse`).

use memchr::memchr2;

/// Looks at every byte once and keeps none.
#[derive(Debug, Default)]
pub(super) struct Boundary {
    depth: usize,
    in_string: bool,
    escaped: bool,
    closed: bool,
    broken: bool,
}

impl Boundary {
    /// The end of the next element (behind its `}`) or of the array (behind its `]`), searched from `from` on.
    /// `None`: all of it was searched.
    pub(super) fn next_end(&mut self, bytes: &[u8], mut from: usize) -> Option<usize> {
        while let Some(&byte) = bytes.get(from) {
            if self.in_string {
                from = self.skip_string(bytes, from)?;
                continue;
            }
            from += 1;
            match byte {
                b'"' if self.depth > 1 => self.in_string = true,
                b'[' if self.depth == 0 && !self.closed => self.depth = 1,
                b'{' if self.depth > 0 => self.depth += 1,
                b'[' if self.depth > 1 => self.depth += 1,
                b'}' if self.depth == 2 => {
                    self.depth = 1;
                    return Some(from);
                }
                b']' if self.depth == 1 => {
                    self.depth = 0;
                    self.closed = true;
                    return Some(from);
                }
                b'}' | b']' if self.depth > 2 => self.depth -= 1,
                b',' if self.depth == 1 => {}
                _ if self.depth > 1 || byte.is_ascii_whitespace() => {}
                _ => {
                    self.broken = true;
                    return None;
                }
            }
        }
        None
    }

    /// Behind the string's end, or `None` when that has not come.
    fn skip_string(&mut self, bytes: &[u8], mut from: usize) -> Option<usize> {
        loop {
            if self.escaped && from < bytes.len() {
                self.escaped = false;
                from += 1;
            }
            let rest = bytes.get(from..)?;
            let at = memchr2(b'"', b'\\', rest)?;
            from += at + 1;
            if rest.get(at) == Some(&b'"') {
                self.in_string = false;
                return Some(from);
            }
            self.escaped = true;
        }
    }

    /// The array's `]` was seen.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// It is not an array of objects.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }
}

/// The element itself, without the `[` or the comma before it. `None`: the array's end.
pub(super) fn element_of(event: &[u8]) -> Option<&[u8]> {
    let start = memchr::memchr(b'{', event)?;
    event.get(start..)
}
