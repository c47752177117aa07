//! Limits and budgets counted on the server, for all nodes together: one script per verb, and the server's time.
//!
//! A counter is a hash, what is open is kept with its end, and each call ends a few of those that nobody settled. The
//! numbers of a script are exact up to 2^53: nine thousand million dollars; what is larger counts as that.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use redis::ScriptInvocation;
use serde::Serialize;

use super::super::holds::lease::Losable;
use super::super::holds::{Hold, Holds, Part, Rule, Settle, Settled, Spent, Standing, Unit, Verdict};
use super::super::{StoreError, clock};
use super::Redis;
use super::link::Link;
use crate::domain::Cost;

/// The largest number that is exact in a script.
const MOST: u64 = (1 << 53) - 1;

/// Counters on the server.
pub struct Shared {
    link: Arc<Link>,
    /// Milliseconds by which the server's clock is ahead of ours, as last seen.
    ahead: AtomicI64,
}

impl Redis {
    /// Counters on the same server.
    pub fn holds(&self) -> Shared {
        Shared { link: Arc::clone(&self.link), ahead: AtomicI64::new(0) }
    }
}

/// A part as the scripts read it.
#[derive(Serialize)]
struct Told<'p> {
    place: &'p str,
    unit: &'static str,
    amount: u64,
    #[serde(flatten)]
    rule: ToldRule,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum ToldRule {
    Rate {
        count: u64,
        per: u64,
    },
    Concurrent {
        most: u32,
    },
    Money {
        limit: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        rolling: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        life: Option<u64>,
    },
}

fn told(parts: &[Part]) -> Result<String, StoreError> {
    let told: Vec<Told<'_>> = parts.iter().map(told_part).collect();
    serde_json::to_string(&told).map_err(|error| StoreError::Failed(error.to_string()))
}

fn told_part(part: &Part) -> Told<'_> {
    let rule = match part.rule {
        Rule::Rate { count, per } => ToldRule::Rate { count: count.min(MOST), per: milliseconds(per).max(1) },
        Rule::Concurrent { most } => ToldRule::Concurrent { most },
        Rule::Money { limit, rolling, life } => ToldRule::Money {
            limit: limit.clamp(-1, MOST.cast_signed()),
            rolling: rolling.map(milliseconds),
            life: life.map(milliseconds),
        },
    };
    let unit = match part.unit {
        Unit::Requests => "requests",
        Unit::Tokens => "tokens",
        Unit::Concurrent => "concurrent",
        Unit::Money => "money",
    };
    // One more than the most fits nowhere.
    Told { place: &part.place, unit, amount: part.amount.min(MOST + 1), rule }
}

impl Shared {
    /// Runs a script that answers texts, the server's time first.
    async fn run(&self, call: &ScriptInvocation<'_>) -> Result<Answer, StoreError> {
        let texts: Vec<String> = self.link.run(call).await?;
        let mut answer = Answer(texts.into_iter());
        let now = answer.number()?;
        self.ahead.store(now.saturating_sub_unsigned(clock()()), Ordering::Relaxed);
        Ok(answer)
    }
}

/// What a script answered, text by text.
struct Answer(std::vec::IntoIter<String>);

impl Answer {
    fn number(&mut self) -> Result<i64, StoreError> {
        let odd = || StoreError::Failed("the answer of a script is not understood".to_owned());
        let text = self.0.next().ok_or_else(odd)?;
        // Beyond 2^53 a script writes a power of ten.
        text.parse().or_else(|_| text.parse::<f64>().map(whole)).map_err(|_| odd())
    }

    fn time(&mut self) -> Result<Option<Duration>, StoreError> {
        Ok(u64::try_from(self.number()?).ok().map(Duration::from_millis))
    }

    fn standings(&mut self, parts: &[Part]) -> Result<Vec<Standing>, StoreError> {
        parts.iter().map(|part| self.standing(part)).collect()
    }

    fn standing(&mut self, part: &Part) -> Result<Standing, StoreError> {
        let (used, held, reset) = (self.number()?, self.number()?, self.time()?);
        let limit = match part.rule {
            Rule::Rate { count, .. } => i64::try_from(count).unwrap_or(i64::MAX),
            Rule::Concurrent { most } => i64::from(most),
            Rule::Money { limit, .. } => limit,
        };
        Ok(Standing { place: Arc::clone(&part.place), unit: part.unit, limit, used, held, reset })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what is too large becomes the largest number, as it should"
)]
fn whole(number: f64) -> i64 {
    number as i64
}

#[async_trait]
impl Holds for Shared {
    async fn hold(&self, hold: Hold) -> Result<Verdict, StoreError> {
        let mut call = self.link.verbs.hold.prepare_invoke();
        call.key(self.link.address.tag()).arg(self.link.identity());
        call.arg(&hold.id).arg(milliseconds(hold.within)).arg(told(&hold.parts)?);
        let mut answer = self.run(&call).await?;
        let (is_held, part, retry_after) = (answer.number()? == 1, answer.number()?, answer.time()?);
        let standings = answer.standings(&hold.parts)?;
        Ok(match usize::try_from(part) {
            Ok(part) if !is_held => Verdict::Refused { part, retry_after, standings },
            _ => Verdict::Held(standings),
        })
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        let (micros, rest) = match settle.cost.map(Cost::split) {
            Some((micros, rest)) => (micros.min(MOST.cast_signed()).to_string(), rest.to_string()),
            None => (String::new(), String::new()),
        };
        let tokens = settle.tokens.map(|tokens| tokens.min(MOST).to_string()).unwrap_or_default();
        let mut call = self.link.verbs.settle.prepare_invoke();
        call.key(self.link.address.tag()).arg(self.link.identity());
        call.arg(&settle.id).arg(tokens).arg(micros).arg(rest);
        let mut answer = self.run(&call).await?;
        let (known, overrun) = (answer.number()? == 1, answer.number()?);
        let mut money = Vec::new();
        while let Some(place) = answer.0.next() {
            let (before, after) = (answer.number()?, answer.number()?);
            money.push(Spent { place: place.into(), before, after });
        }
        Ok(Settled { known, money, overrun: u64::try_from(overrun).unwrap_or(0) })
    }

    async fn look(&self, parts: Vec<Part>) -> Result<Vec<Standing>, StoreError> {
        let mut call = self.link.verbs.look.prepare_invoke();
        call.key(self.link.address.tag()).arg(self.link.identity()).arg(told(&parts)?);
        self.run(&call).await?.standings(&parts)
    }

    async fn raise(&self, part: Part, spent: Cost) -> Result<(), StoreError> {
        let (micros, rest) = spent.split();
        let mut call = self.link.verbs.raise.prepare_invoke();
        call.key(self.link.address.tag()).arg(self.link.identity());
        call.arg(told(&[part])?).arg(micros.min(MOST.cast_signed())).arg(rest);
        self.run(&call).await?;
        Ok(())
    }

    fn now(&self) -> u64 {
        clock()().saturating_add_signed(self.ahead.load(Ordering::Relaxed))
    }
}

impl Losable for Shared {
    fn is_up(&self) -> bool {
        *self.link.is_up().borrow()
    }

    fn emptied(&self) -> u64 {
        self.link.server().emptied
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(MOST).min(MOST >> 10)
}

#[cfg(test)]
mod tests;
