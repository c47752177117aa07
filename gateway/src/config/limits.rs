//! `[limits]`, and what keys, teams and models say of the same: how much may be asked, and spent.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::moment::Moment;
use super::text::{Text, text_values};
use crate::domain::{Micros, Rate, Timespan};

/// How much may be asked, for whom it stands with. What is not given is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Windows {
    /// Requests per window, in one or several windows: "600/min" or "10/s,600/min,5k/day". So many at once at most, and
    /// then evenly.
    pub requests: Option<Rates>,
    /// Tokens per window, prompt and answer together, in one or several windows.
    pub tokens: Option<Rates>,
    /// Requests at the same time.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub concurrent: Option<u32>,
}

impl Windows {
    /// These, and what they do not say as `others` say.
    #[must_use]
    pub fn over(&self, others: &Self) -> Self {
        Self {
            requests: self.requests.clone().or_else(|| others.requests.clone()),
            tokens: self.tokens.clone().or_else(|| others.tokens.clone()),
            concurrent: self.concurrent.or(others.concurrent),
        }
    }
}

/// What holds for everybody together, and how much is reserved under a budget.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Everybody {
    /// Requests per window, of all keys together. Default: no limit.
    #[schemars(example = "50k/min")]
    pub requests: Option<Rates>,
    /// Tokens per window, of all keys together. Default: no limit.
    #[schemars(example = "100M/min")]
    pub tokens: Option<Rates>,
    /// Requests at the same time, of all keys together. Default: no limit.
    #[schemars(range(min = 1, max = 1_000_000), example = 5_000)]
    pub concurrent: Option<u32>,
    /// How much all keys may spend together. Default: no limit.
    pub budget: Option<Budget>,
    /// What happens to a request under a budget whose target has no known price: "refuse" (402 naming the target), or
    /// "allow" (nothing is reserved for it).
    pub unknown_price: UnknownPrice,
    /// Under a budget an answer may have so many tokens where neither the client nor the model's `max_output` says less,
    /// and so many are reserved. The provider is told so.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_output: u64,
    /// An answer that what is left of a budget makes shorter than this is refused instead.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub least_output: u64,
}

impl Default for Everybody {
    fn default() -> Self {
        Self {
            requests: None,
            tokens: None,
            concurrent: None,
            budget: None,
            unknown_price: UnknownPrice::default(),
            max_output: 16_384,
            least_output: 256,
        }
    }
}

impl Everybody {
    /// How much may be asked.
    pub fn windows(&self) -> Windows {
        let Self { requests, tokens, concurrent, .. } = self.clone();
        Windows { requests, tokens, concurrent }
    }
}

/// A request under a budget whose price nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownPrice {
    /// It is refused.
    #[default]
    Refuse,
    /// It passes, and nothing is reserved.
    Allow,
}

/// Money per period.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// US dollars. Over it, requests get 402 until the period ends.
    pub usd: Micros,
    /// When it starts again: with each "hour", "day", "week" (Monday) or "month" of the calendar; never ("total"); or never
    /// at once, because only what was spent in the last time counts, as in "30d".
    pub per: Period,
    /// Whose calendar that is: an IANA time zone, as in "Europe/Berlin". Default: UTC.
    #[serde(default)]
    #[schemars(example = &"Europe/Berlin")]
    pub zone: Option<String>,
    /// Warn when these shares of it are spent, each between 0 and 1. Default: no warning.
    #[serde(default)]
    #[schemars(inner(range(min = 0.0, max = 1.0)))]
    pub warn_at: Vec<f64>,
    /// The model that answers instead when it is used up, by its public name; what that costs is counted, and not limited
    /// by this budget. Default: requests are refused.
    #[serde(default)]
    #[schemars(example = &"fast")]
    pub downgrade: Option<String>,
    /// More of it for some time.
    #[serde(default)]
    pub raises: Vec<Raise>,
}

/// More money for some time.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Raise {
    /// How many US dollars more.
    pub usd: Micros,
    /// From when. Default: at once.
    #[serde(default)]
    pub from: Option<Moment>,
    /// To when. Default: without end.
    #[serde(default)]
    pub until: Option<Moment>,
}

/// When a budget starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// Each full hour.
    Hour,
    /// Midnight to midnight.
    Day,
    /// Monday to Sunday.
    Week,
    /// The first to the last day.
    Month,
    /// Once and for all.
    Total,
    /// What was spent so long ago no longer counts.
    Rolling(Timespan),
}

const WORDS: [(&str, Period); 5] = [
    ("hour", Period::Hour),
    ("day", Period::Day),
    ("week", Period::Week),
    ("month", Period::Month),
    ("total", Period::Total),
];

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, period)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*period);
        }
        let rolling: Timespan = text.parse().map_err(|_| format!("`{text}` is not a period"))?;
        if rolling < Timespan::seconds(60) {
            return Err(format!("`{text}` is not a period: a minute is the shortest"));
        }
        Ok(Self::Rolling(rolling))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolling(time) => write!(formatter, "{time}"),
            _ => {
                let word = WORDS.iter().find(|(_, period)| period == self);
                formatter.write_str(word.map_or("total", |(word, _)| word))
            }
        }
    }
}

impl Text for Period {
    const KIND: &'static str = "period";
    const PATTERN: &'static str = r"^(hour|day|week|month|total|[0-9]+(m|h|d|s))$";
    const WRITTEN: &'static str =
        "\"hour\", \"day\", \"week\", \"month\", \"total\", or a time that rolls, as in \"30d\"";
}

/// One or several rates that hold all at once: `"10/s,600/min"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates(pub Vec<Rate>);

impl FromStr for Rates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rates: Vec<Rate> =
            text.split(',').map(|rate| rate.trim().parse()).collect::<Result<_, String>>()?;
        let twice = |(at, rate): (usize, &Rate)| rates.iter().take(at).any(|other| other.per == rate.per);
        if rates.iter().enumerate().any(twice) {
            return Err(format!("`{text}` names the same window twice"));
        }
        Ok(Self(rates))
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, rate) in self.0.iter().enumerate() {
            write!(formatter, "{}{rate}", if place > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

impl Text for Rates {
    const KIND: &'static str = "rates";
    const PATTERN: &'static str = r"^\s*[0-9]+[kKMG]?/(s|min|h|day)\s*(,\s*[0-9]+[kKMG]?/(s|min|h|day)\s*)*$";
    const WRITTEN: &'static str =
        "counts (k, M and G are thousands) per s, min, h or day, as in \"600/min\" or \"10/s,600/min\"";
}

text_values!(Period, Rates);
