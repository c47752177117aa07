//! Affinity: one conversation stays on one target, so that the prompt cache there keeps hitting.
//!
//! `clues` finds out which conversation a request belongs to, `beginning` reads the part of a prompt that stays while a
//! conversation grows. Which target it stays on is rendezvous hashing: each target draws a number from the
//! conversation's, the best one is its home. No table is kept: every node, and the same node after a restart, finds the
//! same home, and when a target goes, only the conversations that lived there move. Loads are bounded: a target with
//! more than its share in flight is passed on to the next in the same order.

use super::Step;

mod beginning;
mod clues;

pub use clues::Clues;

/// How much more than its fair share of what is in flight a target may have, in quarters.
const BOUND: u64 = 5;
/// So few requests say nothing about load: the parallel calls of one agent shall not part it from its cache.
const FEW: u32 = 4;

/// A conversation as a number, the same on every node and after a restart. Each virtual key has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conversation {
    /// The number.
    pub number: u64,
    /// What told which conversation it is.
    pub told_by: &'static str,
}

/// What affinity made of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// The request does not say which conversation it belongs to; the strategy ordered the targets.
    Unknown,
    /// It does, and stays where it is at home unless it cannot.
    Known {
        /// Which one.
        conversation: Conversation,
        /// `provider/model` that it stays on while that may be asked.
        home: String,
    },
}

impl Affinity {
    /// What came of it, when `target` has answered: `kept`, `moved` or `unknown`.
    pub fn outcome(&self, target: &str) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Known { home, .. } if home == target => "kept",
            Self::Known { .. } => "moved",
        }
    }

    /// The conversation, when it is known.
    pub fn conversation(&self) -> Option<Conversation> {
        match self {
            Self::Unknown => None,
            Self::Known { conversation, .. } => Some(*conversation),
        }
    }
}

/// A target as affinity sees it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    /// The provider's name.
    pub provider: &'p str,
    /// The provider's own model name.
    pub model: &'p str,
    /// Its share; never 0.
    pub weight: u32,
    /// Requests it is answering now.
    pub in_flight: u32,
}

impl<'p> Place<'p> {
    /// The place of a step.
    pub fn of(step: &'p Step, weight: u32) -> Self {
        Self { provider: &step.provider, model: &step.model, weight, in_flight: step.state.in_flight() }
    }
}

impl Conversation {
    /// The places by index, best first. The first is the best that is not above its share of what is in flight.
    pub fn order(self, places: &[Place<'_>]) -> Vec<usize> {
        let mut drawn: Vec<(f64, usize)> =
            places.iter().enumerate().map(|(at, place)| (self.draw(place), at)).collect();
        drawn.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let running: u64 = places.iter().map(|place| u64::from(place.in_flight)).sum();
        let weights: u64 = places.iter().map(|place| u64::from(place.weight)).sum();
        let free = |at: &usize| places.get(*at).is_some_and(|place| is_free(place, running, weights));
        let (free, full): (Vec<usize>, Vec<usize>) = drawn.into_iter().map(|(_, at)| at).partition(free);
        free.into_iter().chain(full).collect()
    }

    /// The place it is at home in, by index, however busy that is.
    pub(super) fn home<'p>(self, places: impl Iterator<Item = Place<'p>>) -> Option<usize> {
        let drawn = places.enumerate().map(|(at, place)| (self.draw(&place), at));
        drawn.min_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, at)| at)
    }

    /// A number that is smaller the better a place is. Exponentially distributed, so that each place is the best one
    /// for as many conversations as its weight says.
    fn draw(self, place: &Place<'_>) -> f64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.number.to_le_bytes());
        hasher.update(place.provider.as_bytes());
        hasher.update(b"/");
        hasher.update(place.model.as_bytes());
        // 53 bits fill a double; never 0, whose logarithm is none.
        let uniform = ((number(&hasher) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        -uniform.ln() / f64::from(place.weight.max(1))
    }
}

/// Whether one more request leaves a place within its bound: a quarter above its share of what is in flight then.
fn is_free(place: &Place<'_>, running: u64, weights: u64) -> bool {
    let most = (BOUND * (running + 1) * u64::from(place.weight)).div_ceil(4 * weights.max(1));
    place.in_flight < FEW || u64::from(place.in_flight) < most
}

/// The first eight bytes of a digest.
fn number(hasher: &blake3::Hasher) -> u64 {
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests;
