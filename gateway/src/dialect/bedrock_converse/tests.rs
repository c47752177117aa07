//! The dialect against data: what goes in, what must come out.

mod answers;
mod passages;
mod requests;
mod streams;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::BedrockConverse;
use crate::dialect::{AnswerFacts, Dialect};
use crate::domain::{Envelope, RequestHead, event_stream};
use crate::error::GatewayError;

fn read(path: &str, body: &str) -> Result<Envelope, GatewayError> {
    let head =
        RequestHead { method: Method::POST, path: path.into(), query: None, headers: HeaderMap::new() };
    BedrockConverse.read(&head, Bytes::copy_from_slice(body.as_bytes()))
}

fn facts() -> AnswerFacts {
    AnswerFacts {
        request_id: "01J".into(),
        created: 7,
        model: "claude".into(),
        waited: Duration::from_millis(34),
    }
}

fn canonical_of(model: &str, body: &Value) -> Result<Value, GatewayError> {
    let envelope = read(&format!("/model/{model}/converse"), &body.to_string())?;
    let canonical = BedrockConverse.canonical(&envelope)?;
    Ok(serde_json::from_slice(&canonical).expect("canonical chat is JSON"))
}

/// A request with these fields.
fn canonical(fields: Value) -> Value {
    let mut body = json!({ "messages": [] });
    if let (Some(body), Value::Object(fields)) = (body.as_object_mut(), fields) {
        body.extend(fields);
    }
    canonical_of("m", &body).expect("a legal request")
}

/// The canonical messages of these turns.
fn turns(turns: Value) -> Value {
    canonical(json!({ "messages": turns }))["messages"].take()
}

fn whole(answer: &Value) -> Value {
    let body = BedrockConverse.whole(&facts(), answer.to_string().as_bytes()).expect("a legal answer");
    serde_json::from_slice(&body).expect("the answer is JSON")
}

/// The frames of a stream: message type, name and payload.
fn frames(mut bytes: &[u8]) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    while let Some(prelude) = bytes.first_chunk() {
        let length = event_stream::length(prelude).expect("a prelude");
        let (frame, behind) = bytes.split_at(length);
        let frame = event_stream::read(frame).expect("a whole frame");
        let payload = serde_json::from_slice(frame.payload).expect("the payload is JSON");
        found.push((frame.message_type.to_owned(), frame.name.to_owned(), payload));
        bytes = behind;
    }
    assert!(bytes.is_empty(), "bytes behind the last frame");
    found
}
