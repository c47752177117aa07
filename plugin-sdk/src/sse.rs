//! Splits server-sent events by the WHATWG rules, however the bytes were cut.

use memchr::memchr2;

use crate::{Failure, failure};

/// The longest event that is taken.
pub const MAX_EVENT: usize = 16 * 1024 * 1024;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'e> {
    /// Its `event:` name; empty when it has none. Bytes that are not UTF-8 make it empty too.
    pub name: &'e str,
    /// Its `data:` lines, joined by line feeds.
    pub data: &'e [u8],
}

/// Takes bytes cut anywhere and hands out whole events. An event that lies whole in one slice and has one
/// `data:` line (nearly all) is not copied.
#[derive(Debug, Default)]
pub struct Splitter {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// Data of the open event, from earlier slices or of several lines.
    data: Vec<u8>,
    /// The open event has a `data:` line, if an empty one.
    has_data: bool,
    name: Vec<u8>,
    /// The last byte was CR: a LF that follows belongs to it.
    after_carriage_return: bool,
    /// The first line was seen, so no byte order mark can come.
    started: bool,
}

impl Splitter {
    /// Calls `each` for every event that these bytes complete.
    ///
    /// # Errors
    /// What `each` returns, and [`crate::FailureKind::Malformed`] for an event over [`MAX_EVENT`].
    pub fn push<F>(&mut self, bytes: &[u8], mut each: F) -> Result<(), Failure>
    where
        F: FnMut(Event<'_>) -> Result<(), Failure>,
    {
        let mut rest = bytes;
        let mut borrowed: Option<&[u8]> = None;
        if self.after_carriage_return && !rest.is_empty() {
            self.after_carriage_return = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = memchr2(b'\r', b'\n', rest) {
            let (line, tail) = rest.split_at(end);
            if self.line.is_empty() {
                self.take_line(line, &mut borrowed, &mut each)?;
            } else {
                self.take_carried_line(line, &mut borrowed, &mut each)?;
            }
            rest = self.skip_line_end(tail);
        }
        self.line.extend_from_slice(rest);
        if let Some(data) = borrowed {
            self.data.extend_from_slice(data);
        }
        self.check_size(0)
    }

    /// The stream is over: hands out an event whose closing blank line is missing.
    ///
    /// # Errors
    /// As [`Splitter::push`].
    pub fn finish<F>(&mut self, mut each: F) -> Result<(), Failure>
    where
        F: FnMut(Event<'_>) -> Result<(), Failure>,
    {
        let mut borrowed = None;
        if !self.line.is_empty() {
            self.take_carried_line(b"", &mut borrowed, &mut each)?;
        }
        self.dispatch(borrowed, &mut each)
    }

    fn skip_line_end<'b>(&mut self, tail: &'b [u8]) -> &'b [u8] {
        match tail {
            [b'\r', b'\n', rest @ ..] => rest,
            [b'\r'] => {
                self.after_carriage_return = true;
                &[]
            }
            [_, rest @ ..] => rest,
            [] => &[],
        }
    }

    fn take_line<'b, F>(
        &mut self,
        line: &'b [u8],
        borrowed: &mut Option<&'b [u8]>,
        each: &mut F,
    ) -> Result<(), Failure>
    where
        F: FnMut(Event<'_>) -> Result<(), Failure>,
    {
        match self.field(line) {
            Field::Blank => self.dispatch(borrowed.take(), each),
            Field::Data(value) if !self.has_data => {
                self.has_data = true;
                *borrowed = Some(value);
                Ok(())
            }
            Field::Data(value) => self.append(borrowed.take(), value),
            Field::Name(value) => {
                self.name.clear();
                self.name.extend_from_slice(value);
                Ok(())
            }
            Field::Nothing => Ok(()),
        }
    }

    /// A line that began in an earlier slice.
    fn take_carried_line<F>(
        &mut self,
        end: &[u8],
        borrowed: &mut Option<&[u8]>,
        each: &mut F,
    ) -> Result<(), Failure>
    where
        F: FnMut(Event<'_>) -> Result<(), Failure>,
    {
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(end);
        match self.field(&line) {
            Field::Blank => self.dispatch(borrowed.take(), each)?,
            Field::Data(value) => self.append(borrowed.take(), value)?,
            Field::Name(value) => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            Field::Nothing => {}
        }
        line.clear();
        self.line = line;
        Ok(())
    }

    fn append(&mut self, borrowed: Option<&[u8]>, value: &[u8]) -> Result<(), Failure> {
        if let Some(earlier) = borrowed {
            self.data.extend_from_slice(earlier);
        }
        if self.has_data {
            self.data.push(b'\n');
        }
        self.has_data = true;
        self.data.extend_from_slice(value);
        self.check_size(0)
    }

    fn dispatch<F>(&mut self, borrowed: Option<&[u8]>, each: &mut F) -> Result<(), Failure>
    where
        F: FnMut(Event<'_>) -> Result<(), Failure>,
    {
        let mut outcome = Ok(());
        if self.has_data {
            self.check_size(borrowed.map_or(0, <[u8]>::len))?;
            let name = std::str::from_utf8(&self.name).unwrap_or_default();
            outcome = each(Event { name, data: borrowed.unwrap_or(&self.data) });
        }
        self.has_data = false;
        self.data.clear();
        self.name.clear();
        outcome
    }

    fn field<'l>(&mut self, line: &'l [u8]) -> Field<'l> {
        let line = if self.started { line } else { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) };
        self.started = true;
        if line.is_empty() {
            return Field::Blank;
        }
        if let Some(value) = value_of(line, b"data") {
            return Field::Data(value);
        }
        value_of(line, b"event").map_or(Field::Nothing, Field::Name)
    }

    fn check_size(&self, more: usize) -> Result<(), Failure> {
        if self.line.len() + self.data.len() + more > MAX_EVENT {
            return Err(failure::malformed(format!("the provider sent an event over {MAX_EVENT} bytes")));
        }
        Ok(())
    }
}

enum Field<'l> {
    Blank,
    Data(&'l [u8]),
    Name(&'l [u8]),
    /// A comment, `id:`, `retry:`, or a name nobody knows.
    Nothing,
}

/// The value of a line of that field: after the colon and at most one blank. A line without a colon is empty.
fn value_of<'l>(line: &'l [u8], field: &[u8]) -> Option<&'l [u8]> {
    match line.strip_prefix(field)? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
