//! Sampling, output form and thinking; and everything a request may say that Ollama has no place for.

use plugin_sdk::chat::{ChatRequest, Fields, Json, ReasoningMode};
use plugin_sdk::{Failure, Losses, failure, json};

use crate::options::Options;
use crate::wire::{Sampling, Think};

/// One answer a request.
pub(super) fn refuse_several_answers(chat: &ChatRequest<'_>) -> Result<(), Failure> {
    match chat.n {
        Some(0 | 1) | None => Ok(()),
        Some(_) => Err(failure::unsupported("n", "ollama gives one answer a request")),
    }
}

/// `options`, when there is anything to say.
pub(super) fn sampling<'a>(chat: &ChatRequest<'a>, options: &Options) -> Option<Sampling<'a>> {
    let sampling = Sampling {
        num_ctx: options.num_ctx,
        num_predict: chat.max_output(),
        temperature: chat.temperature.clone(),
        top_k: chat.top_k,
        top_p: chat.top_p.clone(),
        stop: chat.stop.clone(),
        seed: chat.seed.clone(),
        frequency_penalty: chat.frequency_penalty.clone(),
        presence_penalty: chat.presence_penalty.clone(),
        rest: Fields::default(),
    };
    let written = serde_json::to_string(&sampling).ok()?;
    (written != "{}").then_some(sampling)
}

/// `"json"`, or a schema. Ollama binds the model to it, so `strict` is always kept.
pub(super) fn format<'a>(chat: &ChatRequest<'a>, losses: &mut Losses) -> Option<Json<'a>> {
    let format = chat.response_format.as_ref()?;
    losses.add_fields(&format.rest, "response_format", "ollama has no such field");
    let any = Some(Json::Value("json".into()));
    match &*format.kind {
        "text" => None,
        "json_object" => any,
        "json_schema" => {
            let Some(named) = &format.json_schema else { return any };
            let path = "response_format.json_schema";
            losses.add_if(&named.description, format!("{path}.description"), "ollama takes the schema alone");
            losses.add_fields(&named.rest, path, "ollama has no such field");
            named.schema.clone().or(any)
        }
        kind => {
            losses.add("response_format", format!("ollama has no format `{kind}`"));
            None
        }
    }
}

/// `think`: a level for models that take one, a switch for all others; Ollama refuses the wrong one.
pub(super) fn think(
    chat: &ChatRequest<'_>,
    options: &Options,
    model: &str,
    losses: &mut Losses,
) -> Option<Think> {
    let effort = chat.reasoning_effort.as_deref();
    let reasoning = chat.reasoning.as_ref();
    let mode = reasoning.and_then(|reasoning| reasoning.mode);
    let budget = reasoning.and_then(|reasoning| reasoning.max_tokens);
    if let Some(reasoning) = reasoning {
        losses.add_if(&reasoning.display, "reasoning.display", "ollama shows thoughts as they are");
        losses.add_if(&budget, "reasoning.max_tokens", "ollama takes no budget");
        losses.add_fields(&reasoning.rest, "reasoning", "ollama has no such field");
    }
    let levels = options.think_levels.unwrap_or_else(|| takes_levels(model));
    let off = mode == Some(ReasoningMode::Disabled) || (mode.is_none() && effort == Some("none"));
    if off {
        if !levels {
            return Some(Think::Switch(false));
        }
        let field = if mode.is_some() { "reasoning.mode" } else { "reasoning_effort" };
        losses.add(field, "this model cannot stop thinking; `low` was sent");
        return Some(Think::Level("low"));
    }
    let Some(effort) = effort.filter(|effort| *effort != "none") else {
        // Whoever asks to see thoughts wants some.
        let wanted = mode.is_some()
            || budget.is_some()
            || reasoning.and_then(|reasoning| reasoning.include) == Some(true);
        return wanted.then_some(if levels { Think::Level(level_of(budget)) } else { Think::Switch(true) });
    };
    if !levels {
        losses.add("reasoning_effort", "this model takes no level; thinking was switched on");
        return Some(Think::Switch(true));
    }
    Some(Think::Level(match effort {
        "low" => "low",
        "medium" => "medium",
        "high" => "high",
        "minimal" => {
            losses.add("reasoning_effort", "ollama's least level is `low`, which was sent");
            "low"
        }
        other => {
            losses.add("reasoning_effort", format!("ollama knows no `{other}`; `high` was sent"));
            "high"
        }
    }))
}

fn level_of(budget: Option<u64>) -> &'static str {
    match budget {
        Some(0..=2048) => "low",
        Some(12_289..) => "high",
        _ => "medium",
    }
}

/// `gpt-oss:20b`, `library/gpt-oss`, `gpt-oss:120b-cloud`.
fn takes_levels(model: &str) -> bool {
    model.rsplit('/').next().is_some_and(|name| name.starts_with("gpt-oss"))
}

/// Fields that have code of their own; every other one has no place.
const HANDLED: [&str; 25] = [
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
    "top_logprobs",
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

/// One loss for every field that says something Ollama cannot do.
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
            _ => matches!(&*value.text(), "false" | "[]"),
        };
        if !asks_nothing {
            losses.add(name, format!("ollama has no {name}"));
        }
    }
    Ok(())
}
