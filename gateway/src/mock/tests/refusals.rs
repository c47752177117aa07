//! What the mock refuses, and in which words.

use hyper::Request;
use serde_json::{Value, json};

use super::{ANTHROPIC, OPENAI, ask, body, desk, gemini, put};
use crate::domain::Secret;
use crate::mock::Settings;
use crate::mock::decide::{Desk, Verdict};

/// Each case: the request, and a piece of the message it is refused with. `""` when it is not.
fn check(path: &str, pointer: &str, cases: &[(Value, &str)]) {
    let desk = desk();
    for (request, piece) in cases {
        let (status, answer) = ask(&desk, path, request);
        let message = answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        assert_eq!(status, if piece.is_empty() { 200 } else { 400 }, "{request}: {answer}");
        assert!(message.contains(piece), "{request}: {message}");
    }
}

/// A request with these messages and more fields.
fn request(messages: Value, more: Value) -> Value {
    let mut request = json!({"model": "mock", "max_tokens": 2000, "messages": messages});
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

fn hello() -> Value {
    json!([{"role": "user", "content": "hi"}])
}

#[test]
fn openai_refuses() {
    let call = json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let assistant = json!({"role": "assistant", "content": null, "tool_calls": [call]});
    let tool = json!({"role": "tool", "tool_call_id": "a", "content": "x"});
    let user = json!({"role": "user", "content": "hi"});
    let long = json!({"role": "assistant", "tool_calls": [{"id": "x".repeat(41), "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
    let object = json!({"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": {}}}]});
    let strict = json!({"type": "function", "function": {"name": "f", "strict": true, "parameters": {"type": "object", "properties": {"a": {}}, "additionalProperties": false}}});
    check(
        OPENAI,
        "/error/message",
        &[
            (request(hello(), json!({})), ""),
            (request(hello(), json!({"top_k": 1})), "Unknown parameter: 'top_k'."),
            (request(hello(), json!({"reasoning": {}})), "Unknown parameter: 'reasoning'."),
            (
                request(json!([{"role": "user", "content": "x", "cache_control": {}}]), json!({})),
                "Unknown parameter: 'messages[0].cache_control'.",
            ),
            (
                request(
                    json!([{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}]}]),
                    json!({}),
                ),
                "Unknown parameter: 'messages[0].content[0].cache_control'.",
            ),
            (
                request(
                    json!([user, {"role": "assistant", "content": "x", "reasoning_details": []}]),
                    json!({}),
                ),
                "reasoning_details",
            ),
            (
                request(json!([user, {"role": "assistant", "content": "x", "order": []}]), json!({})),
                "messages[1].order",
            ),
            (request(json!([user, assistant, tool]), json!({})), ""),
            (request(json!([user, assistant]), json!({})), "did not have response messages: a"),
            (request(json!([user, tool]), json!({})), "must be a response to a preceeding message"),
            (request(json!([user, assistant, user, tool]), json!({})), "did not have response messages: a"),
            (request(json!([user, long, tool]), json!({})), "maximum length 40"),
            (request(json!([user, object, tool]), json!({})), "expected a string"),
            (request(json!([]), json!({})), "empty array"),
            (request(json!([user, {"role": "assistant", "content": null}]), json!({})), "got null"),
            (
                request(
                    json!([user, assistant, {"role": "tool", "tool_call_id": "a", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}]),
                    json!({}),
                ),
                "role 'tool' contains an image URL",
            ),
            (
                request(hello(), json!({"stream_options": {"include_usage": true}})),
                "only allowed when 'stream' is enabled",
            ),
            (request(hello(), json!({"max_completion_tokens": 5})), "at the same time"),
            (request(hello(), json!({"tool_choice": "auto"})), "only allowed when 'tools'"),
            (request(hello(), json!({"tools": []})), "empty array"),
            (request(hello(), json!({"tools": [strict]})), "Missing 'a'"),
            (request(hello(), json!({"temperature": 2.1})), "'temperature'"),
            (request(hello(), json!({"response_format": {"type": "json_object"}})), "the word 'json'"),
            (request(hello(), json!({"stop": ["1", "2", "3", "4", "5"]})), "array too long"),
        ],
    );
}

#[test]
fn anthropic_refuses() {
    let user = json!({"role": "user", "content": "hi"});
    let call =
        json!({"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]});
    let result = json!({"type": "tool_result", "tool_use_id": "a", "content": "x"});
    let text = json!({"type": "text", "text": "x"});
    let thinking = json!({"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "foreign"}, text]});
    let enabled = json!({"type": "enabled", "budget_tokens": 1024});
    let mark = json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}});
    check(
        ANTHROPIC,
        "/error/message",
        &[
            (request(hello(), json!({})), ""),
            (request(hello(), json!({"max_tokens": null})), "max_tokens: Field required"),
            (request(hello(), json!({"n": 1})), "n: Extra inputs are not permitted"),
            (request(hello(), json!({"temperature": 1.2})), "temperature: range: 0..1"),
            (request(json!([{"role": "system", "content": "x"}]), json!({})), "Unexpected role \"system\""),
            (request(json!([{"role": "user", "content": ""}]), json!({})), "must have non-empty content"),
            (
                request(json!([{"role": "user", "content": [{"type": "text", "text": ""}]}]), json!({})),
                "must be non-empty",
            ),
            (request(json!([user, call, {"role": "user", "content": [result, text]}]), json!({})), ""),
            (
                request(
                    json!([user, call, {"role": "user", "content": [result]}, {"role": "user", "content": "and"}]),
                    json!({}),
                ),
                "",
            ),
            (
                request(json!([user, call, {"role": "user", "content": [text, result]}]), json!({})),
                "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a",
            ),
            (request(json!([user, call]), json!({})), "immediately after: a"),
            (request(json!([user, call, user]), json!({})), "immediately after: a"),
            (request(json!([{"role": "user", "content": [result]}]), json!({})), "unexpected `tool_use_id`"),
            (
                request(
                    json!([user, {"role": "assistant", "content": [{"type": "tool_use", "id": "a.b", "name": "f", "input": {}}]}]),
                    json!({}),
                ),
                "should match pattern",
            ),
            (
                request(
                    json!([user, {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": "{}"}]}]),
                    json!({}),
                ),
                "valid dictionary",
            ),
            (request(json!([user, thinking, user]), json!({})), "Invalid `signature`"),
            (request(hello(), json!({"thinking": enabled})), ""),
            (request(hello(), json!({"thinking": enabled, "max_tokens": 1024})), "must be greater than"),
            (
                request(
                    json!([user, call, {"role": "user", "content": [result]}]),
                    json!({"thinking": enabled}),
                ),
                "Expected `thinking`",
            ),
            (
                request(hello(), json!({"tool_choice": {"type": "auto"}})),
                "only be specified while providing tools",
            ),
            (request(hello(), json!({"tools": [{"name": "f"}]})), "input_schema: Field required"),
            (
                request(
                    hello(),
                    json!({"tools": [{"name": "f", "input_schema": {"type": "object"}, "parameters": {}}]}),
                ),
                "tools.0.custom.parameters: Extra",
            ),
            (
                request(json!([{"role": "user", "content": [mark, mark, mark, mark, mark]}]), json!({})),
                "Found 5",
            ),
            (
                request(
                    json!([{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/tiff", "data": "AAAA"}}]}]),
                    json!({}),
                ),
                "media_type",
            ),
            (
                request(json!([user, {"role": "assistant", "content": "x "}]), json!({})),
                "trailing whitespace",
            ),
        ],
    );
}

#[test]
fn gemini_refuses() {
    let said = |role: &str, parts: Value| json!({"role": role, "parts": parts});
    let user = said("user", json!([{"text": "hi"}]));
    let call = json!({"functionCall": {"name": "f", "args": {}}});
    let result = json!({"functionResponse": {"name": "f", "response": {"result": 1}}});
    let with = |more: Value| {
        let mut request = json!({"contents": [user]});
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        request
    };
    let declared = |parameters: Value| {
        with(json!({"tools": [{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]}))
    };
    check(
        &gemini("mock", "generateContent"),
        "/error/message",
        &[
            (with(json!({})), ""),
            (with(json!({"messages": []})), "Unknown name \"messages\": Cannot find field."),
            (
                with(json!({"generation_config": {"max_tokens": 1}})),
                "Unknown name \"max_tokens\" at 'generation_config': Cannot find field.",
            ),
            (json!({"contents": []}), "contents is not specified"),
            (json!({"contents": [said("assistant", json!([{"text": "x"}]))]}), "valid role: user, model"),
            (json!({"contents": [said("user", json!([]))]}), "must not be empty"),
            (json!({"contents": [said("user", json!([{}]))]}), "required oneof field 'data'"),
            (json!({"contents": [user, said("model", json!([call])), said("user", json!([result]))]}), ""),
            (
                json!({"contents": [user, said("model", json!([call, call])), said("user", json!([result]))]}),
                "number of function response parts",
            ),
            (
                json!({"contents": [user, said("model", json!([call])), said("user", json!([{"text": "x"}]))]}),
                "number of function response parts",
            ),
            (
                json!({"contents": [user, said("model", json!([call])), said("user", json!([{"functionResponse": {"name": "f", "response": "x"}}]))]}),
                "protobuf.Struct",
            ),
            (
                json!({"contents": [user, said("model", json!([call])), said("user", json!([{"functionResponse": {"name": "call_1", "response": {}}}]))]}),
                "does not match any function call",
            ),
            (declared(json!({"type": "OBJECT", "properties": {"a": {"type": "string"}}})), ""),
            (
                declared(json!({"type": "object", "additionalProperties": false})),
                "Unknown name \"additionalProperties\" at 'tools[0].function_declarations[0].parameters'",
            ),
            (
                declared(json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}})),
                "Proto field is not repeating",
            ),
            (declared(json!({"type": "object", "properties": {"a": {"enum": [1]}}})), "(TYPE_STRING), 1"),
            (
                with(
                    json!({"tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"oneOf": []}}]}]}),
                ),
                "",
            ),
            (with(json!({"generationConfig": {"responseJsonSchema": {}}})), "response_mime_type"),
            (
                with(json!({"generationConfig": {"stopSequences": ["1", "2", "3", "4", "5", "6"]}})),
                "stop sequences",
            ),
            (
                with(
                    json!({"toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["f"]}}}),
                ),
                "allowed_function_names",
            ),
        ],
    );
}

#[test]
fn strictness_can_be_switched_off() {
    let desk = Desk::new(Settings { strict: false, ..Settings::default() });
    let (status, _) = ask(&desk, OPENAI, &request(hello(), json!({"top_k": 1})));
    assert_eq!(status, 200);
}

#[test]
fn an_unknown_model_and_a_fault_are_answered_in_the_vendors_shape() {
    let desk = desk();
    let (status, answer) = ask(&desk, OPENAI, &json!({"model": "unknown-1", "messages": hello()}));
    assert_eq!((status, &answer["error"]["code"]), (404, &json!("model_not_found")));
    let (status, answer) =
        ask(&desk, ANTHROPIC, &json!({"model": "unknown-1", "max_tokens": 1, "messages": hello()}));
    assert_eq!(
        (status, &answer["error"]),
        (404, &json!({"type": "not_found_error", "message": "model: unknown-1"}))
    );
    let (status, answer) = ask(&desk, &gemini("unknown-1", "generateContent"), &json!({"contents": []}));
    assert_eq!((status, &answer["error"]["status"]), (404, &json!("NOT_FOUND")));
    for (status, after) in [(429, true), (503, true), (500, false)] {
        let answer =
            put(&desk, OPENAI, &json!({"model": format!("mock@fault=status:{status}"), "messages": hello()}));
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers.iter().any(|(name, value)| *name == "retry-after" && value == "1"), after);
    }
    let answer = put(&desk, &gemini("mock@fault=status:429", "generateContent"), &json!({}));
    assert!(body(&answer).contains("\"retryDelay\": \"1s\""));
}

#[test]
fn a_key_is_needed_and_may_be_a_certain_one() {
    let cases = [
        (OPENAI.to_owned(), "authorization", "Bearer ", 401, 401),
        (ANTHROPIC.to_owned(), "x-api-key", "", 401, 401),
        (ANTHROPIC.to_owned(), "authorization", "Bearer ", 401, 401),
        (gemini("mock", "generateContent"), "x-goog-api-key", "", 403, 400),
    ];
    let desk = Desk::new(Settings { key: Some(Secret::new("right")), ..Settings::default() });
    for (path, header, prefix, missing, wrong) in cases {
        let status = |key: Option<&str>| {
            let mut builder = Request::post(format!("http://mock{path}"));
            if let Some(key) = key {
                builder = builder.header(header, format!("{prefix}{key}"));
            }
            let (head, ()) = builder.body(()).unwrap().into_parts();
            match desk.decide(&head, Some(&"nonsense".into()), 0) {
                Verdict::Answer(answer) => answer,
                _ => panic!("no answer"),
            }
        };
        assert_eq!(status(None).status, missing, "{path}");
        assert_eq!(status(Some("wrong")).status, wrong, "{path}");
        assert!(!body(&status(Some("right"))).contains("key"), "{path}");
    }
    let (head, ()) = Request::get("http://mock/v1beta/models?key=right").body(()).unwrap().into_parts();
    let Verdict::Answer(answer) = desk.decide(&head, Some(&"".into()), 0) else { panic!("no answer") };
    assert!(body(&answer).contains("models/mock-think"));
}
