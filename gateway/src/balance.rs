//! The strategies that order a model's targets.
//!
//! A strategy sees candidates (numbers, nothing else) and says in which order they are tried. What it draws or counts
//! stands in its [`Turn`], so that the same candidates, the same random numbers and the same memory give the same
//! order, and an explanation is no guess. A new strategy is one file beside this one and one line in [`ALL`].

use std::time::Duration;

mod cheapest;
mod least_busy;
mod least_latency;
mod round_robin;
mod weighted;

/// What holds where nothing is said.
pub const DEFAULT: &dyn Balance = &weighted::Weighted;

/// Every strategy.
pub const ALL: &[&dyn Balance] = &[
    &weighted::Weighted,
    &round_robin::RoundRobin,
    &least_busy::LeastBusy,
    &least_latency::LeastLatency,
    &cheapest::Cheapest,
];

/// A way to order candidates.
pub trait Balance: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &'static str;

    /// One line for the manual.
    fn about(&self) -> &'static str;

    /// The candidates, by their index, best first; each exactly once. There is at least one.
    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize>;
}

/// What a strategy knows of a target that may be asked now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidate {
    /// Its place among all targets of its model, also those that may not be asked now: it stays the same.
    pub place: usize,
    /// Its share; never 0.
    pub weight: u32,
    /// Requests it is answering now.
    pub in_flight: u32,
    /// How long its first token took of late, weighted towards now. `None`: nobody knows yet.
    pub first_token: Option<Duration>,
    /// What this request would cost there, in micro-dollars. `None`: no price is known.
    pub cost: Option<u64>,
    /// Which share of its latest requests succeeded, 0 to 1; 1 when there were none.
    pub success: f64,
}

/// One use of a strategy.
pub struct Turn<'t> {
    /// A number below its argument.
    pub random: &'t mut dyn FnMut(u32) -> u32,
    /// What the strategy keeps between turns, one per model.
    pub memory: &'t mut Memory,
}

/// What a strategy keeps between turns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Turns so far.
    pub turns: u64,
    /// A number per place.
    pub scores: Vec<i64>,
}

impl Memory {
    /// The number of a place, 0 at first.
    pub fn score(&mut self, place: usize) -> &mut i64 {
        if self.scores.len() <= place {
            self.scores.resize(place + 1, 0);
        }
        &mut self.scores[place]
    }
}

/// The smallest key first; equals are drawn by weight.
fn by_key<K: Ord>(
    candidates: &[Candidate],
    turn: &mut Turn<'_>,
    key: impl Fn(&Candidate) -> K,
) -> Vec<usize> {
    let mut order = weighted::Weighted.order(candidates, turn);
    order.sort_by_key(|at| candidates.get(*at).map(&key));
    order
}

/// The strategy with this name.
pub fn named(name: &str) -> Option<&'static dyn Balance> {
    ALL.iter().copied().find(|balance| balance.name() == name)
}

#[cfg(test)]
mod tests;
