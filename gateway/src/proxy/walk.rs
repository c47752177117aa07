//! Walks the plan: one attempt after the other, until one has an answer. Nothing has been sent to the client then.

use std::time::{Duration, Instant};

use http::HeaderMap;
use tokio::sync::OnceCell;

use super::answer::Answer;
use super::attempt::{self, Asking, Request, Tally};
use super::exchange::{Exchange, Said};
use super::hedge::{self, Hedging};
use crate::domain::Record;
use crate::error::{GatewayError, Kind, Origin};
use crate::route::{Judgement, Plan, Step};

/// The first answer that is one. Its first event is there; nothing has been sent to the client.
pub(super) async fn first_good(
    request: &Request<'_>,
    plan: &Plan,
    exchange: &mut Exchange,
) -> Result<Answer, GatewayError> {
    let retry = &plan.model.retry;
    let total = exchange.started + request.snapshot.timeouts.total;
    let Exchange { head, started, created, record, waited, refused_with, said, .. } = exchange;
    let asking = Asking {
        request,
        model: &plan.model,
        effort: plan.effort,
        head,
        key: record.key.clone(),
        request_id: record.request_id.clone(),
        started: *started,
        created: *created,
        canonical: OnceCell::new(),
    };
    let mut walk = Walk { asking: &asking, record, waited, refused_with, said, failure: None };
    let now = Instant::now();
    // Whoever is ready first, in the plan's order; a failed target comes back when it may be asked again.
    let mut waiting: Vec<Waiting<'_>> =
        plan.steps.iter().map(|step| Waiting { step, ready: now, tried: 0 }).collect();
    let mut hedging = Hedging::of(request, plan);
    let mut left = retry.attempts;
    while left > 0 {
        let now = Instant::now();
        let next = waiting.iter().enumerate().min_by_key(|(_, waiting)| waiting.ready.max(now));
        let Some(next) = next.map(|(at, _)| at).map(|at| waiting.remove(at)) else { break };
        if next.ready > total {
            break;
        }
        Exchange::wait(walk.waited, tokio::time::sleep_until(next.ready.into())).await;
        let tried = match hedging.take() {
            Some(hedging) => hedge::race(&mut walk, next, &mut waiting, &hedging).await,
            None => walk.attempt(next.step).await.map_err(|error| vec![(next, error)]),
        };
        let failures = match tried {
            Ok(answer) => return Ok(answer),
            Err(failures) => failures,
        };
        for (mut failed, error) in failures {
            left = left.saturating_sub(1);
            match retry.judge(&error) {
                Judgement::Final => return Err(error),
                Judgement::Elsewhere => {}
                Judgement::Again => {
                    if let Some(wait) = retry.wait(failed.tried, error.retry_after, fastrand::f64()) {
                        failed.ready = Instant::now() + wait;
                        failed.tried += 1;
                        waiting.push(failed);
                    }
                }
            }
        }
    }
    for step in &plan.fallback {
        match walk.attempt(step).await {
            Ok(answer) => return Ok(answer),
            Err(error) if retry.judge(&error) == Judgement::Final => return Err(error),
            Err(_) => {}
        }
    }
    let nothing = || GatewayError::gateway(Kind::Overloaded, "every target of this model is drained");
    Err(walk.failure.map_or_else(nothing, ours_to_answer_for))
}

/// A target and when it may be asked.
pub(super) struct Waiting<'a> {
    pub(super) step: &'a Step,
    pub(super) ready: Instant,
    /// Failed attempts so far.
    tried: u32,
}

/// The provider's refusal of *our* key is not the client's fault and must not look like it.
fn ours_to_answer_for(error: GatewayError) -> GatewayError {
    if error.origin != Origin::Upstream {
        return error;
    }
    match error.kind {
        Kind::Authentication | Kind::Permission | Kind::Quota => GatewayError {
            kind: Kind::Provider,
            message: "the provider refused the gateway's own credentials or account".to_owned(),
            code: None,
            context: format!("{} ({})", error.context, error.message),
            ..error
        },
        _ => error,
    }
}

/// One walk along a plan: what its attempts find out goes into the exchange's own record.
pub(super) struct Walk<'w> {
    pub(super) asking: &'w Asking<'w>,
    pub(super) record: &'w mut Record,
    waited: &'w mut Duration,
    refused_with: &'w mut HeaderMap,
    said: &'w mut Option<Said>,
    pub(super) failure: Option<GatewayError>,
}

impl Walk<'_> {
    async fn attempt(&mut self, step: &Step) -> Result<Answer, GatewayError> {
        let mut tally = Tally::of(step);
        let place = self.begin(&tally);
        let result = attempt::run(self.asking, step, &mut tally).await;
        self.end(place, tally);
        if let Err(error) = &result {
            self.failure = Some(error.clone());
        }
        result
    }

    /// Notes an attempt that has begun, so that it is known also when the client leaves in its middle.
    pub(super) fn begin(&mut self, tally: &Tally) -> usize {
        self.record.attempts.push(tally.attempt.clone());
        self.record.attempts.len() - 1
    }

    /// Notes what an attempt found out.
    pub(super) fn end(&mut self, place: usize, tally: Tally) {
        *self.waited += tally.waited;
        if let Some(headers) = tally.refused_with {
            *self.refused_with = headers;
        }
        if tally.said.is_some() {
            *self.said = tally.said;
        }
        self.record.absorb(tally.record);
        if let Some(attempt) = self.record.attempts.get_mut(place) {
            *attempt = tally.attempt;
        }
    }
}
