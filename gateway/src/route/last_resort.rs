//! When nobody is left who may be asked, the least bad of those that only rest is asked all the same.
//!
//! The last target of a model is never shut out by what the gateway concluded itself: an open circuit lets twenty requests
//! through and then one a second, a model that a provider did not know is asked each time. What was told (Retry-After,
//! the operator) stands: then the client hears when to come back.

use std::time::Instant;

use super::{Entry, Step, Why};

/// The one to ask, taken from those that were passed over.
pub(super) fn taken_from(passed_over: &mut Vec<(Step, Why)>, now: Instant) -> Option<Step> {
    let may = |why: &Why| match why {
        Why::Resting(resting) if resting.last_resort.is_some_and(|from| from <= now) => Some(*resting),
        _ => None,
    };
    let resting = passed_over.iter().enumerate().filter_map(|(at, (_, why))| Some((at, may(why)?)));
    let (at, _) = resting.min_by_key(|(at, resting)| (resting.broken, resting.until, *at))?;
    let (step, _) = passed_over.remove(at);
    Some(Step { entry: Entry::LastResort, ..step })
}

#[cfg(test)]
mod tests;
