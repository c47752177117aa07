//! How long first tokens took: a mean weighted towards now, and the 95th percentile of the latest.

use std::time::{Duration, Instant};

/// So many samples at most are kept.
const MOST: usize = 128;
/// With fewer, a 95th percentile says nothing.
const LEAST: usize = 20;
/// Once all are there, the percentile is looked for at every so many samples.
const EVERY: usize = 8;
/// Older ones say nothing about now.
const OLDEST: Duration = Duration::from_secs(30 * 60);
/// Share of the newest in the mean.
const NEWEST: f64 = 0.2;

/// The latest samples of one target.
#[derive(Debug, Default)]
pub(super) struct FirstTokens {
    /// Seconds since the first sample, microseconds; a ring once it is full.
    samples: Vec<(u32, u32)>,
    next: usize,
    began: Option<Instant>,
    mean: Option<f64>,
    p95: Option<Duration>,
}

/// What is known after a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) mean: Duration,
    pub(super) p95: Option<Duration>,
}

impl FirstTokens {
    /// One more, and what is known now.
    pub(super) fn add(&mut self, took: Duration, now: Instant) -> Known {
        let at = now.saturating_duration_since(*self.began.get_or_insert(now)).as_secs();
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX).max(1);
        if let Some(oldest) = self.samples.get_mut(self.next) {
            *oldest = (at, micros);
        } else {
            self.samples.push((at, micros));
        }
        self.next = (self.next + 1) % MOST;
        let newest = f64::from(micros);
        let mean = self.mean.map_or(newest, |before| before * (1.0 - NEWEST) + newest * NEWEST);
        self.mean = Some(mean);
        // One sample of many moves it little.
        if self.samples.len() < MOST || self.next.is_multiple_of(EVERY) {
            self.p95 = self.p95(at);
        }
        Known { mean: Duration::from_micros(mean.max(1.0) as u64), p95: self.p95 }
    }

    fn p95(&self, at: u32) -> Option<Duration> {
        let oldest = at.saturating_sub(u32::try_from(OLDEST.as_secs()).unwrap_or(u32::MAX));
        let mut recent = [0; MOST];
        let mut count = 0;
        for ((_, micros), place) in self.samples.iter().filter(|(at, _)| *at >= oldest).zip(&mut recent) {
            *place = *micros;
            count += 1;
        }
        if count < LEAST {
            return None;
        }
        // The nearest rank: the smallest sample that 95 of 100 do not exceed.
        let rank = (count * 95).div_ceil(100) - 1;
        let (_, found, _) = recent.get_mut(..count)?.select_nth_unstable(rank);
        Some(Duration::from_micros(u64::from(*found)))
    }
}

#[cfg(test)]
mod tests;
