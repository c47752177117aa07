//! What is known of one target, and a request on its way there. Locks are held for some nanoseconds and never two at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::care::Care;
use super::circuit::{self, Change, Circuit, Failure, Phase, Rest, Ticket};
use super::first_tokens::FirstTokens;
use super::kept::Kept;
use super::reason::{Reason, Resting};
use super::share::Share;
use super::{Entry, Shared};
use crate::domain::{Blame, Usage};
use crate::error::{GatewayError, Origin};
use crate::route::experience::Experience;
use crate::route::judge::blame;

/// What is known of one target.
#[derive(Debug, Default)]
pub struct TargetState {
    provider: Arc<str>,
    model: String,
    /// Stands for all models of its provider that are not known one by one.
    for_many: bool,
    shared: Arc<Shared>,
    in_flight: AtomicU32,
    plugin_faults: AtomicU32,
    /// Mean time to the first token in microseconds, weighted towards now; 0: none yet.
    first_token: AtomicU64,
    /// Its 95th percentile; 0: too few.
    first_token_p95: AtomicU64,
    first_tokens: Mutex<FirstTokens>,
    /// What its answers tell.
    pub experience: Experience,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    circuit: Circuit,
    share: Share,
    /// How it was looked after when it was asked last; a listing has no model to ask.
    care: Care,
    /// What the store holds.
    kept: Option<Kept>,
}

/// How a target is doing, as a plan wants to know it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// It is not asked; `None`: it may be.
    pub resting: Option<Resting>,
    /// Too many of its attempts failed of late: it goes behind those that are not degraded.
    pub degraded: bool,
    /// Share of its latest attempts that succeeded, 0 to 1; 1 when there were none.
    pub success: f64,
}

/// Everything that is known of a target, to be shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The provider's name in the configuration.
    pub provider: Arc<str>,
    /// The provider's own model name; `*`: all that are not known one by one.
    pub model: String,
    /// `closed`, `half-open`, `open` or `resting`.
    pub state: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// Failures in a row.
    pub failures: usize,
    /// Requests it is answering now.
    pub in_flight: u32,
    /// Times its adapter failed; the target is not blamed for it.
    pub plugin_faults: u32,
    /// How long its first token took of late.
    pub first_token: Option<Duration>,
    /// How long it takes at most, but for one in twenty.
    pub first_token_p95: Option<Duration>,
}

impl TargetState {
    pub(super) fn new(provider: Arc<str>, model: String, for_many: bool, shared: Arc<Shared>) -> Self {
        Self { provider, model, for_many, shared, ..Self::default() }
    }

    /// A request is sent there, if the target lets it in now.
    ///
    /// # Errors
    /// Why it does not.
    pub fn begin(self: &Arc<Self>, care: &Care, entry: Entry, now: Instant) -> Result<Running, Resting> {
        let admitted = {
            let mut known = self.known.lock();
            known.care = *care;
            known.circuit.admit(now, care, entry)
        };
        let (ticket, change) = admitted?;
        self.tell(change, now);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Ok(Running {
            state: Arc::clone(self),
            care: *care,
            ticket,
            answered: false.into(),
            judged: false.into(),
        })
    }

    /// How it is doing.
    pub fn standing(&self, care: &Care, now: Instant) -> Standing {
        let known = self.known.lock();
        Standing {
            resting: known.circuit.resting(now, care),
            degraded: care.degrade.is_some_and(|degrade| known.share.is_degraded(&degrade, now)),
            success: known.share.success(now),
        }
    }

    /// The provider's name in the configuration.
    pub fn provider(&self) -> &Arc<str> {
        &self.provider
    }

    /// The provider's own model name; `*`: all that are not known one by one.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// How it was looked after when it was asked last.
    pub fn care(&self) -> Care {
        self.known.lock().care
    }

    /// Its circuit is not closed, or waits for a probe.
    pub fn is_open(&self, now: Instant) -> bool {
        !self.for_many && matches!(self.shown(now).state, "open" | "half-open")
    }

    /// Ends the time its circuit is open: the next request is a probe.
    pub fn try_again(&self, now: Instant) {
        self.known.lock().circuit.try_again(now);
    }

    /// Requests it is answering now.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How long its first token took of late.
    pub fn first_token(&self) -> Option<Duration> {
        micros(&self.first_token)
    }

    /// How long its first token takes at most, but for one in twenty. `None`: too few are known.
    pub fn first_token_p95(&self) -> Option<Duration> {
        micros(&self.first_token_p95)
    }

    /// A request was given up after so long without a first token, because another target answered it.
    pub fn outlasted(&self, took: Duration, now: Instant) {
        if self.first_token().is_some_and(|mean| took > mean) {
            self.took(took, now);
        }
    }

    /// Forgets whatever there is against it; false: there was nothing.
    pub fn lift(&self, now: Instant) -> bool {
        let change = {
            let mut known = self.known.lock();
            known.share = Share::default();
            known.circuit.lift(now)
        };
        self.tell(change, now);
        change.is_some()
    }

    /// Lets it rest, by hand.
    pub fn rest(&self, time: Duration, now: Instant) {
        let until = now + time.min(circuit::LONGEST);
        let rest = Rest { until, reason: Reason::Hand, told: true };
        let change = self.known.lock().circuit.rest(rest, now);
        self.tell(change, now);
    }

    /// Everything, to be shown.
    pub fn shown(&self, now: Instant) -> Shown {
        let care = self.known.lock().care;
        let standing = self.standing(&care, now);
        let (phase, failures) = {
            let known = self.known.lock();
            (known.circuit.phase(), known.circuit.failures())
        };
        let state = match (phase, standing.resting) {
            (_, Some(Resting { reason: Reason::Failures, .. })) => "open",
            (_, Some(Resting { reason: Reason::Probing, .. })) => "half-open",
            (_, Some(_)) => "resting",
            (Phase::Closed, None) => "closed",
            // The next request is a probe.
            (Phase::Open { .. } | Phase::HalfOpen { .. }, None) => "half-open",
        };
        Shown {
            provider: Arc::clone(&self.provider),
            model: self.model.clone(),
            state,
            standing,
            failures,
            in_flight: self.in_flight(),
            plugin_faults: self.plugin_faults.load(Ordering::Relaxed),
            first_token: self.first_token(),
            first_token_p95: self.first_token_p95(),
        }
    }

    /// True when forgetting it would lose nothing that matters.
    pub(super) fn is_plain(&self, now: Instant) -> bool {
        let known = self.known.lock();
        let (rest, open) = known.circuit.lasting();
        rest.is_none_or(|rest| rest.until <= now) && open.is_none() && self.in_flight() == 0
    }

    /// What the store shall hold, when that is not what it holds.
    pub(super) fn to_keep(&self, now: Instant, unix: u64) -> Option<Kept> {
        let mut known = self.known.lock();
        let (rest, open) = known.circuit.lasting();
        let next = Kept::of(rest, open, known.share.success(now), (now, unix));
        let before = known.kept.as_ref();
        let same = before.map_or_else(|| next.is_plain(), |before| before.says_the_same(&next));
        if same {
            return None;
        }
        known.kept = Some(next.clone());
        Some(next)
    }

    /// As it was before a restart.
    pub(super) fn restore(&self, kept: Kept, now: Instant, unix: u64) {
        let mut known = self.known.lock();
        let (rest, open) = kept.read((now, unix));
        known.circuit.restore(rest, open);
        known.share.restore(kept.success, now);
        known.kept = Some(kept);
    }

    fn took(&self, took: Duration, now: Instant) {
        let known = self.first_tokens.lock().add(took, now);
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.first_token.store(micros(known.mean), Ordering::Relaxed);
        self.first_token_p95.store(known.p95.map_or(0, micros), Ordering::Relaxed);
    }

    fn tell(&self, change: Option<Change>, now: Instant) {
        let Some(change) = change else { return };
        let (provider, model) = (&self.provider, &self.model);
        match change {
            Change::Rests(reason, until) => {
                let seconds = until.saturating_duration_since(now).as_secs_f64();
                tracing::warn!(%provider, %model, reason = reason.as_str(), seconds, "the target rests");
                self.shared.count(provider, reason);
            }
            Change::HalfOpened => tracing::info!(%provider, %model, "the target is tried again"),
            Change::Closed => tracing::info!(%provider, %model, "the target is asked again"),
        }
        self.shared.changed.notify_one();
    }
}

fn micros(count: &AtomicU64) -> Option<Duration> {
    let count = count.load(Ordering::Relaxed);
    (count > 0).then(|| Duration::from_micros(count))
}

/// A request a target is answering; it counts until this is dropped.
#[derive(Debug)]
pub struct Running {
    state: Arc<TargetState>,
    care: Care,
    ticket: Ticket,
    answered: AtomicBool,
    /// There was a verdict on the target.
    judged: AtomicBool,
}

impl Running {
    /// The first event, or the whole answer, is there.
    pub fn answered(&self, took: Duration, now: Instant) {
        // One token of our own says nothing about the answers of clients.
        if !self.ticket.is_check() {
            self.state.took(took, now);
        }
        self.answered.store(true, Ordering::Relaxed);
        self.judged.store(true, Ordering::Relaxed);
        let change = self.state.known.lock().circuit.answered(self.ticket, &self.care);
        self.state.tell(change, now);
    }

    /// What the whole answer counted, and the time in which it was written.
    pub fn wrote(&self, usage: &Usage, writing: Duration) {
        self.state.experience.learn(usage, writing);
    }

    /// The attempt failed before there was an answer.
    pub fn failed(&self, error: &GatewayError, now: Instant) {
        let begun = self.answered.load(Ordering::Relaxed);
        if error.origin == Origin::Plugin {
            self.state.plugin_faults.fetch_add(1, Ordering::Relaxed);
        }
        // What we or the client did wrong says nothing about the target.
        let Some(blame) = blame(error).filter(|_| error.origin == Origin::Upstream) else { return };
        let blame = if self.state.for_many && blame == Blame::Route { Blame::Client } else { blame };
        let against = match blame {
            Blame::Provider | Blame::Network | Blame::Overload | Blame::Route => true,
            Blame::Rate => self.care.keyless,
            Blame::Client | Blame::Key | Blame::Quota | Blame::Plugin => false,
        };
        self.judged.store(true, Ordering::Relaxed);
        let failure = Failure { blame, retry_after: error.retry_after, begun };
        let change = {
            let mut known = self.state.known.lock();
            if against {
                known.share.add(true, now);
            }
            known.circuit.failed(self.ticket, failure, now, &self.care)
        };
        self.state.tell(change, now);
    }

    /// The answer has ended, well or not.
    pub fn ended(self, error: Option<&GatewayError>, now: Instant) {
        if let Some(error) = error {
            return self.failed(error, now);
        }
        let mut known = self.state.known.lock();
        known.share.add(false, now);
        known.circuit.ended(self.ticket);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.state.in_flight.fetch_sub(1, Ordering::Relaxed);
        if !self.judged.load(Ordering::Relaxed) {
            self.state.known.lock().circuit.release(self.ticket);
        }
    }
}

#[cfg(test)]
mod tests;
