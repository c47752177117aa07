//! The target with the fewest running requests first.

use super::{Balance, Candidate, Turn, by_key};

/// Equals are drawn by weight.
pub(super) struct LeastBusy;

impl Balance for LeastBusy {
    fn name(&self) -> &'static str {
        "least-busy"
    }

    fn about(&self) -> &'static str {
        "the one with the fewest running requests"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        by_key(candidates, turn, |candidate| candidate.in_flight)
    }
}
