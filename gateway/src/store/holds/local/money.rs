//! A counter of money: what is spent, what is reserved, and the rest below a micro-dollar.

use std::collections::VecDeque;
use std::time::Duration;

use super::counter::{milliseconds, signed};
use crate::domain::Cost;

/// What was spent in one of so many parts of a rolling time is forgotten together.
const PARTS: u64 = 60;
/// Millionths of a micro-dollar in one.
const PER_MICRO: u128 = 1_000_000;

/// Money of one place. What is spent falls only where rolling time forgets it.
#[derive(Clone, Debug)]
pub(super) struct Money {
    /// Everything that counts, in millionths of a micro-dollar.
    spent: u128,
    /// Micro-dollars.
    held: i64,
    /// Milliseconds of the rolling time; `None`: nothing is forgotten.
    rolling: Option<u64>,
    /// The number of a part of the rolling time, and what was spent in it; the oldest first.
    parts: VecDeque<(u64, u128)>,
}

impl Money {
    pub(super) fn new(rolling: Option<Duration>) -> Self {
        Self { spent: 0, held: 0, rolling: rolling.map(milliseconds), parts: VecDeque::new() }
    }

    /// Forgets what was spent too long ago.
    pub(super) fn advance(&mut self, now: u64) {
        let Some(length) = self.part() else { return };
        // A part counts until its last millisecond is old enough.
        let oldest = (now / length).saturating_sub(PARTS);
        while let Some((_, spent)) = self.parts.front().filter(|(number, _)| *number < oldest).copied() {
            self.parts.pop_front();
            self.spent = self.spent.saturating_sub(spent);
        }
    }

    pub(super) fn fits(&self, amount: u64, limit: i64) -> bool {
        let taken = i128::from(self.spent()) + i128::from(self.held);
        taken + i128::from(amount) <= i128::from(limit)
    }

    /// When time will have forgotten enough.
    pub(super) fn fits_in(&self, amount: u64, limit: i64, now: u64) -> Option<Duration> {
        let length = self.part()?;
        let room = u128::try_from(i128::from(limit) - i128::from(self.held) - i128::from(amount)).ok()?;
        let mut left = self.spent;
        for (number, spent) in &self.parts {
            left = left.saturating_sub(*spent);
            if left / PER_MICRO <= room {
                return Some(forgotten_in(*number, length, now));
            }
        }
        None
    }

    pub(super) fn hold(&mut self, amount: u64) {
        self.held = self.held.saturating_add(signed(amount));
    }

    pub(super) fn pay(&mut self, amount: u64, cost: Option<Cost>, now: u64) {
        self.held = self.held.saturating_sub(signed(amount)).max(0);
        self.spend(cost.map_or_else(|| u128::from(amount) * PER_MICRO, |cost| u128::from(cost.0)), now);
    }

    pub(super) fn raise(&mut self, spent: Cost, now: u64) {
        self.spend(u128::from(spent.0).saturating_sub(self.spent), now);
    }

    fn spend(&mut self, cost: u128, now: u64) {
        if cost == 0 {
            return;
        }
        let before = self.spent;
        self.spent = self.spent.saturating_add(cost);
        let Some(number) = self.part().map(|length| now / length) else { return };
        let cost = self.spent - before;
        match self.parts.back_mut().filter(|(last, _)| *last >= number) {
            Some((_, spent)) => *spent = spent.saturating_add(cost),
            None => self.parts.push_back((number, cost)),
        }
    }

    /// Whole micro-dollars spent.
    pub(super) fn spent(&self) -> i64 {
        i64::try_from(self.spent / PER_MICRO).unwrap_or(i64::MAX)
    }

    pub(super) fn held(&self) -> i64 {
        self.held
    }

    pub(super) fn used(&self) -> i64 {
        self.spent().saturating_add(self.held)
    }

    /// When all that is spent will be forgotten.
    pub(super) fn free_in(&self, now: u64) -> Option<Duration> {
        let length = self.part()?;
        Some(self.parts.back().map_or(Duration::ZERO, |(number, _)| forgotten_in(*number, length, now)))
    }

    pub(super) fn is_blank(&self) -> bool {
        self.spent == 0 && self.held == 0
    }

    /// Milliseconds of one part.
    fn part(&self) -> Option<u64> {
        self.rolling.map(|rolling| (rolling / PARTS).max(1))
    }
}

/// A part is forgotten when `PARTS` others lie behind its end.
fn forgotten_in(number: u64, length: u64, now: u64) -> Duration {
    let end = number.saturating_add(PARTS + 1).saturating_mul(length);
    Duration::from_millis(end.saturating_sub(now))
}
