//! Why a target is not asked. Each reason is a sentence: an explanation shows it, and so does an error.

use std::fmt;
use std::time::Duration;

use super::fitness::{self, Unfit};
use super::{Model, Question, Reason, Resting};
use crate::domain::{Target, rfc3339};

/// Why a target is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its weight is 0.
    Drained,
    /// It does not fit what is asked.
    Unfit(Unfit),
    /// It is not well, or was told to wait.
    Resting(Resting),
    /// It is paused.
    Paused {
        /// Until this moment, in Unix seconds.
        until: u64,
        /// So long from now.
        left: Duration,
    },
    /// The request wishes others only.
    NotOnly,
    /// The request wishes it to be left out.
    Ignored,
    /// The request wishes others in an order, and no fallback.
    NotInOrder,
    /// The request wishes no fallback, and another one is first.
    NotFirst,
    /// The request names a highest price, and its price is not known.
    NoPrice,
    /// The request names a lower price.
    TooDear,
}

impl Why {
    /// When the target may be asked again, where that is known.
    pub fn back_in(&self) -> Option<Duration> {
        match self {
            Self::Resting(resting) => Some(resting.left),
            Self::Paused { left, .. } => Some(*left),
            _ => None,
        }
    }

    /// It rests because it was asked too much.
    pub fn is_rate(&self) -> bool {
        matches!(self, Self::Resting(Resting { reason: Reason::Rate, .. }))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Drained => "its weight is 0",
            Self::Resting(resting) => return resting.fmt(formatter),
            Self::Unfit(unfit) => return unfit.fmt(formatter),
            Self::Paused { until, .. } => return write!(formatter, "it is paused until {}", rfc3339(*until)),
            Self::NotOnly => "it is not among `provider.only`",
            Self::Ignored => "it is among `provider.ignore`",
            Self::NotInOrder => "it is not in `provider.order`, and `provider.allow_fallbacks` is false",
            Self::NotFirst => "another one is first, and `provider.allow_fallbacks` is false",
            Self::NoPrice => "its price is not known, and the request names a highest one",
            Self::TooDear => "it costs more than `provider.max_price`",
        })
    }
}

/// Why this target of a model is not asked this question; `None`: it may be, if it is well. Another model may be its target.
pub(super) fn why_not(target: &Target, model: &Model, question: &Question<'_>) -> Option<Why> {
    if target.weight == 0 {
        return Some(Why::Drained);
    }
    let until = target.pause_until.unwrap_or_default();
    if let Some(left) = until.checked_sub(question.facts.now).filter(|left| *left > 0) {
        return Some(Why::Paused { until, left: Duration::from_secs(left) });
    }
    fitness::unfit(&target.terms, model, question).map(Why::Unfit)
}
