//! Why a target is not asked now, in a sentence, and when it is asked again.

use std::fmt;
use std::time::{Duration, Instant};

/// Why a target rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The provider does not know the model.
    Missing,
    /// The provider had too many requests.
    Rate,
    /// The provider has more to do than it can.
    Overload,
    /// It failed too often: the circuit is open.
    Failures,
    /// The circuit is half open, and all the probes there may be are on their way.
    Probing,
    /// The operator said so.
    Hand,
}

impl Reason {
    /// Those that begin a rest, in the order of the metric's labels.
    pub const ALL: [Self; 6] =
        [Self::Missing, Self::Rate, Self::Overload, Self::Failures, Self::Probing, Self::Hand];

    /// The word in logs, metrics and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Rate => "rate",
            Self::Overload => "overload",
            Self::Failures => "failures",
            Self::Probing => "probing",
            Self::Hand => "hand",
        }
    }

    /// The reason with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Missing => "the provider does not know the model",
            Self::Rate => "the provider had too many requests",
            Self::Overload => "the provider is overloaded",
            Self::Failures => "it failed too often in a row",
            Self::Probing => "it failed, and a probe is on its way to see whether it is back",
            Self::Hand => "the operator said so",
        })
    }
}

/// A target that is not asked for the sake of its health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// When it is asked again.
    pub until: Instant,
    /// How long that is from the moment the question was asked.
    pub left: Duration,
    /// Why.
    pub reason: Reason,
    /// From when on it may be asked all the same when nobody else is left; none: not before `until`.
    pub last_resort: Option<Instant>,
    /// Its circuit is not closed: whose is goes first then.
    pub broken: bool,
}

impl fmt::Display for Resting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded up: a rest that has not ended does not last 0 s.
        let seconds = self.left.as_millis().div_ceil(1000);
        write!(formatter, "it rests for another {seconds}s: {}", self.reason)
    }
}
