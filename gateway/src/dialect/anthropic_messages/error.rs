//! Errors in Anthropic's words, both ways.

use crate::error::{GatewayError, Kind};

/// An error as a body, and as the data of an `error` event.
#[derive(serde::Serialize)]
struct Body<'a> {
    r#type: &'static str,
    error: Detail<'a>,
    request_id: &'a str,
}

#[derive(serde::Serialize)]
struct Detail<'a> {
    r#type: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
}

/// What programs go by where the type says too little.
#[derive(serde::Serialize)]
struct Details<'a> {
    error_code: &'a str,
}

/// Writes an error. Anthropic has no `param`, so the path stands before the message.
pub(super) fn body(error: &GatewayError, request_id: &str) -> Vec<u8> {
    let message = match &error.param {
        Some(param) if !error.message.contains(param.as_str()) => &format!("{param}: {}", error.message),
        _ => &error.message,
    };
    // The vendor's code is often only its type again.
    let own = error.code.as_deref().filter(|code| !code.ends_with("_error"));
    let details = own.map(|error_code| Details { error_code });
    let error = Detail { r#type: word(error.kind), message, details };
    let body = Body { r#type: "error", error, request_id };
    serde_json::to_vec(&body).unwrap_or_default()
}

/// The status Anthropic gives a kind of error.
pub(super) fn status(kind: Kind) -> u16 {
    match kind {
        Kind::Overloaded => 529,
        kind => kind.status(),
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::InvalidRequest
        | Kind::Unsupported
        | Kind::ContextLength
        | Kind::ContentPolicy
        | Kind::KeyReused
        | Kind::MethodNotAllowed => "invalid_request_error",
        Kind::Authentication => "authentication_error",
        Kind::Quota => "billing_error",
        Kind::Permission => "permission_error",
        Kind::ModelNotFound | Kind::PathNotFound => "not_found_error",
        Kind::TooLarge => "request_too_large",
        Kind::RateLimited => "rate_limit_error",
        Kind::Overloaded => "overloaded_error",
        Kind::Timeout => "timeout_error",
        Kind::Unreachable
        | Kind::Provider
        | Kind::Malformed
        | Kind::Adapter
        | Kind::Internal
        | Kind::ClientGone
        | Kind::Cancelled => "api_error",
    }
}

/// What a provider's own word means.
pub(super) fn kind(word: &str) -> Kind {
    match word {
        "invalid_request_error" | "conflict_error" => Kind::InvalidRequest,
        "authentication_error" => Kind::Authentication,
        "billing_error" => Kind::Quota,
        "permission_error" => Kind::Permission,
        "not_found_error" => Kind::ModelNotFound,
        "request_too_large" => Kind::TooLarge,
        "rate_limit_error" => Kind::RateLimited,
        "timeout_error" => Kind::Timeout,
        "overloaded_error" => Kind::Overloaded,
        _ => Kind::Provider,
    }
}
