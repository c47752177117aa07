//! Bedrock and Cohere: what the mock says in their shapes, and what it refuses.

use serde_json::{Value, json};

use super::{ask, desk, events, put};
use crate::domain::event_stream;
use crate::mock::script::Step;

const COHERE: &str = "/v2/chat";

fn converse(turns: Value, more: Value) -> Value {
    merged(json!({ "messages": turns }), more)
}

fn chat(turns: Value, more: Value) -> Value {
    merged(json!({ "model": "mock", "messages": turns }), more)
}

fn merged(mut request: Value, more: Value) -> Value {
    if let (Some(request), Value::Object(more)) = (request.as_object_mut(), more) {
        request.extend(more);
    }
    request
}

fn says(text: &str) -> Value {
    json!([{ "role": "user", "content": [{ "text": text }] }])
}

fn user(text: &str) -> Value {
    json!([{ "role": "user", "content": text }])
}

#[test]
fn both_say_what_the_others_say() {
    let desk = desk();
    let (_, told) = ask(&desk, "/model/eu.mock%3A0/converse", &converse(says("hello"), json!({})));
    let text = told.pointer("/output/message/content/0/text").and_then(Value::as_str).unwrap();
    assert!(text.starts_with("You said: \"hello\"."), "{told}");
    assert_eq!(
        told["usage"]["totalTokens"].as_u64(),
        told["usage"]["inputTokens"]
            .as_u64()
            .map(|input| { input + told["usage"]["outputTokens"].as_u64().unwrap() })
    );
    let (_, told) = ask(&desk, COHERE, &chat(user("hello"), json!({})));
    assert_eq!(told["message"]["content"][0]["text"], text.replace("AWS_BEARER_TOKEN_BEDROCK", "CO_API_KEY"));
    assert_eq!(told["finish_reason"], "COMPLETE");
}

#[test]
fn a_stream_of_bedrocks_is_frames_in_order() {
    let tools = json!({ "toolConfig": { "tools": [{ "toolSpec": { "name": "f", "inputSchema": { "json": { "type": "object" } } } }] } });
    let answer = put(&desk(), "/model/mock/converse-stream", &converse(says("a tool"), tools));
    assert_eq!(answer.content_type, "application/vnd.amazon.eventstream");
    let names: Vec<String> = answer
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Send(frame) => Some(event_stream::read(frame).unwrap().name.to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["messageStart", "contentBlockStart", "contentBlockStop", "messageStop", "metadata"]);
}

#[test]
fn a_stream_of_coheres_plans_before_it_calls() {
    let tools = json!({ "stream": true, "tools": [{ "type": "function", "function": { "name": "f", "parameters": { "type": "object" } } }] });
    let told = events(&desk(), COHERE, &chat(user("a tool"), tools));
    let mut kinds: Vec<_> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "message-start",
            "tool-plan-delta",
            "tool-call-start",
            "tool-call-delta",
            "tool-call-end",
            "message-end"
        ]
    );
}

/// Refused with a message that has `piece` in it; `""` when it is not refused.
fn check(path: &str, request: &Value, piece: &str) {
    let (status, answer) = ask(&desk(), path, request);
    let message = answer["message"].as_str().unwrap_or_default();
    assert_eq!(status < 300, piece.is_empty(), "{request}: {answer}");
    assert!(message.contains(piece), "{request}: {message}");
}

#[test]
fn bedrock_refuses_what_a_wrong_translation_would_send() {
    let call = json!({ "toolUse": { "toolUseId": "a", "name": "f", "input": {} } });
    let turns = |last: Value| json!([says("x")[0], { "role": "assistant", "content": [call] }, { "role": "user", "content": [last] }]);
    let tools = json!({ "toolConfig": { "tools": [{ "toolSpec": { "name": "f", "inputSchema": { "json": { "type": "object" } } } }] } });
    let result = |id: &str| json!({ "toolResult": { "toolUseId": id, "content": [] } });
    for (turns, more, piece) in [
        (says("x"), json!({}), ""),
        (says(" "), json!({}), "is blank"),
        (json!([]), json!({}), "is empty"),
        (says("x"), json!({ "model": "m" }), "extraneous key [model]"),
        (says("x"), json!({ "inferenceConfig": { "maxTokens": 0 } }), "greater than or equal to 1"),
        (says("x"), json!({ "inferenceConfig": { "temperature": 1.5 } }), "less than or equal to 1"),
        (json!([says("x")[0], says("y")[0]]), json!({}), "must alternate"),
        (turns(result("a")), json!({}), "toolConfig field must be defined"),
        (turns(result("a")), tools.clone(), ""),
        (turns(result("b")), tools.clone(), "Expected toolResult blocks"),
        (turns(json!({ "text": "x" })), tools, "Expected toolResult blocks"),
        (
            json!([{ "role": "user", "content": [{ "text": "x", "image": {} }] }]),
            json!({}),
            "exactly one member",
        ),
    ] {
        check("/model/mock/converse", &converse(turns, more), piece);
    }
    let thought = json!([says("x")[0], { "role": "assistant", "content": [
        { "reasoningContent": { "reasoningText": { "text": "hm", "signature": "foreign" } } }, { "text": "y" },
    ] }, says("z")[0]]);
    check("/model/mock/converse", &converse(thought, json!({})), "Invalid `signature`");
}

#[test]
fn cohere_refuses_what_a_wrong_translation_would_send() {
    let called = json!({ "role": "assistant", "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" } }] });
    let result = |id: &str| json!({ "role": "tool", "tool_call_id": id, "content": "x" });
    for (turns, more, piece) in [
        (user("x"), json!({}), ""),
        (json!([]), json!({}), "must not be empty"),
        (user("x"), json!({ "top_k": 1 }), "not a valid field"),
        (user("x"), json!({ "p": 1.0 }), "must be between"),
        (user("x"), json!({ "tool_choice": "auto" }), "must be REQUIRED or NONE"),
        (user("x"), json!({ "tool_choice": "NONE" }), "requires tools"),
        (json!([user("x")[0], called, result("a")]), json!({}), ""),
        (json!([user("x")[0], called, result("b")]), json!({}), "not found in previous tool calls"),
        (json!([user("x")[0], called, user("y")[0]]), json!({}), "missing tool call results"),
        (json!([{ "role": "user", "content": [{ "type": "file" }] }]), json!({}), "no such block here"),
        (json!([{ "role": "user", "content": "x", "name": "n" }]), json!({}), "not a valid field"),
    ] {
        check(COHERE, &chat(turns, more), piece);
    }
}
