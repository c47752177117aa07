//! The state machine of one target: closed, open, half open, and rests beside it. No clock, no lock, no log.
//!
//! Every change of phase begins a generation. A request knows the one it was begun in: what it reports of an older one
//! says nothing about what came after, so that fifty failures of requests begun together open a circuit once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::care::{Breaker, Care, Rests};
use super::reason::{Reason, Resting};
use crate::domain::Blame;

/// When nobody else is left, a target that rests is asked all the same: this often, and at first so many times at once.
/// A target that is down is not hammered so, and one that came back, or only fails now and then, is found at once.
pub(super) const LAST_RESORT_EVERY: Duration = Duration::from_secs(1);
pub(super) const LAST_RESORT_BURST: u32 = 20;

/// No rest is longer, whoever says so: an operator, a configuration, a store.
pub(super) const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// How a request comes to a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Entry {
    /// The target may be asked.
    #[default]
    Regular,
    /// It rests, and nobody else is left.
    LastResort,
    /// It rests, and the gateway itself looks whether it is back.
    Check,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Closed,
    Open { until: Instant },
    HalfOpen { running: u32, succeeded: u32 },
}

/// What a request that was let in must bring back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    generation: u64,
    role: Role,
}

impl Ticket {
    /// The gateway itself asks.
    pub(super) fn is_check(self) -> bool {
        self.role == Role::Check
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Regular,
    Probe,
    LastResort,
    Check,
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) blame: Blame,
    /// What the provider said about coming back.
    pub(super) retry_after: Option<Duration>,
    /// The answer had begun.
    pub(super) begun: bool,
}

/// What has become of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It rests.
    Rests(Reason, Instant),
    /// Its open circuit lets probes through.
    HalfOpened,
    /// It is asked again like any other.
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) until: Instant,
    pub(super) reason: Reason,
    /// The provider or the operator said how long: it is not asked before.
    pub(super) told: bool,
}

/// One target.
#[derive(Debug)]
pub(super) struct Circuit {
    phase: Phase,
    generation: u64,
    /// The generation after the latest lift: who was begun before it has no say in rests.
    lifted: u64,
    /// Failures in a row before an answer began, and of answers that broke.
    refused: VecDeque<Instant>,
    broken: VecDeque<Instant>,
    /// Failed probes in a row.
    reopened: u32,
    rest: Option<Rest>,
    /// When all that was let in as a last resort will have had its time.
    last_resort: Option<Instant>,
}

impl Default for Circuit {
    fn default() -> Self {
        Self {
            phase: Phase::Closed,
            generation: 0,
            lifted: 0,
            refused: VecDeque::new(),
            broken: VecDeque::new(),
            reopened: 0,
            rest: None,
            last_resort: None,
        }
    }
}

impl Circuit {
    /// Whether a request would be let in.
    pub(super) fn resting(&self, now: Instant, care: &Care) -> Option<Resting> {
        let resting = |until: Instant, reason, last_resort| Resting {
            until,
            left: until.saturating_duration_since(now),
            reason,
            last_resort,
            broken: self.phase != Phase::Closed,
        };
        let saved = LAST_RESORT_EVERY * (LAST_RESORT_BURST - 1);
        let next = self.last_resort.and_then(|until| until.checked_sub(saved)).unwrap_or(now);
        if let Some(rest) = self.rest.filter(|rest| rest.until > now) {
            // Who does not know a model costs nothing to ask; who is overloaded is asked now and then.
            let last = if rest.reason == Reason::Missing && self.phase == Phase::Closed { now } else { next };
            return Some(resting(rest.until, rest.reason, (!rest.told).then_some(last)));
        }
        let breaker = care.breaker?;
        match self.phase {
            Phase::Open { until } if until > now => Some(resting(until, Reason::Failures, Some(next))),
            Phase::HalfOpen { running, .. } if running >= breaker.probes => {
                Some(resting(now + LAST_RESORT_EVERY, Reason::Probing, Some(next)))
            }
            _ => None,
        }
    }

    /// Lets a request in, or says why not.
    pub(super) fn admit(
        &mut self,
        now: Instant,
        care: &Care,
        entry: Entry,
    ) -> Result<(Ticket, Option<Change>), Resting> {
        if self.rest.is_some_and(|rest| rest.until <= now) {
            self.rest = None;
        }
        let resting = self.resting(now, care);
        let role = match (resting, entry) {
            (_, Entry::Check) => Role::Check,
            (None, _) => return Ok(self.let_in(care)),
            (Some(resting), Entry::LastResort) if resting.last_resort.is_some_and(|from| from <= now) => {
                self.last_resort =
                    Some(self.last_resort.map_or(now, |until| until.max(now)) + LAST_RESORT_EVERY);
                Role::LastResort
            }
            (Some(resting), _) => return Err(resting),
        };
        Ok((Ticket { generation: self.generation, role }, None))
    }

    fn let_in(&mut self, care: &Care) -> (Ticket, Option<Change>) {
        let mut change = None;
        match self.phase {
            Phase::Closed => {}
            // Nobody minds failures any more.
            _ if care.breaker.is_none() => change = self.close(),
            Phase::Open { .. } => {
                self.enter(Phase::HalfOpen { running: 1, succeeded: 0 });
                change = Some(Change::HalfOpened);
            }
            Phase::HalfOpen { running, succeeded } => {
                self.phase = Phase::HalfOpen { running: running + 1, succeeded };
            }
        }
        let role = if self.phase == Phase::Closed { Role::Regular } else { Role::Probe };
        (Ticket { generation: self.generation, role }, change)
    }

    /// An answer has begun: the target is there.
    pub(super) fn answered(&mut self, ticket: Ticket, care: &Care) -> Option<Change> {
        if ticket.generation != self.generation {
            return None;
        }
        match (ticket.role, self.phase) {
            (Role::Probe, Phase::HalfOpen { running, succeeded }) => {
                let succeeded = succeeded + 1;
                self.phase = Phase::HalfOpen { running: running.saturating_sub(1), succeeded };
                let enough = care.breaker.is_none_or(|breaker| succeeded >= breaker.successes);
                enough.then(|| self.close()).flatten()
            }
            (Role::LastResort | Role::Check, _) => {
                // What was only guessed was wrong.
                let guessed = self.rest.take_if(|rest| !rest.told).map(|_| Change::Closed);
                self.refused.clear();
                self.close().or(guessed)
            }
            _ => {
                self.refused.clear();
                None
            }
        }
    }

    /// An answer has ended as it should.
    pub(super) fn ended(&mut self, ticket: Ticket) {
        if ticket.generation == self.generation {
            self.broken.clear();
        }
    }

    /// An attempt failed. `settled`: its answer has begun, and a probe has given its place back.
    pub(super) fn failed(
        &mut self,
        ticket: Ticket,
        failure: Failure,
        now: Instant,
        care: &Care,
    ) -> Option<Change> {
        let rests = self.rest_for(ticket, failure, now, care);
        let counts = matches!(failure.blame, Blame::Provider | Blame::Network | Blame::Overload);
        let Some(breaker) = care.breaker.filter(|_| counts && ticket.generation == self.generation) else {
            if !failure.begun {
                self.release(ticket);
            }
            return rests;
        };
        let opened = match (ticket.role, self.phase) {
            (Role::Regular, Phase::Closed) => self.count(failure.begun, now, &breaker),
            (Role::Probe, _) | (Role::Check, Phase::HalfOpen { .. }) => Some(self.reopen(now, &breaker)),
            (Role::Check, Phase::Open { until }) if until <= now => Some(self.reopen(now, &breaker)),
            (Role::Check | Role::LastResort, Phase::Closed) => self.count(failure.begun, now, &breaker),
            _ => None,
        };
        opened.or(rests)
    }

    /// A request ended without a verdict on the target, so that another may probe.
    pub(super) fn release(&mut self, ticket: Ticket) {
        if let (Role::Probe, Phase::HalfOpen { running, succeeded }) = (ticket.role, self.phase)
            && ticket.generation == self.generation
        {
            self.phase = Phase::HalfOpen { running: running.saturating_sub(1), succeeded };
        }
    }

    /// It rests until then, unless it rests longer already.
    pub(super) fn rest(&mut self, rest: Rest, now: Instant) -> Option<Change> {
        let before = self.rest.filter(|before| before.until > now);
        let by_hand = |rest: Rest| rest.reason == Reason::Hand;
        // The operator's word stands until its end, or until the next one.
        let stands = |before: Rest| before.until >= rest.until || by_hand(before);
        if !by_hand(rest) && before.is_some_and(stands) {
            return None;
        }
        self.rest = Some(rest);
        // The same rest, a little longer, is no news.
        let news = before.is_none_or(|before| before.reason != rest.reason);
        news.then_some(Change::Rests(rest.reason, rest.until))
    }

    /// Whatever there was against it is forgotten.
    pub(super) fn lift(&mut self, now: Instant) -> Option<Change> {
        let rested = self.rest.take().is_some_and(|rest| rest.until > now);
        let closed = self.close();
        self.enter(Phase::Closed);
        self.lifted = self.generation;
        rested.then_some(Change::Closed).or(closed)
    }

    /// Ends the time it is open: the next request is a probe.
    pub(super) fn try_again(&mut self, now: Instant) {
        if let Phase::Open { until } = &mut self.phase {
            *until = now.min(*until);
        }
    }

    /// What outlives the process: the rest, and the end of an open circuit with its failed probes.
    pub(super) fn lasting(&self) -> (Option<Rest>, Option<(Option<Instant>, u32)>) {
        let open = match self.phase {
            Phase::Closed => None,
            Phase::Open { until } => Some((Some(until), self.reopened)),
            // Probes died with the process.
            Phase::HalfOpen { .. } => Some((None, self.reopened)),
        };
        (self.rest, open)
    }

    /// As it was before a restart.
    pub(super) fn restore(&mut self, rest: Option<Rest>, open: Option<(Instant, u32)>) {
        self.rest = rest;
        if let Some((until, reopened)) = open {
            self.enter(Phase::Open { until });
            self.reopened = reopened;
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Failures in a row so far.
    pub(super) fn failures(&self) -> usize {
        self.refused.len().max(self.broken.len())
    }

    fn rest_for(&mut self, ticket: Ticket, failure: Failure, now: Instant, care: &Care) -> Option<Change> {
        let Rests { missing, rate, longest_rate, longest_overload } = care.rests;
        let told = failure.retry_after.filter(|wait| !wait.is_zero());
        let (wait, reason) = match failure.blame {
            _ if ticket.generation < self.lifted => return None,
            Blame::Route => (missing, Reason::Missing),
            Blame::Rate if care.keyless => (told.unwrap_or(rate).min(longest_rate), Reason::Rate),
            Blame::Overload => (told?.min(longest_overload), Reason::Overload),
            _ => return None,
        };
        if wait.is_zero() {
            return None;
        }
        let told = told.is_some() && reason != Reason::Missing;
        self.rest(Rest { until: now + wait.min(LONGEST), reason, told }, now)
    }

    /// One more failure in a row.
    fn count(&mut self, begun: bool, now: Instant, breaker: &Breaker) -> Option<Change> {
        let most = usize::try_from(breaker.failures.max(1)).unwrap_or(usize::MAX);
        let row = if begun { &mut self.broken } else { &mut self.refused };
        row.push_back(now);
        while row.len() > most {
            row.pop_front();
        }
        let oldest = *row.front().filter(|_| row.len() == most)?;
        let close_together =
            breaker.window.is_none_or(|window| now.saturating_duration_since(oldest) <= window);
        close_together.then(|| {
            self.reopened = 0;
            self.open(now, breaker)
        })
    }

    fn reopen(&mut self, now: Instant, breaker: &Breaker) -> Change {
        self.reopened = self.reopened.saturating_add(1);
        self.open(now, breaker)
    }

    fn open(&mut self, now: Instant, breaker: &Breaker) -> Change {
        let until = now + breaker.open_for(self.reopened).min(LONGEST);
        self.enter(Phase::Open { until });
        Change::Rests(Reason::Failures, until)
    }

    fn close(&mut self) -> Option<Change> {
        if self.phase == Phase::Closed {
            return None;
        }
        self.reopened = 0;
        self.enter(Phase::Closed);
        Some(Change::Closed)
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
        self.refused.clear();
        self.broken.clear();
    }
}

#[cfg(test)]
mod tests;
