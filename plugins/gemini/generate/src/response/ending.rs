//! How an answer ends: the reason, what Gemini adds to it, and its sources.

use plugin_sdk::chat::{Fields, FinishReason, Json};
use serde_json::{Value, json};

use crate::VENDOR;
use crate::wire::Grounding;

/// Gemini says `STOP` for calls too. What broke (`MALFORMED_FUNCTION_CALL`, …) has no word but its own.
pub(crate) fn reason(native: Option<&str>, has_calls: bool) -> FinishReason {
    match native.unwrap_or_default() {
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "MODEL_ARMOR" => {
            FinishReason::ContentFilter
        }
        image if image.starts_with("IMAGE_") && image != "IMAGE_OTHER" => FinishReason::ContentFilter,
        _ if has_calls => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    }
}

/// Fields of Gemini's own, as `vendor`.
pub(crate) fn own(fields: Fields<'_>) -> Fields<'_> {
    let present = Fields(fields.0.into_iter().filter(|(_, value)| !value.is_null()).collect());
    let mut vendor = Fields::default();
    if let Some(own) = super::vendor_fields(present) {
        vendor.push(VENDOR, own);
    }
    vendor
}

/// Fields of Gemini's own beside the candidates, as the answer's `vendor`.
pub(crate) fn of_answer(fields: Fields<'_>) -> Fields<'_> {
    let vendor = own(fields);
    let mut rest = Fields::default();
    if !vendor.is_empty() {
        rest.push("vendor", serde_json::to_value(&vendor).unwrap_or_default());
    }
    rest
}

/// Adds `promptFeedback`, which Gemini tells beside the candidates, to a choice's `vendor`.
pub(crate) fn with_feedback<'a>(vendor: Fields<'a>, feedback: Json<'a>) -> Fields<'a> {
    let mut own = vendor.get(VENDOR).map_or_else(|| json!({}), Json::to_value);
    own["promptFeedback"] = feedback.to_value();
    let mut vendor = Fields::default();
    vendor.push(VENDOR, own);
    vendor
}

/// Sources of Google Search as links. Gemini counts bytes of the text, OpenAI characters.
pub(crate) fn annotations<'a>(rest: &Fields<'_>, text: &str) -> Vec<Json<'a>> {
    let Some(grounding) = rest.get("groundingMetadata").and_then(Json::read::<Grounding<'_>>) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for support in &grounding.supports {
        let segment = support.segment.as_ref();
        let (start, end) = segment.map_or((0, 0), |segment| (segment.start, segment.end));
        for source in &support.sources {
            let chunk = usize::try_from(*source).ok().and_then(|source| grounding.chunks.get(source));
            let Some(web) = chunk.and_then(|chunk| chunk.web.as_ref()) else { continue };
            found.push(Json::Value(json!({
                "type": "url_citation",
                "url_citation": {
                    "url": &*web.uri,
                    "title": web.title.as_deref().unwrap_or_default(),
                    "start_index": characters(text, start),
                    "end_index": characters(text, end),
                },
            })));
        }
    }
    found
}

fn characters(text: &str, bytes: u64) -> Value {
    let before = usize::try_from(bytes).ok().and_then(|bytes| text.get(..bytes));
    Value::from(before.map_or(bytes, |before| before.chars().count() as u64))
}
