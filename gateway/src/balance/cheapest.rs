//! The target where this request costs least.

use super::{Balance, Candidate, Standing, Turn, by_key};

/// Equal prices are drawn by weight; who has no price comes last.
pub(super) struct Cheapest;

impl Balance for Cheapest {
    fn name(&self) -> &'static str {
        "cheapest"
    }

    fn about(&self) -> &'static str {
        "the one where this request costs least"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        by_key(candidates, turn, |own| own.cost.unwrap_or(u64::MAX))
    }

    fn minds_cost(&self) -> bool {
        true
    }

    fn standing(&self, candidates: &[Candidate], at: usize) -> Standing {
        Standing::Score(match candidates.get(at).and_then(|own| own.cost) {
            Some(cost) => format!("${}.{:012}", cost / 1_000_000_000_000, cost % 1_000_000_000_000),
            None => "no price known".to_owned(),
        })
    }
}
