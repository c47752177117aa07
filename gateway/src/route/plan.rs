//! The plan itself: a model's targets filtered, ordered tier by tier, models among them opened up, wishes obeyed.

use std::collections::HashSet;
use std::sync::Arc;

use super::affinity::Conversation;
use super::filter::{self, Why};
use super::health::{self, Care, Entry, Fleet};
use super::table::{Model, Reading, Table};
use super::{Plan, Question, Step, Turns, last_resort, wish};
use crate::balance::Standing;
use crate::config::Sticky;
use crate::domain::target::model_for;
use crate::domain::{Destination, Target};
use crate::error::GatewayError;

mod home;
mod tier;

/// Deeper than this no configuration that was checked goes.
const DEEPEST: usize = 16;

impl Table {
    /// Which targets may serve a request, best first. Nothing but `turns` makes an explanation differ from a request's
    /// own plan, and that only keeps what strategies remember as it is.
    ///
    /// # Errors
    /// [`Kind::ModelNotFound`](crate::error::Kind::ModelNotFound) naming close ones,
    /// [`Kind::Permission`](crate::error::Kind::Permission) for a model the key may not use, and what is wrong with
    /// wishes: a model that may not be asked, no target left.
    pub fn plan(&self, question: &Question<'_>, fleet: &Fleet, turns: Turns) -> Result<Plan, GatewayError> {
        let reading = self.permitted(question.key, question.asked)?;
        let sticky = reading.model.sticky;
        let mut planner = Planner {
            care: &reading.model.care,
            table: self,
            question,
            fleet,
            turns,
            conversation: question.clues.conversation(&question.key.id, question.head, sticky),
            random: fastrand::Rng::with_seed(question.seed),
            passed_over: Vec::new(),
        };
        let mut steps = planner.steps(&reading);
        let mut fallback = planner.wished(&reading)?;
        let backed = question.wishes.is_none_or(|wishes| !wishes.no_fallbacks);
        let mut each = |targets| if backed { planner.each(targets, &reading.sent) } else { Vec::new() };
        fallback.extend(each(&reading.model.fallback));
        let told = planner.passed_over.len();
        let mut each = |targets| if backed { planner.each(targets, &reading.sent) } else { Vec::new() };
        let on_content_policy = each(&reading.model.on_content_policy);
        let on_context_length = each(&reading.model.on_context_length);
        if fallback.len() > 1 {
            once_each(&mut fallback);
        }
        let affinity = (sticky != Sticky::Off).then(|| planner.affinity(&reading));
        let Planner { mut passed_over, .. } = planner;
        // Those for special failures are not missed before there is one.
        passed_over.truncate(told);
        if steps.is_empty() && fallback.is_empty() {
            steps.extend(last_resort::taken_from(&mut passed_over, question.now));
        }
        let plan = Plan {
            model: Arc::clone(reading.model),
            steps,
            fallback,
            on_content_policy,
            on_context_length,
            passed_over,
            affinity,
            effort: reading.effort,
            strict: question.wishes.is_some_and(|wishes| wishes.require_parameters),
            seed: question.seed,
        };
        match question.wishes {
            Some(_) => wish::granted(plan),
            None => Ok(plan),
        }
    }
}

/// One plan in the making.
struct Planner<'p> {
    table: &'p Table,
    question: &'p Question<'p>,
    fleet: &'p Fleet,
    /// How the asked model looks after its targets.
    care: &'p Care,
    turns: Turns,
    /// What it belongs to, where the asked model minds that.
    conversation: Option<Conversation>,
    random: fastrand::Rng,
    passed_over: Vec<(Step, Why)>,
}

/// A target that may be asked, or a model of which some may.
struct Branch<'p> {
    /// Its place among all targets of its model.
    place: usize,
    target: &'p Target,
    way: Way<'p>,
    /// Where it stands among those beside it, when that is explained.
    standing: Option<Standing>,
}

enum Way<'p> {
    Step(Step, health::Standing),
    Model(&'p Arc<Model>, Vec<Branch<'p>>),
}

impl Way<'_> {
    fn is_open(&self) -> bool {
        !matches!(self, Self::Model(_, branches) if branches.is_empty())
    }
}

/// A step and the target it was made from.
pub(super) struct Found<'p> {
    pub(super) step: Step,
    pub(super) target: &'p Target,
}

impl<'p> Planner<'p> {
    /// The asked model's own targets.
    fn steps(&mut self, reading: &Reading<'p>) -> Vec<Step> {
        let model = reading.model;
        // Most models have one target, and then there is nothing to weigh.
        if let ([target], Turns::Taken, None) = (model.targets.as_slice(), self.turns, self.question.wishes)
            && let Destination::Provider { provider, model } = &target.to
        {
            let (step, standing) = self.step(provider, model, &reading.sent);
            return match filter::why_not(target, &standing, self.question, || None) {
                None => vec![step],
                Some(why) => {
                    self.passed_over.push((step, why));
                    Vec::new()
                }
            };
        }
        let branches = self.open(model, &reading.sent, 0);
        let mut found = Vec::with_capacity(branches.len());
        self.order(model, branches, true, &mut found);
        if let Some(wishes) = self.question.wishes {
            wish::obey(wishes, &mut found, &mut self.passed_over);
        }
        let nested = model.targets.iter().any(|target| target.provider().is_none());
        let mut steps: Vec<Step> = found.into_iter().map(|found| found.step).collect();
        if nested {
            once_each(&mut steps);
        }
        steps
    }

    /// The models that the request names itself.
    fn wished(&mut self, asked: &Reading<'p>) -> Result<Vec<Step>, GatewayError> {
        let Some(wishes) = self.question.wishes else { return Ok(Vec::new()) };
        let mut steps = Vec::new();
        for (index, name) in wishes.models.iter().enumerate() {
            let here =
                |error: GatewayError| GatewayError { param: Some(format!("models[{index}]")), ..error };
            let reading = self.table.permitted(self.question.key, name).map_err(here)?;
            if reading.effort.is_some() && reading.effort != asked.effort {
                let message =
                    format!("`{name}`: the effort of reasoning is said in `model`, for all of `models`");
                return Err(here(GatewayError::invalid("models", message)));
            }
            if Arc::ptr_eq(reading.model, asked.model) && reading.sent == asked.sent {
                continue;
            }
            let branches = self.open(reading.model, &reading.sent, 0);
            let mut found = Vec::with_capacity(branches.len());
            self.order(reading.model, branches, false, &mut found);
            wish::obey(wishes, &mut found, &mut self.passed_over);
            steps.extend(found.into_iter().map(|found| found.step));
        }
        Ok(steps)
    }

    /// What the configuration names for the time when others have failed.
    fn each(&mut self, targets: &'p [Target], asked: &str) -> Vec<Step> {
        let mut found = Vec::new();
        for target in targets {
            if let Some(branch) = self.branch(0, target, asked, 0) {
                self.follow(branch, false, &mut found);
            }
        }
        found.into_iter().map(|found| found.step).collect()
    }

    /// The targets of a model that may be asked; the others are noted.
    fn open(&mut self, model: &'p Model, asked: &str, depth: usize) -> Vec<Branch<'p>> {
        let mut branches = Vec::with_capacity(model.targets.len());
        for (place, target) in model.targets.iter().enumerate() {
            branches.extend(self.branch(place, target, asked, depth));
        }
        branches
    }

    fn branch(&mut self, place: usize, target: &'p Target, asked: &str, depth: usize) -> Option<Branch<'p>> {
        match &target.to {
            Destination::Provider { provider, model } => {
                let (step, standing) = self.step(provider, model, asked);
                let question = self.question;
                let unwished = || {
                    let price = self.price(target, &step);
                    question.wishes.and_then(|wishes| wish::why_not(wishes, target, &step, price))
                };
                match filter::why_not(target, &standing, question, unwished) {
                    None => Some(Branch { place, target, way: Way::Step(step, standing), standing: None }),
                    Some(why) => {
                        self.passed_over.push((step, why));
                        None
                    }
                }
            }
            Destination::Model(name) => {
                let (model, asked) = self.inner(name, asked, depth)?;
                if let Some(why) = filter::why_closed(target, self.question) {
                    self.close(model, &asked, &why, depth + 1);
                    return None;
                }
                let branches = self.open(model, &asked, depth + 1);
                let way = Way::Model(model, branches);
                way.is_open().then_some(Branch { place, target, way, standing: None })
            }
        }
    }

    /// A model among the targets of another one, and the name its own `*` stand for.
    fn inner(&self, name: &str, asked: &str, depth: usize) -> Option<(&'p Arc<Model>, String)> {
        let model = self.table.inner(name).filter(|_| depth < DEEPEST)?;
        // A pattern that is named as a pattern passes on what was asked for.
        let passes = model.name.as_ref() == name && name.contains('*');
        Some((model, if passes { asked } else { name }.to_owned()))
    }

    /// Nothing of this model is asked, and this is why.
    fn close(&mut self, model: &'p Model, asked: &str, why: &Why, depth: usize) {
        for target in &model.targets {
            match &target.to {
                Destination::Provider { provider, model } => {
                    let (step, _) = self.step(provider, model, asked);
                    self.passed_over.push((step, why.clone()));
                }
                Destination::Model(name) => {
                    if let Some((model, asked)) = self.inner(name, asked, depth) {
                        self.close(model, &asked, why, depth + 1);
                    }
                }
            }
        }
    }

    /// A target, and how it is doing.
    fn step(&self, provider: &Arc<str>, model: &str, asked: &str) -> (Step, health::Standing) {
        let name = model_for(provider, model, asked);
        let state = self.fleet.target(provider, &name);
        let standing = state.standing(self.care, self.question.now);
        let provider = Arc::clone(provider);
        (Step { provider, model: name, state, entry: Entry::Regular, told: None }, standing)
    }

    /// Tier after tier, each as the strategy says, and in each those behind that fail too often. `front`: nothing is tried before these.
    fn order(
        &mut self,
        model: &'p Model,
        mut branches: Vec<Branch<'p>>,
        front: bool,
        into: &mut Vec<Found<'p>>,
    ) {
        branches.sort_by_key(|branch| branch.target.tier);
        let mut rest = branches.into_iter().peekable();
        while let Some(first) = rest.next() {
            let tier = first.target.tier;
            let mut group = vec![first];
            while let Some(next) = rest.next_if(|next| next.target.tier == tier) {
                group.push(next);
            }
            let (degraded, well): (Vec<_>, Vec<_>) = group.into_iter().partition(Branch::is_degraded);
            let behind = !well.is_empty();
            for (group, behind) in [(well, false), (degraded, behind)] {
                let memory = if behind { None } else { Some(front && into.is_empty()) };
                for mut branch in self.in_order(model, group, memory) {
                    if behind {
                        branch.placed("degraded, behind the others");
                    }
                    self.follow(branch, front && into.is_empty(), into);
                }
            }
        }
    }

    fn follow(&mut self, branch: Branch<'p>, front: bool, into: &mut Vec<Found<'p>>) {
        match branch.way {
            Way::Step(step, _) => {
                into.push(Found { step, target: branch.target });
            }
            Way::Model(model, branches) => {
                let mut inside = Vec::with_capacity(branches.len());
                self.order(model, branches, front, &mut inside);
                for found in &mut inside {
                    if let (Some(told), Some(standing)) = (&mut found.step.told, &branch.standing) {
                        told.within.insert(0, (Arc::clone(&model.name), standing.clone()));
                    }
                }
                into.append(&mut inside);
            }
        }
    }
}

/// Models among targets may hold the same target: it is asked once.
fn once_each(steps: &mut Vec<Step>) {
    let mut seen = HashSet::with_capacity(steps.len());
    let fresh: Vec<bool> =
        steps.iter().map(|step| seen.insert((step.provider.as_ref(), step.model.as_str()))).collect();
    let mut fresh = fresh.into_iter();
    steps.retain(|_| fresh.next().unwrap_or(true));
}

#[cfg(test)]
mod tests;
