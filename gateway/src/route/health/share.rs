//! Which share of a target's attempts failed: over a window, and as a mean weighted towards now.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::care::Degrade;

/// What is counted together.
const SLOT: Duration = Duration::from_secs(10);
/// No window reaches further back.
pub(super) const LONGEST: Duration = Duration::from_secs(3600);
/// Share of the newest attempt in the mean.
const NEWEST: f64 = 0.05;
/// In this time of silence half of what spoke against a target is forgotten, so that it is tried again some day.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// The latest attempts of one target.
#[derive(Clone, Debug, Default)]
pub(super) struct Share {
    slots: VecDeque<Slot>,
    began: Option<Instant>,
    failed: f64,
    latest: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Slot {
    /// In slots since the first attempt.
    at: u64,
    good: u32,
    failed: u32,
}

impl Share {
    /// One more attempt.
    pub(super) fn add(&mut self, failed: bool, now: Instant) {
        self.failed = self.failed_at(now) * (1.0 - NEWEST) + if failed { NEWEST } else { 0.0 };
        self.latest = Some(now);
        self.began.get_or_insert(now);
        let at = self.slot(now);
        let oldest = at.saturating_sub(LONGEST.as_secs() / SLOT.as_secs());
        while self.slots.front().is_some_and(|slot| slot.at < oldest) {
            self.slots.pop_front();
        }
        // Two threads may come with their clocks in the wrong order: both go into the newest.
        if self.slots.back().is_none_or(|slot| slot.at < at) {
            self.slots.push_back(Slot { at, good: 0, failed: 0 });
        }
        if let Some(slot) = self.slots.back_mut() {
            let count = if failed { &mut slot.failed } else { &mut slot.good };
            *count = count.saturating_add(1);
        }
    }

    /// Share of successes, 0 to 1, in hundredths: what is equal to the eye is equal to a strategy.
    pub(super) fn success(&self, now: Instant) -> f64 {
        ((1.0 - self.failed_at(now)) * 100.0).round() / 100.0
    }

    /// Begins with what was known before a restart.
    pub(super) fn restore(&mut self, success: f64, now: Instant) {
        if (0.0..1.0).contains(&success) {
            self.failed = 1.0 - success;
            self.latest = Some(now);
        }
    }

    /// Whether enough attempts of the window failed.
    pub(super) fn is_degraded(&self, degrade: &Degrade, now: Instant) -> bool {
        if self.began.is_none() {
            return false;
        }
        let oldest = self.slot(now).saturating_sub((degrade.window.as_secs() / SLOT.as_secs()).max(1));
        let recent = self.slots.iter().rev().take_while(|slot| slot.at > oldest || oldest == 0);
        let (good, failed) = recent.fold((0_u64, 0_u64), |(good, failed), slot| {
            (good + u64::from(slot.good), failed + u64::from(slot.failed))
        });
        let count = good + failed;
        count >= u64::from(degrade.samples) && failed > 0 && failed as f64 >= degrade.rate * count as f64
    }

    fn failed_at(&self, now: Instant) -> f64 {
        let Some(latest) = self.latest.filter(|_| self.failed > 0.0) else { return 0.0 };
        let silent = now.saturating_duration_since(latest).as_secs_f64();
        self.failed * 0.5_f64.powf(silent / FORGOTTEN.as_secs_f64())
    }

    fn slot(&self, now: Instant) -> u64 {
        let began = self.began.unwrap_or(now);
        now.saturating_duration_since(began).as_secs() / SLOT.as_secs()
    }
}

#[cfg(test)]
mod tests;
