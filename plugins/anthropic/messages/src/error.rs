//! Anthropic's errors: as whole answers, and inside a stream.

mod retry;

use plugin_sdk::chat::{Fields, Json, Text};
use plugin_sdk::{Failure, FailureKind, Header, failure};

/// What Anthropic says about an error.
#[derive(Default)]
struct Told {
    word: String,
    message: String,
    /// What programs go by where the word says too little: `details.error_code`.
    code: String,
}

impl Told {
    fn read(error: &Json<'_>) -> Self {
        let fields: Fields<'_> = error.read().unwrap_or_default();
        let text =
            |name: &str| fields.get(name).and_then(Json::read::<Text<'_>>).unwrap_or_default().to_string();
        let details: Fields<'_> = fields.get("details").and_then(Json::read).unwrap_or_default();
        let code = details.get("error_code").and_then(Json::read::<Text<'_>>).unwrap_or_default().to_string();
        Self { word: text("type"), message: text("message"), code }
    }

    /// The more exact of the two.
    fn into_code(self) -> Option<String> {
        Some(if self.code.is_empty() { self.word } else { self.code }).filter(|code| !code.is_empty())
    }
}

/// Anything but 2xx. What is not Anthropic's JSON (its front servers answer 413 in HTML) is judged by status.
pub(crate) fn of_answer(status: u16, headers: &[Header], body: &[u8]) -> Failure {
    let judged = failure::from_status(status, headers);
    let told =
        serde_json::from_slice::<Fields<'_>>(body).ok().and_then(|body| body.get("error").map(Told::read));
    let Some(told) = told.filter(|told| !told.word.is_empty() || !told.message.is_empty()) else {
        return Failure {
            retry_after_ms: judged.retry_after_ms.or_else(|| retry::until_reset(headers)),
            ..judged
        };
    };
    let kind = kind(&told, judged.kind);
    let waits = matches!(kind, FailureKind::RateLimited | FailureKind::Overloaded);
    Failure {
        kind,
        retry_after_ms: judged.retry_after_ms.or_else(|| retry::until_reset(headers).filter(|_| waits)),
        message: if told.message.is_empty() { judged.message } else { told.message.clone() },
        code: told.into_code(),
        param: None,
    }
}

/// An error inside a stream, or in a body that claimed success.
pub(crate) fn in_stream(error: &Json<'_>) -> Failure {
    let told = Told::read(error);
    let kind = kind(&told, FailureKind::Provider);
    let silent = told.message.is_empty();
    let message = if silent { "the provider broke off its answer".to_owned() } else { told.message.clone() };
    Failure { code: told.into_code(), ..failure::new(kind, message) }
}

/// What it means. The word says it; for bad requests only the sentence tells which kind of bad.
fn kind(told: &Told, by_status: FailureKind) -> FailureKind {
    match told.word.as_str() {
        "invalid_request_error" => bad_request(&told.message, by_status),
        "authentication_error" => FailureKind::Authentication,
        "billing_error" => FailureKind::Quota,
        "permission_error" => FailureKind::Permission,
        "not_found_error" => FailureKind::ModelNotFound,
        "request_too_large" => FailureKind::RequestTooLarge,
        "rate_limit_error" => FailureKind::RateLimited,
        "timeout_error" => FailureKind::Timeout,
        "overloaded_error" => FailureKind::Overloaded,
        "api_error" => match by_status {
            FailureKind::Timeout | FailureKind::Overloaded => by_status,
            _ => FailureKind::Provider,
        },
        _ => by_status,
    }
}

fn bad_request(message: &str, by_status: FailureKind) -> FailureKind {
    let says = |sentence: &str| message.contains(sentence);
    if says("prompt is too long") || says("exceed context limit") || says("context window") {
        return FailureKind::ContextLength;
    }
    if says("credit balance is too low") || says("usage limits") {
        return FailureKind::Quota;
    }
    if says("content filtering policy") {
        return FailureKind::ContentPolicy;
    }
    match by_status {
        FailureKind::RequestTooLarge => by_status,
        _ => FailureKind::InvalidRequest,
    }
}
