//! Why and how long a key rests.

use std::time::Duration;

use super::Millis;

/// How long keys rest, as the operator wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// So many refusals (401) in a row rest a key.
    pub after: u32,
    /// So many models that forbid a key (403) in a row rest it for all models.
    pub forbidden_after: u32,
    /// The first rest of a key that was refused; each further one is twice as long.
    pub first: Duration,
    /// The longest.
    pub longest: Duration,
    /// The rest of a key whose quota is used up, where the provider does not say.
    pub quota: Duration,
    /// The rest of a key at one model after 429, where the provider does not say.
    pub rate: Duration,
}

impl Default for Resting {
    fn default() -> Self {
        Self {
            after: 1,
            forbidden_after: 3,
            first: Duration::from_secs(60),
            longest: Duration::from_secs(3600),
            quota: Duration::from_secs(6 * 3600),
            rate: Duration::from_secs(30),
        }
    }
}

/// The longest rest at one model: an absurd word of a provider must not lose us a key.
const LONGEST_RATE: Duration = Duration::from_secs(3600);
/// The longest rest for quota.
const LONGEST_QUOTA: Duration = Duration::from_secs(24 * 3600);
/// The shortest rest: `retry-after: 0` does not mean now.
const SHORTEST: Duration = Duration::from_millis(500);

impl Resting {
    /// The rest after a refusal; `level` counts the rests before it.
    pub(super) fn refused(&self, level: u32) -> Millis {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(level).unwrap_or(u32::MAX));
        millis(doubled.min(self.longest.max(self.first)))
    }

    /// The rest after 402, given what the provider said.
    pub(super) fn used_up(&self, told: Option<Duration>) -> Millis {
        millis(told.unwrap_or(self.quota).clamp(SHORTEST, LONGEST_QUOTA))
    }

    /// The rest after 429, given what the provider said.
    pub(super) fn limited(&self, told: Option<Duration>) -> Millis {
        millis(told.unwrap_or(self.rate).clamp(SHORTEST, LONGEST_RATE))
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// Why a key rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The provider refused it.
    Refused,
    /// Its quota is used up.
    Quota,
    /// Too many requests at one model.
    Limited,
}

impl Cause {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Quota => "quota",
            Self::Limited => "limited",
        }
    }
}

/// What is held against one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) cause: Cause,
    /// It rests until then; in the past: it may be asked, but has not yet done well.
    pub(super) until: Millis,
    /// When the rest began.
    pub(super) since: Millis,
    /// Choices before this one were made in ignorance of it.
    pub(super) known_from: u64,
    /// Refusals in a row.
    pub(super) failures: u32,
    /// Rests in a row.
    pub(super) level: u32,
}

impl Rest {
    /// Nothing yet.
    pub(super) fn none() -> Self {
        Self { cause: Cause::Refused, until: 0, since: 0, known_from: 0, failures: 0, level: 0 }
    }

    /// A rest from now on.
    pub(super) fn begin(&mut self, cause: Cause, now: Millis, length: Millis, serial: u64) {
        *self = Self {
            cause,
            until: now.saturating_add(length),
            since: now,
            known_from: serial,
            failures: self.failures,
            level: self.level.saturating_add(1),
        };
    }
}
