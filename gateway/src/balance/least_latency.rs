//! The quicker of two, by how soon their first tokens came of late.

use std::time::Duration;

use super::{Balance, Candidate, Standing, Turn, lift, weighted};

/// Once in so many requests the slower of the two goes first: what is never asked is never known to be better again.
const SECOND_LOOK: u32 = 128;

/// Two are drawn by weight and the quicker goes first; so the quickest does not get everyone at once (Mitzenmacher 2001).
/// Nobody knows how quick a new target is: it is asked by one request at a time until somebody does.
pub(super) struct LeastLatency;

impl Balance for LeastLatency {
    fn name(&self) -> &'static str {
        "least-latency"
    }

    fn about(&self) -> &'static str {
        "the one of two whose first token came sooner of late"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        let mut order = weighted::Weighted.order(candidates, turn);
        let second_look = turn.once_in(SECOND_LOOK);
        let took = |at: &usize| candidates.get(*at).and_then(|own| own.first_token).unwrap_or(Duration::MAX);
        let unexplored = |at: &usize| {
            candidates.get(*at).is_some_and(|own| own.first_token.is_none() && own.in_flight == 0)
        };
        if let Some(new) = order.iter().position(unexplored) {
            lift(&mut order, new);
            if let Some(rest) = order.get_mut(1..) {
                rest.sort_by_key(took);
            }
            return order;
        }
        if let [one, other, ..] = order.as_mut_slice()
            && (took(other) < took(one)) != second_look
        {
            std::mem::swap(one, other);
        }
        if let Some(rest) = order.get_mut(1..) {
            rest.sort_by_key(took);
        }
        order
    }

    fn standing(&self, candidates: &[Candidate], at: usize) -> Standing {
        Standing::Score(match candidates.get(at).and_then(|own| own.first_token) {
            Some(took) => format!("first token after {} ms", took.as_millis()),
            None => "first token not known yet".to_owned(),
        })
    }
}
