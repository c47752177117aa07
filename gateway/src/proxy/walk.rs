//! Walks the plan: one attempt after the other, until one has an answer. Nothing has been sent to the client then.

use std::time::{Duration, Instant};

use http::HeaderMap;
use tokio::sync::OnceCell;

use super::answer::Answer;
use super::attempt::{self, Asking, Request, Tally};
use super::exchange::{Exchange, Said};
use super::hedge::{self, Hedging};
use super::provider_key;
use super::room;
use crate::domain::Record;
use crate::error::{GatewayError, Kind, Origin};
use crate::route::{Affinity, Judgement, Plan, Step};
use crate::upstream::Passes;

/// The first answer that is one. Its first event is there; nothing has been sent to the client.
pub(super) async fn first_good(
    request: &Request<'_>,
    plan: &Plan,
    exchange: &mut Exchange,
) -> Result<Answer, GatewayError> {
    let retry = &plan.model.retry;
    let total = exchange.started + request.snapshot.timeouts.total;
    let Exchange { head, started, created, record, waited, refused_with, said } = exchange;
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
        conversation: plan.affinity.as_ref().and_then(Affinity::conversation),
    };
    let mut walk = Walk { asking: &asking, record, waited, refused_with, said, failure: None, full: Vec::new() };
    let now = Instant::now();
    // Whoever is ready first, in the plan's order; a failed target comes back when it may be asked again.
    let mut waiting: Vec<Waiting<'_>> =
        plan.steps.iter().map(|step| Waiting { step, ready: now, tried: 0, keys: 0 }).collect();
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
            if provider_key::another(&asking, failed.step, &error, &mut failed.keys) {
                waiting.insert(0, failed);
                continue;
            }
            // Nothing was sent there; it is waited for when nobody else answers.
            if room::is_full(&error) {
                continue;
            }
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
    if left == 0 {
        walk.full.clear();
    }
    let waited_for = walk.full.len();
    for step in &plan.fallback {
        let mut keys = 0;
        loop {
            match walk.attempt(step).await {
                Ok(answer) => return Ok(answer),
                Err(error) if provider_key::another(&asking, step, &error, &mut keys) => {}
                Err(error) if retry.judge(&error) == Judgement::Final => return Err(error),
                Err(_) => break,
            }
        }
    }
    let chances = waited_for.min(left as usize) + (walk.full.len() - waited_for);
    if let Some(found) = walk.queued(total, chances).await {
        return found;
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
    /// Provider keys that were to blame for one.
    keys: u32,
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
    /// Targets that had no room.
    full: Vec<Step>,
}

impl Walk<'_> {
    async fn attempt(&mut self, step: &Step) -> Result<Answer, GatewayError> {
        self.attempt_with(step, None).await
    }

    /// Waits for room at the targets that had none, for so many attempts at most.
    async fn queued(&mut self, total: Instant, mut chances: usize) -> Option<Result<Answer, GatewayError>> {
        while !self.full.is_empty() && chances > 0 {
            let waiting = room::first(self.asking, &self.full, total);
            let (at, passes) = match Exchange::wait(self.waited, waiting).await {
                Ok(entered) => entered,
                Err(error) => {
                    let failure = self.failure.take().filter(|failure| !room::is_full(failure));
                    self.failure = Some(failure.unwrap_or(error));
                    return None;
                }
            };
            let step = self.full.remove(at);
            chances -= 1;
            match self.attempt_with(&step, Some(passes)).await {
                Err(error) if self.asking.model.retry.judge(&error) != Judgement::Final => {}
                ended => return Some(ended),
            }
        }
        None
    }

    /// An attempt, perhaps with room that was waited for.
    async fn attempt_with(&mut self, step: &Step, passes: Option<Passes>) -> Result<Answer, GatewayError> {
        let mut tally = Tally { passes, ..Tally::of(step) };
        let place = self.begin(&tally);
        let result = attempt::run(self.asking, step, &mut tally).await;
        self.end(place, tally);
        if let Err(error) = &result {
            self.failed(step, error);
        }
        result
    }

    /// Remembers a failure. That there was no room is told only when nothing worse happened.
    pub(super) fn failed(&mut self, step: &Step, error: &GatewayError) {
        if room::is_full(error) {
            self.full.push(step.clone());
            self.failure.get_or_insert(error.clone());
        } else {
            self.failure = Some(error.clone());
        }
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
