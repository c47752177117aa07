//! One tier of a model: its strategy orders the targets, or the conversation does.

use std::sync::Arc;

use super::{Branch, Planner, Turned, Way};
use crate::balance::{Balance, Candidate, Standing, Turn};
use crate::domain::{Asks, Destination, Price, Target};
use crate::route::affinity::Place;
use crate::route::{Model, Step, Told, Turns, wish};

/// Tokens of an answer whose request sets no limit.
const USUAL_ANSWER: u64 = 512;

impl<'p> Planner<'p> {
    /// One tier, as the strategy orders it.
    pub(super) fn in_order(
        &mut self,
        model: &'p Model,
        mut group: Vec<Branch<'p>>,
        turned: Turned,
    ) -> Vec<Branch<'p>> {
        let explained = self.turns == Turns::Untouched;
        let Some(tier) =
            group.first().map(|branch| branch.target.tier).filter(|_| group.len() > 1 || explained)
        else {
            return group;
        };
        let wished = self.question.wishes.and_then(|wishes| wishes.sort).map(wish::strategy);
        let balance = wished.unwrap_or(model.balance);
        let conversation = self.conversation.filter(|_| wished.is_none());
        let priced = explained || balance.minds_cost();
        let candidates: Vec<_> = group.iter().map(|branch| self.candidate(branch, priced)).collect();
        if explained {
            tell(balance, &mut group, &candidates);
            if conversation.is_some() {
                group.iter_mut().for_each(|branch| branch.placed("by conversation"));
            }
        }
        if group.len() == 1 {
            return group;
        }
        if let Some(conversation) = conversation {
            let order = conversation.order(&group.iter().zip(&candidates).map(place).collect::<Vec<_>>());
            return picked(group, order);
        }
        let mut memories = model.memory.lock();
        let memory = memories.of(tier, turned == Turned::First);
        let counts = self.turns == Turns::Taken && wished.is_none();
        // A model may stand in one plan twice: then its second turn follows its first, also where neither counts.
        let use_of = (std::ptr::from_ref(model).addr(), tier, turned == Turned::First);
        let memory =
            if counts { memory } else { self.unkept.entry(use_of).or_insert_with(|| memory.clone()) };
        let mut copy;
        let memory = if turned == Turned::Not {
            copy = memory.clone();
            &mut copy
        } else {
            memory
        };
        let mut random = |bound: u32| self.random.u32(0..bound.max(1));
        let order = balance.order(&candidates, &mut Turn { random: &mut random, memory });
        picked(group, order)
    }

    /// What a strategy sees of a target; of a model, what its targets come to together.
    fn candidate(&self, branch: &Branch<'p>, priced: bool) -> Candidate {
        let (place, weight) = (branch.place, branch.target.weight.max(1));
        match &branch.way {
            Way::Step(step) => Candidate {
                place,
                weight,
                in_flight: step.state.in_flight(),
                first_token: step.state.first_token(),
                speed: step.state.experience.speed(),
                cost: if priced { self.cost(step) } else { None },
                success: branch.health.success,
            },
            Way::Model(_, branches) => {
                let inside = branches.iter().map(|branch| self.candidate(branch, priced));
                let together = inside.reduce(|one, other| Candidate {
                    in_flight: one.in_flight.saturating_add(other.in_flight),
                    first_token: one.first_token.into_iter().chain(other.first_token).min(),
                    speed: one.speed.max(other.speed),
                    cost: one.cost.into_iter().chain(other.cost).min(),
                    success: one.success.max(other.success),
                    ..one
                });
                Candidate { place, weight, ..together.unwrap_or_default() }
            }
        }
    }

    /// What a provider's model costs as this target.
    pub(super) fn price(&self, target: &'p Target, provider: &str, model: &str) -> Option<&'p Arc<Price>> {
        target.price.as_ref().or_else(|| self.table.price(provider, model))
    }

    /// What this request would cost there: its prompt, of which the usual share comes from that target's cache, and as much
    /// of an answer as it allows.
    fn cost(&self, step: &Step) -> Option<u64> {
        let price = step.price.as_ref()?;
        let asks: &Asks = self.question.facts.asks;
        let output = asks.max_output.unwrap_or(USUAL_ANSWER);
        let input = asks.input_tokens;
        let cached = input.saturating_mul(u64::from(step.state.experience.cached_per_mille())) / 1_000;
        Some(price.expected(input, cached, output).0)
    }
}

fn picked(group: Vec<Branch<'_>>, order: Vec<usize>) -> Vec<Branch<'_>> {
    let mut open: Vec<_> = group.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| open.get_mut(at)?.take()).collect()
}

/// Notes where each stands and why.
fn tell(balance: &dyn Balance, group: &mut [Branch<'_>], candidates: &[Candidate]) {
    for (at, branch) in group.iter_mut().enumerate() {
        let (Some(candidate), target) = (candidates.get(at), branch.target) else { continue };
        branch.standing = Some(balance.standing(candidates, at));
        if let Way::Step(step) = &mut branch.way {
            step.told = Some(Box::new(Told {
                within: Vec::new(),
                balance: balance.name(),
                tier: target.tier,
                tags: target.tags.clone(),
                standing: balance.standing(candidates, at),
                cost: candidate.cost,
            }));
        }
    }
}

impl Branch<'_> {
    /// Something else than the strategy's own measure put it where it is; only where that is explained.
    pub(super) fn placed(&mut self, by: &str) {
        let standing = Standing::Score(by.to_owned());
        if let Way::Step(Step { told: Some(told), .. }) = &mut self.way {
            told.standing = standing.clone();
        }
        self.standing = self.standing.as_ref().map(|_| standing);
    }
}

/// A target as affinity sees it.
fn place<'b>((branch, candidate): (&'b Branch<'_>, &Candidate)) -> Place<'b> {
    let (provider, model) = match (&branch.way, &branch.target.to) {
        (Way::Step(step), _) => (step.provider.as_ref(), step.model.as_str()),
        (_, Destination::Model(name)) => ("", name.as_ref()),
        _ => ("", ""),
    };
    Place { provider, model, weight: candidate.weight, in_flight: candidate.in_flight }
}
