//! In turn, in proportion to the weights and well mixed.

use std::cmp::Reverse;

use super::{Balance, Candidate, Turn};

/// Everyone earns its weight each turn and pays the sum of all when it goes first, as nginx does it. Besides, nobody goes
/// first more often in a row than its share needs. Who is missing neither earns nor pays: the others keep their
/// proportion among themselves, and it comes back to where it left.
pub(super) struct Smooth;

impl Balance for Smooth {
    fn name(&self) -> &'static str {
        "smooth"
    }

    fn about(&self) -> &'static str {
        "in turn, in proportion to the weights and well mixed (smooth weighted round robin)"
    }

    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize> {
        let sum: i64 = candidates.iter().map(|candidate| i64::from(candidate.weight)).sum();
        let memory = &mut *turn.memory;
        for candidate in candidates {
            *memory.score(candidate.place) += i64::from(candidate.weight);
        }
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by_key(|at| Reverse(candidates.get(*at).map_or(0, |own| *memory.score(own.place))));
        let weary = order.first().and_then(|at| candidates.get(*at)).is_some_and(|first| {
            memory.last == Some(first.place) && i64::from(memory.run) >= longest_run(first, sum)
        });
        if weary && order.len() > 1 {
            order.swap(0, 1);
        }
        if let Some(first) = order.first().and_then(|at| candidates.get(*at)) {
            *memory.score(first.place) -= sum;
            memory.went(first.place);
        }
        order
    }
}

/// How often in a row it must go first to come to its share.
fn longest_run(candidate: &Candidate, sum: i64) -> i64 {
    let own = i64::from(candidate.weight);
    let others = (sum - own).max(1);
    (own + others - 1) / others
}
