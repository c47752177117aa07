//! Sampling, output form and thinking; and everything a request may say that Cohere has no place for.

use plugin_sdk::chat::{ChatRequest, Fields, ReasoningMode, Text};
use plugin_sdk::{Failure, Losses, failure, json};
use serde_json::Number;

use crate::wire::{ResponseFormat, Thinking};

const MAX_STOPS: usize = 5;
const MAX_K: u64 = 500;

/// One answer a request.
pub(super) fn refuse_several_answers(chat: &ChatRequest<'_>) -> Result<(), Failure> {
    match chat.n {
        Some(0 | 1) | None => Ok(()),
        Some(_) => Err(failure::unsupported("n", "cohere gives one answer a request")),
    }
}

/// Up to five.
pub(super) fn stops<'a>(chat: &ChatRequest<'a>, losses: &mut Losses) -> Vec<Text<'a>> {
    for place in MAX_STOPS..chat.stop.0.len() {
        losses.add(format!("stop[{place}]"), format!("cohere takes {MAX_STOPS} stop sequences"));
    }
    chat.stop.0.iter().take(MAX_STOPS).cloned().collect()
}

/// From 0 to 1.
pub(super) fn penalty(field: &str, given: &Option<Number>, losses: &mut Losses) -> Option<Number> {
    within(field, given.as_ref()?, 0.0, 1.0, losses)
}

/// From 0.01 to 0.99.
pub(super) fn top_p(chat: &ChatRequest<'_>, losses: &mut Losses) -> Option<Number> {
    within("top_p", chat.top_p.as_ref()?, 0.01, 0.99, losses)
}

fn within(field: &str, given: &Number, least: f64, most: f64, losses: &mut Losses) -> Option<Number> {
    let value = given.as_f64()?;
    let sent = value.clamp(least, most);
    if sent == value {
        return Some(given.clone());
    }
    losses.add(field, format!("cohere takes {least} to {most}; {sent} was sent"));
    Number::from_f64(sent)
}

/// Up to 500.
pub(super) fn top_k(chat: &ChatRequest<'_>, losses: &mut Losses) -> Option<u64> {
    let k = chat.top_k?;
    if k > MAX_K {
        losses.add("top_k", format!("cohere takes up to {MAX_K}, which was sent"));
    }
    Some(k.min(MAX_K))
}

/// JSON, perhaps by a schema; not beside tools or documents (`free_form` says that there are none).
pub(super) fn response_format<'a>(
    chat: &ChatRequest<'a>,
    free_form: bool,
    losses: &mut Losses,
) -> Option<ResponseFormat<'a>> {
    let format = chat.response_format.as_ref()?;
    losses.add_fields(&format.rest, "response_format", "cohere has no such field");
    match &*format.kind {
        "text" => return None,
        "json_object" | "json_schema" if free_form => {}
        "json_object" | "json_schema" => {
            losses.add("response_format", "cohere takes none beside tools or documents");
            return None;
        }
        kind => {
            losses.add("response_format", format!("cohere has no format `{kind}`"));
            return None;
        }
    }
    let named = format.json_schema.as_ref();
    if let Some(named) = named {
        let path = "response_format.json_schema";
        losses.add_if(&named.description, format!("{path}.description"), "cohere takes the schema alone");
        losses.add_fields(&named.rest, path, "cohere has no such field");
    }
    let json_schema = named.and_then(|named| named.schema.clone());
    Some(ResponseFormat { kind: "json_object", json_schema })
}

/// Cohere takes a budget; an effort stands for one, from `high` on for as much as the model likes.
pub(super) fn thinking(chat: &ChatRequest<'_>, model: &str, losses: &mut Losses) -> Option<Thinking> {
    let effort = chat.reasoning_effort.as_deref();
    let reasoning = chat.reasoning.as_ref();
    let mode = reasoning.and_then(|reasoning| reasoning.mode);
    let budget = reasoning.and_then(|reasoning| reasoning.max_tokens).filter(|budget| *budget > 0);
    if let Some(reasoning) = reasoning {
        losses.add_if(&reasoning.display, "reasoning.display", "cohere shows thoughts as they are");
        losses.add_fields(&reasoning.rest, "reasoning", "cohere has no such field");
    }
    let off = mode == Some(ReasoningMode::Disabled) || (mode.is_none() && effort == Some("none"));
    let include = reasoning.and_then(|reasoning| reasoning.include) == Some(true);
    let wanted = off || effort.is_some() || mode.is_some() || budget.is_some() || include;
    if !wanted {
        return None;
    }
    if !thinks(model) {
        if !off {
            losses.add_if(&effort, "reasoning_effort", "this model does not think");
            losses.add_if(&reasoning, "reasoning", "this model does not think");
        }
        return None;
    }
    if off {
        return Some(Thinking { kind: "disabled", token_budget: None });
    }
    let by_effort = match effort {
        Some("minimal" | "low") => Some(1024),
        Some("medium") => Some(8192),
        _ => None,
    };
    if budget.is_some() {
        losses.add_if(&effort, "reasoning_effort", "the budget in `reasoning.max_tokens` was sent");
    }
    Some(Thinking { kind: "enabled", token_budget: budget.or(by_effort) })
}

/// Cohere refuses `thinking` for those that do not.
fn thinks(model: &str) -> bool {
    ![
        "command-r",
        "command-light",
        "command-nightly",
        "command-a-03",
        "command-a-vision",
        "command-a-translate",
        "c4ai-",
    ]
    .iter()
    .any(|family| model.starts_with(family))
}

/// Fields that have code of their own; every other one has no place.
const HANDLED: [&str; 24] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "n",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "logprobs",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
    "reasoning_effort",
    "reasoning",
    "vendor",
];

/// One loss for every field that says something Cohere cannot do.
pub(super) fn report_what_has_no_place(body: &[u8], losses: &mut Losses) -> Result<(), Failure> {
    let fields: Fields<'_> = json::request(body)?;
    for (name, value) in fields.present().filter(|(name, _)| !HANDLED.contains(name)) {
        // `store: false`, `modalities: ["text"]` and the like ask for what happens anyway.
        let asks_nothing = match name {
            "modalities" => {
                value.read::<Vec<&str>>().is_some_and(|words| words.iter().all(|word| *word == "text"))
            }
            "service_tier" => matches!(&*value.text(), "\"auto\"" | "\"default\""),
            "metadata" | "logit_bias" => &*value.text() == "{}",
            "top_logprobs" => &*value.text() == "0",
            _ => matches!(&*value.text(), "false" | "[]"),
        };
        if !asks_nothing {
            losses.add(name, format!("cohere has no {name}"));
        }
    }
    Ok(())
}
