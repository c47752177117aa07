//! The target with the fewest running requests for its weight.

use std::cmp::Ordering;

use super::{Balance, Candidate, Standing, Turn, by_key};

/// With weight 2 twice as many may run before it counts as equally busy. Equals are drawn by weight.
pub(super) struct LeastBusy;

impl Balance for LeastBusy {
    fn name(&self) -> &'static str {
        "least-busy"
    }

    fn about(&self) -> &'static str {
        "the one with the fewest running requests for its weight"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        by_key(candidates, turn, Load::of)
    }

    fn standing(&self, candidates: &[Candidate], at: usize) -> Standing {
        let own = candidates.get(at).cloned().unwrap_or_default();
        let per = if own.weight == 1 { String::new() } else { format!(" for a weight of {}", own.weight) };
        Standing::Score(format!("{} running{per}", own.in_flight))
    }
}

/// Requests per weight, this one included; a fraction, so that nothing is rounded.
struct Load {
    requests: u64,
    weight: u64,
}

impl Load {
    fn of(candidate: &Candidate) -> Self {
        Self { requests: u64::from(candidate.in_flight) + 1, weight: u64::from(candidate.weight.max(1)) }
    }
}

impl Ord for Load {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.requests * other.weight).cmp(&(other.requests * self.weight))
    }
}

impl PartialOrd for Load {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Load {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Load {}
