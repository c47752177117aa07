//! Which failure earns another attempt, and after how long.

use std::time::Duration;

use crate::config::{RetryCondition, Statuses};
use crate::error::{GatewayError, Kind, Origin};

/// How a model's failures are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Upstream requests for one client request, over all targets; each fallback gets one more.
    pub attempts: u32,
    /// What earns another one at the same target.
    pub on: Vec<RetryCondition>,
    /// What earns one at another target.
    pub failover: Statuses,
    /// Also when the provider may have worked on the request.
    pub sent: bool,
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
        // What the provider may have begun, and may bill. A limit, an overload or a ban is said before that.
        let begun = matches!(error.kind, Kind::Provider | Kind::Malformed | Kind::Timeout);
        match error.kind {
            Kind::ClientGone | Kind::Cancelled | Kind::Internal => Judgement::Final,
            // No room there, and nothing was sent.
            Kind::Overloaded | Kind::RateLimited if error.origin == Origin::Gateway => Judgement::Elsewhere,
            Kind::Unsupported => Judgement::Elsewhere,
            _ if error.origin == Origin::Plugin => Judgement::Elsewhere,
            _ if begun && !self.sent => Judgement::Final,
            _ if !self.on.iter().any(|condition| condition.covers(error)) => {
                let elsewhere =
                    error.keys_rest() || error.counts_as().is_some_and(|status| self.failover.hold(status));
                if elsewhere { Judgement::Elsewhere } else { Judgement::Final }
            }
            // The same question to the same target is answered the same.
            Kind::InvalidRequest | Kind::TooLarge | Kind::ContextLength | Kind::ContentPolicy => {
                Judgement::Elsewhere
            }
            Kind::Authentication | Kind::Permission | Kind::Quota | Kind::ModelNotFound => {
                Judgement::Elsewhere
            }
            _ => Judgement::Again,
        }
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
