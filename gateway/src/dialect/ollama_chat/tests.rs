//! Reading requests, writing answers and streams, watching Ollama's own on their way through.

mod answers;
mod passages;
mod requests;
mod round;

use serde_json::Value;

use super::*;
use crate::error::Kind;

fn read(body: &str) -> Result<Envelope, GatewayError> {
    let head = RequestHead {
        method: http::Method::POST,
        path: "/api/chat".into(),
        query: None,
        headers: http::HeaderMap::new(),
    };
    OllamaChat.read(&head, Bytes::copy_from_slice(body.as_bytes()))
}

/// The canonical form of a body.
fn canonical(body: &str) -> Value {
    let envelope = read(body).expect("reads");
    serde_json::from_slice(&OllamaChat.canonical(&envelope).expect("canonical")).expect("JSON")
}

/// The canonical form of a body with these fields beside the model.
fn with(fields: &str) -> Value {
    canonical(&format!(r#"{{"model":"m","stream":false,{fields}}}"#))
}

/// The field that is blamed, and why.
fn blamed(fields: &str) -> (String, String) {
    let body = format!(r#"{{"model":"m",{fields}}}"#);
    let error = read(&body).and_then(|envelope| OllamaChat.canonical(&envelope)).expect_err(fields);
    assert_eq!(error.kind, Kind::InvalidRequest, "{fields}");
    (error.param.unwrap_or_default(), error.message)
}

fn facts() -> AnswerFacts {
    AnswerFacts {
        request_id: "R".into(),
        created: 1_700_000_000,
        model: "public".into(),
        waited: std::time::Duration::from_nanos(77),
    }
}

/// The lines of a stream, without the durations, which are measured.
fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).expect(line);
        line.as_object_mut().expect("an object").retain(|name, _| !name.ends_with("_duration"));
        line
    });
    lines.collect()
}
