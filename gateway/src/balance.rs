//! The strategies that order a model's targets.
//!
//! A strategy sees candidates (numbers, nothing else) and says in which order they are tried. What it draws or counts
//! stands in its [`Turn`], so that the same candidates, the same random numbers and the same memory give the same
//! order, and an explanation is no guess. A new strategy is one file beside this one and one line in [`ALL`].

use std::time::Duration;

mod cheapest;
mod fastest;
mod highest_success;
mod least_busy;
mod least_latency;
mod priority;
mod random;
mod round_robin;
mod smooth;
mod weighted;

/// What holds where nothing is said.
pub const DEFAULT: &dyn Balance = &weighted::Weighted;

/// Every strategy.
pub const ALL: &[&dyn Balance] = &[
    &weighted::Weighted,
    &smooth::Smooth,
    &round_robin::RoundRobin,
    &random::Random,
    &priority::Priority,
    &least_busy::LeastBusy,
    &least_latency::LeastLatency,
    &fastest::Fastest,
    &cheapest::Cheapest,
    &highest_success::HighestSuccess,
];

/// A way to order candidates.
pub trait Balance: Send + Sync {
    /// Its name in the configuration.
    fn name(&self) -> &'static str;

    /// One line for the manual.
    fn about(&self) -> &'static str;

    /// The candidates, by their index, best first; each exactly once. There is at least one.
    fn order(&self, candidates: &[Candidate], turn: &mut Turn<'_>) -> Vec<usize>;

    /// It looks at what a request costs. Only then is the cost worked out.
    fn minds_cost(&self) -> bool {
        false
    }

    /// What an explanation shows of one candidate: by default its share by weight.
    fn standing(&self, candidates: &[Candidate], at: usize) -> Standing {
        let sum: u64 = candidates.iter().map(|candidate| u64::from(candidate.weight)).sum();
        let own = candidates.get(at).map_or(0, |candidate| candidate.weight);
        Standing::Share(f64::from(own) / sum.max(1) as f64)
    }
}

/// Why a candidate stands where it does.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It comes first in this share of the requests, 0 to 1.
    Share(f64),
    /// It is measured: `3 running`, `420 ms`.
    Score(String),
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
    /// How many tokens a second it wrote of late. `None`: nobody knows yet.
    pub speed: Option<u32>,
    /// What this request would cost there, in millionths of a micro-dollar. `None`: no price is known, or the strategy
    /// does not mind.
    pub cost: Option<u64>,
    /// Which share of its latest requests succeeded, 0 to 1; 1 when there were none.
    pub success: f64,
}

/// One use of a strategy.
pub struct Turn<'t> {
    /// A number below its argument, which is not 0.
    pub random: &'t mut dyn FnMut(u32) -> u32,
    /// What the strategy keeps between turns, one per model and tier.
    pub memory: &'t mut Memory,
}

impl Turn<'_> {
    /// True once in so many times.
    fn once_in(&mut self, times: u32) -> bool {
        (self.random)(times) == 0
    }
}

/// What a strategy keeps between turns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The place of the one that went first in the last turn.
    pub last: Option<usize>,
    /// How many turns in a row it went first.
    pub run: u32,
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

    /// This place goes first in this turn.
    fn went(&mut self, place: usize) {
        self.run = if self.last == Some(place) { self.run.saturating_add(1) } else { 1 };
        self.last = Some(place);
    }
}

/// The smallest key first; equals are drawn by weight.
fn by_key<K: Ord>(
    candidates: &[Candidate],
    turn: &mut Turn<'_>,
    key: impl Fn(&Candidate) -> K,
) -> Vec<usize> {
    let mut order = weighted::Weighted.order(candidates, turn);
    order.sort_by_cached_key(|at| candidates.get(*at).map(&key));
    order
}

/// The one at this index of an order goes first, the others stay as they are.
fn lift(order: &mut [usize], at: usize) {
    if let Some(front) = order.get_mut(..=at) {
        front.rotate_right(1);
    }
}

/// The strategy with this name.
pub fn named(name: &str) -> Option<&'static dyn Balance> {
    ALL.iter().copied().find(|balance| balance.name() == name)
}

#[cfg(test)]
mod tests;
