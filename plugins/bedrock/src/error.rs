//! AWS's errors: as whole answers, and as exceptions in a stream.

use plugin_sdk::{Failure, FailureKind, Header, failure, json};
use serde_json::Value;

/// Anything but 2xx. The type stands in a header (with a URL behind a colon), or in the body.
pub(crate) fn of_answer(status: u16, headers: &[Header], body: &[u8]) -> Failure {
    let judged = failure::from_status(status, headers);
    let tree: Value = serde_json::from_slice(body).unwrap_or_default();
    let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case("x-amzn-errortype"));
    let word = header.map(|header| header.value.as_str()).or_else(|| json::text_at(&tree, "__type"));
    let word = word.and_then(|word| word.split(':').next()).and_then(|word| word.rsplit('#').next());
    let word = word.map(str::trim).filter(|word| !word.is_empty());
    let message = told(&tree).unwrap_or(judged.message);
    let kind = kind(word.unwrap_or_default(), &message, judged.kind);
    Failure {
        kind,
        message,
        code: word.map(str::to_owned),
        param: None,
        retry_after_ms: judged.retry_after_ms,
    }
}

/// An exception in a stream; its type begins with a small letter.
pub(crate) fn in_stream(word: &str, payload: &[u8], error_message: &str) -> Failure {
    let tree: Value = serde_json::from_slice(payload).unwrap_or_default();
    let message = told(&tree).or_else(|| Some(error_message.to_owned()).filter(|text| !text.is_empty()));
    let message = message.unwrap_or_else(|| "the provider broke off its answer".to_owned());
    let mut letters = word.chars();
    let name = letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str());
    let name = name.unwrap_or_default();
    let by_status = json::number_at(&tree, "originalStatusCode")
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| *status >= 400)
        .map_or(FailureKind::Provider, failure::kind_of_status);
    let kind = kind(&name, &message, by_status);
    Failure { code: Some(name).filter(|name| !name.is_empty()), ..failure::new(kind, message) }
}

/// What the error says, with the words of the model's own server where they are told.
fn told(tree: &Value) -> Option<String> {
    let message = ["message", "Message", "errorMessage"].iter().find_map(|name| json::text_at(tree, name))?;
    Some(match json::text_at(tree, "originalMessage") {
        Some(original) if original != message => format!("{message} ({original})"),
        _ => message.to_owned(),
    })
}

fn kind(word: &str, message: &str, by_status: FailureKind) -> FailureKind {
    match word {
        "ValidationException" => invalid(message),
        "ThrottlingException" | "TooManyRequestsException" if message.contains("per day") => {
            FailureKind::Quota
        }
        "ThrottlingException" | "TooManyRequestsException" => FailureKind::RateLimited,
        "ServiceQuotaExceededException" => FailureKind::Quota,
        "AccessDeniedException" if message.contains("not authorized to perform") => FailureKind::Permission,
        "AccessDeniedException" if message.contains("API Key") || message.contains("security token") => {
            FailureKind::Authentication
        }
        "AccessDeniedException" => FailureKind::Permission,
        "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "IncompleteSignatureException"
        | "IncompleteSignature"
        | "SignatureDoesNotMatch"
        | "InvalidClientTokenId"
        | "MissingAuthenticationTokenException"
        | "MissingAuthenticationToken"
        | "ExpiredTokenException"
        | "ExpiredToken" => FailureKind::Authentication,
        "ResourceNotFoundException" => FailureKind::ModelNotFound,
        "ModelNotReadyException" | "ServiceUnavailableException" => FailureKind::Overloaded,
        "ModelTimeoutException" => FailureKind::Timeout,
        "ModelErrorException" | "ModelStreamErrorException" | "InternalServerException" => match by_status {
            FailureKind::RateLimited | FailureKind::Overloaded | FailureKind::Timeout => by_status,
            _ => FailureKind::Provider,
        },
        _ => by_status,
    }
}

/// One type for all that is wrong with a request; only the sentence tells.
fn invalid(message: &str) -> FailureKind {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&[
        "too long",
        "exceed context limit",
        "maximum context",
        "context window",
        "exceeds the maximum number of",
    ]) {
        return FailureKind::ContextLength;
    }
    if says(&["model identifier is invalid", "on-demand throughput", "end of its life", "inference profile"])
    {
        return FailureKind::ModelNotFound;
    }
    if says(&["doesn't support", "does not support", "is not supported by", "isn't supported"]) {
        return FailureKind::Unsupported;
    }
    if says(&["content filtering policy", "blocked by"]) {
        return FailureKind::ContentPolicy;
    }
    FailureKind::InvalidRequest
}
