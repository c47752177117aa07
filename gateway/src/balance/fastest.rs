//! The target that writes most tokens a second.

use std::cmp::Reverse;

use super::{Balance, Candidate, Standing, Turn, by_key};

/// A new target goes first while it is idle, so that it becomes known, and last while the first request there runs.
pub(super) struct Fastest;

impl Balance for Fastest {
    fn name(&self) -> &'static str {
        "fastest"
    }

    fn about(&self) -> &'static str {
        "the one that wrote most tokens a second of late"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        by_key(candidates, turn, |own| match own.speed {
            Some(speed) => Reverse(speed),
            None if own.in_flight == 0 => Reverse(u32::MAX),
            None => Reverse(0),
        })
    }

    fn standing(&self, candidates: &[Candidate], at: usize) -> Standing {
        Standing::Score(match candidates.get(at).and_then(|own| own.speed) {
            Some(speed) => format!("{speed} tokens a second"),
            None => "speed not known yet".to_owned(),
        })
    }
}
