//! Question → the targets to try, in order.
//!
//! `table` finds the model, `filter` says which of its targets may not be asked and why, a strategy of `balance` orders
//! the rest. `health` knows how each target is doing, `judge` whose fault a failure was, `retry` what follows from it.

use std::sync::Arc;

use crate::balance::{Candidate, Turn};
use crate::config::Sticky;
use crate::domain::{RequestHead, Target, VirtualKey};
use crate::error::{GatewayError, Kind};
use affinity::Home;

mod affinity;
mod filter;
mod health;
mod hedge;
mod judge;
mod nobody;
mod retry;
mod table;
mod variant;

pub use affinity::{Affinity, Clues, Conversation, Place};
pub use filter::Why;
pub use health::{Fleet, Running, TargetState};
pub use hedge::{Budget, Hedge};
pub use judge::{blame, refined};
pub use retry::{Judgement, Retry};
pub use table::{Model, Table};

/// What a plan is made from.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// Who asks.
    pub key: &'q VirtualKey,
    /// The model's name as the client said it.
    pub asked: &'q str,
    /// What else it said before the body.
    pub head: &'q RequestHead,
    /// What tells which conversation it belongs to.
    pub clues: Clues<'q>,
}

/// Whether strategies count this plan as a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turns {
    /// A request is planned.
    Taken,
    /// A plan is only shown: the next request gets the same.
    Untouched,
}

/// One target, resolved for one request.
#[derive(Clone, Debug)]
pub struct Step {
    /// The provider's name in the configuration.
    pub provider: Arc<str>,
    /// The provider's own model name.
    pub model: String,
    /// How it is doing.
    pub state: Arc<TargetState>,
}

/// Targets to try, in order.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The model as it is configured.
    pub model: Arc<Model>,
    /// Best first.
    pub steps: Vec<Step>,
    /// In order, each once, when the steps have failed.
    pub fallback: Vec<Step>,
    /// In order, each once, when one has refused the content.
    pub on_content_policy: Vec<Step>,
    /// In order, each once, when the prompt was too long for one.
    pub on_context_length: Vec<Step>,
    /// Targets that are not asked, and why.
    pub passed_over: Vec<(Step, Why)>,
    /// What came of keeping a conversation in its place; `None`: the model does not.
    pub affinity: Option<Affinity>,
    /// The effort of reasoning that the model's name asked for.
    pub effort: Option<&'static str>,
}

impl Table {
    /// Which targets may serve a request, best first.
    ///
    /// # Errors
    /// [`Kind::ModelNotFound`] naming close ones, [`Kind::Permission`] for a model the key may not use.
    pub fn plan(&self, question: &Question<'_>, fleet: &Fleet, turns: Turns) -> Result<Plan, GatewayError> {
        let (model, asked, effort) = self.permitted(question.key, question.asked)?;
        let step = |target: &Target| {
            let name = target.model_for(asked);
            let state = fleet.target(&target.provider, &name);
            Step { provider: Arc::clone(&target.provider), model: name, state }
        };
        let conversation = question.clues.conversation(&question.key.id, question.head, model.sticky);
        let mut home = Home::of(conversation);
        let mut passed_over = Vec::new();
        let mut open = Vec::new();
        for (place, target) in model.targets.iter().enumerate() {
            let step = step(target);
            // Also one that may not be asked now: the conversation comes back to it.
            if target.weight > 0 {
                home.see(&Place::of(&step, target.weight));
            }
            match filter::why_not(target, &step.state, question) {
                Some(why) => passed_over.push((step, why)),
                None => open.push((place, target.weight, step)),
            }
        }
        let steps = in_order(model, open, conversation, turns);
        let affinity = (model.sticky != Sticky::Off).then(|| home.into());
        let each = |targets: &[Target]| targets.iter().map(step).collect();
        Ok(Plan {
            model: Arc::clone(model),
            steps,
            fallback: each(&model.fallback),
            on_content_policy: each(&model.on_content_policy),
            on_context_length: each(&model.on_context_length),
            passed_over,
            affinity,
            effort,
        })
    }

    /// The model a key may use by this name, its name without an effort, and the effort.
    ///
    /// # Errors
    /// As [`Table::plan`].
    pub fn permitted<'a>(
        &self,
        key: &VirtualKey,
        asked: &'a str,
    ) -> Result<(&Arc<Model>, &'a str, Option<&'static str>), GatewayError> {
        let (model, asked, effort) = self.read(asked).ok_or_else(|| self.unknown(key, asked))?;
        if key.may_use(asked) {
            return Ok((model, asked, effort));
        }
        Err(GatewayError {
            param: Some("model".to_owned()),
            ..GatewayError::client(
                Kind::Permission,
                format!("this key may not use the model `{asked}`; ask the gateway's operator to add it"),
            )
        })
    }

    /// The model a name stands for, its name without an effort, and the effort. A name that is configured as it stands is
    /// that name.
    fn read<'a>(&self, asked: &'a str) -> Option<(&Arc<Model>, &'a str, Option<&'static str>)> {
        if let Some(model) = self.named(asked) {
            return Some((model, asked, None));
        }
        if let Some(variant) = variant::split(asked) {
            let named = self.named(variant.model);
            let found = named.or_else(|| variant.with_patterns.then(|| self.find(variant.model)).flatten());
            if let Some(model) = found {
                return Some((model, variant.model, Some(variant.effort)));
            }
        }
        self.find(asked).map(|model| (model, asked, None))
    }

    fn unknown(&self, key: &VirtualKey, asked: &str) -> GatewayError {
        let close = self.close_to(asked, |name| key.may_use(name));
        let hint = if close.is_empty() {
            "see /v1/models for what there is".to_owned()
        } else {
            format!(
                "did you mean {}?",
                close.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            )
        };
        GatewayError {
            param: Some("model".to_owned()),
            ..GatewayError::client(Kind::ModelNotFound, format!("the model `{asked}` does not exist; {hint}"))
        }
    }
}

/// The targets that may be asked: as the conversation finds them, else as the model's strategy orders them.
fn in_order(
    model: &Model,
    open: Vec<(usize, u32, Step)>,
    conversation: Option<Conversation>,
    turns: Turns,
) -> Vec<Step> {
    if open.len() < 2 {
        return open.into_iter().map(|(.., step)| step).collect();
    }
    let pick = |order: Vec<usize>, open: Vec<(usize, u32, Step)>| {
        let mut open: Vec<_> = open.into_iter().map(Some).collect();
        order.into_iter().filter_map(|at| open.get_mut(at)?.take()).map(|(.., step)| step).collect()
    };
    if let Some(conversation) = conversation {
        let places: Vec<_> = open.iter().map(|(_, weight, step)| Place::of(step, *weight)).collect();
        return pick(conversation.order(&places), open);
    }
    let candidate = |(place, weight, step): &(usize, u32, Step)| Candidate {
        place: *place,
        weight: *weight,
        in_flight: step.state.in_flight(),
        first_token: step.state.first_token(),
        cost: None,
        success: 1.0,
    };
    let candidates: Vec<_> = open.iter().map(candidate).collect();
    let mut memory = model.memory.lock();
    let mut copy = memory.clone();
    let memory = if turns == Turns::Taken { &mut *memory } else { &mut copy };
    let mut random = |bound| fastrand::u32(0..bound);
    let order = model.balance.order(&candidates, &mut Turn { random: &mut random, memory });
    pick(order, open)
}

#[cfg(test)]
mod tests;
