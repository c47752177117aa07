//! Errors in AWS's words, both ways.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html> and the operation's own list.

use crate::dialect::said::json;
use crate::domain::event_stream::Frame;
use crate::error::{GatewayError, Kind};

#[derive(serde::Serialize)]
struct Body<'a> {
    message: &'a str,
}

/// What a model's server said, beside AWS's own words.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelStreamError<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_status_code: Option<u16>,
    original_message: &'a str,
}

/// An error as a body. AWS has no field for a path, so it stands before the message.
pub(super) fn body(error: &GatewayError) -> Vec<u8> {
    json(&Body { message: &said(error) })
}

fn said(error: &GatewayError) -> String {
    match &error.param {
        Some(param) if !error.message.contains(param.as_str()) => format!("{param}: {}", error.message),
        _ => error.message.clone(),
    }
}

/// The type, as the header `x-amzn-errortype` says it.
pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::InvalidRequest
        | Kind::Unsupported
        | Kind::KeyReused
        | Kind::TooLarge
        | Kind::ContextLength
        | Kind::ContentPolicy
        | Kind::MethodNotAllowed => "ValidationException",
        Kind::Authentication | Kind::Permission => "AccessDeniedException",
        Kind::ModelNotFound => "ResourceNotFoundException",
        Kind::PathNotFound => "UnknownOperationException",
        Kind::RateLimited => "ThrottlingException",
        Kind::Quota => "ServiceQuotaExceededException",
        Kind::Timeout => "ModelTimeoutException",
        Kind::Overloaded | Kind::Unreachable => "ServiceUnavailableException",
        Kind::Provider | Kind::Malformed => "ModelErrorException",
        Kind::Adapter | Kind::Internal | Kind::ClientGone | Kind::Cancelled => "InternalServerException",
    }
}

/// The status that belongs to the type.
pub(super) fn status(kind: Kind) -> u16 {
    match word(kind) {
        "AccessDeniedException" => 403,
        "ResourceNotFoundException" | "UnknownOperationException" => 404,
        "ModelTimeoutException" => 408,
        "ModelErrorException" => 424,
        "ThrottlingException" => 429,
        "InternalServerException" => 500,
        "ServiceUnavailableException" => 503,
        // AWS's own codes; a body that is too large or a wrong method has no type among the operation's.
        _ if matches!(kind, Kind::KeyReused | Kind::TooLarge | Kind::MethodNotAllowed) => kind.status(),
        _ => 400,
    }
}

/// The exception that ends a stream: its type, which begins with a small letter, and its body. A stream knows five.
pub(super) fn in_stream(error: &GatewayError) -> (&'static str, Vec<u8>) {
    match word(error.kind) {
        "ValidationException" | "AccessDeniedException" | "ResourceNotFoundException" => {
            ("validationException", body(error))
        }
        "ThrottlingException" | "ServiceQuotaExceededException" => ("throttlingException", body(error)),
        "ServiceUnavailableException" => ("serviceUnavailableException", body(error)),
        "ModelErrorException" | "ModelTimeoutException" => {
            let message = said(error);
            let told = ModelStreamError {
                message: &message,
                original_status_code: error.upstream_status.or(Some(status(error.kind))),
                original_message: &message,
            };
            ("modelStreamErrorException", json(&told))
        }
        _ => ("internalServerException", body(error)),
    }
}

/// An exception frame that came from a provider.
pub(super) fn of_frame(frame: &Frame<'_>) -> GatewayError {
    #[derive(serde::Deserialize)]
    struct Told {
        #[serde(default, alias = "Message")]
        message: String,
    }
    let told = serde_json::from_slice::<Told>(frame.payload).map(|told| told.message).unwrap_or_default();
    let message = [told.as_str(), frame.error_message].into_iter().find(|text| !text.is_empty());
    let kind = match frame.name {
        "validationException" => Kind::InvalidRequest,
        "throttlingException" => Kind::RateLimited,
        "serviceUnavailableException" => Kind::Overloaded,
        "modelTimeoutException" => Kind::Timeout,
        _ => Kind::Provider,
    };
    let mut failure = GatewayError::upstream(kind, message.unwrap_or("the provider broke off its answer"));
    failure.code = Some(frame.name.to_owned()).filter(|code| !code.is_empty());
    failure
}
