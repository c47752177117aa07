//! Sizes in bytes as an operator writes them: `"32MiB"`, `"64KB"`.

use std::fmt;
use std::str::FromStr;

/// Bytes per unit; the binary units come first because `Display` prefers them.
const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// Whole mebibytes.
    pub const fn mebibytes(count: u64) -> Self {
        Self(count << 20)
    }

    /// In bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// In bytes; what does not fit this machine's addresses is its largest address.
    pub fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        if number.is_empty() {
            return Err(format!("`{text}` is not a size: it must start with a whole number"));
        }
        if unit.is_empty() {
            return Err(format!("`{text}` is not a size: the unit is missing"));
        }
        let Some((_, bytes)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("`{text}` is not a size: there is no unit `{unit}`"));
        };
        match number.parse::<u64>().ok().and_then(|number| number.checked_mul(*bytes)) {
            Some(total) => Ok(Self(total)),
            None => Err(format!("`{text}` is not a size: it is too large")),
        }
    }
}

impl fmt::Display for ByteSize {
    /// In the largest unit that leaves no rest.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, size)| self.0 != 0 && self.0.is_multiple_of(*size)) {
            Some((unit, size)) => write!(formatter, "{}{unit}", self.0 / size),
            None => write!(formatter, "{}B", self.0),
        }
    }
}
