//! Why a target is not asked. Each reason is a sentence: an explanation shows it, and so does an error.

use std::fmt;
use std::time::Duration;

use super::{Question, TargetState};
use crate::domain::Target;

/// Why a target is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its weight is 0.
    Drained,
}

impl Why {
    /// When the target may be asked again, where that is known.
    pub fn back_in(&self) -> Option<Duration> {
        match self {
            Self::Drained => None,
        }
    }

    /// It rests because it was asked too much.
    pub fn is_rate(&self) -> bool {
        match self {
            Self::Drained => false,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drained => formatter.write_str("its weight is 0"),
        }
    }
}

/// Why this target is not asked this question; `None`: it may be.
pub(super) fn why_not(target: &Target, _state: &TargetState, _question: &Question<'_>) -> Option<Why> {
    (target.weight == 0).then_some(Why::Drained)
}
