//! `[models.*] hedge`: a second attempt beside one that is slow.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{Text, text_values};
use crate::domain::Timespan;

/// A second attempt at the next target, beside one that has not answered yet. The first answer is taken, the other
/// attempt is cancelled; its provider may bill it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hedge {
    /// How long the first target has for its first token: "p95" (the 95th percentile of its own latest first tokens), or
    /// a time, as in "800ms". Whole chat answers are hedged only with a time: how long they take depends on what is asked.
    pub after: HedgeAfter,
    /// Second attempts per request, 0 to 1: at most this share of the model's requests is asked twice.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// The shortest wait with "p95".
    pub floor: Timespan,
    /// A sticky conversation that is on its own target is not hedged when its request has more input tokens than this (as
    /// estimated): its prompt cache is worth more than the time.
    pub warm: u64,
    /// Requests that are hedged although a second attempt makes a second thing to be paid: "images", "audio".
    pub also: Vec<HedgeAlso>,
}

impl Default for Hedge {
    fn default() -> Self {
        Self {
            after: HedgeAfter::P95,
            share: 0.05,
            floor: Timespan::millis(100),
            warm: 8_000,
            also: Vec::new(),
        }
    }
}

/// What may be asked twice only where it is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HedgeAlso {
    /// Making and changing pictures.
    Images,
    /// Speech, transcription and translation.
    Audio,
}

/// How long the first target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HedgeAfter {
    /// The 95th percentile of its own first tokens.
    P95,
    /// This long.
    Fixed(Timespan),
}

impl HedgeAfter {
    /// The time that was said, if one was.
    pub fn fixed(self) -> Option<Duration> {
        match self {
            Self::P95 => None,
            Self::Fixed(time) => Some(time.get()),
        }
    }
}

impl FromStr for HedgeAfter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "p95" {
            return Ok(Self::P95);
        }
        text.parse().map(Self::Fixed).map_err(|_| format!("`{text}` is neither \"p95\" nor a duration"))
    }
}

impl fmt::Display for HedgeAfter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::P95 => formatter.write_str("p95"),
            Self::Fixed(time) => write!(formatter, "{time}"),
        }
    }
}

impl Text for HedgeAfter {
    const KIND: &'static str = "hedge-after";
    const PATTERN: &'static str = r"^(p95|[0-9]+(us|ms|s|m|h|d))$";
    const WRITTEN: &'static str = "\"p95\", or a duration, as in \"800ms\"";
}

text_values!(HedgeAfter);
