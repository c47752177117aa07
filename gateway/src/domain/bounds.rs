//! How much somebody may ask and spend.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Micros, Rate};

/// Who a limit is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everybody together.
    Global,
    /// One virtual key.
    Key(Arc<str>),
    /// A user, whichever keys are asked with.
    User(Arc<str>),
    /// All keys of a team.
    Team(Arc<str>),
    /// A model, whoever asks for it.
    Model(Arc<str>),
    /// A provider, whichever model leads to it.
    Provider(Arc<str>),
}

impl fmt::Display for Scope {
    /// As it stands in the names of counters: `key/web`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Global => return formatter.write_str("global"),
            Self::Key(name) => ("key", name),
            Self::User(name) => ("user", name),
            Self::Team(name) => ("team", name),
            Self::Model(name) => ("model", name),
            Self::Provider(name) => ("provider", name),
        };
        write!(formatter, "{kind}/{name}")
    }
}

/// What one scope may. Several windows hold all at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// Whose they are.
    pub scope: Scope,
    /// Requests per window.
    pub requests: Vec<Rate>,
    /// Tokens per window, prompt and answer together.
    pub tokens: Vec<Rate>,
    /// Requests at the same time.
    pub concurrent: Option<u32>,
    /// Money per period.
    pub money: Vec<Allowance>,
}

impl Bounds {
    /// No limit at all.
    pub fn none(scope: Scope) -> Self {
        Self { scope, requests: Vec::new(), tokens: Vec::new(), concurrent: None, money: Vec::new() }
    }

    /// True when there is something to count.
    pub fn is_any(&self) -> bool {
        !(self.requests.is_empty()
            && self.tokens.is_empty()
            && self.concurrent.is_none()
            && self.money.is_empty())
    }
}

/// Money per period.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowance {
    /// Names it among those of its scope, and its counters: `budget`, `balance`.
    pub name: Arc<str>,
    /// How much, in micro-dollars.
    pub limit: Micros,
    /// When it starts again.
    pub period: Period,
    /// Shares of it at which to warn, each between 0 and 1.
    pub warn_at: Vec<f64>,
    /// The model that answers instead when it is used up; `None`: the request is refused.
    pub downgrade: Option<Arc<str>>,
    /// What is added to the limit for some time.
    pub raises: Vec<Raise>,
}

impl Allowance {
    /// What it is, in a word: of several budgets each has its period behind a hyphen.
    pub fn word(&self) -> &str {
        self.name.split_once('-').map_or(&self.name, |(word, _)| word)
    }
}

/// More money for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raise {
    /// How much more.
    pub micros: Micros,
    /// From this Unix time in seconds.
    pub from: u64,
    /// To this Unix time in seconds; `None`: from then on.
    pub until: Option<u64>,
}

/// When an allowance starts again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// At the beginning of each hour, day, week or month of a time zone (IANA name; `None`: UTC).
    Calendar(CalendarUnit, Option<Arc<str>>),
    /// Never at once: what was spent so long ago no longer counts.
    Rolling(Duration),
    /// Never.
    Total,
}

/// A unit of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CalendarUnit {
    /// Each full hour.
    Hour,
    /// Midnight to midnight.
    Day,
    /// Monday to Sunday.
    Week,
    /// The first to the last day.
    Month,
}
