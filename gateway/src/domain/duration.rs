//! Lengths of time as an operator writes them: `"60s"`, `"200ms..5s"`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Microseconds per unit, largest first.
const UNITS: [(&str, u64); 6] = [
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

/// A length of time: a whole number and one unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timespan(Duration);

impl Timespan {
    /// As the standard library has it.
    pub const fn get(self) -> Duration {
        self.0
    }

    /// That many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// That many milliseconds.
    pub const fn millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }
}

impl From<Timespan> for Duration {
    fn from(timespan: Timespan) -> Self {
        timespan.0
    }
}

impl FromStr for Timespan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        if number.is_empty() {
            return Err(format!("`{text}` is not a duration: it must start with a whole number"));
        }
        if unit.is_empty() {
            return Err(format!("`{text}` is not a duration: the unit is missing"));
        }
        let Some((_, micros)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("`{text}` is not a duration: there is no unit `{unit}`"));
        };
        let total = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*micros));
        match total {
            Some(total) => Ok(Self(Duration::from_micros(total))),
            None => Err(format!("`{text}` is not a duration: it is too long")),
        }
    }
}

impl fmt::Display for Timespan {
    /// In the largest unit that leaves no rest.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        if micros == 0 {
            return formatter.write_str("0s");
        }
        match UNITS.iter().find(|(_, size)| micros.is_multiple_of(u128::from(*size))) {
            Some((unit, size)) => write!(formatter, "{}{unit}", micros / u128::from(*size)),
            None => write!(formatter, "{micros}us"),
        }
    }
}

/// From the shortest to the longest wait: `"200ms..5s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimespanRange {
    /// The shortest.
    pub from: Timespan,
    /// The longest, at least `from`.
    pub to: Timespan,
}

impl FromStr for TimespanRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((from, to)) = text.split_once("..") else {
            return Err(format!("`{text}` is not a range of durations: `..` is missing"));
        };
        let (from, to) = (Timespan::from_str(from)?, Timespan::from_str(to)?);
        if from > to {
            return Err(format!("`{text}` is not a range of durations: it ends before it begins"));
        }
        Ok(Self { from, to })
    }
}

impl fmt::Display for TimespanRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}..{}", self.from, self.to)
    }
}
