//! The dialect against data: what goes in, what must come out.

mod answers;
mod requests;
mod streams;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::CohereChat;
use crate::dialect::{AnswerFacts, Dialect};
use crate::domain::{Envelope, RequestHead};
use crate::error::GatewayError;

fn read(body: &str) -> Result<Envelope, GatewayError> {
    let head =
        RequestHead { method: Method::POST, path: "/v2/chat".into(), query: None, headers: HeaderMap::new() };
    CohereChat.read(&head, Bytes::copy_from_slice(body.as_bytes()))
}

fn facts() -> AnswerFacts {
    AnswerFacts { request_id: "01J".into(), created: 7, model: "command".into(), waited: Duration::ZERO }
}

/// A request with these fields beside the required ones.
fn canonical(fields: Value) -> Result<Value, GatewayError> {
    let mut body = json!({ "model": "m", "messages": [] });
    if let (Some(body), Value::Object(fields)) = (body.as_object_mut(), fields) {
        body.extend(fields);
    }
    let envelope = read(&body.to_string())?;
    let canonical = CohereChat.canonical(&envelope)?;
    Ok(serde_json::from_slice(&canonical).expect("canonical chat is JSON"))
}

/// The canonical messages of these turns.
fn turns(turns: Value) -> Value {
    canonical(json!({ "messages": turns })).expect("a legal request")["messages"].take()
}

fn whole(answer: &Value) -> Value {
    let body = CohereChat.whole(&facts(), answer.to_string().as_bytes()).expect("a legal answer");
    serde_json::from_slice(&body).expect("the answer is JSON")
}
