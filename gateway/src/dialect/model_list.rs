//! `/v1/models` in the shape each vendor's SDK reads: OpenAI, Anthropic, Gemini.

use serde_json::{Value, json};

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
        Shape::Gemini => json!({ "models": models }),
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
            "created_at": timestamp(entry.created),
        }),
        Shape::Gemini => json!({
            "name": format!("models/{}", entry.id),
            "version": "001",
            "displayName": entry.id,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
        }),
    }
}

/// RFC 3339 in UTC, from Unix seconds (days to date after Howard Hinnant's `civil_from_days`).
fn timestamp(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests;
