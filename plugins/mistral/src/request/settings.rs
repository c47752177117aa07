//! Sampling, output form and thinking; and everything a request may say that Mistral has no place for. Mistral refuses
//! fields it does not know, so nothing is sent on trust.

use plugin_sdk::chat::{ChatRequest, Fields, ReasoningMode, ResponseFormat};
use plugin_sdk::{Failure, Losses, json};
use serde_json::Number;

/// The highest temperature Mistral takes.
const HOTTEST: f64 = 1.5;

/// Up to 1.5.
pub(super) fn temperature(chat: &ChatRequest<'_>, losses: &mut Losses) -> Option<Number> {
    let temperature = chat.temperature.clone()?;
    if temperature.as_f64().is_some_and(|degrees| degrees > HOTTEST) {
        losses.add("temperature", format!("mistral takes up to {HOTTEST}, which was sent"));
        return Number::from_f64(HOTTEST);
    }
    Some(temperature)
}

/// Mistral refuses `top_p` beside a temperature of 0 (greedy sampling).
pub(super) fn top_p(
    chat: &ChatRequest<'_>,
    temperature: Option<&Number>,
    losses: &mut Losses,
) -> Option<Number> {
    let top_p = chat.top_p.clone()?;
    let greedy = temperature.and_then(Number::as_f64) == Some(0.0);
    if greedy && top_p.as_f64() != Some(1.0) {
        losses.add("top_p", "mistral refuses it beside a temperature of 0");
        return None;
    }
    Some(top_p)
}

/// As it came; `text` is what Mistral does anyway.
pub(super) fn response_format<'a>(chat: &ChatRequest<'a>, losses: &mut Losses) -> Option<ResponseFormat<'a>> {
    let mut format = chat.response_format.clone()?;
    losses.add_fields(&format.rest, "response_format", "mistral has no such field");
    format.rest = Fields::default();
    match &*format.kind {
        "text" => None,
        "json_object" | "json_schema" => {
            if let Some(named) = &mut format.json_schema {
                losses.add_fields(&named.rest, "response_format.json_schema", "mistral has no such field");
                named.rest = Fields::default();
            }
            Some(format)
        }
        kind => {
            losses.add("response_format", format!("mistral has no format `{kind}`"));
            None
        }
    }
}

/// Most models that can be told know `none` and `high`; the large ones from generation 4 on know what lies between.
pub(super) fn reasoning_effort(
    chat: &ChatRequest<'_>,
    model: &str,
    losses: &mut Losses,
) -> Option<&'static str> {
    let effort = chat.reasoning_effort.as_deref();
    let reasoning = chat.reasoning.as_ref();
    let mode = reasoning.and_then(|reasoning| reasoning.mode);
    let budget = reasoning.and_then(|reasoning| reasoning.max_tokens);
    if let Some(reasoning) = reasoning {
        losses.add_if(&budget, "reasoning.max_tokens", "mistral takes no budget");
        losses.add_if(&reasoning.display, "reasoning.display", "mistral shows thoughts as they are");
        losses.add_fields(&reasoning.rest, "reasoning", "mistral has no such field");
    }
    if model.starts_with("magistral") {
        losses.add_if(&effort, "reasoning_effort", "this model always thinks");
        if mode == Some(ReasoningMode::Disabled) {
            losses.add("reasoning.mode", "this model always thinks");
        }
        return None;
    }
    if mode == Some(ReasoningMode::Disabled) || (mode.is_none() && effort == Some("none")) {
        return Some("none");
    }
    let Some(effort) = effort.filter(|effort| *effort != "none") else {
        let wanted =
            mode.is_some() || budget.is_some() || reasoning.and_then(|asked| asked.include) == Some(true);
        return wanted.then_some("high");
    };
    let levels = model.starts_with("mistral-large");
    match effort {
        "high" => return Some("high"),
        "low" if levels => return Some("low"),
        "medium" if levels => return Some("medium"),
        "minimal" if levels => {
            losses.add("reasoning_effort", "mistral knows no `minimal`; `low` was sent");
            return Some("low");
        }
        other => losses.add("reasoning_effort", format!("this model knows no `{other}`; `high` was sent")),
    }
    Some("high")
}

/// Fields that have code of their own; every other one has no place.
const HANDLED: [&str; 26] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "n",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
    "reasoning_effort",
    "reasoning",
    "prediction",
    "metadata",
    "vendor",
    "top_logprobs",
    "logprobs",
];

/// One loss for every field that says something Mistral cannot do.
pub(super) fn report_what_has_no_place(body: &[u8], losses: &mut Losses) -> Result<(), Failure> {
    let fields: Fields<'_> = json::request(body)?;
    for (name, value) in fields.present().filter(|(name, _)| !HANDLED.contains(name)) {
        // `store: false`, `modalities: ["text"]` and the like ask for what happens anyway.
        let asks_nothing = match name {
            "modalities" => {
                value.read::<Vec<&str>>().is_some_and(|words| words.iter().all(|word| *word == "text"))
            }
            "service_tier" => matches!(&*value.text(), "\"auto\"" | "\"default\""),
            "logit_bias" => &*value.text() == "{}",
            _ => matches!(&*value.text(), "false" | "[]"),
        };
        if !asks_nothing {
            losses.add(name, format!("mistral has no {name}"));
        }
    }
    for name in ["logprobs", "top_logprobs"] {
        if fields.get(name).is_some_and(|value| !matches!(&*value.text(), "false" | "0")) {
            losses.add(name, "mistral tells no probabilities");
        }
    }
    Ok(())
}
