//! Errors in Cohere's form, both ways.

use crate::dialect::said::json;
use crate::error::{GatewayError, Kind};

#[derive(serde::Serialize)]
struct Body<'a> {
    id: &'a str,
    message: &'a str,
}

/// Writes an error.
pub(super) fn body(error: &GatewayError, request_id: &str) -> Vec<u8> {
    json(&Body { id: request_id, message: &said(error) })
}

/// What is said of it. Cohere has no field for a path, so it stands before the message.
pub(super) fn said(error: &GatewayError) -> String {
    match &error.param {
        Some(param) if !error.message.contains(param.as_str()) => format!("{param}: {}", error.message),
        _ => error.message.clone(),
    }
}

/// The word a stream that failed ends with.
pub(super) fn finish_reason(kind: Kind) -> &'static str {
    if kind == Kind::Timeout { "TIMEOUT" } else { "ERROR" }
}
