//! Everything but chat: vectors, images, speech, counting.

mod embeddings;
mod images;
mod size;
mod speech;
mod tokens;

use plugin_sdk::chat::{Fields, Json};
use plugin_sdk::{Answer, Failure, Losses, Operation, Route, UpstreamRequest, failure, json};

use crate::request::with_own_fields;
use crate::{VENDOR, error};

/// One request.
pub(crate) fn request(route: &Route, operation: Operation, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    match operation {
        Operation::Embeddings => embeddings::request(route, body),
        Operation::CountTokens => tokens::request(route, body),
        Operation::ImageGeneration | Operation::ImageEdit => images::request(route, operation, body),
        Operation::Speech => speech::request(route, body),
        other => Err(failure::not_translated(VENDOR, other)),
    }
}

/// One answer.
pub(crate) fn answer(route: &Route, operation: Operation, body: &[u8]) -> Result<Answer, Failure> {
    match operation {
        Operation::Embeddings => embeddings::answer(route, body),
        Operation::CountTokens => tokens::answer(body),
        Operation::ImageGeneration | Operation::ImageEdit => images::answer(body),
        Operation::Speech => speech::answer(body),
        other => Err(failure::not_translated(VENDOR, other)),
    }
}

/// The request of a body, with the client's own fields of Gemini's on top.
fn post(
    route: &Route,
    path: String,
    body: Vec<u8>,
    vendor: &Fields<'_>,
    mut losses: Losses,
) -> Result<UpstreamRequest, Failure> {
    losses.add_foreign(vendor, VENDOR, "");
    let body = match vendor.get(VENDOR) {
        Some(own) => with_own_fields(body, own)?,
        None => body,
    };
    Ok(UpstreamRequest {
        method: "POST".into(),
        path,
        headers: route.headers.clone(),
        body,
        credential: crate::credential(),
        losses: losses.into_vec(),
    })
}

/// An error in a 2xx answer.
fn no_error(error: Option<&Json<'_>>) -> Result<(), Failure> {
    match error {
        Some(error) => Err(error::in_band(&error.to_value())),
        None => Ok(()),
    }
}

/// Streams of these operations are not translated.
fn not_streamed(fields: &Fields<'_>) -> Result<(), Failure> {
    match fields.get("stream").and_then(Json::read) {
        Some(true) => Err(failure::unsupported("stream", "streams of this operation are not translated")),
        _ => Ok(()),
    }
}

/// A field that must say something.
fn required(value: &str, field: &str) -> Result<(), Failure> {
    if value.is_empty() { Err(failure::invalid(field, format!("{field}: is missing"))) } else { Ok(()) }
}

/// A body as JSON.
fn written(value: &serde_json::Value) -> Result<Vec<u8>, Failure> {
    json::to_vec(value)
}
