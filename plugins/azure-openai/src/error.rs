//! Azure's own words for what went wrong; the rest is judged as OpenAI's.

use plugin_sdk::{Failure, FailureKind, json};
use serde_json::Value;

/// Sharpens what OpenAI's judgement made of an answer that is not 2xx.
pub(crate) fn refine(mut failure: Failure, body: &[u8]) -> Failure {
    let tree: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(kind) = failure.code.as_deref().and_then(kind_of_word) {
        failure.kind = kind;
    }
    if json::text_at(&tree, "error.innererror.code") == Some("ResponsibleAIPolicyViolation") {
        failure.kind = FailureKind::ContentPolicy;
    }
    if failure.kind == FailureKind::ContentPolicy {
        let met = filters_met(&tree);
        if !met.is_empty() {
            failure.message = format!("{} (filters met: {})", failure.message, met.join(", "));
        }
    }
    if failure.kind == FailureKind::RateLimited && failure.retry_after_ms.is_none() {
        failure.retry_after_ms =
            seconds_to_wait(&failure.message).map(|seconds| seconds.saturating_mul(1000));
    }
    failure
}

fn kind_of_word(word: &str) -> Option<FailureKind> {
    Some(match word {
        // Entra ID knows the caller, but not his role on this resource; Azure says 401.
        "PermissionDenied" | "AccessDenied" | "AuthorizationFailed" => FailureKind::Permission,
        "OperationNotSupported" | "unsupported_api_version" | "UnsupportedApiVersion" => {
            FailureKind::Unsupported
        }
        "InsufficientQuota" | "QuotaExceeded" => FailureKind::Quota,
        "NoCapacity" | "too_many_requests_capacity" => FailureKind::Overloaded,
        "too_many_requests" | "RateLimitReached" => FailureKind::RateLimited,
        "Timeout" | "GatewayTimeout" => FailureKind::Timeout,
        _ => return None,
    })
}

/// The names of the filters that stopped it: `hate`, `jailbreak`, …
fn filters_met(tree: &Value) -> Vec<&str> {
    let results = ["content_filter_result", "content_filter_results"]
        .iter()
        .find_map(|name| json::at(tree, &format!("error.innererror.{name}")))
        .and_then(Value::as_object);
    let met = results
        .into_iter()
        .flatten()
        .filter(|(_, result)| json::at(result, "filtered").and_then(Value::as_bool) == Some(true));
    met.map(|(name, _)| name.as_str()).collect()
}

/// Azure says it in the message even where the header is missing: `Please retry after 22 seconds.`
fn seconds_to_wait(message: &str) -> Option<u64> {
    let (_, behind) = message.split_once("retry after ")?;
    let digits = behind.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(behind.len());
    behind.get(..digits)?.parse().ok()
}
