//! How much somebody may ask and spend: everything one request needs is held before a provider is asked, in one step,
//! and settled once with what it came to.
//!
//! [`Limits::admit`] turns the [`Bounds`] of a request into counters (`count`), holds them and gives a [`Permit`], or says
//! why not (`refusal`). A budget that cannot pay for the longest answer pays for a shorter one: the permit says how long it
//! may be. A permit that is dropped unsettled (its client has left, something broke) settles itself with what was held:
//! what is not known was spent.

mod count;
mod permit;
mod refusal;
mod warning;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::domain::{Bounds, id};
use crate::error::{GatewayError, Kind};
use crate::observe::Observer;
use crate::store::Holds;
use crate::store::holds::{Hold, Part, Settle, Standing, Unit, Verdict};

pub use permit::Permit;
use permit::Unsettled;
pub use refusal::Refused;
use warning::Watched;

/// So many permits may wait to be settled; those beyond settle when their time is up.
const WAITING: usize = 4_096;
/// A hold outlives the longest answer by so much.
const GRACE: Duration = Duration::from_secs(60);
/// So often a reservation is made smaller because others took what was left meanwhile.
const TRIES: usize = 3;

/// All limits of a deployment. Cheap to clone; what it counts outlives reloads.
#[derive(Clone)]
pub struct Limits {
    inner: Arc<Inner>,
}

struct Inner {
    holds: Arc<dyn Holds>,
    observer: Arc<Observer>,
    unsettled: mpsc::Sender<Unsettled>,
    /// Taken by whoever settles them.
    waiting: Mutex<Option<mpsc::Receiver<Unsettled>>>,
}

/// What one request needs.
#[derive(Clone, Debug)]
pub struct Need<'a> {
    /// Every limit that holds for it.
    pub bounds: Vec<&'a Bounds>,
    /// Tokens it is likely to take.
    pub tokens: u64,
    /// What it may cost.
    pub money: Money,
    /// How long it may run.
    pub within: Duration,
    /// The model it was sent down to: allowances that name it let it pass, and count it.
    pub instead: Option<&'a str>,
}

/// What a request may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Money {
    /// Nobody is asked who costs anything.
    Nothing,
    /// So much, and no more.
    AtMost(Reserve),
    /// The price of this target is not known.
    Unknown(String),
}

/// What is reserved for a request: its prompt, and an answer as long as it may be. In millionths of a micro-dollar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// Everything but the answer.
    pub fixed: u64,
    /// One token of the answer, all its versions together.
    pub each: u64,
    /// Tokens the answer may have.
    pub output: u64,
    /// An answer that may not have so many is not worth asking for.
    pub least: u64,
}

impl Reserve {
    /// Micro-dollars for an answer of so many tokens.
    fn micros(&self, output: u64) -> u64 {
        let whole = u128::from(self.fixed) + u128::from(self.each) * u128::from(output);
        u64::try_from(whole.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    /// The longest answer that so many micro-dollars pay for.
    fn affords(&self, micros: u64) -> u64 {
        let left = (u128::from(micros) * 1_000_000).saturating_sub(u128::from(self.fixed));
        left.checked_div(u128::from(self.each))
            .map_or(self.output, |tokens| u64::try_from(tokens).unwrap_or(u64::MAX).min(self.output))
    }
}

impl Limits {
    /// Limits that are counted there.
    pub fn new(holds: Arc<dyn Holds>, observer: Arc<Observer>) -> Self {
        let (unsettled, waiting) = mpsc::channel(WAITING);
        Self { inner: Arc::new(Inner { holds, observer, unsettled, waiting: Mutex::new(Some(waiting)) }) }
    }

    /// Where they are counted.
    pub fn holds(&self) -> &Arc<dyn Holds> {
        &self.inner.holds
    }

    /// Holds everything a request needs.
    ///
    /// # Errors
    /// Why it may not be made now, or which model may be asked instead.
    pub async fn admit(&self, need: &Need<'_>) -> Result<Permit, Refused> {
        let now = self.inner.holds.now();
        let counted = count::all(need, now / 1_000);
        if counted.is_empty() {
            return Ok(Permit::of_nothing(self.clone()));
        }
        let has_money = counted.iter().any(|counted| counted.unit() == Unit::Money);
        let reserve = match &need.money {
            Money::AtMost(reserve) => Some(*reserve),
            Money::Unknown(target) if has_money => return Err(refusal::unpriced(target, &counted)),
            Money::Nothing | Money::Unknown(_) => None,
        };
        let id = id::request_id(None);
        let within = need.within.saturating_add(GRACE);
        let mut output = reserve.map(|reserve| reserve.output);
        for tries in 0.. {
            let micros = reserve.zip(output).map_or(0, |(reserve, output)| reserve.micros(output));
            let parts = counted.iter().map(|counted| counted.part(micros)).collect();
            let verdict = self.inner.holds.hold(Hold { id: id.clone(), within, parts }).await;
            let (part, retry_after, standings) = match verdict {
                Err(lost) => {
                    self.doubt(&id);
                    return Err(GatewayError::from(lost).into());
                }
                Ok(Verdict::Held(standings)) => {
                    let watched = counted.iter().filter_map(Watched::of).collect();
                    let capped = output.filter(|_| has_money && reserve.is_some_and(|it| it.each > 0));
                    let permit = Permit::held(self.clone(), id, capped, (standings, watched));
                    return Ok(permit.reserving(micros));
                }
                Ok(Verdict::Refused { part, retry_after, standings }) => (part, retry_after, standings),
            };
            let left = reserve.zip(output).filter(|_| tries < TRIES);
            let fits = left.and_then(|(reserve, output)| shorter(&reserve, output, (part, &standings)));
            if fits.is_none() {
                let told = refusal::Told { counted: &counted, part, retry_after, standings: &standings };
                return Err(self.refused(&told, micros, now));
            }
            output = fits;
        }
        Err(GatewayError::gateway(Kind::Internal, "a permit was neither given nor refused").into())
    }

    /// Whether that was held is not known: it is settled with nothing, if it was.
    fn doubt(&self, id: &str) {
        let settle = Settle { id: id.to_owned(), tokens: Some(0), cost: Some(crate::domain::Cost(0)) };
        self.later(Unsettled { settle, watched: Vec::new() });
    }

    fn refused(&self, told: &refusal::Told<'_>, micros: u64, now: u64) -> Refused {
        if let Some(counted) = told.counted.get(told.part) {
            let (kind, unit) = (count::kind(counted.scope), count::word(counted.unit()));
            self.inner.observer.metrics().limit_refusals.with_label_values(&[kind, unit]).inc();
        }
        refusal::of(told, micros, now)
    }

    /// How everything stands that holds for somebody.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn look(&self, bounds: &[&Bounds]) -> Result<Vec<Shown>, GatewayError> {
        let need = Need {
            bounds: bounds.to_vec(),
            tokens: 0,
            money: Money::Nothing,
            within: Duration::ZERO,
            instead: None,
        };
        let counted = count::all(&need, self.inner.holds.now() / 1_000);
        let parts: Vec<Part> = counted.iter().map(|counted| counted.part(0)).collect();
        let standings = self.inner.holds.look(parts).await?;
        Ok(counted.iter().zip(standings).map(|(counted, standing)| counted.shown(standing)).collect())
    }

    /// Settles what is dropped, until the end. Only the first call does anything.
    pub async fn settle_dropped(&self) {
        let Some(mut waiting) = self.inner.waiting.lock().take() else { return std::future::pending().await };
        while let Some(unsettled) = waiting.recv().await {
            let mut wait = Duration::from_millis(100);
            while !self.settle_now(&unsettled).await {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(30));
            }
        }
    }

    /// True when nothing more can be done.
    async fn settle_now(&self, unsettled: &Unsettled) -> bool {
        match self.inner.holds.settle(unsettled.settle.clone()).await {
            Ok(settled) => {
                warning::tell(self.inner.observer.metrics(), &unsettled.watched, &settled);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "a request's limits could not be settled; they will be");
                false
            }
        }
    }

    fn later(&self, unsettled: Unsettled) {
        // What finds no place settles itself with what was held, when its time is up.
        if self.inner.unsettled.try_send(unsettled).is_err() {
            self.inner.observer.metrics().limits_unsettled.inc();
        }
    }
}

/// The longest answer that fits into what is left of every budget, when a shorter one may do.
fn shorter(reserve: &Reserve, output: u64, (part, standings): (usize, &[Standing])) -> Option<u64> {
    standings.get(part).filter(|stuck| stuck.unit == Unit::Money)?;
    let left = standings.iter().filter(|it| it.unit == Unit::Money).map(Standing::left).min()?;
    let fits = reserve.affords(left);
    (reserve.each > 0 && fits < output && fits >= reserve.least.max(1)).then_some(fits)
}

/// The window of these that has the smallest part left; of several, the one that takes longest to be free again.
pub fn tightest(standings: &[Standing], unit: Unit) -> Option<&Standing> {
    let windows = standings.iter().filter(|standing| standing.unit == unit);
    windows.min_by(|one, other| {
        // Crosswise, so that nothing is rounded.
        let share = |of: &Standing, by: &Standing| i128::from(of.left()) * i128::from(by.limit.max(1));
        share(one, other).cmp(&share(other, one)).then_with(|| other.reset.cmp(&one.reset))
    })
}

/// A limit and how it stands, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Whose limit it is: `key/web`.
    pub scope: String,
    /// Its window in words: `60/min`, `budget per month`, `at a time`.
    pub window: String,
    /// When it begins again, Unix time in seconds, where it does so at once.
    pub until: Option<u64>,
    /// How it stands.
    pub standing: Standing,
}

#[cfg(test)]
mod tests;
