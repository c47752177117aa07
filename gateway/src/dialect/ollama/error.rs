//! Errors as Ollama writes and reads them: `{"error": "words"}` and nothing more.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::dialect::object::decode;
use crate::error::{GatewayError, Kind};

/// Our error, as a body or as a line of a stream. Clients look for `not found` to offer a pull.
pub(in crate::dialect) fn body(error: &GatewayError) -> Vec<u8> {
    let message = match error.kind {
        Kind::ModelNotFound if !error.message.contains("not found") => {
            Cow::Owned(format!("model not found: {}", error.message))
        }
        _ => Cow::Borrowed(&*error.message),
    };
    json!({ "error": message }).to_string().into_bytes()
}

/// An error inside a 2xx body or a line of a stream, as far as it is one. Servers in front of Ollama wrap the words in an object.
#[derive(Deserialize)]
struct Reported<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Wrapped {
    message: Option<String>,
}

/// The error that a line reports, if it reports one.
pub(super) fn reported(data: &[u8]) -> Option<GatewayError> {
    let reported: Reported<'_> = serde_json::from_slice(data).ok()?;
    let raw = reported.error.filter(|raw| raw.get() != "null")?;
    let wrapped = || serde_json::from_str::<Wrapped>(raw.get()).ok()?.message;
    let words = decode(raw)
        .map(Cow::into_owned)
        .or_else(wrapped)
        .unwrap_or_else(|| "the provider reports an error inside the stream".to_owned());
    Some(GatewayError::upstream(kind_of(&words), words))
}

fn kind_of(words: &str) -> Kind {
    let words = words.to_ascii_lowercase();
    let says = |some: &[&str]| some.iter().any(|some| words.contains(some));
    if says(&["does not support", "is not supported for this model"]) {
        Kind::Unsupported
    } else if says(&["context length", "context window", "exceeds the available context"]) {
        Kind::ContextLength
    } else if words.contains("model") && says(&["not found", "try pulling"]) {
        Kind::ModelNotFound
    } else if says(&["server busy", "maximum pending requests", "more system memory", "out of memory"]) {
        Kind::Overloaded
    } else if says(&["usage limit", "upgrade for higher limits"]) {
        Kind::Quota
    } else {
        Kind::Provider
    }
}
