//! By chance, in proportion to the weights.

use super::{Balance, Candidate, Turn};

/// Drawn without putting back: the first by its share, the rest stand ready behind it.
pub(super) struct Weighted;

impl Balance for Weighted {
    fn name(&self) -> &'static str {
        "weighted"
    }

    fn about(&self) -> &'static str {
        "by chance, in proportion to the weights"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        let mut left: Vec<usize> = (0..candidates.len()).collect();
        let weight = |at: &usize| candidates.get(*at).map_or(0, |candidate| candidate.weight);
        let mut order = Vec::with_capacity(left.len());
        while left.len() > 1 {
            let sum = left.iter().map(weight).sum();
            let mut drawn = (turn.random)(sum);
            let at = left.iter().position(|at| {
                let hit = drawn < weight(at);
                drawn = drawn.saturating_sub(weight(at));
                hit
            });
            order.push(left.remove(at.unwrap_or(0)));
        }
        order.extend(left);
        order
    }
}
