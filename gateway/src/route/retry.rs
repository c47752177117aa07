//! Which failure earns another attempt, and after how long.

use std::time::Duration;

use crate::config::RetryCondition;
use crate::error::{GatewayError, Kind, Origin};

/// How a model's failures are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Upstream requests for one client request, over all targets; each fallback gets one more.
    pub attempts: u32,
    /// What earns another one.
    pub on: Vec<RetryCondition>,
    /// Wait before the first repetition at the same target; doubled each time.
    pub first_wait: Duration,
    /// Longest wait.
    pub longest_wait: Duration,
}

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Another target may do better; the same one after a wait.
    Again,
    /// Only another target may do better.
    Elsewhere,
    /// Nobody would answer this.
    Final,
}

impl Retry {
    /// Judges one failed attempt, before anything was sent to the client.
    pub fn judge(&self, error: &GatewayError) -> Judgement {
        match (error.kind, error.origin) {
            // The client's own fault stays the client's, wherever it is sent.
            (Kind::InvalidRequest | Kind::ContextLength | Kind::ContentPolicy, _) => Judgement::Final,
            (Kind::ClientGone | Kind::Internal, _) => Judgement::Final,
            // No room there, and nothing was sent.
            (Kind::Overloaded | Kind::RateLimited, Origin::Gateway) => Judgement::Elsewhere,
            (_, Origin::Plugin) | (Kind::Unsupported, _) => Judgement::Elsewhere,
            (
                Kind::Authentication | Kind::Permission | Kind::Quota | Kind::ModelNotFound | Kind::TooLarge,
                _,
            ) => Judgement::Elsewhere,
            _ if self.covers(error) => Judgement::Again,
            _ if error.keys_rest() => Judgement::Elsewhere,
            _ => Judgement::Final,
        }
    }

    fn covers(&self, error: &GatewayError) -> bool {
        self.on.iter().any(|condition| condition.covers(error))
    }

    /// How long to wait before the `repetition`-th time at the same target (0: the first), with jitter:
    /// `random` is in `0.0..1.0`. `None`: the provider wants a longer wait than we are ready for.
    pub fn wait(&self, repetition: u32, wanted: Option<Duration>, random: f64) -> Option<Duration> {
        if let Some(wanted) = wanted {
            return (wanted <= self.longest_wait).then_some(wanted);
        }
        let doubled = self.first_wait.saturating_mul(1_u32.checked_shl(repetition).unwrap_or(u32::MAX));
        Some(doubled.min(self.longest_wait).mul_f64(0.5 + random / 2.0))
    }
}
