//! Walks the plan: one attempt after the other, until one has an answer. Nothing of an answer has been sent to the client
//! then.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use http::HeaderMap;
use tokio::sync::OnceCell;

use super::answer::Answer;
use super::attempt::{self, Asking, Request, Tally};
use super::exchange::{Exchange, Said};
use super::hedge::{self, Hedging};
use super::{provider_key, room};
use crate::domain::Record;
use crate::error::{GatewayError, Kind, Origin};
use crate::route::{Affinity, Judgement, Plan, Step};
use crate::upstream::Passes;

/// The first answer that is one. Its first event is there.
pub(super) async fn first_good(
    request: &Request<'_>,
    plan: &Plan,
    exchange: &mut Exchange,
) -> Result<Answer, GatewayError> {
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
        conversation: plan.affinity.as_ref().and_then(Affinity::conversation),
    };
    let left = plan.model.retry.attempts;
    let full = Vec::new();
    let mut walk =
        Walk { asking: &asking, plan, record, waited, refused_with, said, failure: None, left, full };
    let found = match walk.all(total).await {
        ControlFlow::Break(found) => found,
        ControlFlow::Continue(()) => Err(walk.failure.unwrap_or_else(|| plan.nobody())),
    };
    found.map_err(ours_to_answer_for)
}

/// What a part of the walk found: an answer, an error nobody will do better than, or nothing that ends the walk.
type Walked<C = ()> = ControlFlow<Result<Answer, GatewayError>, C>;

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
    plan: &'w Plan,
    pub(super) record: &'w mut Record,
    waited: &'w mut Duration,
    refused_with: &'w mut HeaderMap,
    said: &'w mut Option<Said>,
    pub(super) failure: Option<GatewayError>,
    /// Attempts that may still be made among the targets.
    left: u32,
    /// Targets that had no room.
    full: Vec<Step>,
}

impl<'w> Walk<'w> {
    /// The targets, then each fallback, then whoever had no room and has a queue.
    async fn all(&mut self, total: Instant) -> Walked {
        self.targets(total).await?;
        self.each(&self.plan.fallback).await?;
        self.queued(total).await
    }

    /// The targets: whoever is ready first, in the plan's order; a failed one comes back when it may be asked again.
    async fn targets(&mut self, total: Instant) -> Walked {
        let (plan, asking) = (self.plan, self.asking);
        let now = Instant::now();
        let mut waiting: Vec<Waiting<'w>> =
            plan.steps.iter().map(|step| Waiting { step, ready: now, tried: 0, keys: 0 }).collect();
        let mut hedging = Hedging::of(asking.request, plan);
        while self.left > 0 {
            let now = Instant::now();
            let next = waiting.iter().enumerate().min_by_key(|(_, waiting)| waiting.ready.max(now));
            let Some(next) = next.map(|(at, _)| at).map(|at| waiting.remove(at)) else { break };
            if next.ready > total {
                break;
            }
            Exchange::wait(self.waited, tokio::time::sleep_until(next.ready.into())).await;
            let tried = match hedging.take() {
                Some(hedging) => hedge::race(self, next, &mut waiting, &hedging).await,
                None => self.attempt(next.step, None).await.map_err(|error| vec![(next, error)]),
            };
            match tried {
                Ok(answer) => return ControlFlow::Break(Ok(answer)),
                Err(failures) => {
                    for (failed, error) in failures {
                        self.follow(failed, &error, &mut waiting).await?;
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// What follows from a failed attempt among the targets.
    async fn follow(
        &mut self,
        mut failed: Waiting<'w>,
        error: &GatewayError,
        waiting: &mut Vec<Waiting<'w>>,
    ) -> Walked {
        if provider_key::another(self.asking, failed.step, error, &mut failed.keys) {
            waiting.insert(0, failed);
            return ControlFlow::Continue(());
        }
        if room::is_full(error) {
            // Nothing was tried.
            self.full.push(failed.step.clone());
        } else {
            self.left = self.left.saturating_sub(1);
        }
        let retry = &self.plan.model.retry;
        if self.judge(error).await? == Judgement::Again
            && let Some(wait) = retry.wait(failed.tried, error.retry_after, fastrand::f64())
        {
            failed.ready = Instant::now() + wait;
            failed.tried += 1;
            waiting.push(failed);
        }
        ControlFlow::Continue(())
    }

    /// Whether anybody else is asked. A failure that has targets of its own ends the walk there.
    async fn judge(&mut self, error: &GatewayError) -> Walked<Judgement> {
        let own = match error.kind {
            Kind::ContextLength => self.plan.on_context_length.as_slice(),
            Kind::ContentPolicy => self.plan.on_content_policy.as_slice(),
            _ => &[],
        };
        if !own.is_empty() {
            // Boxed: it is rare, and as large as the walk itself.
            Box::pin(self.each(own)).await?;
            return ControlFlow::Break(Err(self.failure.take().unwrap_or_else(|| error.clone())));
        }
        match self.plan.model.retry.judge(error) {
            Judgement::Final => ControlFlow::Break(Err(error.clone())),
            judgement => ControlFlow::Continue(judgement),
        }
    }

    /// Each of these targets once, with as many of its keys as are to blame.
    async fn each(&mut self, steps: &[Step]) -> Walked {
        for step in steps {
            let mut keys = 0;
            loop {
                let error = match self.attempt(step, None).await {
                    Ok(answer) => return ControlFlow::Break(Ok(answer)),
                    Err(error) => error,
                };
                if provider_key::another(self.asking, step, &error, &mut keys) {
                    continue;
                }
                if room::is_full(&error) {
                    self.full.push(step.clone());
                }
                if self.plan.model.retry.judge(&error) == Judgement::Final {
                    return ControlFlow::Break(Err(error));
                }
                break;
            }
        }
        ControlFlow::Continue(())
    }

    /// Waits for room at the targets that had none, while there are attempts left.
    async fn queued(&mut self, total: Instant) -> Walked {
        while !self.full.is_empty() && self.left > 0 {
            let waiting = room::first(self.asking, &self.full, total);
            let (at, passes) = match Exchange::wait(self.waited, waiting).await {
                Ok(entered) => entered,
                Err(error) => {
                    let failure = self.failure.take().filter(|failure| !room::is_full(failure));
                    self.failure = Some(failure.unwrap_or(error));
                    break;
                }
            };
            let step = self.full.remove(at);
            self.left -= 1;
            match self.attempt(&step, Some(passes)).await {
                Err(error) if self.plan.model.retry.judge(&error) != Judgement::Final => {}
                ended => return ControlFlow::Break(ended),
            }
        }
        ControlFlow::Continue(())
    }

    /// One attempt, perhaps with room that was waited for.
    async fn attempt(&mut self, step: &Step, passes: Option<Passes>) -> Result<Answer, GatewayError> {
        let mut tally = Tally { passes, ..Tally::of(step) };
        let place = self.begin(&tally);
        let result = attempt::run(self.asking, step, &mut tally).await;
        self.end(place, tally);
        match &result {
            // What was tried says more than what had no room.
            Err(error) if room::is_full(error) => {
                self.failure.get_or_insert_with(|| error.clone());
            },
            Err(error) => self.failure = Some(error.clone()),
            Ok(_) => {}
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
