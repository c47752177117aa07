//! What a request wishes of its targets, obeyed.

use super::filter::Why;
use super::plan::Found;
use super::{Plan, Step};
use crate::balance::{self, Balance};
use crate::domain::{Sort, Target, Wishes};
use crate::error::GatewayError;

/// The strategy that sorts as it is wished.
pub(super) fn strategy(sort: Sort) -> &'static dyn Balance {
    let name = match sort {
        Sort::Price => "cheapest",
        Sort::Throughput => "fastest",
        Sort::Latency => "least-latency",
    };
    balance::named(name).unwrap_or(balance::DEFAULT)
}

/// Whether a target is meant by a word: its provider's name, its own, or one of its tags.
fn is_meant(word: &str, target: &Target, step: &Step) -> bool {
    word == step.provider.as_ref()
        || word
            .split_once('/')
            .is_some_and(|(provider, model)| provider == step.provider.as_ref() && model == step.model)
        || target.tags.iter().any(|tag| word == tag.as_ref())
}

/// Why a target is not what is wished; `None`: it is.
pub(super) fn why_not(wishes: &Wishes, target: &Target, step: &Step) -> Option<Why> {
    let any = |words: &[String]| words.iter().any(|word| is_meant(word, target, step));
    if wishes.only.as_ref().is_some_and(|only| !any(only)) {
        return Some(Why::NotOnly);
    }
    if any(&wishes.ignore) {
        return Some(Why::Ignored);
    }
    if wishes.no_fallbacks && !wishes.order.is_empty() && !any(&wishes.order) {
        return Some(Why::NotInOrder);
    }
    let limits = [wishes.max_prompt, wishes.max_completion, wishes.max_request];
    if limits == [None; 3] {
        return None;
    }
    // A price that nobody knows may be any price.
    let Some(price) = &step.price else { return Some(Why::NoPrice) };
    let dearest = price.dearest();
    let prices = [dearest.input, dearest.output, price.request()];
    let over = |(limit, price): (_, _)| matches!(limit, Some(limit) if price > limit);
    limits.into_iter().zip(prices).any(over).then_some(Why::TooDear)
}

/// Puts those that are wished first in front, and leaves only the first where no other one is wished.
pub(super) fn obey(wishes: &Wishes, found: &mut Vec<Found<'_>>, passed_over: &mut Vec<(Step, Why)>) {
    if !wishes.order.is_empty() {
        found.sort_by_key(|found| {
            let meant = |word: &String| is_meant(word, found.target, &found.step);
            wishes.order.iter().position(meant).unwrap_or(usize::MAX)
        });
    } else if wishes.no_fallbacks && found.len() > 1 {
        passed_over.extend(found.drain(1..).map(|found| (found.step, Why::NotFirst)));
    }
}

/// A plan without a target that is wished is the request's own fault.
pub(super) fn granted(plan: Plan) -> Result<Plan, GatewayError> {
    let wished_away = |why: &Why| {
        matches!(why, Why::NotOnly | Why::Ignored | Why::NotInOrder | Why::NoPrice | Why::TooDear)
    };
    let nothing = plan.steps.is_empty() && plan.fallback.is_empty();
    if !nothing || !plan.passed_over.iter().any(|(_, why)| wished_away(why)) {
        return Ok(plan);
    }
    // Which targets there are is not everybody's business; how many is enough to understand it.
    let count = |wanted: &Why| plan.passed_over.iter().filter(|(_, why)| why == wanted).count();
    let mut told: Vec<&Why> = Vec::new();
    for (_, why) in &plan.passed_over {
        if !told.contains(&why) {
            told.push(why);
        }
    }
    let told: Vec<_> = told.into_iter().map(|why| format!("{} × {why}", count(why))).collect();
    let message =
        format!("no target of the model `{}` is what is wished: {}", plan.model.name, told.join("; "));
    Err(GatewayError::invalid("provider", message))
}
