//! The target that failed least of late.

use super::{Balance, Candidate, Standing, Turn, by_key, lift};

/// Once in so many requests another one goes first, drawn by weight: who never is asked never recovers.
const SECOND_LOOK: u32 = 32;

/// Whole percents count: below that it is luck. Equals are drawn by weight.
pub(super) struct HighestSuccess;

impl Balance for HighestSuccess {
    fn name(&self) -> &'static str {
        "highest-success"
    }

    fn about(&self) -> &'static str {
        "the one whose requests succeeded most of late"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        let percent = |own: &Candidate| (own.success.clamp(0.0, 1.0) * 100.0).round() as u32;
        let mut order = by_key(candidates, turn, |own| 100 - percent(own));
        if order.len() > 1 && turn.once_in(SECOND_LOOK) {
            let weight = |at: &usize| candidates.get(*at).map_or(0, |own| own.weight.max(1));
            let others = order.get(1..).unwrap_or_default();
            let mut drawn = (turn.random)(others.iter().map(weight).sum::<u32>().max(1));
            let found = others.iter().position(|at| {
                let hit = drawn < weight(at);
                drawn = drawn.saturating_sub(weight(at));
                hit
            });
            lift(&mut order, found.unwrap_or(0) + 1);
        }
        order
    }

    fn standing(&self, candidates: &[Candidate], at: usize) -> Standing {
        let success = candidates.get(at).map_or(1.0, |own| own.success);
        Standing::Score(format!("{:.1} % succeeded", success * 100.0))
    }
}
