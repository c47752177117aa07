//! Effort, budget and mode of thinking, in each of the ways that servers with OpenAI's API want to be told.

use plugin_sdk::chat::{ChatRequest, Fields, Reasoning, ReasoningMode};
use plugin_sdk::{Failure, Losses};
use serde_json::{Map, Value, json};

use super::Object;
use crate::options::{EffortStyle, Extension};

/// Writes what the client asked of reasoning.
pub(super) fn write(
    chat: &ChatRequest<'_>,
    fields: &Fields<'_>,
    model: &str,
    object: &mut Object<'_>,
    losses: &mut Losses,
) -> Result<(), Failure> {
    let style = object.options.reasoning_effort;
    if let (Some(raw), true) = (fields.get("reasoning"), object.options.keeps(Extension::Reasoning)) {
        write_effort(chat, object)?;
        return object.field("reasoning", raw);
    }
    let default = Reasoning::default();
    let reasoning = chat.reasoning.as_ref().unwrap_or(&default);
    let asked = Asked { effort: chat.reasoning_effort.as_deref(), reasoning };
    match style {
        EffortStyle::Field => {
            write_effort(chat, object)?;
            asked.as_field(model, object, losses)?;
        }
        EffortStyle::Object => asked.as_object(object)?,
        EffortStyle::None => asked.lose(losses),
        _ => asked.as_switch(style, object, losses)?,
    }
    if style != EffortStyle::Object && reasoning.include == Some(true) {
        losses.add("reasoning.include", "openai chat does not show reasoning");
    }
    losses.add_if(&reasoning.display, "reasoning.display", "openai chat does not show reasoning");
    losses.add_fields(&reasoning.rest, "reasoning", "openai does not know it");
    Ok(())
}

fn write_effort(chat: &ChatRequest<'_>, object: &mut Object<'_>) -> Result<(), Failure> {
    match &chat.reasoning_effort {
        Some(effort) => object.field("reasoning_effort", effort),
        None => Ok(()),
    }
}

/// What the client said.
struct Asked<'r> {
    effort: Option<&'r str>,
    reasoning: &'r Reasoning<'r>,
}

impl Asked<'_> {
    /// To think or not to think; nothing when the client left it open.
    fn switch(&self) -> Option<bool> {
        match (self.effort, self.reasoning.mode) {
            (Some("none"), _) | (None, Some(ReasoningMode::Disabled)) => Some(false),
            (None, None) if self.reasoning.max_tokens.is_none() => None,
            // The model decides: these servers have no word for it, and leaving it out means it.
            (None, Some(ReasoningMode::Adaptive)) => None,
            _ => Some(true),
        }
    }

    fn as_field(&self, model: &str, object: &mut Object<'_>, losses: &mut Losses) -> Result<(), Failure> {
        if self.reasoning.mode == Some(ReasoningMode::Disabled) && self.effort.is_none() {
            losses.add("reasoning.mode", "openai's models have no common word for no reasoning");
        }
        let Some(budget) = self.reasoning.max_tokens else { return Ok(()) };
        match effort_for(self.reasoning, budget).filter(|_| self.effort.is_none() && reasons(model)) {
            Some(effort) => {
                object.field("reasoning_effort", &effort)?;
                losses
                    .add("reasoning.max_tokens", format!("openai takes no budget; sent as effort {effort}"));
            }
            None => losses.add("reasoning.max_tokens", "openai takes no budget"),
        }
        Ok(())
    }

    /// OpenRouter: effort or budget, not both (<https://openrouter.ai/docs/use-cases/reasoning-tokens>).
    fn as_object(&self, object: &mut Object<'_>) -> Result<(), Failure> {
        let mut wanted = Map::new();
        match (self.reasoning.max_tokens, self.effort) {
            (Some(budget), _) if self.switch() == Some(true) => {
                wanted.insert("max_tokens".to_owned(), budget.into());
            }
            (_, Some(effort)) => {
                wanted.insert("effort".to_owned(), effort.into());
            }
            _ => {
                if let Some(on) = self.switch() {
                    wanted.insert("enabled".to_owned(), on.into());
                }
            }
        }
        if self.reasoning.include == Some(false) {
            wanted.insert("exclude".to_owned(), true.into());
        }
        if wanted.is_empty() { Ok(()) } else { object.field("reasoning", &wanted) }
    }

    fn as_switch(
        &self,
        style: EffortStyle,
        object: &mut Object<'_>,
        losses: &mut Losses,
    ) -> Result<(), Failure> {
        let takes_effort = style == EffortStyle::ThinkingTypeAndField;
        let takes_budget = style == EffortStyle::EnableThinking;
        let on = self.switch();
        if let Some(on) = on {
            let (name, value) = switch_field(style, on);
            object.field(name, &value)?;
        }
        match self.effort {
            Some("none") | None => {}
            Some(effort) if takes_effort => object.field("reasoning_effort", &effort)?,
            Some(_) => losses.add("reasoning_effort", "this server only switches thinking on or off"),
        }
        match self.reasoning.max_tokens.filter(|_| on == Some(true)) {
            Some(budget) if takes_budget => object.field("thinking_budget", &budget)?,
            Some(_) => losses.add("reasoning.max_tokens", "this server takes no budget"),
            None => {}
        }
        Ok(())
    }

    fn lose(&self, losses: &mut Losses) {
        let reason = "this server cannot be told how to think";
        losses.add_if(&self.effort, "reasoning_effort", reason);
        losses.add_if(&self.reasoning.mode, "reasoning.mode", reason);
        losses.add_if(&self.reasoning.max_tokens, "reasoning.max_tokens", reason);
    }
}

fn switch_field(style: EffortStyle, on: bool) -> (&'static str, Value) {
    match style {
        EffortStyle::EnableThinking => ("enable_thinking", on.into()),
        EffortStyle::ChatTemplate => ("chat_template_kwargs", json!({ "enable_thinking": on })),
        _ => ("thinking", json!({ "type": if on { "enabled" } else { "disabled" } })),
    }
}

/// Budgets in the ranges other gateways and Google's own OpenAI-compatible endpoint use: 1 Ki, 8 Ki, 24 Ki.
fn effort_for(reasoning: &Reasoning<'_>, budget: u64) -> Option<&'static str> {
    if reasoning.mode == Some(ReasoningMode::Disabled) {
        return None;
    }
    Some(match budget {
        0..=2_048 => "low",
        2_049..=12_288 => "medium",
        _ => "high",
    })
}

/// These families refuse `reasoning_effort` altogether. A name may carry its vendor: `openai/gpt-4o`.
fn reasons(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    !["gpt-4", "gpt-3.5", "chatgpt-"].iter().any(|family| name.starts_with(family))
}
