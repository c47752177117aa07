//! Room at a provider: over a cap the next target is asked at once; where none has room, there is a queue.

use std::sync::Arc;
use std::time::Instant;

use super::attempt::Asking;
use super::service::Ground;
use crate::domain::Usage;
use crate::error::{GatewayError, Kind, Origin};
use crate::observe::Metrics;
use crate::route::{Resting, Step};
use crate::upstream::{self, Doors, Full, Passes};

/// How an attempt ended that was never begun.
pub(super) const FULL: &str = "full";
/// The same for a target that began to rest meanwhile.
pub(super) const RESTS: &str = "resting";

const BUSY: &str = "as many requests for this model are running as may";

/// Counts what an answer took against its provider's limits.
pub(super) fn spent(ground: &Ground, target: &str, usage: Option<Usage>) {
    if let (Some(usage), Some((provider, _))) = (usage, target.split_once('/')) {
        ground.gates.spent(provider, usage.input.unwrap_or(0).saturating_add(usage.output.unwrap_or(0)));
    }
}

/// Goes in if there is room.
///
/// # Errors
/// When there is none; [`is_full`] knows this error.
pub(super) fn enter(asking: &Asking<'_>, step: &Step) -> Result<Passes, GatewayError> {
    doors(asking, step).try_enter().map_err(|full| busy(&step.provider, full))
}

/// True for an attempt that was not begun because there was no room.
pub(super) fn is_full(error: &GatewayError) -> bool {
    is_not_begun(error) && error.code.as_deref() != Some(RESTS)
}

/// True for an attempt that was not begun.
pub(super) fn is_not_begun(error: &GatewayError) -> bool {
    matches!(error.kind, Kind::Overloaded | Kind::RateLimited) && error.origin == Origin::Gateway
}

/// The target began to rest after the plan was made.
pub(super) fn rests(resting: &Resting) -> GatewayError {
    GatewayError {
        code: Some(RESTS.to_owned()),
        retry_after: Some(resting.left),
        ..GatewayError::gateway(Kind::Overloaded, "the model's targets rest after failures")
    }
    .context(resting)
}

/// Waits before all of these targets for the first that has room, until a moment at most.
///
/// # Errors
/// When nobody may wait, too many do, or it takes too long.
pub(super) async fn first(
    asking: &Asking<'_>,
    steps: &[Step],
    until: Instant,
) -> Result<(usize, Passes), GatewayError> {
    let doors: Vec<Doors> = steps.iter().map(|step| doors(asking, step)).collect();
    let mut seen = Seen::begin(asking.request.ground.observer.metrics(), steps, &doors);
    let entered = tokio::time::timeout_at(until.into(), upstream::first(&doors)).await;
    // The request's own time is up before the queue's.
    let late = Full { retry_after: std::time::Duration::from_secs(1), waited: true, too_often: false };
    match entered.unwrap_or(Err(late)) {
        Ok((at, passes)) => {
            seen.outcome = "entered";
            if let Some(step) = steps.get(at) {
                seen.providers.iter().filter(|name| **name != step.provider).for_each(|name| seen.less(name));
                seen.providers = vec![Arc::clone(&step.provider)];
            }
            Ok((at, passes))
        }
        Err(full) => {
            seen.outcome = if full.waited { "late" } else { FULL };
            let names: Vec<&str> = steps.iter().map(|step| step.provider.as_ref()).collect();
            Err(busy(&names.join("`, `"), full))
        }
    }
}

fn doors(asking: &Asking<'_>, step: &Step) -> Doors {
    let gates = &asking.request.ground.gates;
    let Some(provider) = asking.request.snapshot.providers.get(&step.provider) else {
        return Doors::default();
    };
    let own = provider.caps.is_any().then(|| gates.get(&step.provider)).flatten();
    let narrow = provider.model_caps.get(&step.model).or_else(|| provider.model_caps.get("*"));
    let narrow = narrow.and_then(|(name, _)| gates.get(name));
    Doors { target: narrow, provider: own, queue: provider.caps.queue }
}

fn busy(providers: &str, full: Full) -> GatewayError {
    let (kind, message, why) = match full {
        Full { too_often: true, .. } => {
            (Kind::RateLimited, "this model was asked as much as it may be for now", "its limits are reached")
        }
        Full { waited: true, .. } => (Kind::Overloaded, BUSY, "no room in time"),
        Full { .. } => (Kind::Overloaded, BUSY, "no room"),
    };
    GatewayError { retry_after: Some(full.retry_after), ..GatewayError::gateway(kind, message) }
        .context(format!("provider `{providers}`: {why}"))
}

/// Waiting, as the metrics see it.
struct Seen<'m> {
    metrics: &'m Metrics,
    providers: Vec<Arc<str>>,
    began: Instant,
    /// What a client leaves behind that goes in the middle.
    outcome: &'static str,
}

impl<'m> Seen<'m> {
    fn begin(metrics: &'m Metrics, steps: &[Step], doors: &[Doors]) -> Self {
        let queues = steps.iter().zip(doors).filter(|(_, doors)| doors.queue.is_some());
        let mut providers: Vec<_> = queues.map(|(step, _)| Arc::clone(&step.provider)).collect();
        providers.sort_unstable();
        providers.dedup();
        for provider in &providers {
            metrics.queue_waiting.with_label_values(&[provider.as_ref()]).inc();
        }
        Self { metrics, providers, began: Instant::now(), outcome: "left" }
    }

    fn less(&self, provider: &str) {
        self.metrics.queue_waiting.with_label_values(&[provider]).dec();
    }
}

impl Drop for Seen<'_> {
    fn drop(&mut self) {
        for provider in &self.providers {
            self.less(provider);
            let waited = self.metrics.queue_waited.with_label_values(&[provider.as_ref(), self.outcome]);
            waited.observe(self.began.elapsed().as_secs_f64());
        }
    }
}
