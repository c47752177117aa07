//! The target where this request costs least.

use super::{Balance, Candidate, Turn, by_key};

/// Who has no price comes last.
pub(super) struct Cheapest;

impl Balance for Cheapest {
    fn name(&self) -> &'static str {
        "cheapest"
    }

    fn about(&self) -> &'static str {
        "the one with the lowest price"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        by_key(candidates, turn, |candidate| candidate.cost.unwrap_or(u64::MAX))
    }
}
