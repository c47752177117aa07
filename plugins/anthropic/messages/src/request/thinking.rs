//! Whether the model shall think, how much, and what that asks of the rest of the request.

use plugin_sdk::Losses;
use plugin_sdk::chat::{ChatRequest, Reasoning, ReasoningMode, ToolChoice};
use serde_json::{Value, json};

use super::messages::Conversation;
use crate::model::{Model, Thinking};

/// Anthropic's smallest budget.
const LEAST: u64 = 1024;

/// What was decided.
pub(super) struct Thought {
    pub(super) thinking: Option<Value>,
    pub(super) effort: Option<&'static str>,
    pub(super) max_tokens: u64,
    /// Thinking is switched on by this request.
    pub(super) thinks: bool,
}

/// What the client wants.
struct Wish<'a> {
    /// `None`: it says nothing.
    on: Option<bool>,
    mode: Option<ReasoningMode>,
    budget: Option<u64>,
    effort: Option<&'a str>,
    /// The field to name in a loss.
    field: &'static str,
}

/// Decides it.
pub(super) fn decide(
    request: &ChatRequest<'_>,
    model: Model,
    conversation: &Conversation<'_>,
    default_max: u64,
    losses: &mut Losses,
) -> Thought {
    let silent = Reasoning::default();
    let reasoning = request.reasoning.as_ref().unwrap_or(&silent);
    losses.add_fields(&reasoning.rest, "reasoning", "anthropic has no such field");
    let wish = Wish::of(request, reasoning);
    let max_tokens = request.max_output().unwrap_or(default_max);
    let mut thought = Thought { thinking: None, effort: None, max_tokens, thinks: false };
    match wish.on {
        None => {}
        Some(false) => quiet(&wish, model, &mut thought, losses),
        Some(true) => match model.thinking() {
            Thinking::Never => losses.add(wish.field, "this model cannot think"),
            Thinking::Budget => with_budget(&wish, request, conversation, &mut thought, losses),
            Thinking::Either if wish.budget.is_some() && wish.mode != Some(ReasoningMode::Adaptive) => {
                with_budget(&wish, request, conversation, &mut thought, losses);
            }
            Thinking::Either | Thinking::Adaptive => {
                losses.add_if(&wish.budget, "reasoning.max_tokens", "this model decides how long it thinks");
                thought.thinking = Some(json!({ "type": "adaptive" }));
                thought.thinks = true;
                thought.effort = effort(&wish, model, losses);
            }
        },
    }
    if thought.thinks
        && let Some(Value::Object(thinking)) = &mut thought.thinking
    {
        let asked = reasoning.include == Some(true) && model.hides_thinking();
        let display = reasoning.display.as_deref().or(asked.then_some("summarized"));
        thinking.extend(display.map(|display| ("display".to_owned(), display.into())));
    }
    thought
}

impl<'a> Wish<'a> {
    fn of(request: &'a ChatRequest<'_>, reasoning: &Reasoning<'_>) -> Self {
        let effort = request.reasoning_effort.as_deref();
        let (mode, budget) = (reasoning.mode, reasoning.max_tokens);
        let on = match (mode, effort) {
            (Some(ReasoningMode::Disabled), _) | (None, Some("none")) => Some(false),
            (Some(_), _) | (None, Some(_)) => Some(true),
            (None, None) if budget.is_some() || reasoning.include == Some(true) => Some(true),
            (None, None) => None,
        };
        let field = if effort.is_some() { "reasoning_effort" } else { "reasoning" };
        Self { on, mode, budget, effort: effort.filter(|effort| *effort != "none"), field }
    }

    /// The budget that stands for an effort.
    fn budget(&self) -> u64 {
        self.budget.unwrap_or(match self.effort {
            Some("minimal") => LEAST,
            Some("low") => 2048,
            Some("high") => 16_384,
            Some("xhigh" | "max") => 24_576,
            _ => 8192,
        })
    }
}

/// The effort in Anthropic's words.
fn effort(wish: &Wish<'_>, model: Model, losses: &mut Losses) -> Option<&'static str> {
    match wish.effort? {
        "minimal" | "low" => Some("low"),
        "medium" => Some("medium"),
        "high" => Some("high"),
        "xhigh" if !model.takes_xhigh() => {
            losses.add("reasoning_effort", "this model has no xhigh; high was sent");
            Some("high")
        }
        "xhigh" => Some("xhigh"),
        "max" => Some("max"),
        _ => {
            losses.add("reasoning_effort", "anthropic does not know this effort");
            None
        }
    }
}

/// No thinking. Models that would think unasked must be told.
fn quiet(wish: &Wish<'_>, model: Model, thought: &mut Thought, losses: &mut Losses) {
    let can_think = model.thinking() != Thinking::Never;
    if can_think && (model.thinks_by_default() || wish.mode == Some(ReasoningMode::Disabled)) {
        thought.thinking = Some(json!({ "type": "disabled" }));
    }
    if !model.takes_effort() {
        losses.add_if(&wish.effort, "reasoning_effort", "this model has no effort without thinking");
        return;
    }
    thought.effort = effort(wish, model, losses);
    if model.thinks_by_default() && matches!(thought.effort, Some("xhigh" | "max")) {
        losses.add("reasoning_effort", "without thinking this model goes no higher than high");
        thought.effort = Some("high");
    }
}

/// A budget makes demands: room below the cap, a free choice of tools, and earlier thoughts where a tool loop is
/// under way. What cannot be met costs the thinking, not the request.
fn with_budget(
    wish: &Wish<'_>,
    request: &ChatRequest<'_>,
    conversation: &Conversation<'_>,
    thought: &mut Thought,
    losses: &mut Losses,
) {
    let max = request.max_output();
    let names_a_tool = matches!(request.tool_choice, Some(ToolChoice::Function(_) | ToolChoice::Required))
        || matches!(request.tool_choice, Some(ToolChoice::Allowed { required: true, .. }));
    let forced = names_a_tool && !request.tools.is_empty();
    let obstacle = if forced || conversation.answers_by_call.is_some() {
        Some("this model cannot think when a tool call is forced")
    } else if conversation.ends_with_unthought_calls {
        Some("this model cannot think on: the calls before came without its thoughts")
    } else if conversation.ends_with_assistant {
        Some("this model cannot think when its answer is begun for it")
    } else if max.is_some_and(|max| max <= LEAST) {
        Some("the output cap leaves no room for thinking")
    } else {
        None
    };
    if let Some(obstacle) = obstacle {
        losses.add(wish.field, obstacle);
        return;
    }
    let wanted = wish.budget().max(LEAST);
    let budget = match max {
        // The cap counts thoughts too; half of it stays for the answer when both do not fit.
        Some(max) if wanted >= max => (max / 2).max(LEAST),
        Some(_) => wanted,
        None => {
            if wanted >= thought.max_tokens {
                thought.max_tokens = thought.max_tokens.saturating_add(wanted);
            }
            wanted
        }
    };
    if budget < wanted {
        losses.add(
            if wish.budget.is_some() { "reasoning.max_tokens" } else { wish.field },
            format!("the budget was lowered to {budget} tokens to fit below the output cap"),
        );
    }
    thought.thinking = Some(json!({ "type": "enabled", "budget_tokens": budget }));
    thought.thinks = true;
}
