//! What the answers of one target tell about its next ones: how fast it writes, how much of a prompt it had in its cache.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::domain::Usage;

/// Fewer tokens say nothing about a speed.
const ENOUGH: u64 = 16;

/// Means, weighted towards now.
#[derive(Debug, Default)]
pub struct Experience {
    /// Tokens a second, and 1 more; 0: not known.
    speed: AtomicU32,
    /// Prompt tokens from the cache, of a thousand.
    cached: AtomicU32,
}

impl Experience {
    /// Takes one answer's counts, and the time in which its tokens were written.
    pub fn learn(&self, usage: &Usage, writing: Duration) {
        if let Some(output) = usage.output.filter(|output| *output >= ENOUGH && !usage.estimated) {
            let micros = u64::try_from(writing.as_micros()).unwrap_or(u64::MAX).max(1);
            let speed = output.saturating_mul(1_000_000) / micros;
            mean(&self.speed, u32::try_from(speed).unwrap_or(u32::MAX - 1) + 1);
        }
        if let Some(input) = usage.input.filter(|input| *input > 0) {
            let share = usage.cache_read.unwrap_or(0).min(input).saturating_mul(1_000) / input;
            let now = i64::from(u32::try_from(share).unwrap_or(0));
            let before = i64::from(self.cached.load(Ordering::Relaxed));
            let mean = before + (now - before) / 5;
            self.cached.store(u32::try_from(mean).unwrap_or(0), Ordering::Relaxed);
        }
    }

    /// Tokens a second.
    pub fn speed(&self) -> Option<u32> {
        self.speed.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Prompt tokens that come from its cache, of a thousand.
    pub fn cached_per_mille(&self) -> u32 {
        self.cached.load(Ordering::Relaxed)
    }
}

/// The newest counts for a fifth. Two that end at once may lose one sample; the mean does not mind.
fn mean(kept: &AtomicU32, now: u32) {
    let before = kept.load(Ordering::Relaxed);
    let mean = if before == 0 { u64::from(now) } else { (u64::from(before) * 4 + u64::from(now)) / 5 };
    kept.store(u32::try_from(mean).unwrap_or(u32::MAX), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_become_means() {
        let experience = Experience::default();
        assert_eq!((experience.speed(), experience.cached_per_mille()), (None, 0));
        let usage = |input, cached, output| Usage {
            input: Some(input),
            cache_read: Some(cached),
            output: Some(output),
            ..Usage::default()
        };
        experience.learn(&usage(1_000, 500, 100), Duration::from_secs(1));
        assert_eq!((experience.speed(), experience.cached_per_mille()), (Some(100), 100));
        experience.learn(&usage(1_000, 1_000, 600), Duration::from_secs(2));
        assert_eq!((experience.speed(), experience.cached_per_mille()), (Some(140), 280));
        experience.learn(&usage(10, 90, 3), Duration::from_nanos(1));
        assert_eq!((experience.speed(), experience.cached_per_mille()), (Some(140), 424));
        experience.learn(&usage(u64::MAX, u64::MAX, u64::MAX), Duration::ZERO);
        assert!(experience.speed() > Some(1_000_000));
    }
}
