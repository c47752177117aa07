//! One counter, and the arithmetic of rates. Nothing here falls below zero or runs over.

use std::time::Duration;

use super::money::Money;
use super::{Part, Rule, Standing, Unit};
use crate::domain::Cost;

/// One counter.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    kind: Kind,
    /// When it was touched last; it never goes back, whatever the clock does.
    at: u64,
    /// It is forgotten when nobody has touched it for so long; `None`: not for that.
    life: Option<u64>,
}

#[derive(Clone, Debug)]
enum Kind {
    Rate(Rate),
    Concurrent { running: u64 },
    Money(Money),
}

/// A bucket that drains. Its level is in units times milliseconds of the window, so that a part of a unit is exact. What
/// is held does not drain: it is not known yet.
#[derive(Clone, Debug)]
struct Rate {
    level: u128,
    held: u64,
    /// Milliseconds of the window.
    per: u64,
    /// Units of the window; so much drains per millisecond.
    count: u64,
}

impl Counter {
    pub(super) fn new(rule: &Rule) -> Self {
        let kind = match *rule {
            Rule::Rate { count, per } => {
                Kind::Rate(Rate { level: 0, held: 0, per: milliseconds(per).max(1), count })
            }
            Rule::Concurrent { .. } => Kind::Concurrent { running: 0 },
            Rule::Money { rolling, .. } => Kind::Money(Money::new(rolling)),
        };
        Self { kind, at: 0, life: None }
    }

    /// Lets time pass, under a rule that may have been changed.
    pub(super) fn advance(&mut self, rule: &Rule, now: u64) {
        let passed = now.saturating_sub(self.at);
        match (&mut self.kind, rule) {
            (Kind::Rate(rate), Rule::Rate { count, .. }) => {
                rate.count = *count;
                rate.level = rate.level.saturating_sub(u128::from(passed) * u128::from(*count));
            }
            (Kind::Money(money), Rule::Money { life, .. }) => {
                self.life = life.map(milliseconds);
                money.advance(now);
            }
            _ => {}
        }
        self.at = self.at.max(now);
    }

    /// Whether there is room for a part.
    pub(super) fn fits(&self, part: &Part) -> bool {
        match (&self.kind, &part.rule) {
            (Kind::Rate(rate), Rule::Rate { .. }) => rate.over(part.amount) == 0,
            (Kind::Concurrent { running }, Rule::Concurrent { most }) => {
                running.saturating_add(part.amount) <= u64::from(*most)
            }
            (Kind::Money(money), Rule::Money { limit, .. }) => money.fits(part.amount, *limit),
            // The rule's kind is part of a place's name.
            _ => false,
        }
    }

    /// When there would be room for a part that does not fit, if nobody else came.
    pub(super) fn fits_in(&self, part: &Part, now: u64) -> Option<Duration> {
        match (&self.kind, &part.rule) {
            (Kind::Rate(rate), Rule::Rate { count, .. }) if part.amount <= *count => {
                rate.drains_in(rate.over(part.amount))
            }
            (Kind::Money(money), Rule::Money { limit, .. }) => money.fits_in(part.amount, *limit, now),
            _ => None,
        }
    }

    /// Takes a part that fits.
    pub(super) fn hold(&mut self, part: &Part) {
        match &mut self.kind {
            Kind::Rate(rate) if part.unit == Unit::Requests => rate.fill(part.amount),
            Kind::Rate(rate) => rate.held = rate.held.saturating_add(part.amount),
            Kind::Concurrent { running } => *running = running.saturating_add(part.amount),
            Kind::Money(money) => money.hold(part.amount),
        }
    }

    /// Ends a part that was held, as so many units.
    pub(super) fn settle(&mut self, part: &Part, used: u64) {
        match &mut self.kind {
            Kind::Rate(_) if part.unit == Unit::Requests => {}
            Kind::Rate(rate) => {
                rate.held = rate.held.saturating_sub(part.amount);
                rate.fill(used);
            }
            Kind::Concurrent { running } => *running = running.saturating_sub(part.amount),
            Kind::Money(_) => {}
        }
    }

    /// Ends a part of money that was held; `None`: as much as was held. The micro-dollars spent before and after.
    pub(super) fn pay(&mut self, part: &Part, cost: Option<Cost>, now: u64) -> (i64, i64) {
        let Kind::Money(money) = &mut self.kind else { return (0, 0) };
        let before = money.spent();
        money.pay(part.amount, cost, now);
        (before, money.spent())
    }

    /// Money never says less than this.
    pub(super) fn raise(&mut self, spent: Cost, now: u64) {
        if let Kind::Money(money) = &mut self.kind {
            money.raise(spent, now);
        }
    }

    /// How it stands, time having passed.
    pub(super) fn standing(&self, part: &Part, now: u64) -> Standing {
        let (used, held, reset) = match &self.kind {
            Kind::Rate(rate) => (rate.used(), 0, rate.drains_in(rate.all())),
            Kind::Concurrent { running } => (signed(*running), 0, None),
            Kind::Money(money) => (money.used(), money.held(), money.free_in(now)),
        };
        let limit = match part.rule {
            Rule::Rate { count, .. } => signed(count),
            Rule::Concurrent { most } => i64::from(most),
            Rule::Money { limit, .. } => limit,
        };
        Standing { place: part.place.clone(), unit: part.unit, limit, used, held, reset }
    }

    /// True when it says the same as none at all.
    pub(super) fn is_blank(&self) -> bool {
        match &self.kind {
            Kind::Rate(rate) => rate.all() == 0,
            Kind::Concurrent { running } => *running == 0,
            Kind::Money(money) => money.is_blank(),
        }
    }

    /// True when it has become blank since, or its life is over.
    pub(super) fn is_idle(&self, now: u64) -> bool {
        let untouched = now.saturating_sub(self.at);
        match &self.kind {
            Kind::Rate(rate) => {
                rate.held == 0 && rate.level <= u128::from(untouched) * u128::from(rate.count)
            }
            Kind::Concurrent { running } => *running == 0,
            Kind::Money(money) => {
                money.is_blank() || money.held() == 0 && self.life.is_some_and(|life| untouched > life)
            }
        }
    }
}

impl Rate {
    fn fill(&mut self, units: u64) {
        self.level = self.level.saturating_add(u128::from(units) * u128::from(self.per));
    }

    /// What drained and what is held, together.
    fn all(&self) -> u128 {
        self.level.saturating_add(u128::from(self.held) * u128::from(self.per))
    }

    fn used(&self) -> i64 {
        i64::try_from(self.all().div_ceil(u128::from(self.per))).unwrap_or(i64::MAX)
    }

    /// By how much so many units more would be too many.
    fn over(&self, units: u64) -> u128 {
        let with = self.all().saturating_add(u128::from(units) * u128::from(self.per));
        with.saturating_sub(u128::from(self.count) * u128::from(self.per))
    }

    fn drains_in(&self, level: u128) -> Option<Duration> {
        let count = u128::from(self.count).max(1);
        u64::try_from(level.div_ceil(count)).ok().map(Duration::from_millis)
    }
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
