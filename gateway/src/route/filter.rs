//! Why a target is not asked. Each reason is a sentence: an explanation shows it, and so does an error.

use std::fmt;
use std::time::Duration;

use super::fitness::{self, Unfit};
use super::{Model, Question};
use crate::domain::Target;

/// Why a target is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its weight is 0.
    Drained,
    /// It does not fit what is asked.
    Unfit(Unfit),
}

impl Why {
    /// When the target may be asked again, where that is known.
    pub fn back_in(&self) -> Option<Duration> {
        match self {
            Self::Drained | Self::Unfit(_) => None,
        }
    }

    /// It rests because it was asked too much.
    pub fn is_rate(&self) -> bool {
        match self {
            Self::Drained | Self::Unfit(_) => false,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drained => formatter.write_str("its weight is 0"),
            Self::Unfit(unfit) => unfit.fmt(formatter),
        }
    }
}

/// Why this target is not asked this question; `None`: it may be.
pub(super) fn why_not(target: &Target, model: &Model, question: &Question<'_>) -> Option<Why> {
    if target.weight == 0 {
        return Some(Why::Drained);
    }
    fitness::unfit(&target.terms, model, question).map(Why::Unfit)
}
