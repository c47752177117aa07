//! One upstream request, as the ledger keeps it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Usage;

/// What an amount of tokens costs, in millionths of a micro-dollar (1e-12 US$), so that one token's price is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Cost(pub u64);

impl Cost {
    const PER_MICRO: u64 = 1_000_000;

    /// Whole micro-dollars, and what is left below one.
    pub fn split(self) -> (i64, u32) {
        // Both fit: 2^64 / 10^6 is below 2^63, and the rest is below 10^6.
        let micros = i64::try_from(self.0 / Self::PER_MICRO).unwrap_or(i64::MAX);
        (micros, u32::try_from(self.0 % Self::PER_MICRO).unwrap_or(0))
    }

    /// Micro-dollars, rounded up: what must be reserved for it.
    pub fn ceiling(self) -> u64 {
        self.0.div_ceil(Self::PER_MICRO)
    }

    /// Both together; as much as there is where it does not fit.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Cost {
    /// US dollars in decimal, without trailing zeros.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PER_DOLLAR: u64 = 1_000_000_000_000;
        let (whole, fraction) = (self.0 / PER_DOLLAR, self.0 % PER_DOLLAR);
        if fraction == 0 {
            return write!(formatter, "{whole}");
        }
        let places = format!("{fraction:012}");
        write!(formatter, "{whole}.{}", places.trim_end_matches('0'))
    }
}

/// One upstream request. The tokens are facts; the cost follows from them and the price, and can be reckoned again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct LedgerRow {
    /// Ours, and unique: a ULID. A row that is read again from the journal is known by it; one is booked only once.
    pub id: String,
    /// The request's id, which a client may choose: not unique.
    pub request: String,
    /// When the answer had ended, Unix time in milliseconds.
    pub at: u64,
    /// The virtual key.
    pub key: String,
    /// The user it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The team it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The model the client asked for, as it is configured.
    pub model: String,
    /// Who was asked.
    pub provider: String,
    /// The provider's own model name.
    pub target: String,
    /// The id of the provider key, never the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_key: Option<String>,
    /// The client's API.
    pub dialect: String,
    /// What was asked for: `chat`, `embeddings`, …
    pub operation: String,
    /// `ok`, or the kind of the failure.
    pub outcome: String,
    /// Whether the provider worked on it is not known: it was sent, and nothing came back. It counts as if it had.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub possible: bool,
    /// The provider's status, when there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Tokens; `None`: it was refused or never worked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What names the price it was reckoned with; `None`: no price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// What it cost; `None`: no price is known. Never zero for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The counters of money it counted against.
    pub places: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::Cost;

    #[test]
    fn an_amount_is_written_in_dollars_to_the_last_place() {
        for (cost, text) in [
            (0, "0"),
            (1, "0.000000000001"),
            (10_000_000_000, "0.01"),
            (1_500_000_000_000, "1.5"),
            (u64::MAX, "18446744.073709551615"),
        ] {
            assert_eq!(Cost(cost).to_string(), text);
        }
    }
}
