//! What is wrong with a file: all of it at once, each with its place.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Lower case, no full stop, never a secret.
    pub message: String,
    /// Where, in bytes of the source. `None`: the file itself, or a value that did not come from it.
    pub span: Option<Range<usize>>,
    /// A few words to put under the place.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
}

/// What the label of a problem begins with whose place is an entry of the admin API.
const STORED: &str = "made through the admin API: ";

impl Problem {
    /// A problem of an entry that was made through the admin API.
    pub(crate) fn of_stored(path: &str, message: String) -> Self {
        Self { message, span: None, label: format!("{STORED}{path}"), help: None }
    }

    /// The path of the entry of the admin API that is to blame, if one is.
    pub fn stored(&self) -> Option<&str> {
        self.label.strip_prefix(STORED)
    }
}

/// A configuration that cannot be used.
#[derive(Clone, Debug)]
pub struct ConfigError {
    /// The file's name, as the operator gave it.
    pub file: String,
    /// The file's text, with every literal secret overwritten by `*` (lengths are kept, so spans fit).
    pub source: String,
    /// What is wrong with it; at least one, in the order of the file.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// Line and column of a byte, both from 1; columns count characters.
    pub fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.source.get(..offset).unwrap_or(&self.source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        (before.bytes().filter(|byte| *byte == b'\n').count() + 1, column)
    }
}

impl fmt::Display for ConfigError {
    /// One line per problem: `file:line:column: message (help)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            match problem.stored() {
                Some(path) => write!(formatter, "`{path}` of the admin API")?,
                None => formatter.write_str(&self.file)?,
            }
            if let Some(span) = &problem.span {
                let (line, column) = self.place(span.start);
                write!(formatter, ":{line}:{column}")?;
            }
            write!(formatter, ": {}", problem.message)?;
            if let Some(help) = &problem.help {
                write!(formatter, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
