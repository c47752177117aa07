//! What a Gemini client says and hears.

mod answers;
mod requests;

use bytes::Bytes;
use serde_json::Value;

use super::GeminiGenerate;
use crate::dialect::{AnswerFacts, Dialect as _};
use crate::domain::{Envelope, RequestHead};
use crate::error::GatewayError;

fn head(path: &str, query: Option<&str>) -> RequestHead {
    RequestHead {
        method: http::Method::POST,
        path: path.to_owned(),
        query: query.map(str::to_owned),
        headers: http::HeaderMap::new(),
    }
}

fn read(path: &str, query: Option<&str>, body: &str) -> Result<Envelope, GatewayError> {
    GeminiGenerate.read(&head(path, query), Bytes::copy_from_slice(body.as_bytes()))
}

fn canonical(body: &Value) -> Result<Value, GatewayError> {
    let envelope = read("/v1beta/models/m:generateContent", None, &body.to_string())?;
    let canonical = GeminiGenerate.canonical(&envelope)?;
    let mut value: Value = serde_json::from_slice(&canonical).unwrap();
    value.as_object_mut().unwrap().remove("model");
    Ok(value)
}

fn facts() -> AnswerFacts {
    AnswerFacts { request_id: "req-1".into(), created: 0, model: "public".into(), ..AnswerFacts::default() }
}
