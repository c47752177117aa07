//! OpenAI's errors, and the shapes others give theirs.

use plugin_sdk::{Failure, FailureKind, Header, failure, json};
use serde_json::Value;

/// An answer that is not 2xx.
pub(crate) fn map(status: u16, headers: &[Header], body: &[u8]) -> Failure {
    let mut failure = match serde_json::from_slice::<Value>(body) {
        Ok(tree) => judge(status, &tree),
        Err(_) => failure::from_status(status, headers),
    };
    failure.retry_after_ms = failure::retry_after_ms(headers);
    if failure.retry_after_ms.is_none() && failure.kind == FailureKind::RateLimited {
        failure.retry_after_ms = reset_ms(headers);
    }
    failure
}

/// An error in a body or an event that came with status 200.
pub(crate) fn inside(body: &[u8]) -> Failure {
    let tree: Value = serde_json::from_slice(body).unwrap_or_default();
    // OpenRouter's code is the status it would have been.
    let status = json::number_at(&tree, "error.code").or_else(|| json::number_at(&tree, "code"));
    let status =
        status.and_then(|status| u16::try_from(status).ok()).filter(|status| (400..600).contains(status));
    judge(status.unwrap_or(500), &tree)
}

/// A choice ended with a word that means a fault.
pub(crate) fn broken_off(word: &str) -> Failure {
    let kind =
        if word == "insufficient_system_resource" { FailureKind::Overloaded } else { FailureKind::Provider };
    Failure { code: Some(word.to_owned()), ..failure::new(kind, format!("the provider broke off: {word}")) }
}

fn judge(status: u16, tree: &Value) -> Failure {
    // `{"error":{…}}`, `{"error":"text"}`, `{"message":…}`, FastAPI's `{"detail":…}`, and lists of one of these (Google).
    let tree = tree.as_array().and_then(|list| list.first()).unwrap_or(tree);
    let error = json::at(tree, "error").filter(|error| error.is_object()).unwrap_or(tree);
    let message = json::text_at(error, "message").or_else(|| json::text_at(tree, "error"));
    let message =
        message.or_else(|| json::text_at(tree, "detail")).or_else(|| json::text_at(tree, "detail.0.msg"));
    let code =
        json::at(error, "code").map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned));
    let kind_word = json::text_at(error, "type");
    // OpenRouter puts the real provider's words here.
    let raw = json::text_at(error, "metadata.raw");
    let kind = code
        .as_deref()
        .and_then(kind_of_word)
        .or_else(|| kind_word.and_then(kind_of_word))
        .or_else(|| message.or(raw).and_then(|message| kind_of_message(status, message)))
        .unwrap_or_else(|| kind_of_status(status));
    let message = match (message, raw) {
        (Some(message), Some(raw)) => format!("{message}: {raw}"),
        (Some(message), None) => message.to_owned(),
        (None, _) => format!("the provider answered {status}"),
    };
    Failure {
        code: code.or_else(|| kind_word.map(str::to_owned)),
        param: json::text_at(error, "param").map(str::to_owned),
        ..failure::new(kind, message)
    }
}

fn kind_of_word(word: &str) -> Option<FailureKind> {
    Some(match word {
        "context_length_exceeded" | "context_window_exceeded" => FailureKind::ContextLength,
        "insufficient_quota" | "billing_hard_limit_reached" | "billing_not_active" | "credits_exhausted" => {
            FailureKind::Quota
        }
        "rate_limit_exceeded" | "rate_limit_error" | "requests" | "tokens" => FailureKind::RateLimited,
        "model_not_found" | "DeploymentNotFound" => FailureKind::ModelNotFound,
        "content_filter" | "content_policy_violation" | "moderation_blocked" => FailureKind::ContentPolicy,
        "invalid_api_key" | "authentication_error" | "account_deactivated" => FailureKind::Authentication,
        "permission_denied" | "permission_error" | "unsupported_country_region_territory" => {
            FailureKind::Permission
        }
        "unsupported_parameter" | "unsupported_value" | "unsupported_model" => FailureKind::Unsupported,
        "overloaded" | "overloaded_error" | "server_overloaded" | "engine_overloaded"
        | "capacity_exceeded" => FailureKind::Overloaded,
        // Groq: the model wrote a call that cannot be read; another attempt may do better.
        "tool_use_failed" | "server_error" | "internal_server_error" => FailureKind::Provider,
        _ => return None,
    })
}

/// Servers without codes say it in words.
fn kind_of_message(status: u16, message: &str) -> Option<FailureKind> {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if matches!(status, 400 | 413 | 422)
        && says(&["context length", "context window", "maximum context", "prompt is too long"])
    {
        return Some(FailureKind::ContextLength);
    }
    if status == 400 && says(&["api key not valid", "incorrect api key"]) {
        return Some(FailureKind::Authentication);
    }
    if status == 429 && says(&["exceeded your current quota", "insufficient balance", "insufficient credits"])
    {
        return Some(FailureKind::Quota);
    }
    None
}

/// Many servers answer a request they cannot read with 422.
fn kind_of_status(status: u16) -> FailureKind {
    match status {
        422 => FailureKind::InvalidRequest,
        other => failure::kind_of_status(other),
    }
}

/// OpenAI's reset headers are durations (`2ms`, `6m0s`). The limit that is used up decides; when neither says so, that of tokens.
fn reset_ms(headers: &[Header]) -> Option<u64> {
    let value = |name: String| {
        headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(&name))
            .map(|header| header.value.trim())
    };
    let reset = |what: &str| value(format!("x-ratelimit-reset-{what}")).and_then(duration_ms);
    let used_up = |what: &str| value(format!("x-ratelimit-remaining-{what}")).is_some_and(|left| left == "0");
    let exhausted = ["requests", "tokens"].into_iter().filter(|what| used_up(what)).filter_map(reset).max();
    exhausted.or_else(|| reset("tokens")).or_else(|| reset("requests"))
}

/// Go's notation of a duration: numbers with `d`, `h`, `m`, `s`, `ms`; a bare number is seconds.
fn duration_ms(text: &str) -> Option<u64> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits =
            rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
        total += number
            * match rest.get(..letters)? {
                "ms" => 1.0,
                "s" | "" => 1_000.0,
                "m" => 60_000.0,
                "h" => 3_600_000.0,
                "d" => 86_400_000.0,
                _ => return None,
            };
        rest = rest.get(letters..)?;
    }
    Some(total as u64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_are_read() {
        let read = super::duration_ms;
        assert_eq!(read("2ms"), Some(2));
        assert_eq!(read("6m0s"), Some(360_000));
        assert_eq!(read("1h2m3.5s"), Some(3_723_500));
        assert_eq!(read("0s"), Some(0));
        assert_eq!(read("12"), Some(12_000));
        assert_eq!(read("soon"), None);
    }
}
