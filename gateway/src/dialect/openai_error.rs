//! Errors in OpenAI's two dialects: ours in its form, and theirs as ours.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::error::{GatewayError, Kind};

/// `{ "error": { message, type, param, code, request_id } }`
pub(super) fn body(error: &GatewayError, request_id: &str) -> Vec<u8> {
    let body = json!({ "error": {
        "message": error.message,
        "type": kind_word(error.kind),
        "param": error.param,
        "code": code(error),
        "request_id": request_id,
    } });
    body.to_string().into_bytes()
}

/// The `type` OpenAI itself sends: a wrong key and an unknown model are `invalid_request_error` there too.
fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::InvalidRequest
        | Kind::Unsupported
        | Kind::Authentication
        | Kind::Permission
        | Kind::ModelNotFound
        | Kind::PathNotFound
        | Kind::MethodNotAllowed
        | Kind::KeyReused
        | Kind::TooLarge
        | Kind::ContextLength
        | Kind::ContentPolicy => "invalid_request_error",
        Kind::RateLimited => "rate_limit_error",
        Kind::Quota => "insufficient_quota",
        _ => "server_error",
    }
}

/// Clients switch on OpenAI's own codes, so ours stand wherever they say something; a vendor's code only where ours is general.
pub(super) fn code(error: &GatewayError) -> &str {
    let general = matches!(error.kind, Kind::InvalidRequest | Kind::Unsupported | Kind::Provider);
    let general = general || error.code.as_deref() == Some(GatewayError::STORE_UNAVAILABLE);
    error.code.as_deref().filter(|_| general).unwrap_or(error.kind.as_str())
}

/// An error inside a stream or a 200 body. Codes may be numbers, the whole may be a string, and some servers
/// send `{"object":"error","message":…}`.
#[derive(Deserialize)]
pub(super) struct Reported<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    object: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
struct Detail<'a> {
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    param: Option<Cow<'a, str>>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
}

/// The error an event reports, if it reports one.
pub(super) fn reported(data: &[u8]) -> Option<GatewayError> {
    let event: Reported<'_> = serde_json::from_slice(data).ok()?;
    let detail = match (event.error, event.object.as_deref()) {
        (Some(raw), _) if raw.get() == "null" => return None,
        (Some(raw), _) => read_detail(raw),
        (None, Some("error")) => serde_json::from_slice(data).ok()?,
        (None, _) => return None,
    };
    Some(judged(detail))
}

/// The error of an event that is one by its type: its fields stand at the top.
pub(super) fn bare(data: &[u8]) -> Option<GatewayError> {
    let detail: Detail<'_> = serde_json::from_slice(data).ok()?;
    // Their `type` says only that it is an error.
    Some(judged(Detail { kind: None, ..detail }))
}

fn judged(detail: Detail<'_>) -> GatewayError {
    let code = detail.code.and_then(|raw| serde_json::from_str::<serde_json::Value>(raw.get()).ok());
    let status = code.as_ref().and_then(|code| u16::try_from(code.as_u64()?).ok());
    let code = code.and_then(|code| match code {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Null => None,
        other => Some(other.to_string()),
    });
    let kind = judge(code.as_deref(), detail.kind.as_deref(), status);
    let message = detail.message.unwrap_or(Cow::Borrowed("the provider reports an error inside the stream"));
    let mut error = GatewayError::upstream(kind, message);
    error.code = code.or(detail.kind.map(Cow::into_owned));
    error.param = detail.param.map(Cow::into_owned);
    error.upstream_status = status.filter(|status| (400..600).contains(status));
    error
}

fn read_detail(raw: &RawValue) -> Detail<'_> {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| Detail {
        message: serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned),
        ..Detail::default()
    })
}

fn judge(code: Option<&str>, kind: Option<&str>, status: Option<u16>) -> Kind {
    for word in [code, kind].into_iter().flatten() {
        let found = match word {
            "context_length_exceeded" => Kind::ContextLength,
            "rate_limit_exceeded" | "rate_limit_error" | "tokens" | "requests" => Kind::RateLimited,
            "insufficient_quota" | "billing_hard_limit_reached" => Kind::Quota,
            "model_not_found" => Kind::ModelNotFound,
            "content_filter" | "content_policy_violation" => Kind::ContentPolicy,
            "invalid_api_key" | "authentication_error" => Kind::Authentication,
            "overloaded" | "overloaded_error" | "server_overloaded" | "engine_overloaded" => Kind::Overloaded,
            "invalid_request_error" | "BadRequestError" => Kind::InvalidRequest,
            "timeout" => Kind::Timeout,
            _ => continue,
        };
        return found;
    }
    match status {
        Some(401) => Kind::Authentication,
        Some(402) => Kind::Quota,
        Some(403) => Kind::Permission,
        Some(404) => Kind::ModelNotFound,
        Some(408 | 504) => Kind::Timeout,
        Some(413) => Kind::TooLarge,
        Some(429) => Kind::RateLimited,
        Some(503 | 529) => Kind::Overloaded,
        Some(400..=499) => Kind::InvalidRequest,
        _ => Kind::Provider,
    }
}
