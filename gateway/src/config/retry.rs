//! `[models.*.retry]` and what stands beside it: when a failed attempt is followed by another, where, and how soon.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Destination;
use super::statuses::Statuses;
use super::text::{Text, text_values};
use crate::domain::{Timespan, TimespanRange};
use crate::error::{GatewayError, Kind};

/// When to try again, and how often.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Most attempts among the targets, the first one included; 1 is no retry. Each fallback gets one more.
    #[schemars(range(min = 1, max = 20))]
    pub attempts: u32,
    /// What is worth another attempt at the same target, after a wait: a status ("429"), a class ("5xx"), a range
    /// ("500-503"), or a word ("timeout", "connect", "malformed"). At another target it is worth one too, whatever
    /// `failover` says; the words "context-length", "content-policy" and "plugin" mean other targets only.
    pub on: Vec<RetryCondition>,
    /// Also when the provider may have worked on the request, and may bill it: a timeout, an answer that broke off, a
    /// failure of its own. `false`: only when it surely has not.
    pub sent: bool,
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
            sent: true,
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

/// What `failover` is when nothing is said: everything but what is the client's own fault.
pub(super) fn failover() -> Statuses {
    Statuses::of(&[(401, 412), (414, 421), (423, 999)])
}

/// What `keep_alive` is when nothing is said: below what any proxy on the way waits.
pub(super) fn keep_alive() -> Timespan {
    Timespan::seconds(15)
}

/// Targets for requests that others refused.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct FallbackOn {
    /// For a content that a target refused.
    pub content_policy: Vec<Destination>,
    /// For a prompt that was too long for a target.
    pub context_length: Vec<Destination>,
}

/// What an answer without content is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Empty {
    /// A failure.
    #[default]
    Retry,
    /// An answer.
    Pass,
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
            return error.counts_as().is_some_and(|status| (from..=to).contains(&status));
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
