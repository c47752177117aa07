//! Why a target is not asked. Each reason is a sentence: an explanation shows it, and so does an error.

use std::fmt;
use std::time::Duration;

use super::{Question, Reason, Resting, Standing};
use crate::domain::Target;

/// Why a target is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its weight is 0.
    Drained,
    /// It is not well, or was told to wait.
    Resting(Resting),
}

impl Why {
    /// When the target may be asked again, where that is known.
    pub fn back_in(&self) -> Option<Duration> {
        match self {
            Self::Resting(resting) => Some(resting.left),
            Self::Drained => None,
        }
    }

    /// It rests because it was asked too much.
    pub fn is_rate(&self) -> bool {
        matches!(self, Self::Resting(Resting { reason: Reason::Rate, .. }))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drained => formatter.write_str("its weight is 0"),
            Self::Resting(resting) => resting.fmt(formatter),
        }
    }
}

/// Why this target is not asked this question; `None`: it may be.
pub(super) fn why_not(target: &Target, standing: &Standing, _question: &Question<'_>) -> Option<Why> {
    if target.weight == 0 {
        return Some(Why::Drained);
    }
    // Last: whoever is passed over for this alone may be asked as a last resort.
    standing.resting.map(Why::Resting)
}
