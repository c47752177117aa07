//! A plan shown: for a person, and as JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Entry, Plan, Step};
use crate::balance::Standing;
use crate::domain::Cost;

/// Where a target stands in a plan, and why there.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The models it was found in below the asked one, from the outside in, and where each stands.
    pub within: Vec<(Arc<str>, Standing)>,
    /// The strategy that placed it.
    pub balance: &'static str,
    /// Its priority group.
    pub tier: u32,
    /// The operator's labels.
    pub tags: Vec<Arc<str>>,
    /// Where it stands among those of its tier.
    pub standing: Standing,
    /// What the request would cost there, in millionths of a micro-dollar.
    pub cost: Option<u64>,
}

impl Told {
    /// The share of requests in which it comes first in its tier, 0 to 1; `None`: something else than shares decides.
    pub fn share(&self) -> Option<f64> {
        let standings = self.within.iter().map(|(_, standing)| standing).chain([&self.standing]);
        standings
            .map(|standing| if let Standing::Share(share) = standing { Some(*share) } else { None })
            .product()
    }
}

/// The plan as JSON.
pub fn as_json(plan: &Plan) -> Value {
    let passed_over: Vec<_> = plan
        .passed_over
        .iter()
        .map(|(step, why)| json!({ "target": name(step), "why": why.to_string() }))
        .collect();
    json!({
        "version": 1,
        "model": plan.model.name.as_ref(),
        "balance": plan.model.balance.name(),
        "effort": plan.effort,
        "seed": plan.seed.to_string(),
        "targets": plan.steps.iter().map(step_as_json).collect::<Vec<_>>(),
        "fallback": plan.fallback.iter().map(step_as_json).collect::<Vec<_>>(),
        "passed_over": passed_over,
    })
}

fn step_as_json(step: &Step) -> Value {
    let last_resort = step.entry == Entry::LastResort;
    let Some(told) = &step.told else { return json!({ "target": name(step), "last_resort": last_resort }) };
    let within: Vec<_> = told.within.iter().map(|(model, _)| model.as_ref()).collect();
    let score = match &told.standing {
        Standing::Share(_) => None,
        Standing::Score(score) => Some(score),
    };
    json!({
        "target": name(step),
        "last_resort": last_resort,
        "within": within,
        "balance": told.balance,
        "tier": told.tier,
        "tags": told.tags.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        "share": told.share(),
        "score": score,
        "cost_usd": told.cost.map(|cost| Cost(cost).to_string()),
        "running": step.state.in_flight(),
        "first_token_ms": step.state.first_token().map(|first| first.as_millis() as u64),
    })
}

/// The plan for a person.
pub fn as_text(plan: &Plan) -> String {
    let mut text = format!("model `{}`, balance `{}`\n", plan.model.name, plan.model.balance.name());
    if let Some(effort) = plan.effort {
        let _ = writeln!(text, "effort of reasoning: {effort}");
    }
    let all = || plan.steps.iter().chain(&plan.fallback);
    let others = plan.passed_over.iter().map(|(step, _)| step);
    let width = all().chain(others).map(|step| name(step).chars().count()).max().unwrap_or(0);
    if plan.steps.is_empty() {
        text.push_str("asked: none\n");
    } else {
        text.push_str("asked, in this order:\n");
    }
    for (index, step) in all().enumerate() {
        if index == plan.steps.len() {
            text.push_str("when all of them have failed:\n");
        }
        let _ = writeln!(text, "  {:>2}. {:width$}  {}", index + 1, name(step), standing(step).trim_end());
    }
    if !plan.passed_over.is_empty() {
        text.push_str("not asked:\n");
        for (step, why) in &plan.passed_over {
            let _ = writeln!(text, "   -  {:width$}  {why}", name(step));
        }
    }
    text
}

fn standing(step: &Step) -> String {
    if step.entry == Entry::LastResort {
        return "it rests, and is asked as a last resort".to_owned();
    }
    let Some(told) = &step.told else { return String::new() };
    let mut text = format!("tier {}  ", told.tier);
    let _ = match (told.share(), &told.standing) {
        (Some(share), _) => write!(text, "{:.1} %", share * 100.0),
        (None, Standing::Score(score)) => text.write_str(score),
        (None, Standing::Share(share)) => write!(text, "{:.1} % there", share * 100.0),
    };
    for (model, standing) in &told.within {
        let _ = match standing {
            Standing::Share(_) => write!(text, "  in `{model}`"),
            Standing::Score(score) => write!(text, "  in `{model}` ({score})"),
        };
    }
    if let Some(cost) = told.cost.filter(|_| told.balance != "cheapest") {
        let _ = write!(text, "  ${}", Cost(cost));
    }
    if !told.tags.is_empty() {
        let _ = write!(text, "  [{}]", told.tags.join(", "));
    }
    text
}

pub(super) fn name(step: &Step) -> String {
    format!("{}/{}", step.provider, step.model)
}
