//! The facts of a request, found in one scan.

use bytes::Bytes;
use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::dialect::object::{Path, explain, text};
use crate::domain::Envelope;
use crate::error::{GatewayError, Kind};

#[derive(Deserialize)]
struct Facts<'a> {
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(default)]
    messages: Option<IgnoredAny>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    max_tokens: Option<u64>,
}

/// Reads the facts.
pub(super) fn read(body: Bytes) -> Result<Envelope, GatewayError> {
    let facts: Facts<'_> = serde_json::from_slice(&body).map_err(|_| explain::<Facts<'_>>(&body))?;
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(GatewayError::client(Kind::InvalidRequest, "the body must be an object"));
    }
    let path = Path::Field(&Path::Root, "model");
    let raw = facts.model.ok_or_else(|| path.wrong("field required"))?;
    let model = text(raw, path)?.into_owned();
    if model.is_empty() {
        return Err(path.wrong("must not be empty"));
    }
    if facts.messages.is_none() {
        return Err(Path::Field(&Path::Root, "messages").wrong("field required"));
    }
    // A raw value is a slice of the body, so its place is the distance of the pointers.
    let start = raw.get().as_ptr().addr() - body.as_ptr().addr();
    let model_span = Some(start..start + raw.get().len());
    let (stream, max_output) = (facts.stream.unwrap_or(false), facts.max_tokens);
    // State of others, which Cohere does not know what to do with.
    let passable = memmem::find(&body, b"\"causeway:").is_none();
    Ok(Envelope {
        stream,
        include_usage: true,
        max_output,
        passable,
        ..Envelope::whole(body, model, model_span)
    })
}
