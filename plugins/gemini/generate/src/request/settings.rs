//! Sampling, output form and thinking; and everything a request may say that Gemini has no place for.

use plugin_sdk::Losses;
use plugin_sdk::chat::{ChatRequest, Reasoning, ReasoningMode, ResponseFormat, Text};

use super::model::Model;
use crate::VENDOR;
use crate::wire::{GenerationConfig, ThinkingConfig};

const MAX_STOPS: usize = 5;

/// `generationConfig`, when there is anything to say.
pub(super) fn generation_config<'a>(
    chat: &'a ChatRequest<'a>,
    model: &Model<'_>,
    losses: &mut Losses,
) -> Option<GenerationConfig<'a>> {
    let mut config = GenerationConfig {
        temperature: chat.temperature.clone(),
        top_p: chat.top_p.clone(),
        top_k: chat.top_k,
        max_output_tokens: chat.max_output(),
        stop_sequences: stops(chat, losses),
        candidate_count: chat.n.filter(|count| *count != 1),
        seed: seed(chat, losses),
        presence_penalty: chat.presence_penalty.clone(),
        frequency_penalty: chat.frequency_penalty.clone(),
        response_logprobs: chat.logprobs.filter(|wanted| *wanted),
        logprobs: chat.top_logprobs.filter(|count| *count > 0),
        response_modalities: modalities(chat),
        thinking_config: thinking(chat, model, losses),
        ..GenerationConfig::default()
    };
    if let Some(format) = &chat.response_format {
        response_format(format, &mut config, losses);
    }
    let written = serde_json::to_string(&config).ok()?;
    (written != "{}").then_some(config)
}

fn stops<'a>(chat: &'a ChatRequest<'a>, losses: &mut Losses) -> Vec<Text<'a>> {
    let stops: Vec<Text<'a>> = chat.stop.0.iter().filter(|stop| !stop.is_empty()).cloned().collect();
    for place in MAX_STOPS..stops.len() {
        losses.add(format!("stop[{place}]"), format!("gemini takes {MAX_STOPS} stop sequences"));
    }
    stops.into_iter().take(MAX_STOPS).collect()
}

fn seed(chat: &ChatRequest<'_>, losses: &mut Losses) -> Option<i64> {
    let seed = chat.seed.as_ref()?;
    let narrow = seed.as_i64().filter(|seed| i32::try_from(*seed).is_ok());
    if narrow.is_none() {
        losses.add("seed", "gemini takes 32 bits");
    }
    narrow
}

/// Text alone is what Gemini gives anyway.
fn modalities<'a>(chat: &ChatRequest<'_>) -> Vec<Text<'a>> {
    if chat.modalities.iter().all(|word| *word == "text") {
        return Vec::new();
    }
    chat.modalities.iter().map(|word| Text::from(word.to_ascii_uppercase())).collect()
}

fn response_format<'a>(
    format: &'a ResponseFormat<'a>,
    config: &mut GenerationConfig<'a>,
    losses: &mut Losses,
) {
    match &*format.kind {
        "text" => return,
        "json_object" | "json_schema" => config.response_mime_type = Some("application/json".into()),
        _ => return losses.add("response_format", format!("gemini has no format `{}`", &*format.kind)),
    }
    let Some(named) = &format.json_schema else { return };
    config.response_json_schema = named.schema.clone();
    let path = "response_format.json_schema";
    losses.add_if(&named.description, format!("{path}.description"), "gemini takes the schema alone");
    losses.add_fields(&named.rest, path, "gemini has no such field");
}

/// Budgets up to generation 2.5, levels from 3 on.
fn thinking<'a>(
    chat: &'a ChatRequest<'a>,
    model: &Model<'_>,
    losses: &mut Losses,
) -> Option<ThinkingConfig<'a>> {
    let effort = chat.reasoning_effort.as_deref();
    let reasoning = chat.reasoning.as_ref();
    if effort.is_none() && reasoning.is_none() {
        return None;
    }
    if !model.thinks() {
        losses.add_if(&effort, "reasoning_effort", "this model does not think");
        losses.add_if(&reasoning, "reasoning", "this model does not think");
        return None;
    }
    if let Some(reasoning) = reasoning {
        losses.add_fields(&reasoning.rest, "reasoning", "gemini has no such field");
    }
    let include_thoughts = reasoning.is_some_and(wants_text);
    let mut config = ThinkingConfig { include_thoughts, ..ThinkingConfig::default() };
    if model.is_third_or_later() {
        config.thinking_level = level(effort, reasoning, model, losses).map(Into::into);
    } else {
        config.thinking_budget = budget(effort, reasoning, model, losses);
    }
    let said = config.include_thoughts || config.thinking_level.is_some() || config.thinking_budget.is_some();
    said.then_some(config)
}

fn wants_text(reasoning: &Reasoning<'_>) -> bool {
    let summarized = reasoning.display.as_ref().is_some_and(|display| *display == "summarized");
    reasoning.include.unwrap_or(summarized)
}

fn forbidden(effort: Option<&str>, reasoning: Option<&Reasoning<'_>>) -> bool {
    match reasoning.and_then(|reasoning| reasoning.mode) {
        Some(mode) => mode == ReasoningMode::Disabled,
        None => effort == Some("none"),
    }
}

fn level(
    effort: Option<&str>,
    reasoning: Option<&Reasoning<'_>>,
    model: &Model<'_>,
    losses: &mut Losses,
) -> Option<&'static str> {
    let lowest = if model.is_pro() { "low" } else { "minimal" };
    if forbidden(effort, reasoning) {
        let field = if effort == Some("none") { "reasoning_effort" } else { "reasoning.mode" };
        losses.add(field, format!("this model cannot stop thinking; `{lowest}` was sent"));
        return Some(lowest);
    }
    let budget = reasoning.and_then(|reasoning| reasoning.max_tokens);
    if let Some(budget) = budget {
        let instead = if effort.is_some() { "the effort" } else { "a level" };
        losses.add(
            "reasoning.max_tokens",
            format!("this model thinks by level, not by {budget} tokens; {instead} was sent"),
        );
    }
    let level = match (effort, budget) {
        (Some("minimal" | "none"), _) => lowest,
        (Some("low"), _) => "low",
        (Some("medium"), _) => "medium",
        (Some("high"), _) => "high",
        (Some(other), _) => {
            losses.add("reasoning_effort", format!("gemini knows no `{other}`; `high` was sent"));
            "high"
        }
        (None, Some(0..=2048)) => "low",
        (None, Some(2049..=8192)) => "medium",
        (None, Some(_)) => "high",
        (None, None) => return None,
    };
    if level == "medium" && !model.knows_medium() {
        losses.add("reasoning_effort", "this model knows `low` and `high`; `high` was sent");
        return Some("high");
    }
    Some(level)
}

/// The budgets stand for what Google's own OpenAI-compatible endpoint makes of an effort.
fn budget(
    effort: Option<&str>,
    reasoning: Option<&Reasoning<'_>>,
    model: &Model<'_>,
    losses: &mut Losses,
) -> Option<i64> {
    if forbidden(effort, reasoning) {
        if model.is_pro() {
            let field = if effort == Some("none") { "reasoning_effort" } else { "reasoning.mode" };
            losses.add(field, "this model cannot stop thinking; its least budget was sent");
            return Some(128);
        }
        return Some(0);
    }
    if let Some(budget) = reasoning.and_then(|reasoning| reasoning.max_tokens) {
        losses.add_if(&effort, "reasoning_effort", "the budget in `reasoning.max_tokens` was sent");
        return i64::try_from(budget).ok();
    }
    match effort {
        Some("minimal" | "low") => Some(1024),
        Some("medium") => Some(8192),
        Some("high") => Some(24576),
        Some("xhigh" | "max") => Some(if model.is_pro() { 32768 } else { 24576 }),
        Some(other) => {
            losses.add("reasoning_effort", format!("gemini knows no `{other}`"));
            None
        }
        None => reasoning.and_then(|reasoning| reasoning.mode).map(|_| -1),
    }
}

/// OpenAI's `default` is Google's `standard`.
pub(super) fn service_tier(chat: &ChatRequest<'_>, losses: &mut Losses) -> Option<&'static str> {
    match chat.service_tier.as_deref()? {
        "auto" => None,
        "default" | "standard" => Some("standard"),
        "flex" => Some("flex"),
        "priority" => Some("priority"),
        other => {
            losses.add("service_tier", format!("gemini knows no `{other}`"));
            None
        }
    }
}

/// Fields with a name in canonical chat and none in Gemini's API.
pub(super) fn report_what_has_no_place(chat: &ChatRequest<'_>, losses: &mut Losses) {
    losses.add_if(&chat.logit_bias, "logit_bias", "gemini has no logit_bias");
    losses.add_if(&chat.verbosity, "verbosity", "gemini has no verbosity");
    losses.add_if(&chat.user, "user", "gemini has no end users");
    losses.add_if(&chat.safety_identifier, "safety_identifier", "gemini has no end users");
    losses.add_if(&chat.metadata, "metadata", "gemini keeps no metadata");
    losses.add_if(&chat.store.filter(|store| *store), "store", "gemini keeps no answers");
    losses.add_if(&chat.audio, "audio", "spoken output is not translated");
    losses.add_if(&chat.prediction, "prediction", "gemini takes no predicted output");
    losses.add_if(
        &chat.web_search_options,
        "web_search_options",
        "ask for `googleSearch` with a vendor tool",
    );
    losses.add_if(&chat.prompt_cache_key, "prompt_cache_key", "gemini caches by itself");
    losses.add_if(&chat.prompt_cache_retention, "prompt_cache_retention", "gemini caches by itself");
    losses.add_if(&chat.prompt_cache_options, "prompt_cache_options", "gemini caches by itself");
    losses.add_if(&chat.cache_control, "cache_control", "gemini has no cache marks");
    losses.add_if(&chat.moderation, "moderation", "gemini has `safetySettings`");
    losses.add_foreign(&chat.vendor, VENDOR, "");
    losses.add_fields(&chat.rest, "", "gemini has no such field");
}
