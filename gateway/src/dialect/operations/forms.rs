//! A form as an envelope, and as the JSON object that adapters get.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::multipart::Form;
use crate::domain::Envelope;
use crate::error::{GatewayError, Kind};

/// Fields of these endpoints that are numbers or flags in JSON and texts in a form.
const NUMBERS: [&str; 6] =
    ["n", "temperature", "stream", "output_compression", "partial_images", "known_speaker_count"];

/// The facts of a form: the model, where its name stands, and the file that must be there.
pub(super) fn envelope(form: Form, body: &Bytes, file: &str) -> Result<Envelope, GatewayError> {
    let part =
        form.one("model")?.ok_or_else(|| GatewayError::invalid("model", "you must provide a `model`"))?;
    let (model, span) = (part.text(body)?.to_owned(), part.place.clone());
    if model.is_empty() {
        return Err(GatewayError::invalid("model", "`model` must not be empty"));
    }
    // SDKs send a list of files under a name with brackets.
    let list = format!("{file}[]");
    let files: Vec<_> = form.all(file).chain(form.all(&list)).map(|part| part.place.clone()).collect();
    if files.is_empty() {
        return Err(GatewayError::invalid(file, format!("you must provide `{file}`")));
    }
    if files.iter().any(std::ops::Range::is_empty) {
        return Err(GatewayError::invalid(file, format!("`{file}` is empty")));
    }
    Ok(Envelope { content_type: Some(form.content_type), ..Envelope::whole(body.clone(), model, Some(span)) })
}

/// The form as a canonical object: files as `{ filename, content_type, data }` in base64, names with `[]` as lists.
pub(super) fn canonical(envelope: &Envelope) -> Result<Bytes, GatewayError> {
    let Some(content_type) = &envelope.content_type else { return Ok(envelope.body.clone()) };
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, content_type.clone());
    let head =
        crate::domain::RequestHead { method: http::Method::POST, path: String::new(), query: None, headers };
    let form = Form::read(&head, &envelope.body)?;
    let mut object = Map::new();
    for part in form.parts() {
        let value = match &part.filename {
            Some(filename) => {
                let data = STANDARD.encode(envelope.body.get(part.place.clone()).unwrap_or_default());
                json!({ "filename": filename, "content_type": part.content_type, "data": data })
            }
            None => value(&part.name, part.text(&envelope.body)?)?,
        };
        match part.name.strip_suffix("[]") {
            None => drop(object.insert(part.name.clone(), value)),
            Some(list) => match object.entry(list).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(items) => items.push(value),
                other => *other = json!([other.take(), value]),
            },
        }
    }
    Ok(Value::Object(object).to_string().into())
}

fn value(name: &str, text: &str) -> Result<Value, GatewayError> {
    if !NUMBERS.contains(&name) {
        return Ok(text.into());
    }
    serde_json::from_str(text).map_err(|_| {
        let message = format!("`{name}` must be a number or a flag, not {text:?}");
        GatewayError { param: Some(name.to_owned()), ..GatewayError::client(Kind::InvalidRequest, message) }
    })
}
