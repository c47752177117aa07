//! The file of a provider's keys: one key per line, a note behind ` #`, blank lines and comments between.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::domain::{Secret, ServiceAccount};

mod look;

pub use look::look_at_keys_files;

/// The most lines that are read.
pub const MOST_LINES: usize = 1_000_000;
/// The longest line: a key file of Google's is 2,400 bytes.
const LONGEST_LINE: usize = 16 << 10;

/// A key and what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLine {
    /// The key itself.
    pub secret: Secret,
    /// The operator's word on it.
    pub note: Option<Box<str>>,
}

impl KeyLine {
    /// Reads one line; nothing for a blank one and a comment.
    ///
    /// # Errors
    /// What is wrong with it, in words that do not repeat it.
    pub fn read(line: &str) -> Result<Option<Self>, String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        if line.len() > LONGEST_LINE {
            return Err("is too long for a key".to_owned());
        }
        // The whole key file of a service account: nothing can stand behind it.
        if ServiceAccount::is_written_in(line) {
            return match ServiceAccount::parse(line) {
                Ok(_) => Ok(Some(Self { secret: Secret::new(line), note: None })),
                Err(why) => Err(format!("holds a key file that {why}")),
            };
        }
        let (key, note) = match line.split_once(|letter: char| letter.is_whitespace()) {
            None => (line, ""),
            Some((key, rest)) => match rest.trim_start().strip_prefix('#') {
                Some(note) => (key, note.trim()),
                None => return Err("holds white space that is not before a `# note`".to_owned()),
            },
        };
        if !is_key(key) {
            return Err("holds a character no header may carry".to_owned());
        }
        let note = (!note.is_empty()).then(|| note.chars().filter(|letter| !letter.is_control()).collect());
        Ok(Some(Self { secret: Secret::new(key), note }))
    }

    /// The line for it.
    pub fn written(&self) -> String {
        match &self.note {
            Some(note) => format!("{}  # {note}", self.secret.expose()),
            None => self.secret.expose().to_owned(),
        }
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Calls `each` with the number of every line and what it says. Only one line is held at a time.
///
/// # Errors
/// When the file cannot be read, or is longer than a file of keys.
pub fn each_line(path: &Path, each: impl FnMut(usize, Result<Option<KeyLine>, String>)) -> io::Result<()> {
    each_line_of(BufReader::new(File::open(path)?), each)
}

/// The same for any source of lines.
///
/// # Errors
/// As [`each_line`].
pub fn each_line_of(
    mut source: impl BufRead,
    mut each: impl FnMut(usize, Result<Option<KeyLine>, String>),
) -> io::Result<()> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if take_line(&mut source, &mut line)? == 0 {
            break;
        }
        if number > MOST_LINES {
            return Err(io::Error::other(format!("more than {MOST_LINES} lines")));
        }
        let text = std::str::from_utf8(&line).map_err(|_| "is not UTF-8 text".to_owned());
        each(number, text.and_then(KeyLine::read));
    }
    Ok(())
}

/// One line, of which no more is kept than tells that it is too long.
fn take_line(source: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let mut taken = 0;
    loop {
        let buffer = source.fill_buf()?;
        let end = memchr::memchr(b'\n', buffer).map(|at| at + 1);
        let used = end.unwrap_or(buffer.len());
        let room = (LONGEST_LINE + 2).saturating_sub(line.len());
        line.extend_from_slice(buffer.get(..used.min(room)).unwrap_or_default());
        source.consume(used);
        taken += used;
        if end.is_some() || used == 0 {
            return Ok(taken);
        }
    }
}

#[cfg(test)]
mod tests;
