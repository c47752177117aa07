//! The behaviour every way to count must show; run once per implementation.
//!
//! Time is passed by the bench: a clock of the test's own is turned, a real one is waited for. So no case needs more than
//! a few seconds.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::{Holds, Part, Rule, Unit};

/// Time that passes.
pub(in crate::store) type Passing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is put to the test.
pub(in crate::store) struct Bench<'a> {
    pub(in crate::store) holds: &'a dyn Holds,
    /// Lets time pass.
    pub(in crate::store) pass: &'a (dyn Fn(Duration) -> Passing + Sync),
    /// Begins every place and every id, so that several benches can stand on one ground.
    pub(in crate::store) name: &'a str,
}

/// One part.
pub(in crate::store) fn part(place: &str, unit: Unit, rule: Rule, amount: u64) -> Part {
    Part { place: place.into(), unit, rule, amount }
}

/// Money of a place that nothing sets back.
pub(in crate::store) fn money(place: &str, limit: i64, amount: u64) -> Part {
    part(place, Unit::Money, Rule::Money { limit, rolling: None, life: None }, amount)
}

mod tests;

pub(in crate::store) use tests::all;
