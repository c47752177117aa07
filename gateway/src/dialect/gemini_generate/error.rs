//! Errors in Google's shape (`google.rpc.Status`), written and read.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{GatewayError, Kind};

#[derive(Serialize)]
struct Body<'e> {
    error: Status<'e>,
}

#[derive(Serialize)]
struct Status<'e> {
    code: u16,
    message: &'e str,
    status: &'static str,
    details: Vec<Detail<'e>>,
}

#[derive(Serialize)]
#[serde(tag = "@type")]
enum Detail<'e> {
    #[serde(rename = "type.googleapis.com/google.rpc.ErrorInfo")]
    Error { reason: String, domain: &'static str },
    #[serde(rename = "type.googleapis.com/google.rpc.BadRequest", rename_all = "camelCase")]
    BadRequest { field_violations: [Violation<'e>; 1] },
    #[serde(rename = "type.googleapis.com/google.rpc.RequestInfo", rename_all = "camelCase")]
    Request { request_id: &'e str },
    #[serde(rename = "type.googleapis.com/google.rpc.RetryInfo", rename_all = "camelCase")]
    Retry { retry_delay: String },
}

#[derive(Serialize)]
struct Violation<'e> {
    field: &'e str,
    description: &'e str,
}

/// Google has no 502: what fails behind its front door is unavailable or internal.
pub(super) fn status(error: &GatewayError) -> u16 {
    match error.kind {
        Kind::Unreachable | Kind::Provider | Kind::Malformed => 503,
        Kind::Adapter => 500,
        kind => kind.status(),
    }
}

fn word(error: &GatewayError) -> &'static str {
    match status(error) {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        405 => "UNIMPLEMENTED",
        402 | 429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        400..=498 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}

/// An error as a JSON object; in a stream it is one element or one event.
pub(super) fn body(error: &GatewayError, request_id: &str) -> Vec<u8> {
    let reason = error.kind.as_str().to_ascii_uppercase();
    let mut details = vec![Detail::Error { reason, domain: "causeway" }];
    if let Some(field) = &error.param {
        details.push(Detail::BadRequest {
            field_violations: [Violation { field, description: &error.message }],
        });
    }
    if !request_id.is_empty() {
        details.push(Detail::Request { request_id });
    }
    if let Some(delay) = error.retry_after {
        details.push(Detail::Retry { retry_delay: format!("{}s", delay.as_secs_f64()) });
    }
    let error = Status { code: status(error), message: &error.message, status: word(error), details };
    serde_json::to_vec(&Body { error }).unwrap_or_default()
}

/// What a provider's error event says.
#[derive(Debug, Deserialize)]
pub(super) struct Reported {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    message: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<ReportedDetail>,
}

#[derive(Debug, Deserialize)]
struct ReportedDetail {
    #[serde(rename = "retryDelay")]
    retry_delay: Option<String>,
}

/// A provider's error event as our error.
pub(super) fn reported(reported: Reported) -> GatewayError {
    let kind = match reported.code {
        400 => Kind::InvalidRequest,
        401 => Kind::Authentication,
        403 => Kind::Permission,
        404 => Kind::ModelNotFound,
        429 => Kind::RateLimited,
        503 => Kind::Overloaded,
        408 | 504 => Kind::Timeout,
        _ => Kind::Provider,
    };
    let message =
        if reported.message.is_empty() { "the provider failed".to_owned() } else { reported.message };
    let delay = reported.details.into_iter().find_map(|detail| detail.retry_delay);
    GatewayError {
        code: (!reported.status.is_empty()).then_some(reported.status),
        upstream_status: (reported.code != 0).then_some(reported.code),
        retry_after: delay.as_deref().and_then(seconds),
        ..GatewayError::upstream(kind, message)
    }
}

/// A protobuf duration: `7s`, `0.5s`.
fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.strip_suffix('s')?.parse::<f64>().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
