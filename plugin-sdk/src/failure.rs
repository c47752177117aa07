//! Failures: short constructors, and a judgement by status for vendors that say no more.

use crate::{Failure, FailureKind, Header, Operation};

/// A failure with a message and nothing else.
pub fn new(kind: FailureKind, message: impl Into<String>) -> Failure {
    Failure { kind, message: message.into(), code: None, param: None, retry_after_ms: None }
}

/// The client's request is wrong at `param`.
pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Failure {
    Failure { param: Some(param.into()), ..new(FailureKind::InvalidRequest, message) }
}

/// This provider cannot do what `param` asks.
pub fn unsupported(param: impl Into<String>, message: impl Into<String>) -> Failure {
    Failure { param: Some(param.into()), ..new(FailureKind::Unsupported, message) }
}

/// The adapter of this vendor has no such operation.
pub fn not_translated(vendor: &str, operation: Operation) -> Failure {
    new(FailureKind::Unsupported, format!("the {vendor} adapter does not translate {}", name_of(operation)))
}

/// The adapter of this vendor does not stream this operation.
pub fn not_streamed(vendor: &str, operation: Operation) -> Failure {
    new(FailureKind::Unsupported, format!("the {vendor} adapter does not stream {}", name_of(operation)))
}

fn name_of(operation: Operation) -> &'static str {
    match operation {
        Operation::Chat => "chat",
        Operation::CountTokens => "count-tokens",
        Operation::Embeddings => "embeddings",
        Operation::Rerank => "rerank",
        Operation::Moderation => "moderation",
        Operation::ImageGeneration => "image-generation",
        Operation::ImageEdit => "image-edit",
        Operation::ImageVariation => "image-variation",
        Operation::Speech => "speech",
        Operation::Transcription => "transcription",
        Operation::Translation => "translation",
    }
}

/// The provider's bytes make no sense.
pub fn malformed(message: impl Into<String>) -> Failure {
    new(FailureKind::Malformed, message)
}

/// The adapter itself failed.
pub fn adapter(message: impl Into<String>) -> Failure {
    new(FailureKind::Adapter, message)
}

/// What a status says when the body says nothing. 529 is Anthropic's "overloaded", 498 Groq's.
pub fn kind_of_status(status: u16) -> FailureKind {
    match status {
        401 => FailureKind::Authentication,
        402 => FailureKind::Quota,
        403 => FailureKind::Permission,
        404 => FailureKind::ModelNotFound,
        408 | 504 => FailureKind::Timeout,
        413 => FailureKind::RequestTooLarge,
        429 => FailureKind::RateLimited,
        498 | 503 | 529 => FailureKind::Overloaded,
        400..=499 => FailureKind::InvalidRequest,
        _ => FailureKind::Provider,
    }
}

/// A failure judged by status and retry headers alone.
pub fn from_status(status: u16, headers: &[Header]) -> Failure {
    Failure {
        retry_after_ms: retry_after_ms(headers),
        ..new(kind_of_status(status), format!("the provider answered {status}"))
    }
}

/// `retry-after-ms`, or `retry-after` in seconds (RFC 9110 §10.2.3; the date form needs a clock and is left to the host).
pub fn retry_after_ms(headers: &[Header]) -> Option<u64> {
    let value = |name: &str| {
        headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.trim())
    };
    if let Some(milliseconds) = value("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return (milliseconds >= 0.0).then_some(milliseconds as u64);
    }
    let seconds = value("retry-after")?.parse::<f64>().ok()?;
    (seconds >= 0.0).then_some((seconds * 1000.0) as u64)
}
