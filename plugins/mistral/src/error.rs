//! Mistral's errors: its own object, FastAPI's `detail`, and what the gate in front of it says.

use plugin_sdk::{Failure, FailureKind, Header, failure, json};
use serde_json::Value;

use crate::wire::Answer;

/// An answer that is not 2xx.
pub(crate) fn map(status: u16, headers: &[Header], body: &[u8]) -> Failure {
    let fallback = failure::from_status(status, headers);
    match serde_json::from_slice::<Value>(body) {
        Ok(tree) => Failure { retry_after_ms: fallback.retry_after_ms, ..judge(status, &tree) },
        Err(_) => fallback,
    }
}

/// The object is an error and no answer.
pub(crate) fn is_one(answer: &Answer<'_>) -> bool {
    answer.object == "error"
        || answer.error.is_some()
        || (answer.detail.is_some() && answer.choices.is_empty())
}

/// An error in a body or an event that came with status 200.
pub(crate) fn inside(body: &[u8]) -> Failure {
    let tree: Value = serde_json::from_slice(body).unwrap_or_default();
    let status = json::number_at(&tree, "raw_status_code").and_then(|status| u16::try_from(status).ok());
    judge(status.unwrap_or(500), &tree)
}

/// A choice ended with `error`.
pub(crate) fn broken_off() -> Failure {
    let failure = failure::new(FailureKind::Provider, "the provider broke off the answer");
    Failure { code: Some("error".to_owned()), ..failure }
}

fn judge(status: u16, tree: &Value) -> Failure {
    let error = json::at(tree, "error").filter(|error| error.is_object()).unwrap_or(tree);
    // `detail` stands alone, or inside `message`; it is a list of faults, or a sentence.
    let fault = ["detail.0", "message.detail.0"].iter().find_map(|path| json::at(error, path));
    let message = fault
        .and_then(|fault| json::text_at(fault, "msg"))
        .or_else(|| ["message", "detail", "msg"].iter().find_map(|path| json::text_at(error, path)))
        .or_else(|| json::text_at(tree, "error"));
    let param = fault.and_then(|fault| json::at(fault, "loc")).and_then(place);
    let param = param.or_else(|| json::text_at(error, "param").map(str::to_owned));
    let word = fault.map_or(error, |fault| fault);
    let word = json::text_at(word, "type");
    let number = json::at(error, "code");
    let number = number.map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned));
    let kind = number
        .as_deref()
        .into_iter()
        .chain(word)
        .find_map(kind_of_word)
        .or_else(|| message.and_then(|message| kind_of_message(status, message)))
        .unwrap_or_else(|| failure::kind_of_status(status));
    let message = match (message, &param) {
        (Some(message), Some(param)) if fault.is_some() => format!("{param}: {message}"),
        (Some(message), _) => message.to_owned(),
        (None, _) => format!("the provider answered {status}"),
    };
    Failure { code: number.or_else(|| word.map(str::to_owned)), param, ..failure::new(kind, message) }
}

/// `["body", "messages", 0, "content"]` as `messages[0].content`.
fn place(loc: &Value) -> Option<String> {
    let mut path = String::new();
    for step in loc.as_array()? {
        match step {
            Value::Number(index) => path.push_str(&format!("[{index}]")),
            Value::String(name) if path.is_empty() && name == "body" => {}
            Value::String(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            _ => {}
        }
    }
    (!path.is_empty()).then_some(path)
}

fn kind_of_word(word: &str) -> Option<FailureKind> {
    Some(match word {
        "1500" | "invalid_model" => FailureKind::ModelNotFound,
        "3505" | "service_tier_capacity_exceeded" => FailureKind::Overloaded,
        "1300" | "rate_limited" | "rate_limit_error" => FailureKind::RateLimited,
        "internal_server_error" => FailureKind::Provider,
        _ => return None,
    })
}

/// Many faults differ in their words alone.
fn kind_of_message(status: u16, message: &str) -> Option<FailureKind> {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if status < 500 && says(&["maximum context length", "too large for model", "context window"]) {
        return Some(FailureKind::ContextLength);
    }
    if status == 400
        && says(&["is not enabled for this model", "does not support", "not supported by this model"])
    {
        return Some(FailureKind::Unsupported);
    }
    if status == 429 && says(&["monthly", "quota", "billing"]) {
        return Some(FailureKind::Quota);
    }
    None
}
