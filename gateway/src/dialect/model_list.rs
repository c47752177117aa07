//! `/v1/models` in the shape each vendor's SDK reads: OpenAI, Anthropic, Gemini, Ollama.

use serde_json::{Value, json};

use crate::domain::rfc3339;

/// A public model as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelEntry {
    /// The name a client asks for.
    pub id: String,
    /// Unix time in seconds; 0 when nobody knows.
    pub created: u64,
    /// Who serves it.
    pub owned_by: String,
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
    match shape {
        Shape::OpenAi => {
            json!({ "id": entry.id, "object": "model", "created": entry.created, "owned_by": entry.owned_by })
        }
        Shape::Anthropic => json!({
            "type": "model",
            "id": entry.id,
            "display_name": entry.id,
            "created_at": rfc3339(entry.created),
        }),
        Shape::Ollama => super::ollama::show::tag(entry),
        Shape::Gemini => json!({
            "name": format!("models/{}", entry.id),
            "version": "001",
            "displayName": entry.id,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
        }),
    }
}

#[cfg(test)]
mod tests;
