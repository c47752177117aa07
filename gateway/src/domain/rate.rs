//! So many per window: `"600/min"`, `"4M/min"`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const SCALES: [(&str, u64); 3] = [("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)];
const WINDOWS: [(&str, u64); 4] = [("s", 1), ("min", 60), ("h", 3_600), ("day", 86_400)];

/// A count per window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many; at least one.
    pub count: u64,
    /// In what time.
    pub per: Duration,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((count, window)) = text.split_once('/') else {
            return Err(format!("`{text}` is not a rate: `/` and a window are missing"));
        };
        let Some((_, seconds)) = WINDOWS.iter().find(|(name, _)| *name == window) else {
            return Err(format!("`{text}` is not a rate: there is no window `{window}`"));
        };
        let end = count.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(count.len());
        let (digits, scale) = count.split_at(end);
        let factor = match SCALES.iter().find(|(name, _)| *name == scale) {
            Some((_, factor)) => *factor,
            None if scale.is_empty() => 1,
            None if scale == "K" => 1_000,
            None => return Err(format!("`{text}` is not a rate: `{count}` is not a count")),
        };
        if digits.is_empty() {
            return Err(format!("`{text}` is not a rate: it must start with a whole number"));
        }
        match digits.parse::<u64>().ok().and_then(|digits| digits.checked_mul(factor)) {
            Some(0) => Err(format!("`{text}` is not a rate: nothing would ever pass")),
            Some(count) => Ok(Self { count, per: Duration::from_secs(*seconds) }),
            None => Err(format!("`{text}` is not a rate: it is too large")),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SCALES.iter().find(|(_, factor)| self.count != 0 && self.count.is_multiple_of(*factor)) {
            Some((scale, factor)) => write!(formatter, "{}{scale}/", self.count / factor)?,
            None => write!(formatter, "{}/", self.count)?,
        }
        match WINDOWS.iter().find(|(_, seconds)| self.per.as_secs() == *seconds) {
            Some((window, _)) => formatter.write_str(window),
            None => write!(formatter, "{}s", self.per.as_secs()),
        }
    }
}
