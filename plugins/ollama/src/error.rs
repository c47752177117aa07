//! Ollama's errors: `{"error": "words"}` and nothing more, so the words decide where the status does not.

use plugin_sdk::chat::{Json, Text};
use plugin_sdk::{Failure, FailureKind, Header, failure, json};
use serde_json::Value;

/// An answer that is not 2xx.
pub(crate) fn map(status: u16, headers: &[Header], body: &[u8]) -> Failure {
    let fallback = failure::from_status(status, headers);
    let Ok(tree) = serde_json::from_slice::<Value>(body) else { return fallback };
    // The OpenAI-compatible endpoints and servers in front wrap it once more.
    let words = json::text_at(&tree, "error").or_else(|| json::text_at(&tree, "error.message"));
    match words.or_else(|| json::text_at(&tree, "message")) {
        Some(words) => Failure {
            kind: kind_of_words(words).unwrap_or(fallback.kind),
            message: words.to_owned(),
            ..fallback
        },
        None => fallback,
    }
}

/// An error inside a 2xx answer, or as a line of a stream.
pub(crate) fn inside(error: &Json<'_>) -> Failure {
    let words = match error.read::<Text<'_>>() {
        Some(words) => words.to_string(),
        None => json::text_at(&error.to_value(), "message")
            .map_or_else(|| error.text().into_owned(), str::to_owned),
    };
    failure::new(kind_of_words(&words).unwrap_or(FailureKind::Provider), words)
}

fn kind_of_words(words: &str) -> Option<FailureKind> {
    let words = words.to_ascii_lowercase();
    let says = |some: &[&str]| some.iter().any(|some| words.contains(some));
    if says(&["does not support", "is not supported for this model"]) {
        return Some(FailureKind::Unsupported);
    }
    if says(&["context length", "context window", "exceeds the available context"]) {
        return Some(FailureKind::ContextLength);
    }
    if words.contains("model") && says(&["not found", "try pulling"]) {
        return Some(FailureKind::ModelNotFound);
    }
    if says(&["server busy", "maximum pending requests", "requires more system memory", "out of memory"]) {
        return Some(FailureKind::Overloaded);
    }
    if says(&["usage limit", "upgrade for higher limits"]) {
        return Some(FailureKind::Quota);
    }
    None
}
