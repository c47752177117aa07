//! The plan itself: a model's targets filtered, ordered tier by tier, models among them opened up, wishes obeyed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::affinity::Conversation;
use super::filter::{self, Why};
use super::fitness::{self, Unfit};
use super::health::{Care, Entry, Fleet};
use super::table::{Model, Reading, Table};
use super::{Plan, Question, Step, Turns, last_resort, wish};
use crate::balance::{Memory, Standing};
use crate::config::Sticky;
use crate::domain::target::model_for;
use crate::domain::{Abilities, Destination, Target};
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
        let asked = self.chosen(question)?.unwrap_or(question.asked);
        let question = &Question { asked, ..*question };
        let reading = self.permitted(question.key, asked)?;
        fitness::admit(reading.model, question)?;
        let sticky = reading.model.sticky;
        let mut planner = Planner {
            table: self,
            question,
            fleet,
            turns,
            care: &reading.model.care,
            prefers: fitness::prefers(reading.model),
            conversation: question.clues.conversation(&question.key.id, question.head, sticky),
            random: fastrand::Rng::with_seed(question.seed),
            unkept: HashMap::new(),
            passed_over: Vec::new(),
        };
        let mut steps = planner.steps(&reading);
        let mut fallback = planner.wished(&reading)?;
        let backed = question.wishes.is_none_or(|wishes| !wishes.no_fallbacks);
        let mut each =
            |targets| if backed { planner.each(reading.model, targets, &reading.sent) } else { Vec::new() };
        fallback.extend(each(&reading.model.fallback));
        let told = planner.passed_over.len();
        let mut each =
            |targets| if backed { planner.each(reading.model, targets, &reading.sent) } else { Vec::new() };
        let on_content_policy = each(&reading.model.on_content_policy);
        let on_context_length = each(&reading.model.on_context_length);
        // Those for special failures are not missed before there is one.
        planner.passed_over.truncate(told);
        if steps.is_empty() && fallback.is_empty() {
            steps = planner.last(asked, &on_context_length)?;
        }
        if fallback.len() > 1 {
            once_each(&mut fallback);
        }
        let affinity = (sticky != Sticky::Off).then(|| planner.affinity(&reading));
        let Planner { passed_over, .. } = planner;
        let plan = Plan {
            model: Arc::clone(reading.model),
            asked: reading.name.into_owned(),
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
    turns: Turns,
    /// How failures are answered: by the asked model's own rules.
    care: &'p Care,
    /// Targets that lack something are asked behind the others.
    prefers: bool,
    /// What it belongs to, where the asked model minds that.
    conversation: Option<Conversation>,
    random: fastrand::Rng,
    /// What strategies remember of turns that do not count, by model, tier and place.
    unkept: HashMap<(usize, u32, bool), Memory>,
    passed_over: Vec<(Step, Why)>,
}

/// A target that may be asked, or a model of which some may.
struct Branch<'p> {
    /// Its place among all targets of its model.
    place: usize,
    target: &'p Target,
    way: Way<'p>,
    health: Health,
    /// Where it stands among those beside it, when that is explained.
    standing: Option<Standing>,
}

/// How a target is doing, or a model's targets together.
#[derive(Clone, Copy)]
struct Health {
    degraded: bool,
    success: f64,
}

impl Health {
    fn of_all(branches: &[Branch<'_>]) -> Self {
        let success = branches.iter().map(|branch| branch.health.success).fold(0.0, f64::max);
        Self { degraded: branches.iter().all(|branch| branch.health.degraded), success }
    }
}

enum Way<'p> {
    Step(Step),
    Model(&'p Arc<Model>, Vec<Branch<'p>>),
}

impl Way<'_> {
    fn is_open(&self) -> bool {
        !matches!(self, Self::Model(_, branches) if branches.is_empty())
    }
}

/// Whose turn a group of targets takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turned {
    /// Nothing is tried before them.
    First,
    /// Others are tried before them, and when those fail it is theirs.
    Later,
    /// None: they stand behind others of their tier, whose turn it is.
    Not,
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
            let step = self.step(target, (provider, model), &reading.sent);
            let why = filter::why_not(target, reading.model, self.question);
            return match why.or_else(|| self.rest(&step)) {
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
        found.sort_by_key(|found| !found.step.lacks.is_empty());
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

    /// Who is asked when nobody may be: the least bad of those that rest.
    fn last(&mut self, asked: &str, on_context_length: &[Step]) -> Result<Vec<Step>, GatewayError> {
        if let Some(step) = last_resort::taken_from(&mut self.passed_over, self.question.now) {
            return Ok(vec![step]);
        }
        fitness::without_any(asked, &self.passed_over, on_context_length)
    }

    /// The models that the request names itself.
    fn wished(&mut self, asked: &Reading<'p>) -> Result<Vec<Step>, GatewayError> {
        let Some(wishes) = self.question.wishes else { return Ok(Vec::new()) };
        let mut steps = Vec::new();
        for (index, name) in wishes.models.iter().enumerate() {
            let here =
                |error: GatewayError| GatewayError { param: Some(format!("models[{index}]")), ..error };
            let reading = self.table.permitted(self.question.key, name).map_err(here)?;
            fitness::admit(reading.model, self.question).map_err(here)?;
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
            found.sort_by_key(|found| !found.step.lacks.is_empty());
            wish::obey(wishes, &mut found, &mut self.passed_over);
            steps.extend(found.into_iter().map(|found| found.step));
        }
        Ok(steps)
    }

    /// What the configuration names for the time when others have failed.
    fn each(&mut self, of: &'p Model, targets: &'p [Target], asked: &str) -> Vec<Step> {
        let mut found = Vec::new();
        for target in targets {
            if let Some(branch) = self.branch(of, (0, target), asked, 0) {
                self.follow(branch, false, &mut found);
            }
        }
        found.into_iter().map(|found| found.step).collect()
    }

    /// The targets of a model that may be asked; the others are noted.
    fn open(&mut self, model: &'p Model, asked: &str, depth: usize) -> Vec<Branch<'p>> {
        let mut branches = Vec::with_capacity(model.targets.len());
        for (place, target) in model.targets.iter().enumerate() {
            branches.extend(self.branch(model, (place, target), asked, depth));
        }
        branches
    }

    /// One target of `of`.
    fn branch(
        &mut self,
        of: &'p Model,
        (place, target): (usize, &'p Target),
        asked: &str,
        depth: usize,
    ) -> Option<Branch<'p>> {
        let why = filter::why_not(target, of, self.question);
        match &target.to {
            Destination::Provider { provider, model } => {
                let step = self.step(target, (provider, model), asked);
                let why = why.or_else(|| self.unwished(target, &step)).or_else(|| self.rest(&step));
                if let Some(why) = why {
                    self.passed_over.push((step, why));
                    return None;
                }
                let standing = step.state.standing(self.care, self.question.now);
                let health = Health { degraded: standing.degraded, success: standing.success };
                Some(Branch { place, target, way: Way::Step(step), health, standing: None })
            }
            Destination::Model(name) => {
                let (model, asked) = self.inner(name, asked, depth)?;
                let closed = || fitness::closed_to(model, self.question).cloned();
                let why = why.or_else(|| closed().map(|condition| Why::Unfit(Unfit::Condition(condition))));
                if let Some(why) = why {
                    self.close(model, &asked, &why, depth + 1);
                    return None;
                }
                let branches = self.open(model, &asked, depth + 1);
                let health = Health::of_all(&branches);
                let way = Way::Model(model, branches);
                way.is_open().then_some(Branch { place, target, way, health, standing: None })
            }
        }
    }

    fn unwished(&self, target: &'p Target, step: &Step) -> Option<Why> {
        let wishes = self.question.wishes?;
        wish::why_not(wishes, target, step)
    }

    /// Whoever is passed over for this alone may be asked as a last resort.
    fn rest(&self, step: &Step) -> Option<Why> {
        step.state.standing(self.care, self.question.now).resting.map(Why::Resting)
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
                    let step = self.step(target, (provider, model), asked);
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

    fn step(&self, target: &'p Target, (provider, model): (&Arc<str>, &str), asked: &str) -> Step {
        let name = model_for(provider, model, asked);
        let state = self.fleet.target(provider, &name);
        let lacks =
            if self.prefers { fitness::lacking(&target.terms, self.question) } else { Abilities::default() };
        let price = self.price(target, provider, &name).cloned();
        let provider = Arc::clone(provider);
        let context = target.terms.context;
        Step { provider, model: name, state, price, entry: Entry::Regular, lacks, context, told: None }
    }

    /// Tier after tier, each as the strategy says; those that fail too often come behind the others of their tier. `front`:
    /// nothing is tried before these.
    fn order(
        &mut self,
        model: &'p Model,
        mut branches: Vec<Branch<'p>>,
        front: bool,
        into: &mut Vec<Found<'p>>,
    ) {
        let group_of = |branch: &Branch<'_>| (branch.target.tier, branch.health.degraded);
        branches.sort_by_key(group_of);
        let mut well = None;
        let mut rest = branches.into_iter().peekable();
        while let Some(first) = rest.next() {
            let its = group_of(&first);
            let mut group = vec![first];
            while let Some(next) = rest.next_if(|next| group_of(next) == its) {
                group.push(next);
            }
            let (tier, degraded) = its;
            // It is the turn of those before them, and the strategy keeps nothing of these.
            let behind = degraded && well == Some(tier);
            well = Some(tier).filter(|_| !degraded);
            let front = front && into.is_empty();
            let turn = if behind {
                Turned::Not
            } else if front {
                Turned::First
            } else {
                Turned::Later
            };
            for mut branch in self.in_order(model, group, turn) {
                if behind {
                    branch.placed("degraded, behind the others");
                }
                self.follow(branch, front && into.is_empty(), into);
            }
        }
    }

    fn follow(&mut self, branch: Branch<'p>, front: bool, into: &mut Vec<Found<'p>>) {
        match branch.way {
            Way::Step(step) => {
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
