//! Cohere's errors: `{"id": …, "message": "words"}`; the status decides, and words where it does not.

use plugin_sdk::chat::{Json, Text};
use plugin_sdk::{Failure, FailureKind, Header, failure, json};
use serde_json::Value;

/// An answer that is not 2xx.
pub(crate) fn map(status: u16, headers: &[Header], body: &[u8]) -> Failure {
    let fallback = failure::from_status(status, headers);
    let tree: Value = serde_json::from_slice(body).unwrap_or_default();
    let words = words(&tree);
    let kind = words.and_then(|words| kind_of_words(status, words)).unwrap_or_else(|| kind_of_status(status));
    Failure { kind, message: words.map_or(fallback.message, str::to_owned), ..fallback }
}

/// An error in a body or an event that came with status 200.
pub(crate) fn inside(body: &[u8]) -> Failure {
    let tree: Value = serde_json::from_slice(body).unwrap_or_default();
    match words(&tree) {
        Some(words) => by_words(words),
        None => failure::malformed("the provider's answer holds no message"),
    }
}

/// An error at the end of a stream.
pub(crate) fn told(error: &Json<'_>) -> Failure {
    match error.read::<Text<'_>>() {
        Some(words) => by_words(&words),
        None => by_words(words(&error.to_value()).unwrap_or("the provider broke off the answer")),
    }
}

fn by_words(words: &str) -> Failure {
    failure::new(kind_of_words(500, words).unwrap_or(FailureKind::Provider), words)
}

fn words(tree: &Value) -> Option<&str> {
    ["message", "error.message", "error", "detail"].iter().find_map(|path| json::text_at(tree, path))
}

fn kind_of_words(status: u16, words: &str) -> Option<FailureKind> {
    let words = words.to_ascii_lowercase();
    let says = |some: &[&str]| some.iter().any(|some| words.contains(some));
    if says(&["too many tokens", "context length", "maximum context", "exceeds the limit of"])
        && status != 429
    {
        return Some(FailureKind::ContextLength);
    }
    if status == 429 && says(&["month", "trial key", "billing", "payment"]) {
        return Some(FailureKind::Quota);
    }
    if matches!(status, 400 | 422) && words.contains("model") && words.contains("not found") {
        return Some(FailureKind::ModelNotFound);
    }
    if matches!(status, 400 | 422) && says(&["is not supported", "does not support", "not supported for"]) {
        return Some(FailureKind::Unsupported);
    }
    None
}

/// Where Cohere means something else than others: 498 is text it does not take, 499 a request given up, 501 a missing feature.
fn kind_of_status(status: u16) -> FailureKind {
    match status {
        498 => FailureKind::InvalidRequest,
        499 => FailureKind::Timeout,
        501 => FailureKind::Unsupported,
        other => failure::kind_of_status(other),
    }
}
