//! The facts of a request, found in one scan.

use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::object::{Object, Path, text};
use crate::domain::Envelope;
use crate::error::{GatewayError, Kind};

/// What refers to something kept from an earlier request.
const NOT_KEPT: [(&str, &str); 3] = [
    (
        "previous_response_id",
        "responses are not kept by this version; send the whole conversation as `input`",
    ),
    ("conversation", "conversations are not kept by this version; send the whole conversation as `input`"),
    ("prompt", "prompt templates are not kept by this version; send `instructions` and `input`"),
];

/// Reads the facts.
pub(super) fn read(body: Bytes) -> Result<Envelope, GatewayError> {
    let whole = body_text(&body)?;
    let mut fields = root(whole)?;
    let root = Path::Root;
    let path = Path::Field(&root, "model");
    let raw = fields.take("model", root)?.ok_or_else(|| path.wrong("you must provide a `model`"))?;
    let model = text(raw, path)?.into_owned();
    if model.is_empty() {
        return Err(path.wrong("`model` must not be empty"));
    }
    let model_span = Some(span_of(raw, whole));
    let path = Path::Field(&root, "input");
    let input = fields.take("input", root)?.ok_or_else(|| path.wrong("you must provide `input`"))?;
    if !input.get().starts_with(['"', '[']) {
        return Err(path.wrong("expected a string or a list of items"));
    }
    let stream = fields.take_bool("stream", root)?.unwrap_or(false);
    let max_output = match fields.take("max_output_tokens", root)? {
        None => None,
        Some(raw) => Some(serde_json::from_str(raw.get()).map_err(|_| {
            Path::Field(&root, "max_output_tokens").wrong("expected a whole number of tokens")
        })?),
    };
    refuse_what_is_not_kept(&mut fields)?;
    Ok(Envelope { stream, include_usage: true, max_output, ..Envelope::whole(body, model, model_span) })
}

fn refuse_what_is_not_kept(fields: &mut Object<'_>) -> Result<(), GatewayError> {
    for (name, message) in NOT_KEPT {
        if fields.take(name, Path::Root)?.is_some() {
            return Err(Path::Field(&Path::Root, name).wrong(message));
        }
    }
    if fields.take_bool("background", Path::Root)? == Some(true) {
        let path = Path::Field(&Path::Root, "background");
        return Err(path.wrong("responses are not kept by this version, so none can run in the background"));
    }
    Ok(())
}

/// The body as text.
pub(super) fn body_text(body: &[u8]) -> Result<&str, GatewayError> {
    std::str::from_utf8(body).map_err(|error| {
        let place = error.valid_up_to();
        GatewayError::client(Kind::InvalidRequest, format!("the body is not UTF-8 (byte {place})"))
    })
}

/// The fields of the body.
pub(super) fn root(body: &str) -> Result<Object<'_>, GatewayError> {
    serde_json::from_str(body).map_err(|error| {
        let what = if error.is_data() { "the body must be an object" } else { "the body is not valid JSON" };
        GatewayError::client(Kind::InvalidRequest, format!("{what}: {error}"))
    })
}

/// A raw value is a slice of the body, so its place is the distance of the pointers.
fn span_of(raw: &RawValue, body: &str) -> Range<usize> {
    let start = raw.get().as_ptr().addr() - body.as_ptr().addr();
    start..start + raw.get().len()
}
