//! As listed.

use super::{Balance, Candidate, Standing, Turn};

/// The first of the list takes everything; the others stand ready in their order.
pub(super) struct Priority;

impl Balance for Priority {
    fn name(&self) -> &'static str {
        "priority"
    }

    fn about(&self) -> &'static str {
        "the first of the list; the others stand ready in their order"
    }

    fn order(&self, candidates: &[Candidate], _: &mut Turn<'_>) -> Vec<usize> {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by_key(|at| candidates.get(*at).map(|candidate| candidate.place));
        order
    }

    fn standing(&self, candidates: &[Candidate], at: usize) -> Standing {
        let place = candidates.get(at).map_or(0, |candidate| candidate.place);
        Standing::Score(format!("number {} of the list", place + 1))
    }
}
