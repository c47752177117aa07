//! Limits and budgets counted in this process, all parts of a hold under one short lock.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use parking_lot::Mutex;

use super::{Hold, Holds, Part, Place, Rule, Settle, Settled, Spent, Standing, Unit, Verdict};
use crate::domain::Cost;
use crate::store::{Clock, StoreError};

mod counter;
mod money;

use counter::Counter;

/// So many holds that ran out are ended with one call, so that no request pays for all of them.
const ENDED_AT_ONCE: usize = 64;
/// Below so many counters nobody looks which of them are idle.
const FEW: usize = 1024;

/// Counters of one process; they are forgotten with it.
pub struct Local {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counters: HashMap<Place, Counter>,
    open: HashMap<String, Open>,
    /// Open holds by when they run out. The number keeps those of one moment apart.
    ends: BTreeMap<(u64, u64), String>,
    number: u64,
    /// Idle counters are looked for when there are so many.
    look_at: usize,
}

/// A hold that is not settled.
struct Open {
    parts: Vec<Part>,
    end: (u64, u64),
}

impl Local {
    /// Nothing is counted yet.
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::new(State { look_at: FEW, ..State::default() }) }
    }

    /// How many counters and open holds are kept.
    pub fn kept(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.counters.len(), state.open.len())
    }
}

impl State {
    fn hold(&mut self, hold: Hold, now: u64) -> Verdict {
        if self.open.contains_key(&hold.id) {
            return Verdict::Held(self.standings(&hold.parts, now));
        }
        for part in &hold.parts {
            self.counter(part).advance(&part.rule, now);
        }
        let stuck = hold.parts.iter().position(|part| !self.counter(part).fits(part));
        if let Some(at) = stuck {
            let retry_after = hold.parts.get(at).and_then(|part| self.counter(part).fits_in(part, now));
            let standings = self.standings(&hold.parts, now);
            self.forget(&hold.parts, now);
            return Verdict::Refused { part: at, retry_after, standings };
        }
        for part in &hold.parts {
            self.counter(part).hold(part);
        }
        let standings = self.standings(&hold.parts, now);
        let within = u64::try_from(hold.within.as_millis()).unwrap_or(u64::MAX);
        self.number = self.number.wrapping_add(1);
        let end = (now.saturating_add(within), self.number);
        self.ends.insert(end, hold.id.clone());
        self.open.insert(hold.id, Open { parts: hold.parts, end });
        Verdict::Held(standings)
    }

    fn settle(&mut self, settle: &Settle, now: u64) -> Settled {
        let Some(Open { parts, end }) = self.open.remove(&settle.id) else { return Settled::default() };
        self.ends.remove(&end);
        let mut settled = Settled { known: true, ..Settled::default() };
        for part in &parts {
            let counter = self.counter(part);
            counter.advance(&part.rule, now);
            match (part.unit, settle.tokens) {
                (Unit::Money, _) => {
                    let (before, after) = counter.pay(part, settle.cost, now);
                    let over = settle.cost.map_or(0, |cost| cost.ceiling().saturating_sub(part.amount));
                    settled.overrun = settled.overrun.max(over);
                    settled.money.push(Spent { place: part.place.clone(), before, after });
                }
                (Unit::Tokens, Some(used)) => counter.settle(part, used),
                _ => counter.settle(part, part.amount),
            }
        }
        self.forget(&parts, now);
        settled
    }

    /// Ends holds that nobody settled: what is not known was used.
    fn expire(&mut self, now: u64) {
        for _ in 0..ENDED_AT_ONCE {
            let Some((&(end, _), id)) = self.ends.first_key_value() else { return };
            if end > now {
                return;
            }
            let settle = Settle { id: id.clone(), tokens: None, cost: None };
            self.settle(&settle, now);
        }
    }

    fn counter(&mut self, part: &Part) -> &mut Counter {
        self.counters.entry(part.place.clone()).or_insert_with(|| Counter::new(&part.rule))
    }

    fn standings(&mut self, parts: &[Part], now: u64) -> Vec<Standing> {
        let one = |part: &Part| match self.counters.get_mut(&part.place) {
            Some(counter) => {
                counter.advance(&part.rule, now);
                counter.standing(part, now)
            }
            None => Counter::new(&part.rule).standing(part, now),
        };
        parts.iter().map(one).collect()
    }

    /// Lets go of counters that say nothing: these, and now and then all of them.
    fn forget(&mut self, parts: &[Part], now: u64) {
        for part in parts {
            if self.counters.get(&part.place).is_some_and(|counter| counter.is_blank()) {
                self.counters.remove(&part.place);
            }
        }
        if self.counters.len() >= self.look_at {
            self.counters.retain(|_, counter| !counter.is_idle(now));
            self.look_at = self.counters.len().saturating_mul(2).max(FEW);
        }
    }
}

#[async_trait]
impl Holds for Local {
    async fn hold(&self, hold: Hold) -> Result<Verdict, StoreError> {
        let now = self.now();
        let mut state = self.state.lock();
        state.expire(now);
        Ok(state.hold(hold, now))
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        let now = self.now();
        let mut state = self.state.lock();
        let settled = state.settle(&settle, now);
        state.expire(now);
        Ok(settled)
    }

    async fn look(&self, parts: Vec<Part>) -> Result<Vec<Standing>, StoreError> {
        let now = self.now();
        let mut state = self.state.lock();
        state.expire(now);
        Ok(state.standings(&parts, now))
    }

    async fn raise(&self, part: Part, spent: Cost) -> Result<(), StoreError> {
        let now = self.now();
        let mut state = self.state.lock();
        let counter = state.counter(&part);
        counter.advance(&part.rule, now);
        counter.raise(spent, now);
        Ok(())
    }

    fn now(&self) -> u64 {
        (self.clock)()
    }
}

#[cfg(test)]
mod tests;
