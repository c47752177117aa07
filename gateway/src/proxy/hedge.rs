//! A second attempt beside a slow one. The first answer is taken; the other attempt is dropped, which closes its
//! connection and so cancels it. Its provider may bill what it was asked all the same, so it is recorded.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::attempt::{self, Request, Tally};
use super::walk::{Waiting, Walk};
use super::{booked, counted};
use crate::domain::{Attempt, Usage};
use crate::error::GatewayError;
use crate::route::{Affinity, Budget, Hedge, Plan};

/// What a hedge would need, for a request that may have one.
pub(super) struct Hedging<'p> {
    hedge: &'p Hedge,
    budget: Arc<Budget>,
    /// How long the first target has.
    patience: Duration,
    /// The first target is the home of a conversation: its prompt cache is likely to hold the prompt.
    at_home: bool,
    body: &'p [u8],
}

impl<'p> Hedging<'p> {
    /// For the first attempt of a plan; `None`: it is not hedged.
    pub(super) fn of(request: &'p Request<'_>, plan: &'p Plan) -> Option<Self> {
        let hedge = plan.model.hedge.as_ref()?;
        let (envelope, operation) = (request.envelope, request.dialect.operation());
        let [first, _, ..] = plan.steps.as_slice() else { return None };
        // Two whole answers could both be kept under the one id that the client is told.
        let kept_whole = request.keeping.is_some() && !envelope.stream;
        if kept_whole || !hedge.covers(operation, envelope.stream) {
            return None;
        }
        let budget = request.ground.fleet.hedges(&plan.model.name);
        budget.earn(hedge.share);
        let target = format!("{}/{}", first.provider, first.model);
        let at_home = plan
            .affinity
            .as_ref()
            .is_some_and(|affinity| matches!(affinity, Affinity::Known { home, .. } if *home == target));
        let patience = hedge.patience(&first.state)?;
        Some(Self { hedge, budget, patience, at_home, body: &envelope.body })
    }

    /// The budget is asked last: what it gives is spent.
    fn allowed(&self) -> bool {
        let warm = self.at_home && counted::prompt(self.body) > self.hedge.warm;
        !warm && self.budget.spend()
    }
}

/// One of two attempts.
struct Runner<'p> {
    waiting: Waiting<'p>,
    /// Where it stands in the record.
    place: usize,
    tally: Tally,
    began: Instant,
}

impl<'p> Runner<'p> {
    fn of(walk: &mut Walk<'_>, waiting: Waiting<'p>) -> Self {
        let tally = Tally::of(waiting.step);
        Self { place: walk.begin(&tally), waiting, tally, began: Instant::now() }
    }

    /// The other one has answered.
    fn cancel(&mut self, body: &[u8]) {
        let took = self.began.elapsed();
        // It is slow, and would be thought fast if only those counted that were waited for.
        self.waiting.step.state.outlasted(took, Instant::now());
        let attempt = &mut self.tally.attempt;
        attempt.took = took;
        attempt.outcome = Attempt::HEDGED_AWAY;
        // Not yet, where its stream had begun: that was booked when it was dropped.
        drop(self.tally.bill.take());
        let spent = counted::prompt(body);
        attempt.spent = Some(spent);
        if let Some(key) = &self.tally.in_hand {
            key.spent(Some(Usage { input: Some(spent), estimated: true, ..Usage::default() }));
        }
    }
}

/// An attempt under way. Boxed: it is large, and two of them are awaited in one place.
type Running<'r> = Pin<Box<dyn Future<Output = Result<Answer, GatewayError>> + Send + 'r>>;
/// What came of an attempt; `None`: it was cancelled.
type Outcome = Option<Result<Answer, GatewayError>>;

/// The attempt at `first`, and one beside it at the next of those who wait when it takes too long. Failures are told
/// with their targets when nobody answered.
pub(super) async fn race<'p>(
    walk: &mut Walk<'_>,
    first: Waiting<'p>,
    others: &mut Vec<Waiting<'p>>,
    hedging: &Hedging<'_>,
) -> Result<Answer, Vec<(Waiting<'p>, GatewayError)>> {
    let asking = walk.asking;
    let mut one = Runner::of(walk, first);
    let mut two: Option<Runner<'p>> = None;
    let (outcome, beside) = {
        let mut running: Running<'_> = Box::pin(attempt::run(asking, one.waiting.step, &mut one.tally));
        match tokio::time::timeout(hedging.patience, &mut running).await {
            Ok(result) => (Some(result), None),
            Err(_) => match second(walk, one.waiting.step, others, hedging) {
                None => (Some(running.await), None),
                Some(next) => {
                    let two = two.insert(Runner::of(walk, next));
                    let beside = Box::pin(attempt::run(asking, two.waiting.step, &mut two.tally));
                    either(asking, running, beside).await
                }
            },
        }
    };
    settle(walk, hedging, (one, outcome), two.map(|two| (two, beside)))
}

/// Who is asked beside the first, if anyone may be.
fn second<'p>(
    walk: &mut Walk<'_>,
    first: &crate::route::Step,
    others: &mut Vec<Waiting<'p>>,
    hedging: &Hedging<'_>,
) -> Option<Waiting<'p>> {
    let now = Instant::now();
    let other =
        |waiting: &Waiting<'_>| waiting.ready <= now && !Arc::ptr_eq(&waiting.step.state, &first.state);
    let at = others.iter().position(other)?;
    if !hedging.allowed() {
        walk.record.hedge = Some("denied");
        return None;
    }
    Some(others.remove(at))
}

/// Whoever answers first. One that fails leaves the field to the other.
async fn either(
    asking: &attempt::Asking<'_>,
    mut one: Running<'_>,
    mut two: Running<'_>,
) -> (Outcome, Outcome) {
    let outcome = tokio::select! {
        biased;
        first = &mut one => match first {
            Ok(answer) => (Some(Ok(answer)), None),
            Err(error) => (Some(Err(error)), Some(two.await)),
        },
        second = &mut two => match second {
            Ok(answer) => (None, Some(Ok(answer))),
            Err(error) => (Some(one.await), Some(Err(error))),
        },
    };
    // Whoever is dropped from here on was hedged away.
    booked::hedged_away(asking, true);
    outcome
}

/// Notes what came of it. Who answered comes last: what it found out stands for the request.
fn settle<'p>(
    walk: &mut Walk<'_>,
    hedging: &Hedging<'_>,
    (mut one, outcome): (Runner<'p>, Outcome),
    two: Option<(Runner<'p>, Outcome)>,
) -> Result<Answer, Vec<(Waiting<'p>, GatewayError)>> {
    let mut runners = Vec::with_capacity(2);
    if let Some((mut two, beside)) = two {
        walk.record.hedge = Some(if matches!(beside, Some(Ok(_))) { "won" } else { "lost" });
        // They waited at the same time.
        one.tally.waited = one.tally.waited.max(hedging.patience + two.tally.waited);
        two.tally.waited = Duration::ZERO;
        runners.push((two, beside));
    }
    runners.insert(0, (one, outcome));
    let mut answered = None;
    let asking = walk.asking;
    let mut failures = Vec::new();
    for (mut runner, outcome) in runners {
        match outcome {
            Some(Ok(answer)) => answered = Some((runner, answer)),
            Some(Err(error)) => {
                walk.end(runner.place, runner.tally);
                walk.failed(runner.waiting.step, &error);
                failures.push((runner.waiting, error));
            }
            None => {
                runner.cancel(hedging.body);
                walk.end(runner.place, runner.tally);
            }
        }
    }
    booked::hedged_away(asking, false);
    let Some((runner, answer)) = answered else { return Err(failures) };
    walk.end(runner.place, runner.tally);
    Ok(answer)
}
