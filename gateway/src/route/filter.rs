//! Why a target is not asked. Each reason is a sentence: an explanation shows it, and so does an error.

use std::fmt;
use std::time::Duration;

use super::{Question, Reason, Resting, Standing};
use crate::domain::{Target, rfc3339};

/// Why a target is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its weight is 0.
    Drained,
    /// It is paused.
    Paused {
        /// Until this moment, in Unix seconds.
        until: u64,
        /// So long from now.
        left: Duration,
    },
    /// It is not well, or was told to wait.
    Resting(Resting),
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
            Self::Paused { left, .. } => Some(*left),
            Self::Resting(resting) => Some(resting.left),
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
            Self::Paused { until, .. } => return write!(formatter, "it is paused until {}", rfc3339(*until)),
            Self::Resting(resting) => return resting.fmt(formatter),
            Self::NotOnly => "it is not among `provider.only`",
            Self::Ignored => "it is among `provider.ignore`",
            Self::NotInOrder => "it is not in `provider.order`, and `provider.allow_fallbacks` is false",
            Self::NotFirst => "another one is first, and `provider.allow_fallbacks` is false",
            Self::NoPrice => "its price is not known, and the request names a highest one",
            Self::TooDear => "it costs more than `provider.max_price`",
        })
    }
}

/// Why this target is not asked this question; `None`: it may be. `unwished` is asked only when it matters.
pub(super) fn why_not(
    target: &Target,
    standing: &Standing,
    question: &Question<'_>,
    unwished: impl FnOnce() -> Option<Why>,
) -> Option<Why> {
    // Health is last: whoever is passed over for that alone may be asked as a last resort.
    why_closed(target, question).or_else(unwished).or_else(|| standing.resting.map(Why::Resting))
}

/// The same as far as it does not matter what the target is: it may be another model.
pub(super) fn why_closed(target: &Target, question: &Question<'_>) -> Option<Why> {
    if target.weight == 0 {
        return Some(Why::Drained);
    }
    let until = target.pause_until?;
    let left = until.checked_sub(question.facts.now).filter(|left| *left > 0)?;
    Some(Why::Paused { until, left: Duration::from_secs(left) })
}
