//! How a model's targets are looked after: what opens a circuit, what counts as degraded, how long a refusal rests.

use std::time::Duration;

/// How a model's targets are looked after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Care {
    /// What opens the circuit of a target; none: nothing does.
    pub breaker: Option<Breaker>,
    /// What puts a target behind the others; none: nothing does.
    pub degrade: Option<Degrade>,
    /// How long a target rests that said no.
    pub rests: Rests,
    /// 429 rests the target. Where the provider has keys, it rests a key and not the target.
    pub keyless: bool,
}

impl Default for Care {
    fn default() -> Self {
        Self {
            breaker: Some(Breaker::default()),
            degrade: Some(Degrade::default()),
            rests: Rests::default(),
            keyless: true,
        }
    }
}

/// When a circuit opens, how long it stays open, and what closes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// Failures in a row that open it.
    pub failures: u32,
    /// They count only as long as all of them lie within this time; none: however long it took.
    pub window: Option<Duration>,
    /// How long it is open at first.
    pub open: Duration,
    /// How long at most: each failed probe doubles it.
    pub longest: Duration,
    /// Requests at a time that try the target afterwards.
    pub probes: u32,
    /// How many of them must succeed.
    pub successes: u32,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failures: 5,
            window: None,
            open: Duration::from_secs(30),
            longest: Duration::from_secs(600),
            probes: 1,
            successes: 1,
        }
    }
}

impl Breaker {
    /// How long it is open after so many failed probes.
    pub(super) fn open_for(&self, reopened: u32) -> Duration {
        let factor = 1_u32.checked_shl(reopened).unwrap_or(u32::MAX);
        self.open.saturating_mul(factor).min(self.longest.max(self.open))
    }
}

/// When a target counts as degraded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Degrade {
    /// How far back attempts count.
    pub window: Duration,
    /// With fewer of them nothing is concluded.
    pub samples: u32,
    /// The share of failures from which on it is degraded.
    pub rate: f64,
}

impl Default for Degrade {
    fn default() -> Self {
        Self { window: Duration::from_secs(600), samples: 20, rate: 0.5 }
    }
}

/// How long a target rests that said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rests {
    /// The provider does not know the model (404); zero: it does not rest.
    pub missing: Duration,
    /// Too many requests (429), no keys to change, and the provider did not say how long; zero: it does not rest.
    pub rate: Duration,
    /// At most, whatever a provider says with 429.
    pub longest_rate: Duration,
    /// At most, whatever a provider says with 503.
    pub longest_overload: Duration,
}

impl Default for Rests {
    fn default() -> Self {
        Self {
            missing: Duration::from_secs(300),
            rate: Duration::ZERO,
            longest_rate: Duration::from_secs(3600),
            longest_overload: Duration::from_secs(60),
        }
    }
}
