//! One after the other.

use super::{Balance, Candidate, Turn};

/// Each request begins where the one before did not; who is missing is stepped over.
pub(super) struct RoundRobin;

impl Balance for RoundRobin {
    fn name(&self) -> &'static str {
        "round-robin"
    }

    fn about(&self) -> &'static str {
        "one after the other"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        let count = candidates.len();
        let first = usize::try_from(turn.memory.turns).unwrap_or(0).checked_rem(count).unwrap_or(0);
        turn.memory.turns = turn.memory.turns.wrapping_add(1);
        (0..count).map(|step| (first + step) % count).collect()
    }
}
