//! The dialect against data: what goes in, what must come out.

mod answers;
mod passages;
mod requests;
mod streams;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::OpenAiResponses;
use crate::dialect::{AnswerFacts, Dialect};
use crate::domain::{Envelope, RequestHead};
use crate::error::GatewayError;

fn read(body: &str) -> Result<Envelope, GatewayError> {
    let head = RequestHead {
        method: Method::POST,
        path: "/v1/responses".into(),
        query: None,
        headers: HeaderMap::new(),
    };
    OpenAiResponses.read(&head, Bytes::copy_from_slice(body.as_bytes()))
}

fn facts() -> AnswerFacts {
    AnswerFacts { request_id: "R".into(), created: 7, model: "public".into(), ..AnswerFacts::default() }
}

/// A request with these fields beside the required ones.
fn request(fields: Value) -> Value {
    let mut body = json!({"model": "m", "input": "hello"});
    if let (Some(body), Value::Object(fields)) = (body.as_object_mut(), fields) {
        body.extend(fields);
    }
    body
}

fn canonical(body: &Value) -> Result<Value, GatewayError> {
    let envelope = read(&body.to_string())?;
    let canonical = OpenAiResponses.canonical(&envelope)?;
    Ok(serde_json::from_slice(&canonical).expect("canonical chat is JSON"))
}

/// The canonical request with these fields.
fn chat(fields: Value) -> Value {
    canonical(&request(fields)).expect("a legal request")
}

/// The canonical messages of these items.
fn messages(items: Value) -> Value {
    chat(json!({ "input": items }))["messages"].take()
}

/// Which field a request with these fields is refused for, and why.
fn refused(fields: Value) -> (String, String) {
    let error = canonical(&request(fields)).expect_err("refused");
    assert_eq!(error.kind, crate::error::Kind::InvalidRequest);
    (error.param.unwrap_or_default(), error.message)
}

/// A canonical answer with this message.
fn completion(message: Value, finish_reason: &str) -> Value {
    json!({"id": "x", "object": "chat.completion", "created": 0, "model": "real",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 2}}})
}

/// The response to a request with these fields, when the provider answers so.
fn answered(fields: Value, answer: &Value) -> Value {
    let envelope = read(&request(fields).to_string()).expect("a legal request");
    let whole = OpenAiResponses.whole_for(&facts(), &envelope, answer.to_string().as_bytes());
    serde_json::from_slice(&whole.expect("a legal answer")).expect("the response is JSON")
}

/// The output of an answer, sent back as input: what the provider is told then.
fn returned(output: &Value) -> Value {
    messages(output.clone())
}

/// The events of a stream: names and data, checked against each other, numbered without gaps.
fn events(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).expect("a stream is text");
    let framed = text.split("\n\n").filter(|event| !event.is_empty());
    let events: Vec<Value> = framed
        .map(|event| {
            let (name, data) = event.split_once("\ndata: ").expect("an event has a name and data");
            let data: Value = serde_json::from_str(data).expect("data is JSON");
            assert_eq!(name, format!("event: {}", data["type"].as_str().unwrap_or_default()));
            data
        })
        .collect();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
    events
}
