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
        // One number each, and a sort, is the same as drawing one after the other from those left (Efraimidis and
        // Spirakis 2006), and stays quick for thousands.
        let mut drawn: Vec<(f64, usize)> = candidates
            .iter()
            .enumerate()
            .map(|(at, candidate)| {
                let uniform = (f64::from((turn.random)(u32::MAX)) + 1.0) / f64::from(u32::MAX);
                (-uniform.ln() / f64::from(candidate.weight.max(1)), at)
            })
            .collect();
        drawn.sort_unstable_by(|(one, _), (other, _)| one.total_cmp(other));
        drawn.into_iter().map(|(_, at)| at).collect()
    }
}
