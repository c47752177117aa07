//! Distributions and exact sequences. Chance is seeded, so what passes once passes always.

use std::time::Duration;

use super::{ALL, Balance, Candidate, Memory, Standing, Turn, named};

mod distributions;
mod measures;
mod sequences;

/// Candidates with these weights, at the places 0, 1, 2, …
fn candidates(weights: &[u32]) -> Vec<Candidate> {
    let candidate = |(place, weight): (usize, &u32)| Candidate {
        place,
        weight: *weight,
        success: 1.0,
        ..Candidate::default()
    };
    weights.iter().enumerate().map(candidate).collect()
}

fn strategy(name: &str) -> &'static dyn Balance {
    named(name).unwrap_or_else(|| panic!("`{name}` is in the list"))
}

/// A strategy in use, with its chance and its memory.
struct Used {
    balance: &'static dyn Balance,
    random: fastrand::Rng,
    memory: Memory,
}

impl Used {
    fn new(name: &str, seed: u64) -> Self {
        Self { balance: strategy(name), random: fastrand::Rng::with_seed(seed), memory: Memory::default() }
    }

    /// The places in their order.
    fn order(&mut self, candidates: &[Candidate]) -> Vec<usize> {
        let mut draw = |bound| self.random.u32(0..bound);
        let order = self.balance.order(candidates, &mut Turn { random: &mut draw, memory: &mut self.memory });
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..candidates.len()).collect::<Vec<_>>(), "each exactly once");
        order.into_iter().map(|at| candidates[at].place).collect()
    }

    fn first(&mut self, candidates: &[Candidate]) -> usize {
        self.order(candidates)[0]
    }

    /// How often each place went first.
    fn counts(&mut self, candidates: &[Candidate], turns: usize) -> Vec<u32> {
        let mut counts = vec![0; candidates.iter().map(|own| own.place + 1).max().unwrap_or(0)];
        for _ in 0..turns {
            counts[self.first(candidates)] += 1;
        }
        counts
    }
}

#[test]
fn every_strategy_orders_whatever_there_is() {
    for balance in ALL {
        let mut random = fastrand::Rng::with_seed(11);
        let mut used = Used::new(balance.name(), 12);
        for _ in 0..500 {
            let count = random.usize(1..9);
            let mut all = candidates(&vec![1; count]);
            for own in &mut all {
                own.place += random.usize(0..3) * 10;
                own.weight = random.u32(1..1001);
                own.in_flight = random.u32(0..4);
                own.first_token = random.bool().then(|| Duration::from_millis(random.u64(1..900)));
                own.speed = random.bool().then(|| random.u32(1..500));
                own.cost = random.bool().then(|| random.u64(0..9_000_000_000));
                own.success = random.f64();
            }
            used.order(&all);
            for at in 0..count {
                match balance.standing(&all, at) {
                    Standing::Share(share) => assert!((0.0..=1.0).contains(&share), "{}", balance.name()),
                    Standing::Score(score) => assert!(!score.is_empty(), "{}", balance.name()),
                }
            }
        }
    }
}
