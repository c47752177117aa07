//! The target whose first token came soonest of late.

use super::{Balance, Candidate, Turn, by_key};

/// Who is not known yet goes first, so that it becomes known.
pub(super) struct LeastLatency;

impl Balance for LeastLatency {
    fn name(&self) -> &'static str {
        "least-latency"
    }

    fn about(&self) -> &'static str {
        "the one whose first token came soonest of late"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        by_key(candidates, turn, |candidate| candidate.first_token.unwrap_or_default())
    }
}
