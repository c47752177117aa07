//! One after the other.

use super::{Balance, Candidate, Standing, Turn};

/// Whoever has waited longest goes first. With nobody missing that is a round; who was missing gets its turn when it is
/// back, and nobody else's place shifts.
pub(super) struct RoundRobin;

impl Balance for RoundRobin {
    fn name(&self) -> &'static str {
        "round-robin"
    }

    fn about(&self) -> &'static str {
        "one after the other, whatever the weights say"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        let memory = &mut *turn.memory;
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        // Remembered is a turn per place, not per index among those present.
        order.sort_by_key(|at| {
            let place = candidates.get(*at).map_or(0, |candidate| candidate.place);
            (*memory.score(place), place)
        });
        if let Some(first) = order.first().and_then(|at| candidates.get(*at)) {
            let now = memory.scores.iter().copied().max().unwrap_or(0) + 1;
            *memory.score(first.place) = now;
        }
        order
    }

    fn standing(&self, candidates: &[Candidate], _: usize) -> Standing {
        Standing::Share(1.0 / candidates.len().max(1) as f64)
    }
}
