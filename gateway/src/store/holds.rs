//! Limits and budgets as they are counted: everything one request needs is held in one step, or nothing is.
//!
//! A hold names its counters ([`Place`]) and says for each what must not be exceeded. It is settled once with what was
//! really used. One that is not settled in time counts as used as much as was held: what is not known was spent.
//!
//! Money is counted in micro-dollars; what is left below one is carried, so that a counter agrees with its ledger.

pub mod lease;
mod local;
#[cfg(test)]
pub(in crate::store) mod suite;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use self::local::Local;
use super::StoreError;
use crate::domain::Cost;

/// The name of a counter: `key/web/requests/60`, `team/shop/budget/2026-11`. Its rule is part of the name where it changes
/// what the count means; a higher or lower limit is the same counter.
pub type Place = Arc<str>;

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Requests: never given back.
    Requests,
    /// Tokens: held as estimated, settled as they were.
    Tokens,
    /// Requests that run: given back when it is settled.
    Concurrent,
    /// Micro-dollars: held as estimated, settled as they were.
    Money,
}

/// What a counter allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// So many per time, by GCRA: up to `count` at once, then one each `per / count`.
    Rate {
        /// How many.
        count: u64,
        /// In what time.
        per: Duration,
    },
    /// So many at a time.
    Concurrent {
        /// How many.
        most: u32,
    },
    /// Spent and reserved together stay within it.
    Money {
        /// Micro-dollars.
        limit: i64,
        /// What was spent longer ago no longer counts; `None`: the place's name ends with its period.
        rolling: Option<Duration>,
        /// The counter is forgotten after so long without use; `None`: never.
        life: Option<Duration>,
    },
}

/// One counter of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub place: Place,
    /// What it counts.
    pub unit: Unit,
    /// What it allows.
    pub rule: Rule,
    /// How much is held: 1 for requests, an estimate of tokens, micro-dollars rounded up.
    pub amount: u64,
}

/// What one request wants to hold, all of it or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Ours, and unique.
    pub id: String,
    /// Not settled after so long, it counts as used.
    pub within: Duration,
    /// Every counter it touches, each once.
    pub parts: Vec<Part>,
}

/// How a counter stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub place: Place,
    /// What it counts.
    pub unit: Unit,
    /// How much may be used; micro-dollars for money.
    pub limit: i64,
    /// How much of it is used or held.
    pub used: i64,
    /// The held part of it; only for money.
    pub held: i64,
    /// Until all of it is free again, where time frees it.
    pub reset: Option<Duration>,
}

impl Standing {
    /// How much is left, never below zero.
    pub fn left(&self) -> u64 {
        u64::try_from(self.limit.saturating_sub(self.used)).unwrap_or(0)
    }
}

/// Whether it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is. How every part stands now, in their order.
    Held(Vec<Standing>),
    /// It is not, and nothing was counted.
    Refused {
        /// The first part that did not fit.
        part: usize,
        /// When it would fit; `None`: time alone does not help, or nobody knows.
        retry_after: Option<Duration>,
        /// How every part stands, in their order.
        standings: Vec<Standing>,
    },
}

/// What was really used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    /// The hold's.
    pub id: String,
    /// Tokens; `None`: as many as were held.
    pub tokens: Option<u64>,
    /// Money; `None`: as much as was held.
    pub cost: Option<Cost>,
}

/// A counter of money before and after a settlement, in micro-dollars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Which.
    pub place: Place,
    /// Before.
    pub before: i64,
    /// After.
    pub after: i64,
}

/// What came of a settlement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// False: there is no such hold, it was settled before or has expired. Nothing was counted.
    pub known: bool,
    /// Its counters of money.
    pub money: Vec<Spent>,
    /// How much more was used than was held, in micro-dollars.
    pub overrun: u64,
}

/// Where limits and budgets are counted.
#[async_trait]
pub trait Holds: Send + Sync {
    /// Holds all parts in one step, or none.
    ///
    /// # Errors
    /// When it is not known whether they are held. The caller may settle the id with nothing to be sure.
    async fn hold(&self, hold: Hold) -> Result<Verdict, StoreError>;

    /// Ends a hold with what was used. Once: a second time changes nothing.
    ///
    /// # Errors
    /// When it was not settled; the same call may be made again.
    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError>;

    /// How counters stand, without counting. Their amounts are not looked at.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn look(&self, parts: Vec<Part>) -> Result<Vec<Standing>, StoreError>;

    /// Makes a counter of money say at least this much spent: what the ledger knows is never forgotten.
    ///
    /// # Errors
    /// When it was not done.
    async fn raise(&self, part: Part, spent: Cost) -> Result<(), StoreError>;

    /// Unix time in milliseconds, the same for all who count here.
    fn now(&self) -> u64;
}
