//! Whether the model shall think, in its maker's words: Converse has none of its own.

use plugin_sdk::Losses;
use plugin_sdk::chat::{ChatRequest, Reasoning, ReasoningMode, ToolChoice};
use serde_json::{Value, json};

use super::messages::Conversation;
use crate::model::Family;
use crate::wire::Body;

/// Anthropic's smallest budget.
const LEAST: u64 = 1024;
/// The output cap of a Claude that thinks, where the client sets none.
const CAP: u64 = 32_000;

/// What the client wants.
struct Wish<'r> {
    request: &'r ChatRequest<'r>,
    reasoning: &'r Reasoning<'r>,
    effort: Option<&'r str>,
    /// The field to name in a loss.
    field: &'static str,
}

/// Sets it; whether the model was told to think.
pub(super) fn set<'a>(
    request: &'a ChatRequest<'a>,
    family: Family,
    conversation: &Conversation<'_>,
    body: &mut Body<'_>,
    losses: &mut Losses,
) -> bool {
    let silent: Reasoning<'a> = Reasoning::default();
    let reasoning = request.reasoning.as_ref().unwrap_or(&silent);
    losses.add_fields(&reasoning.rest, "reasoning", "bedrock has no such field");
    let effort = request.reasoning_effort.as_deref();
    let field = if effort.is_some() { "reasoning_effort" } else { "reasoning" };
    let wanted = match (reasoning.mode, effort) {
        (Some(ReasoningMode::Disabled), _) | (None, Some("none")) => Some(false),
        (Some(_), _) | (None, Some(_)) => Some(true),
        (None, None) => (reasoning.max_tokens.is_some() || reasoning.include == Some(true)).then_some(true),
    };
    let Some(wanted) = wanted else { return false };
    let wish = Wish { request, reasoning, effort: effort.filter(|effort| *effort != "none"), field };
    if !family.is_claude() {
        losses.add_if(&reasoning.display, "reasoning.display", "this model does not choose what it shows");
    }
    match family {
        Family::Claude(..) if wanted => claude(family, &wish, conversation, body, losses),
        Family::Claude(..) => {
            if family.is_claude_since(5, 0) {
                let off = json!({ "type": "disabled" });
                body.additional_model_request_fields.insert("thinking".into(), off);
            }
            false
        }
        Family::Nova | Family::OpenAi => {
            losses.add_if(&reasoning.max_tokens, "reasoning.max_tokens", "this model takes no budget");
            own_words(family, wanted, wish.effort, body);
            false
        }
        _ => {
            if wanted {
                losses.add(field, "it is not known how this model is told to think");
            }
            false
        }
    }
}

/// Budgets from 3.7 on; from 4.7 on the model decides itself, and shows its thoughts only when asked to.
fn claude(
    family: Family,
    wish: &Wish<'_>,
    conversation: &Conversation<'_>,
    body: &mut Body<'_>,
    losses: &mut Losses,
) -> bool {
    let mut thinking = if family.is_claude_since(4, 7) {
        let budget = &wish.reasoning.max_tokens;
        losses.add_if(budget, "reasoning.max_tokens", "this model decides how long it thinks");
        if let Some(effort) = wish.effort {
            let effort = if effort == "minimal" { "low" } else { effort };
            let config = json!({ "effort": effort });
            body.additional_model_request_fields.insert("output_config".into(), config);
        }
        json!({ "type": "adaptive" })
    } else if family.is_claude_since(3, 7) {
        match with_budget(wish, conversation, body, losses) {
            Ok(thinking) => thinking,
            Err(obstacle) => {
                losses.add(wish.field, obstacle);
                return false;
            }
        }
    } else {
        losses.add(wish.field, "this model cannot think");
        return false;
    };
    let asked = wish.reasoning.include == Some(true) && family.is_claude_since(4, 7);
    if let Some(display) = wish.reasoning.display.as_deref().or(asked.then_some("summarized")) {
        thinking["display"] = display.into();
    }
    body.additional_model_request_fields.insert("thinking".into(), thinking);
    true
}

fn own_words(family: Family, wanted: bool, effort: Option<&str>, body: &mut Body<'_>) {
    let effort = match effort {
        Some("minimal" | "low") => "low",
        Some("high" | "xhigh" | "max") => "high",
        _ => "medium",
    };
    let fields = &mut body.additional_model_request_fields;
    match (family, wanted) {
        (Family::Nova, true) => {
            let config = json!({ "type": "enabled", "maxReasoningEffort": effort });
            fields.insert("reasoningConfig".into(), config);
        }
        (Family::Nova, false) => drop(fields.insert("reasoningConfig".into(), json!({ "type": "disabled" }))),
        // Models with open weights cannot be told not to think; low comes closest.
        (_, true) => drop(fields.insert("reasoning_effort".into(), effort.into())),
        (_, false) => drop(fields.insert("reasoning_effort".into(), "low".into())),
    }
}

/// A budget makes demands: room below the cap, a free choice of tools, and earlier thoughts where a tool loop is
/// under way. What cannot be met costs the thinking, not the request.
fn with_budget(
    wish: &Wish<'_>,
    conversation: &Conversation<'_>,
    body: &mut Body<'_>,
    losses: &mut Losses,
) -> Result<Value, &'static str> {
    let cap = wish.request.max_output();
    let forced = matches!(
        wish.request.tool_choice,
        Some(ToolChoice::Function(_) | ToolChoice::Required | ToolChoice::Allowed { required: true, .. })
    );
    if forced && !wish.request.tools.is_empty() {
        return Err("this model cannot think when a tool call is forced");
    }
    if conversation.ends_with_unthought_calls {
        return Err("this model cannot think on: the calls before came without its thoughts");
    }
    if conversation.ends_with_assistant {
        return Err("this model cannot think when its answer is begun for it");
    }
    if cap.is_some_and(|cap| cap <= LEAST) {
        return Err("the output cap leaves no room for thinking");
    }
    let asked = wish.reasoning.max_tokens.unwrap_or(match wish.effort {
        Some("minimal") => LEAST,
        Some("low") => 2048,
        Some("high") => 16_384,
        Some("xhigh" | "max") => 24_576,
        _ => 8192,
    });
    let asked = asked.max(LEAST);
    let budget = match cap {
        // The cap counts thoughts too; half of it stays for the answer when both do not fit.
        Some(cap) if asked >= cap => (cap / 2).max(LEAST),
        _ => asked,
    };
    if budget < asked {
        let message = format!("the budget was lowered to {budget} tokens to fit below the output cap");
        losses.add("reasoning.max_tokens", message);
    }
    let room = if budget >= CAP { CAP.saturating_add(budget) } else { CAP };
    body.inference_config.max_tokens = cap.or(Some(room));
    Ok(json!({ "type": "enabled", "budget_tokens": budget }))
}
