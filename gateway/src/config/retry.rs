//! `[models.*.retry]`: when a failed attempt is followed by another, and how soon.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{Text, text_values};
use crate::domain::{Timespan, TimespanRange};
use crate::error::{GatewayError, Kind, Origin};

/// When to try again, and how often.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Most attempts among the targets, the first one included; 1 is no retry. Each fallback gets one more.
    #[schemars(range(min = 1, max = 20))]
    pub attempts: u32,
    /// What is worth another attempt: a status ("429"), a class ("5xx"), a range ("500-503"), or a word
    /// ("timeout", "connect", "malformed", "plugin", "context-length", "content-policy").
    pub on: Vec<RetryCondition>,
    /// The wait before an attempt on a target that has just failed: it starts at the first and doubles up to the second.
    pub backoff: TimespanRange,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 3,
            on: vec![
                RetryCondition::Status { from: 429, to: 429 },
                RetryCondition::Status { from: 500, to: 599 },
                RetryCondition::Timeout,
                RetryCondition::Connect,
            ],
            backoff: TimespanRange { from: Timespan::millis(200), to: Timespan::seconds(5) },
        }
    }
}

impl Retry {
    /// True when this failure is worth another attempt.
    pub fn covers(&self, error: &GatewayError) -> bool {
        self.on.iter().any(|condition| condition.covers(error))
    }
}

/// One reason for another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryCondition {
    /// The provider answered with a status in this range, both ends included.
    Status {
        /// The first.
        from: u16,
        /// The last.
        to: u16,
    },
    /// A timeout ran out.
    Timeout,
    /// The provider could not be reached; nothing was sent.
    Connect,
    /// The provider's answer makes no sense.
    Malformed,
    /// The adapter failed.
    Plugin,
    /// The prompt is longer than the model's context; another target may have more.
    ContextLength,
    /// The provider refused the content; another target may not.
    ContentPolicy,
}

const WORDS: [(&str, RetryCondition, Kind); 6] = [
    ("timeout", RetryCondition::Timeout, Kind::Timeout),
    ("connect", RetryCondition::Connect, Kind::Unreachable),
    ("malformed", RetryCondition::Malformed, Kind::Malformed),
    ("plugin", RetryCondition::Plugin, Kind::Adapter),
    ("context-length", RetryCondition::ContextLength, Kind::ContextLength),
    ("content-policy", RetryCondition::ContentPolicy, Kind::ContentPolicy),
];

impl RetryCondition {
    /// True when this failure is meant. An error inside a 200 counts as the status its kind stands for.
    pub fn covers(self, error: &GatewayError) -> bool {
        if let Self::Status { from, to } = self {
            // What is no failure by its status, or no status at all, is what its kind stands for.
            let status = error.upstream_status.filter(|status| (400..600).contains(status));
            let status = status.or_else(|| (error.origin == Origin::Upstream).then(|| error.kind.status()));
            return status.is_some_and(|status| (from..=to).contains(&status));
        }
        WORDS.iter().any(|(_, condition, kind)| *condition == self && *kind == error.kind)
    }
}

impl FromStr for RetryCondition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, condition, _)) = WORDS.iter().find(|(word, ..)| *word == text) {
            return Ok(*condition);
        }
        let refuse = || format!("`{text}` is not a reason to retry");
        let status = |text: &str| match text.parse::<u16>() {
            Ok(status @ 400..=599) if text.len() == 3 => Ok(status),
            Ok(_) => Err(format!("{}: only statuses from 400 to 599 are failures", refuse())),
            Err(_) => Err(refuse()),
        };
        match text {
            "4xx" => return Ok(Self::Status { from: 400, to: 499 }),
            "5xx" => return Ok(Self::Status { from: 500, to: 599 }),
            _ => {}
        }
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let (from, to) = (status(from)?, status(to)?);
        if from > to {
            return Err(format!("{}: the range ends before it begins", refuse()));
        }
        Ok(Self::Status { from, to })
    }
}

impl fmt::Display for RetryCondition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Status { from: 400, to: 499 } => formatter.write_str("4xx"),
            Self::Status { from: 500, to: 599 } => formatter.write_str("5xx"),
            Self::Status { from, to } if from == to => write!(formatter, "{from}"),
            Self::Status { from, to } => write!(formatter, "{from}-{to}"),
            word => {
                let found = WORDS.iter().find(|(_, condition, _)| *condition == word);
                formatter.write_str(found.map_or("", |(name, ..)| name))
            }
        }
    }
}

impl Text for RetryCondition {
    const KIND: &'static str = "retry-condition";
    const PATTERN: &'static str = r"^([45][0-9][0-9](-[45][0-9][0-9])?|[45]xx|timeout|connect|malformed|plugin|context-length|content-policy)$";
    const WRITTEN: &'static str = "a status (\"429\"), a class (\"5xx\"), a range (\"500-503\"), or one of \
        \"timeout\", \"connect\", \"malformed\", \"plugin\", \"context-length\", \"content-policy\"";
}

text_values!(RetryCondition);
