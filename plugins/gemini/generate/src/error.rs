//! Google's errors (`google.rpc.Status`), as an answer or inside one.

use plugin_sdk::{Failure, FailureKind, Header, failure, json};
use serde_json::Value;

/// An answer that is not 2xx. Streams answer with a list that holds the error.
pub(crate) fn from_answer(status: u16, headers: &[Header], body: &[u8]) -> Failure {
    let fallback = failure::from_status(status, headers);
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return fallback };
    let error = json::at(&body, "error").or_else(|| json::at(&body, "0.error"));
    match error {
        Some(error) => from_error(error, status, fallback),
        None => fallback,
    }
}

/// An error inside a 2xx answer or a stream.
pub(crate) fn in_band(error: &Value) -> Failure {
    let status = json::number_at(error, "code").and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
    from_error(error, status, failure::from_status(status, &[]))
}

fn from_error(error: &Value, status: u16, fallback: Failure) -> Failure {
    let message = json::text_at(error, "message").unwrap_or(&fallback.message).trim();
    let word = json::text_at(error, "status");
    let details = error.get("details").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let found = |path: &str| details.iter().find_map(|detail| json::text_at(detail, path));
    let reason = found("reason");
    Failure {
        kind: kind(status, word, reason, message, details),
        message: message.to_owned(),
        code: reason.or(word).map(str::to_owned),
        param: found("fieldViolations.0.field").map(str::to_owned),
        retry_after_ms: found("retryDelay").and_then(milliseconds).or(fallback.retry_after_ms),
    }
}

fn kind(
    status: u16,
    word: Option<&str>,
    reason: Option<&str>,
    message: &str,
    details: &[Value],
) -> FailureKind {
    // Google answers a bad key with 400.
    if matches!(reason, Some("API_KEY_INVALID" | "API_KEY_EXPIRED")) {
        return FailureKind::Authentication;
    }
    if matches!(reason, Some("API_KEY_SERVICE_BLOCKED" | "SERVICE_DISABLED" | "BILLING_DISABLED")) {
        return FailureKind::Permission;
    }
    match (word, status) {
        (Some("RESOURCE_EXHAUSTED"), _) | (_, 429) if daily(details) => FailureKind::Quota,
        (Some("RESOURCE_EXHAUSTED"), _) => FailureKind::RateLimited,
        (Some("INVALID_ARGUMENT"), _) if too_long(message) => FailureKind::ContextLength,
        (Some("INVALID_ARGUMENT"), _) if message.contains("payload size exceeds") => {
            FailureKind::RequestTooLarge
        }
        // Where the caller stands, or a bill that is not paid: another request does not help.
        (Some("FAILED_PRECONDITION"), _) => FailureKind::Permission,
        (Some("UNIMPLEMENTED"), _) => FailureKind::Unsupported,
        (Some("UNAVAILABLE"), _) => FailureKind::Overloaded,
        (Some("DEADLINE_EXCEEDED"), _) => FailureKind::Timeout,
        (Some("INTERNAL" | "UNKNOWN"), _) => FailureKind::Provider,
        _ => failure::kind_of_status(status),
    }
}

fn too_long(message: &str) -> bool {
    message.contains("token count") && message.contains("exceeds")
}

/// A quota by the day does not come back within a minute.
fn daily(details: &[Value]) -> bool {
    let violations = details.iter().filter_map(|detail| detail.get("violations")).filter_map(Value::as_array);
    violations
        .flatten()
        .any(|violation| json::text_at(violation, "quotaId").is_some_and(|id| id.contains("PerDay")))
}

/// A protobuf duration: `7s`, `0.5s`.
fn milliseconds(text: &str) -> Option<u64> {
    let seconds = text.strip_suffix('s')?.parse::<f64>().ok()?;
    (seconds >= 0.0).then_some((seconds * 1000.0) as u64)
}
