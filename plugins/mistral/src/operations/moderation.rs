//! Canonical moderation ⇄ `/v1/moderations` (<https://docs.mistral.ai/api/#tag/classifiers>). Mistral judges texts, and says by
//! category alone whether it minds.

use plugin_sdk::chat::{Content, Fields, Json, Part, Text};
use plugin_sdk::{Answer, Failure, Losses, Route, UpstreamRequest, failure, json, object};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error;

object! {
    /// The canonical request.
    Asked {
        model: Text<'a> = "model",
        input: Option<Json<'a>> = "input",
        vendor: Fields<'a> = "vendor",
    }
}

/// The request.
#[derive(Serialize)]
struct Moderate<'a> {
    model: &'a str,
    input: Vec<String>,
}

object! {
    /// The answer.
    Moderated {
        id: Text<'a> = "id",
        model: Text<'a> = "model",
        results: Option<Vec<Verdict<'a>>> = "results",
    }
}

object! {
    /// On one text.
    Verdict {
        categories: Fields<'a> = "categories",
        category_scores: Option<Json<'a>> = "category_scores",
    }
}

pub(super) fn request(route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let asked: Asked<'_> = json::request(body)?;
    let mut losses = Losses::default();
    losses.add_fields(&asked.rest, "", "mistral has no such field");
    let moderate = Moderate { model: &route.model, input: texts(asked.input.as_ref())? };
    super::post("/v1/moderations", json::to_vec(&moderate)?, &asked.vendor, losses)
}

fn texts(input: Option<&Json<'_>>) -> Result<Vec<String>, Failure> {
    let Some(input) = input else { return Err(failure::invalid("input", "input: is missing")) };
    if let Some(texts) = input.read::<Vec<Text<'_>>>().filter(|texts| !texts.is_empty()) {
        return Ok(texts.iter().map(Text::to_string).collect());
    }
    match input.read::<Content<'_>>() {
        Some(Content::Text(text)) => Ok(vec![text.to_string()]),
        // Parts are one thing to judge.
        Some(Content::Parts(parts)) if !parts.is_empty() => {
            if let Some(place) = parts.iter().position(|part: &Part<'_>| part.text().is_none()) {
                return Err(failure::unsupported(format!("input[{place}]"), "mistral judges text only"));
            }
            Ok(vec![parts.iter().filter_map(Part::text).collect::<Vec<_>>().join("\n")])
        }
        _ => Err(failure::invalid("input", "input: must be a string, a list of strings or a list of parts")),
    }
}

pub(super) fn answer(body: &[u8]) -> Result<Answer, Failure> {
    let came: Moderated<'_> = json::answer("answer", body)?;
    let Some(verdicts) = came.results else { return Err(error::inside(body)) };
    let results: Vec<Value> = verdicts.iter().map(result).collect();
    let body = json::to_vec(&json!({ "id": &*came.id, "model": &*came.model, "results": results }))?;
    Ok(Answer { body, content_type: None, usage: None, losses: Vec::new() })
}

fn result(verdict: &Verdict<'_>) -> Value {
    let flagged = verdict.categories.iter().any(|(_, minds)| minds.read() == Some(true));
    json!({ "flagged": flagged, "categories": verdict.categories, "category_scores": verdict.category_scores })
}
