//! The facts of a request in one scan, and whether it asks anything at all.

use std::num::FpCategory;

use bytes::Bytes;
use memchr::memmem;
use serde_json::json;
use serde_json::value::RawValue;

use super::Shape;
use crate::dialect::object::{Object, Path, span_of, text};
use crate::domain::{Envelope, Framing, rfc3339};
use crate::error::GatewayError;

/// Reads the facts. Ollama streams unless it is told otherwise, and its stream always tells usage.
pub(in crate::dialect) fn envelope(body: Bytes) -> Result<Envelope, GatewayError> {
    let mut fields = Object::of_body(&body)?;
    let root = Path::Root;
    let path = Path::Field(&root, "model");
    let raw = fields.take("model", root)?.ok_or_else(|| path.wrong("model is required"))?;
    let model = text(raw, path)?.into_owned();
    if model.is_empty() {
        return Err(path.wrong("model is required"));
    }
    let model_span = Some(span_of(raw, &body));
    let stream = fields.take_bool("stream", root)?.unwrap_or(true);
    let max_output = match fields.take("options", root)? {
        None => None,
        Some(raw) => {
            let options = Object::read(raw, Path::Field(&root, "options"))?;
            // Negative numbers are words: without end, and until the context is full.
            options.get("num_predict").and_then(|raw| serde_json::from_str(raw.get()).ok())
        }
    };
    let (framing, include_usage) = (Framing::Ndjson, true);
    let envelope = Envelope::whole(body.clone(), model, model_span);
    Ok(Envelope { stream, framing, include_usage, max_output, ..envelope })
}

/// The model that `/api/show` asks about; old clients call it `name`.
pub(in crate::dialect) fn shown(body: &[u8]) -> Result<String, GatewayError> {
    let mut fields = Object::of_body(body)?;
    let model = fields.take_text("model", Path::Root)?;
    let name = fields.take_text("name", Path::Root)?;
    let asked = model.filter(|model| !model.is_empty()).or(name).filter(|name| !name.is_empty());
    match asked {
        Some(name) => Ok(name.into_owned()),
        None => Err(Path::Field(&Path::Root, "model").wrong("model is required")),
    }
}

/// Ollama's answer to a request without messages or prompt, which only loads the model, or lets go of it
/// (`keep_alive: 0`). There is nothing to load here.
pub(in crate::dialect) fn without_model(shape: Shape, envelope: &Envelope, created: u64) -> Option<Vec<u8>> {
    let (field, nothing, something) = match shape {
        Shape::Chat => ("messages", "[]", &b"["[..]),
        Shape::Generate => ("prompt", "\"\"", &b"\""[..]),
    };
    if surely_says(&envelope.body, field, something) {
        return None;
    }
    let fields = Object::of_body(&envelope.body).ok()?;
    if fields.get(field).is_some_and(|raw| !is(raw, nothing)) {
        return None;
    }
    let unload = fields.get("keep_alive").is_some_and(is_zero);
    let mut answer = json!({
        "model": envelope.model,
        "created_at": rfc3339(created),
        "done": true,
        "done_reason": if unload { "unload" } else { "load" },
    });
    match shape {
        Shape::Chat => answer["message"] = json!({ "role": "assistant", "content": "" }),
        Shape::Generate => answer["response"] = "".into(),
    }
    let mut answer = answer.to_string().into_bytes();
    if envelope.stream {
        answer.push(b'\n');
    }
    Some(answer)
}

/// No time at all: `0`, `0.0`, `"0"`, `"0s"`.
fn is_zero(keep_alive: &RawValue) -> bool {
    let text = keep_alive.get().trim_matches('"');
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    number.parse::<f64>().is_ok_and(|number| number.classify() == FpCategory::Zero)
}

/// `[ ]` is `[]`.
fn is(raw: &RawValue, compact: &str) -> bool {
    raw.get().bytes().filter(|byte| !byte.is_ascii_whitespace()).eq(compact.bytes())
}

/// A search instead of a second scan of a long conversation: the field stands there and its value is not empty.
fn surely_says(body: &[u8], field: &str, opening: &[u8]) -> bool {
    let quoted = format!("\"{field}\"");
    let Some(at) = memmem::find(body, quoted.as_bytes()) else { return false };
    let rest = body.get(at + quoted.len()..).unwrap_or_default().trim_ascii_start();
    let value = rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start).unwrap_or_default();
    let inner = value.strip_prefix(opening).map(<[u8]>::trim_ascii_start);
    inner.and_then(<[u8]>::first).is_some_and(|first| !matches!(first, b']' | b'"'))
}
