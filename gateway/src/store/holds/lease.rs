//! What happens while the counters that all nodes share are lost: requests are refused, pass within what this node was
//! given beforehand, or pass.
//!
//! A node is given a slice of each budget it counts on, whenever it sees that there is room: a share of the limit, no more
//! than a fixed sum, no more than is left. Without the counters it may spend that slice and no more, and it gets a new one
//! only when what it spent is booked and there is still room. So however often the counters are lost, no more than the
//! limit and one slice per node is ever spent. What was spent meanwhile is booked once, when they are back.
//!
//! When the counters come back empty, each node says what it has seen of them: whoever settled last knows the whole sum.

mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use self::state::{Booking, State};
use super::{Hold, Holds, Local, Part, Rule, Settle, Settled, Standing, Unit, Verdict};
use crate::domain::Cost;
use crate::store::{Clock, StoreError};

/// How often a node looks whether something waits to be booked.
const EVERY: Duration = Duration::from_millis(200);
/// A booking that was begun counts by itself after so long.
const BOOKED_WITHIN: Duration = Duration::from_secs(60 * 60);

/// What happens to requests while the counters are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnLoss {
    /// They are refused.
    Deny,
    /// They pass up to what this node was given.
    Lease,
    /// They pass.
    Allow,
}

/// What is done without the counters, and how much a node is given beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// For the counters of a scope, by the word that their places begin with; it comes before the other two.
    pub by_scope: [(&'static str, Option<OnLoss>); 6],
    /// For budgets.
    pub money: OnLoss,
    /// For all other limits.
    pub rates: OnLoss,
    /// This share of a limit, in millionths.
    pub share: u32,
    /// And of a budget no more than so many micro-dollars.
    pub most: i64,
}

impl Policy {
    fn of(&self, part: &Part) -> OnLoss {
        let scope = part.place.split('/').next();
        let said = self.by_scope.iter().find(|(known, _)| scope == Some(known)).and_then(|(_, said)| *said);
        said.unwrap_or(if part.unit == Unit::Money { self.money } else { self.rates })
    }

    /// How much of a limit a node may be given.
    fn slice(&self, limit: i64) -> i64 {
        let share = i128::from(limit.max(0)) * i128::from(self.share) / 1_000_000;
        i64::try_from(share).unwrap_or(i64::MAX).min(self.most)
    }

    /// A rule for this node alone: its share of the limit, and one at least, so that a small limit does not stop everything.
    fn share_of(&self, rule: Rule) -> Rule {
        let of = |count: u64| {
            let share = u128::from(count) * u128::from(self.share) / 1_000_000;
            u64::try_from(share).unwrap_or(u64::MAX).max(1)
        };
        match rule {
            Rule::Rate { count, per } => Rule::Rate { count: of(count), per },
            Rule::Concurrent { most } => {
                Rule::Concurrent { most: u32::try_from(of(u64::from(most))).unwrap_or(most) }
            }
            money @ Rule::Money { .. } => money,
        }
    }
}

/// Counters that can be lost.
pub trait Losable: Holds {
    /// Whether they answer.
    fn is_up(&self) -> bool;

    /// How often they were found empty since this node knows them.
    fn emptied(&self) -> u64;
}

/// How often something happened without the counters, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Without {
    /// Refused.
    pub denied: u64,
    /// Passed within what this node was given.
    pub leased: u64,
    /// Passed without a limit.
    pub allowed: u64,
}

/// Shared counters, and what happens without them.
pub struct Leased {
    shared: Arc<dyn Losable>,
    policy: Policy,
    /// Rates and concurrency of this node while the shared ones are lost.
    own: Local,
    state: Mutex<State>,
    denied: AtomicU64,
    leased: AtomicU64,
    allowed: AtomicU64,
}

impl Leased {
    /// Nothing is given yet: a node must have seen a budget before it is given a part of it.
    pub fn new(shared: Arc<dyn Losable>, policy: Policy, clock: Clock) -> Self {
        Self {
            state: Mutex::new(State::new(shared.emptied())),
            shared,
            policy,
            own: Local::new(clock),
            denied: AtomicU64::new(0),
            leased: AtomicU64::new(0),
            allowed: AtomicU64::new(0),
        }
    }

    /// What happened without the counters.
    pub fn without(&self) -> Without {
        Without {
            denied: self.denied.load(Ordering::Relaxed),
            leased: self.leased.load(Ordering::Relaxed),
            allowed: self.allowed.load(Ordering::Relaxed),
        }
    }

    /// Books what was spent without the counters, again and again.
    pub async fn keep_booking(&self) -> std::convert::Infallible {
        loop {
            if self.shared.is_up()
                && let Err(error) = self.book().await
            {
                tracing::debug!(%error, "what was spent without the store is booked later");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Books once what waits.
    ///
    /// # Errors
    /// When the counters are lost again; what is not booked waits on.
    pub async fn book(&self) -> Result<(), StoreError> {
        self.say_what_was_seen().await?;
        loop {
            let Some(id) = self.state.lock().doubtful() else { break };
            let nothing = Settle { id: id.clone(), tokens: Some(0), cost: Some(Cost(0)) };
            self.shared.settle(nothing).await?;
            self.state.lock().is_sure(&id);
        }
        loop {
            let Some(booking) = self.state.lock().booking() else { return Ok(()) };
            let Booking { id, part, cost, is_held } = booking;
            if !is_held {
                let rule = match part.rule {
                    Rule::Money { rolling, life, .. } => Rule::Money { limit: i64::MAX, rolling, life },
                    other => other,
                };
                let parts = vec![Part { rule, amount: cost.ceiling(), ..part }];
                self.shared.hold(Hold { id: id.clone(), within: BOOKED_WITHIN, parts }).await?;
                self.state.lock().is_begun(&id);
            }
            // Not known: an earlier try has done it, and its answer was lost.
            self.shared.settle(Settle { id: id.clone(), tokens: None, cost: Some(cost) }).await?;
            self.state.lock().is_booked(&id);
        }
    }

    async fn say_what_was_seen(&self) -> Result<(), StoreError> {
        let emptied = self.shared.emptied();
        let seen = self.state.lock().seen(emptied);
        let Some(seen) = seen else { return Ok(()) };
        tracing::error!(
            count = seen.len(),
            "the store was emptied: it is told what this node has seen of budgets"
        );
        for (part, spent) in seen {
            let spent = u64::try_from(spent).unwrap_or(0);
            self.shared.raise(part, Cost(spent.saturating_mul(1_000_000))).await?;
        }
        self.state.lock().was_said(emptied);
        Ok(())
    }

    /// Decides without the counters.
    async fn decide(&self, hold: Hold, why: String) -> Result<Verdict, StoreError> {
        let lost = |why: String| {
            self.denied.fetch_add(1, Ordering::Relaxed);
            Err(StoreError::Lost(why))
        };
        if hold.parts.iter().any(|part| self.policy.of(part) == OnLoss::Deny) {
            return lost(why);
        }
        let own = Hold { parts: self.own_parts(&hold.parts), ..hold.clone() };
        let mut standings = match self.own.hold(own).await? {
            Verdict::Held(standings) => standings.into_iter(),
            Verdict::Refused { part, retry_after, standings } => {
                let rates = hold.parts.iter().enumerate().filter(|(_, part)| part.unit != Unit::Money);
                let part = rates.map(|(at, _)| at).nth(part).unwrap_or(0);
                let mut own = standings.into_iter();
                let all = self.state.lock().standings(&hold.parts, &mut own);
                return Ok(Verdict::Refused { part, retry_after, standings: all });
            }
        };
        let is_leased = |part: &Part| self.policy.of(part) == OnLoss::Lease;
        let given = {
            let mut state = self.state.lock();
            let given = state.lease(&hold, is_leased);
            given.then(|| state.standings(&hold.parts, &mut standings))
        };
        let Some(standings) = given else {
            let nothing = Settle { id: hold.id, tokens: Some(0), cost: None };
            self.own.settle(nothing).await?;
            return lost(format!("{why}, and nothing is left of what this node was given"));
        };
        let counted = if self.is_unlimited(&hold.parts) { &self.allowed } else { &self.leased };
        if counted.fetch_add(1, Ordering::Relaxed).is_multiple_of(1000) {
            tracing::warn!(why, without = ?self.without(), "requests pass without the store");
        }
        Ok(Verdict::Held(standings))
    }

    /// What of a hold this node counts for itself.
    fn own_parts(&self, parts: &[Part]) -> Vec<Part> {
        let own = |part: &Part| {
            let rule = match (self.policy.of(part), part.rule) {
                (OnLoss::Allow, Rule::Rate { per, .. }) => Rule::Rate { count: u64::MAX, per },
                (OnLoss::Allow, Rule::Concurrent { .. }) => Rule::Concurrent { most: u32::MAX },
                (_, rule) => self.policy.share_of(rule),
            };
            Part { rule, ..part.clone() }
        };
        parts.iter().filter(|part| part.unit != Unit::Money).map(own).collect()
    }

    fn is_unlimited(&self, parts: &[Part]) -> bool {
        parts.iter().all(|part| self.policy.of(part) == OnLoss::Allow)
    }
}

#[async_trait]
impl Holds for Leased {
    async fn hold(&self, hold: Hold) -> Result<Verdict, StoreError> {
        let now = self.own.now();
        match self.shared.hold(hold.clone()).await {
            Ok(verdict) => {
                let (is_held, standings) = match &verdict {
                    Verdict::Held(standings) => (true, standings),
                    Verdict::Refused { standings, .. } => (false, standings),
                };
                let mut state = self.state.lock();
                for (part, standing) in hold.parts.iter().zip(standings) {
                    state.saw(part, standing, self.policy.slice(standing.limit), now);
                }
                if is_held {
                    state.opened(hold, now);
                }
                Ok(verdict)
            }
            Err(StoreError::Lost(why)) => self.decide(hold, why).await,
            Err(error) => Err(error),
        }
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        let leased = self.state.lock().end_lease(&settle);
        if let Some(settled) = leased {
            self.own.settle(settle).await?;
            return Ok(settled);
        }
        let mut settled = self.shared.settle(settle.clone()).await?;
        self.state.lock().settled(&settle, &mut settled);
        Ok(settled)
    }

    async fn look(&self, parts: Vec<Part>) -> Result<Vec<Standing>, StoreError> {
        self.shared.look(parts).await
    }

    async fn raise(&self, part: Part, spent: Cost) -> Result<(), StoreError> {
        self.shared.raise(part, spent).await
    }

    fn now(&self) -> u64 {
        self.shared.now()
    }
}

#[cfg(test)]
mod tests;
