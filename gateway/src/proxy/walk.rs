//! Walks the plan: one attempt after the other, until one has an answer. Nothing has been sent to the client then.

use std::ops::ControlFlow;
use std::pin::pin;
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

/// The first answer that is one. Its first event is there; nothing of it has been sent to the client.
pub(super) async fn first_good(
    request: &Request<'_>,
    plan: &Plan,
    exchange: &mut Exchange,
) -> Result<Answer, GatewayError> {
    let total = exchange.started + request.snapshot.timeouts.total;
    let Exchange { head, started, created, record, waited, refused_with, said, tab, .. } = exchange;
    let asking = Asking {
        request,
        model: &plan.model,
        effort: plan.effort,
        strict: plan.strict,
        head,
        key: record.key.clone(),
        request_id: record.request_id.clone(),
        started: *started,
        created: *created,
        canonical: OnceCell::new(),
        conversation: plan.affinity.as_ref().and_then(Affinity::conversation),
        tab: tab.clone(),
    };
    let left = plan.model.retry.attempts;
    let (failure, full, outgrown) = (None, Vec::new(), None);
    let mut walk =
        Walk { asking: &asking, plan, record, waited, refused_with, said, left, failure, full, outgrown };
    let found = match walk.along(total).await {
        ControlFlow::Break(found) => found,
        ControlFlow::Continue(()) => Err(walk.failure.unwrap_or_else(|| plan.nobody())),
    };
    found.map_err(ours_to_answer_for)
}

/// What a part of the walk found: an answer, an error nobody will do better than, or nothing that ends the walk.
type Walked = ControlFlow<Result<Answer, GatewayError>>;

/// A target and when it may be asked.
pub(super) struct Waiting<'a> {
    pub(super) step: &'a Step,
    pub(super) ready: Instant,
    /// Failed attempts so far.
    tried: u32,
    /// Keys of the provider that were to blame.
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
    /// Attempts there may still be among the targets.
    left: u32,
    failure: Option<GatewayError>,
    /// Targets that had no room.
    full: Vec<Step>,
    /// The prompt was too long for a target with this context (0: nobody knows); only larger ones come into question.
    outgrown: Option<u64>,
}

impl Walk<'_> {
    /// The targets, then each fallback, then whoever had no room and has a queue.
    async fn along(&mut self, total: Instant) -> Walked {
        self.targets(total).await?;
        if self.left == 0 {
            self.full.clear();
        }
        let targets = self.full.len();
        self.each(&self.plan.fallback).await?;
        // A fallback that had no room still has an attempt of its own.
        let fallbacks = u32::try_from(self.full.len().saturating_sub(targets)).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(fallbacks);
        self.queued(total).await
    }

    /// The targets: whoever is ready first, in the plan's order; a failed one comes back when it may be asked again.
    async fn targets(&mut self, total: Instant) -> Walked {
        let now = Instant::now();
        let waiting = |step| Waiting { step, ready: now, tried: 0, keys: 0 };
        let mut waiting: Vec<Waiting<'_>> = self.plan.steps.iter().map(waiting).collect();
        let mut hedging = Hedging::of(self.asking.request, self.plan);
        while self.left > 0 {
            let now = Instant::now();
            let next = waiting.iter().enumerate().min_by_key(|(_, waiting)| waiting.ready.max(now));
            let Some(next) = next.map(|(at, _)| at).map(|at| waiting.remove(at)) else { break };
            if next.ready > total {
                break;
            }
            // The runtime's clock ticks in milliseconds: a sleep until now lasts until the next tick.
            if next.ready > now {
                Exchange::wait(self.waited, tokio::time::sleep_until(next.ready.into())).await;
            }
            let tried = match hedging.take() {
                // Boxed: it is large, and most requests have none.
                Some(hedging) => Box::pin(hedge::race(self, next, &mut waiting, &hedging)).await,
                None => self.attempt(next.step).await.map_err(|error| vec![(next, error)]),
            };
            let failures = match tried {
                Ok(answer) => return ControlFlow::Break(Ok(answer)),
                Err(failures) => failures,
            };
            for (failed, error) in failures {
                self.again(failed, &error, &mut waiting).await?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Lets a target that failed wait for its next turn, if it gets one.
    async fn again<'p>(
        &mut self,
        mut failed: Waiting<'p>,
        error: &GatewayError,
        waiting: &mut Vec<Waiting<'p>>,
    ) -> Walked {
        if room::is_not_begun(error) {
            return ControlFlow::Continue(());
        }
        if provider_key::another(self.asking, failed.step, error, &mut failed.keys) {
            waiting.insert(0, failed);
            return ControlFlow::Continue(());
        }
        self.left = self.left.saturating_sub(1);
        if self.outgrow(failed.step, error) {
            waiting.retain(|waiting| self.takes_more(waiting.step));
            return ControlFlow::Continue(());
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

    /// Whether a prompt that was too long for this target goes to larger ones of the plan, where nothing else is said.
    fn outgrow(&mut self, failed: &Step, error: &GatewayError) -> bool {
        let Plan { model, on_context_length, .. } = self.plan;
        let asked_for = !on_context_length.is_empty() || model.retry.judge(error) != Judgement::Final;
        if error.kind != Kind::ContextLength || asked_for {
            return false;
        }
        let context = failed.context.or(model.facts.context);
        self.outgrown = self.outgrown.max(context.or(Some(0)));
        self.plan.steps.iter().chain(&self.plan.fallback).any(|step| self.takes_more(step))
    }

    fn takes_more(&self, step: &Step) -> bool {
        let context = step.context.or(self.plan.model.facts.context);
        self.outgrown.is_none_or(|outgrown| context.is_some_and(|context| context > outgrown))
    }

    /// What follows from a failure. One that has targets of its own ends the walk there.
    async fn judge(&mut self, error: &GatewayError) -> ControlFlow<Result<Answer, GatewayError>, Judgement> {
        let own = match error.kind {
            Kind::ContextLength => self.plan.on_context_length.as_slice(),
            Kind::ContentPolicy => self.plan.on_content_policy.as_slice(),
            _ => &[],
        };
        if !own.is_empty() {
            // Boxed: it is rare, and as large as the walk itself.
            let walked = Box::pin(self.each(own)).await;
            let failed = || Err(self.failure.take().unwrap_or_else(|| error.clone()));
            return ControlFlow::Break(walked.break_value().unwrap_or_else(failed));
        }
        match self.plan.model.retry.judge(error) {
            Judgement::Final => ControlFlow::Break(Err(error.clone())),
            judgement => ControlFlow::Continue(judgement),
        }
    }

    /// Each of these targets once, or once with each of a few keys.
    async fn each(&mut self, steps: &[Step]) -> Walked {
        for step in steps {
            let mut keys = 0;
            while self.takes_more(step) {
                match self.attempt(step).await {
                    Ok(answer) => return ControlFlow::Break(Ok(answer)),
                    Err(error) if provider_key::another(self.asking, step, &error, &mut keys) => {}
                    Err(error) if self.outgrow(step, &error) => break,
                    Err(error) if self.plan.model.retry.judge(&error) == Judgement::Final => {
                        return ControlFlow::Break(Err(error));
                    }
                    Err(_) => break,
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Waits for room at the targets that had none, while there are attempts left.
    async fn queued(&mut self, total: Instant) -> Walked {
        let retry = &self.plan.model.retry;
        while !self.full.is_empty() && self.left > 0 {
            let waiting = room::first(self.asking, &self.full, total);
            let (at, passes) = match Exchange::wait(self.waited, pin!(waiting)).await {
                Ok(entered) => entered,
                Err(error) => {
                    let failure = self.failure.take().filter(|failure| !room::is_full(failure));
                    self.failure = Some(failure.unwrap_or(error));
                    break;
                }
            };
            let step = self.full.remove(at);
            self.left -= 1;
            match self.attempt_with(&step, Some(passes)).await {
                Err(error) if retry.judge(&error) != Judgement::Final => {}
                ended => return ControlFlow::Break(ended),
            }
        }
        ControlFlow::Continue(())
    }

    async fn attempt(&mut self, step: &Step) -> Result<Answer, GatewayError> {
        self.attempt_with(step, None).await
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

    /// Notes a failure. What was tried and failed says more than that there was no room, or that a target rests.
    pub(super) fn failed(&mut self, step: &Step, error: &GatewayError) {
        if room::is_not_begun(error) {
            if room::is_full(error) {
                self.full.push(step.clone());
            }
            self.failure.get_or_insert_with(|| error.clone());
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
