//! By chance, whatever the weights say.

use super::{Balance, Candidate, Standing, Turn};

/// Every order is as likely as every other.
pub(super) struct Random;

impl Balance for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn about(&self) -> &'static str {
        "by chance, all alike"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        for left in (2..=order.len()).rev() {
            let drawn = (turn.random)(u32::try_from(left).unwrap_or(u32::MAX));
            order.swap(left - 1, drawn as usize);
        }
        order
    }

    fn standing(&self, candidates: &[Candidate], _: usize) -> Standing {
        Standing::Share(1.0 / candidates.len().max(1) as f64)
    }
}
