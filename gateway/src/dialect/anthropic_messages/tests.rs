//! The dialect against data: what goes in, what must come out.

mod answers;
mod passages;
mod requests;
mod streams;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::AnthropicMessages;
use crate::dialect::{AnswerFacts, Dialect};
use crate::domain::{Envelope, RequestHead};
use crate::error::GatewayError;

fn read(body: &str) -> Result<Envelope, GatewayError> {
    let head = RequestHead {
        method: Method::POST,
        path: "/v1/messages".into(),
        query: None,
        headers: HeaderMap::new(),
    };
    AnthropicMessages.read(&head, Bytes::copy_from_slice(body.as_bytes()))
}

fn facts() -> AnswerFacts {
    AnswerFacts { request_id: "01J".into(), created: 7, model: "claude".into(), ..AnswerFacts::default() }
}

/// A request with these fields beside the required ones.
fn request(fields: Value) -> Value {
    let mut body = json!({"model": "claude", "max_tokens": 9, "messages": []});
    if let (Some(body), Value::Object(fields)) = (body.as_object_mut(), fields) {
        body.extend(fields);
    }
    body
}

fn canonical(body: &Value) -> Result<Value, GatewayError> {
    let envelope = read(&body.to_string())?;
    let canonical = AnthropicMessages.canonical(&envelope)?;
    Ok(serde_json::from_slice(&canonical).expect("canonical chat is JSON"))
}

/// The canonical messages of these turns.
fn turns(turns: Value) -> Value {
    let mut chat = canonical(&request(json!({"messages": turns}))).expect("a legal request");
    chat["messages"].take()
}

fn whole(answer: &Value) -> Value {
    let message = AnthropicMessages.whole(&facts(), answer.to_string().as_bytes()).expect("a legal answer");
    serde_json::from_slice(&message).expect("the message is JSON")
}

/// The events of a stream: names and data, checked against each other.
fn events(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).expect("a stream is text");
    let framed = text.split("\n\n").filter(|event| !event.is_empty());
    framed
        .map(|event| {
            let (name, data) = event.split_once("\ndata: ").expect("an event has a name and data");
            let data: Value = serde_json::from_str(data).expect("data is JSON");
            assert_eq!(name, format!("event: {}", data["type"].as_str().unwrap_or_default()));
            data
        })
        .collect()
}
