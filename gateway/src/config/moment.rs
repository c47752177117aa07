//! A moment in the file: TOML's own date and time, or the same as text.

use std::fmt;
use std::str::FromStr;

use super::text::{Text, text_values};
use crate::domain::date::seconds_of_rfc3339;

/// A point in time, to the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Unix time.
    pub seconds: u64,
    /// As it was written.
    written: String,
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = seconds_of_rfc3339(text).ok_or_else(|| {
            format!("`{text}` is no moment: a date, a time and its offset from UTC are wanted")
        })?;
        Ok(Self { seconds, written: text.to_owned() })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

impl Text for Moment {
    const KIND: &'static str = "moment";
    const PATTERN: &'static str =
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$";
    const WRITTEN: &'static str = "a moment with its offset from UTC, as in 2026-12-24T18:00:00Z";
}

text_values!(Moment);
