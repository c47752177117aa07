//! `generationConfig` in canonical form; what has no canonical name stays in it.

use super::canonical::{Chat, NamedSchema, Reasoning, ResponseFormat, Schema};
use super::schema;
use super::wire::{GenerationConfig, Leftover as _, Text, ThinkingConfig, Whole};
use crate::error::GatewayError;

/// Takes out of `config` what canonical chat can say.
pub(super) fn apply<'a>(config: &mut GenerationConfig<'a>, chat: &mut Chat<'a>) -> Result<(), GatewayError> {
    chat.temperature = config.temperature.take();
    chat.top_p = config.top_p.take();
    chat.top_k = whole(config.top_k.take());
    chat.max_completion_tokens = whole(config.max_output_tokens.take());
    chat.stop = config.stop_sequences.take();
    chat.n = whole(config.candidate_count.take());
    chat.seed = whole(config.seed.take());
    chat.presence_penalty = config.presence_penalty.take();
    chat.frequency_penalty = config.frequency_penalty.take();
    chat.logprobs = config.response_logprobs.take();
    chat.top_logprobs = whole(config.logprobs.take());
    chat.response_format = response_format(config)?;
    let words = config.response_modalities.take();
    chat.modalities =
        words.map(|words| words.iter().map(|word| word.as_str().to_ascii_lowercase()).collect());
    if let Some(mut thinking) = config.thinking_config.take() {
        chat.reasoning_effort = thinking.thinking_level.take().and_then(|level| effort(&level));
        chat.reasoning = reasoning(&mut thinking)?;
        config.thinking_config = Some(thinking).filter(|thinking| !thinking.is_empty());
    }
    Ok(())
}

fn whole(number: Option<Whole>) -> Option<i64> {
    number.map(|number| number.0)
}

fn response_format<'a>(
    config: &mut GenerationConfig<'a>,
) -> Result<Option<ResponseFormat<'a>>, GatewayError> {
    let mime_type = config.response_mime_type.take();
    let kind = mime_type.as_ref().map_or("", Text::as_str);
    // Other kinds (`text/x.enum`) are Gemini's alone; the schema belongs to them.
    if !matches!(kind, "" | "application/json" | "text/plain") {
        config.response_mime_type = mime_type;
        return Ok(None);
    }
    let schema = match (config.response_json_schema.take(), config.response_schema.take()) {
        (Some(_), Some(_)) => {
            let message = "give `responseSchema` or `responseJsonSchema`, not both";
            return Err(GatewayError::invalid("generationConfig", message));
        }
        (Some(raw), None) => Schema::Raw(raw),
        (None, Some(schema)) => Schema::Made(schema::json_schema(schema, "generationConfig.responseSchema")?),
        (None, None) if kind == "application/json" => return Ok(Some(ResponseFormat::JsonObject)),
        (None, None) if kind == "text/plain" => return Ok(Some(ResponseFormat::Text)),
        (None, None) => return Ok(None),
    };
    if kind == "text/plain" {
        let message = "a schema needs `responseMimeType` `application/json`";
        return Err(GatewayError::invalid("generationConfig.responseMimeType", message));
    }
    Ok(Some(ResponseFormat::JsonSchema { json_schema: NamedSchema { name: "response", schema } }))
}

fn effort(level: &Text<'_>) -> Option<String> {
    let word = level.as_str().to_ascii_lowercase();
    (word != "thinking_level_unspecified").then_some(word)
}

/// -1 leaves the budget to the model, 0 forbids thinking.
fn reasoning(thinking: &mut ThinkingConfig<'_>) -> Result<Option<Reasoning>, GatewayError> {
    let include = thinking.include_thoughts.take();
    let budget = whole(thinking.thinking_budget.take());
    if budget.is_none() && include.is_none() {
        return Ok(None);
    }
    let (mode, max_tokens) = match budget {
        None => (None, None),
        Some(0) => (Some("disabled"), None),
        Some(-1) => (Some("adaptive"), None),
        Some(budget) if budget > 0 => (Some("enabled"), Some(budget)),
        Some(budget) => {
            return Err(GatewayError::invalid(
                "generationConfig.thinkingConfig.thinkingBudget",
                format!("{budget} is not a budget; use -1, 0 or a number of tokens"),
            ));
        }
    };
    Ok(Some(Reasoning { mode, max_tokens, include }))
}
