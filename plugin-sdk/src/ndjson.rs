//! Splits newline-delimited JSON, however the bytes were cut.

use memchr::memchr;

use crate::{Failure, failure};

/// The longest line that is taken.
pub const MAX_LINE: usize = 16 * 1024 * 1024;

/// Takes bytes cut anywhere and hands out whole lines. A line that lies whole in one slice is not copied.
#[derive(Debug, Default)]
pub struct Splitter {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
}

impl Splitter {
    /// Calls `each` for every line that these bytes complete, without its end and the blanks around it. Blank lines are skipped.
    ///
    /// # Errors
    /// What `each` returns, and [`crate::FailureKind::Malformed`] for a line over [`MAX_LINE`].
    pub fn push<F>(&mut self, bytes: &[u8], mut each: F) -> Result<(), Failure>
    where
        F: FnMut(&[u8]) -> Result<(), Failure>,
    {
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, tail) = rest.split_at(end);
            rest = tail.get(1..).unwrap_or_default();
            if self.line.is_empty() {
                hand_out(line, &mut each)?;
                continue;
            }
            let mut carried = std::mem::take(&mut self.line);
            carried.extend_from_slice(line);
            hand_out(&carried, &mut each)?;
            carried.clear();
            self.line = carried;
        }
        self.line.extend_from_slice(rest);
        if self.line.len() > MAX_LINE {
            return Err(failure::malformed(format!("the provider sent a line over {MAX_LINE} bytes")));
        }
        Ok(())
    }

    /// The stream is over: hands out a last line without a line feed.
    ///
    /// # Errors
    /// As [`Splitter::push`].
    pub fn finish<F>(&mut self, mut each: F) -> Result<(), Failure>
    where
        F: FnMut(&[u8]) -> Result<(), Failure>,
    {
        let last = std::mem::take(&mut self.line);
        hand_out(&last, &mut each)
    }
}

fn hand_out<F>(line: &[u8], each: &mut F) -> Result<(), Failure>
where
    F: FnMut(&[u8]) -> Result<(), Failure>,
{
    let line = line.trim_ascii();
    if line.is_empty() { Ok(()) } else { each(line) }
}

#[cfg(test)]
mod tests;
