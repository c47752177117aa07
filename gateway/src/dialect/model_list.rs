//! `/v1/models` in the shape each vendor's SDK reads: OpenAI, Anthropic, Gemini, Ollama.

use serde_json::{Value, json};

use crate::domain::{Micros, ModelFacts, rfc3339};

/// A public model as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelEntry {
    /// The name a client asks for.
    pub id: String,
    /// Unix time in seconds; 0 when nobody knows.
    pub created: u64,
    /// Who serves it.
    pub owned_by: String,
    /// What is known about it.
    pub facts: ModelFacts,
}

/// Whose shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{ "object": "list", "data": [ … ] }`
    OpenAi,
    /// `{ "data": [ … ], "has_more", "first_id", "last_id" }`
    Anthropic,
    /// `{ "models": [ … ] }`
    Gemini,
    /// `/api/tags`: `{ "models": [ … ] }` with Ollama's fields.
    Ollama,
}

/// All models.
pub fn list(shape: Shape, entries: &[ModelEntry]) -> Vec<u8> {
    let models: Vec<Value> = entries.iter().map(|entry| model(shape, entry)).collect();
    let id = |entry: Option<&ModelEntry>| entry.map(|entry| entry.id.clone());
    let body = match shape {
        Shape::OpenAi => json!({ "object": "list", "data": models }),
        Shape::Anthropic => json!({
            "data": models,
            "has_more": false,
            "first_id": id(entries.first()),
            "last_id": id(entries.last()),
        }),
        Shape::Gemini | Shape::Ollama => json!({ "models": models }),
    };
    body.to_string().into_bytes()
}

/// One model.
pub fn single(shape: Shape, entry: &ModelEntry) -> Vec<u8> {
    model(shape, entry).to_string().into_bytes()
}

fn model(shape: Shape, entry: &ModelEntry) -> Value {
    let ModelFacts { context, max_output, .. } = entry.facts;
    let (mut model, known) = match shape {
        Shape::OpenAi => (
            json!({ "id": entry.id, "object": "model", "created": entry.created, "owned_by": entry.owned_by }),
            openai_facts(&entry.facts),
        ),
        // The names Anthropic's and Google's own lists have for these.
        Shape::Anthropic => (
            json!({
                "type": "model",
                "id": entry.id,
                "display_name": entry.id,
                "created_at": rfc3339(entry.created),
            }),
            vec![("max_input_tokens", context.map(Value::from)), ("max_tokens", max_output.map(Value::from))],
        ),
        Shape::Ollama => (super::ollama::show::tag(entry), Vec::new()),
        Shape::Gemini => (
            json!({
                "name": format!("models/{}", entry.id),
                "version": "001",
                "displayName": entry.id,
                "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
            }),
            vec![
                ("inputTokenLimit", context.map(Value::from)),
                ("outputTokenLimit", max_output.map(Value::from)),
            ],
        ),
    };
    if let Value::Object(fields) = &mut model {
        fields.extend(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    model
}

/// OpenAI's own list has no such fields; these are the names OpenRouter's has, which clients look for.
fn openai_facts(facts: &ModelFacts) -> Vec<(&'static str, Option<Value>)> {
    let modalities = (!facts.input.is_empty()).then(|| {
        json!({
            "modality": format!("{}->{}", facts.input.join("+"), facts.output.join("+")),
            "input_modalities": facts.input,
            "output_modalities": facts.output,
        })
    });
    let price = facts.price.map(|price| {
        let mut fields = serde_json::Map::new();
        for (name, dollars) in [
            ("prompt", Some(price.input)),
            ("completion", Some(price.output)),
            ("input_cache_read", price.cache_read),
            ("input_cache_write", price.cache_write),
        ] {
            fields.extend(dollars.map(|dollars| (name.to_owned(), Value::from(per_token(dollars)))));
        }
        Value::Object(fields)
    });
    vec![
        ("context_length", facts.context.map(Value::from)),
        ("max_output_tokens", facts.max_output.map(Value::from)),
        ("architecture", modalities),
        ("pricing", price),
    ]
}

/// Dollars per token as an exact decimal, from dollars per million tokens.
fn per_token(price: Micros) -> String {
    let (sign, amount) = (if price.get() < 0 { "-" } else { "" }, price.get().unsigned_abs());
    const PLACES: u64 = 1_000_000_000_000;
    let decimal = format!("{sign}{}.{:012}", amount / PLACES, amount % PLACES);
    decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
