//! What the mock refuses, and in which words.

use hyper::Request;
use serde_json::{Value, json};

use super::{ANTHROPIC, OPENAI, ask, body, desk, gemini, put};
use crate::domain::Secret;
use crate::mock::Settings;
use crate::mock::decide::{Desk, Verdict};

/// Refuses `request` with a message that has `piece` in it; `""` when it is not refused.
fn check(path: &str, pointer: &str, request: &Value, piece: &str) {
    let (status, answer) = ask(&desk(), path, request);
    let message = answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    assert_eq!(status, if piece.is_empty() { 200 } else { 400 }, "{request}: {answer}");
    assert!(message.contains(piece), "{request}: {message}");
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
    json!([user("hi")])
}

fn user(content: impl Into<Value>) -> Value {
    json!({"role": "user", "content": content.into()})
}

fn function(name: &str, more: Value) -> Value {
    let mut function = json!({"name": name});
    for (name, value) in more.as_object().unwrap() {
        function[name] = value.clone();
    }
    json!({"type": "function", "function": function})
}

#[test]
fn openai_refuses_wrong_settings() {
    let strict = json!({"strict": true, "parameters": {"type": "object", "properties": {"a": {}}, "additionalProperties": false}});
    for (more, piece) in [
        (json!({}), ""),
        (json!({"top_k": 1}), "Unknown parameter: 'top_k'."),
        (json!({"reasoning": {}}), "Unknown parameter: 'reasoning'."),
        (json!({"stream_options": {"include_usage": true}}), "only allowed when 'stream' is enabled"),
        (json!({"max_completion_tokens": 5}), "at the same time"),
        (json!({"tool_choice": "auto"}), "only allowed when 'tools'"),
        (json!({"tools": []}), "empty array"),
        (json!({"tools": [function("f", json!({"cache": 1}))]}), "tools[0].function.cache"),
        (json!({"tools": [function("a.b", json!({}))]}), "does not match pattern"),
        (json!({"tools": [function("f", strict)]}), "Missing 'a'"),
        (json!({"temperature": 2.1}), "'temperature'"),
        (json!({"response_format": {"type": "json_object"}}), "the word 'json'"),
        (json!({"stop": ["1", "2", "3", "4", "5"]}), "array too long"),
    ] {
        check(OPENAI, "/error/message", &request(hello(), more), piece);
    }
}

#[test]
fn openai_refuses_wrong_messages() {
    let called = |id: &str, arguments: Value| {
        let call = json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
        json!({"role": "assistant", "content": null, "tool_calls": [call]})
    };
    let call = called("a", json!("{}"));
    let tool = |content: Value| json!({"role": "tool", "tool_call_id": "a", "content": content});
    let result = tool(json!("x"));
    let marked = json!([{"type": "text", "text": "x", "cache_control": {}}]);
    let said = |name: &str| json!([user("x"), {"role": "assistant", "content": "x", name: []}]);
    let picture = json!([{"type": "image_url", "image_url": {"url": "https://x"}}]);
    for (messages, piece) in [
        (json!([{"role": "user", "content": "x", "cache_control": {}}]), "'messages[0].cache_control'"),
        (json!([user(marked)]), "Unknown parameter: 'messages[0].content[0].cache_control'."),
        (said("reasoning_details"), "messages[1].reasoning_details"),
        (said("reasoning_content"), "messages[1].reasoning_content"),
        (said("order"), "messages[1].order"),
        (json!([user("x"), call, result]), ""),
        (json!([user("x"), call]), "did not have response messages: a"),
        (json!([user("x"), result]), "must be a response to a preceeding message"),
        (json!([user("x"), call, user("x"), result]), "did not have response messages: a"),
        (json!([user("x"), called(&"x".repeat(41), json!("{}")), result]), "maximum length 40"),
        (json!([user("x"), called("a", json!({})), result]), "expected a string"),
        (json!([]), "empty array"),
        (json!([user("x"), {"role": "assistant", "content": null}]), "got null"),
        (json!([user("x"), call, tool(picture)]), "role 'tool' contains an image URL"),
        (json!([user("x"), {"role": "model", "content": "x"}]), "Invalid value: 'model'"),
    ] {
        check(OPENAI, "/error/message", &request(messages, json!({})), piece);
    }
}

#[test]
fn anthropic_refuses_wrong_settings() {
    let enabled = json!({"type": "enabled", "budget_tokens": 1024});
    let foreign = json!({"name": "f", "input_schema": {"type": "object"}, "parameters": {}});
    for (more, piece) in [
        (json!({}), ""),
        (json!({"max_tokens": null}), "max_tokens: Field required"),
        (json!({"n": 1}), "n: Extra inputs are not permitted"),
        (json!({"temperature": 1.2}), "temperature: range: 0..1"),
        (json!({"thinking": enabled}), ""),
        (json!({"thinking": enabled, "max_tokens": 1024}), "must be greater than"),
        (json!({"thinking": enabled, "temperature": 0.5}), "may only be set to 1"),
        (json!({"tool_choice": {"type": "auto"}}), "only be specified while providing tools"),
        (json!({"tools": [{"name": "f"}]}), "input_schema: Field required"),
        (json!({"tools": [foreign]}), "tools.0.custom.parameters: Extra"),
        (json!({"system": [{"type": "text", "text": ""}]}), "must be non-empty"),
        (json!({"stop_sequences": [" "]}), "non-whitespace"),
    ] {
        check(ANTHROPIC, "/error/message", &request(hello(), more), piece);
    }
}

#[test]
fn anthropic_refuses_wrong_messages() {
    let assistant = |block: Value| json!({"role": "assistant", "content": [block]});
    let used = |id: &str, input: Value| {
        assistant(json!({"type": "tool_use", "id": id, "name": "f", "input": input}))
    };
    let call = used("a", json!({}));
    let result = json!({"type": "tool_result", "tool_use_id": "a", "content": "x"});
    let text = |text: &str| json!({"type": "text", "text": text});
    let mark = json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}});
    let thinking = json!({"type": "thinking", "thinking": "x", "signature": "foreign"});
    let picture =
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/tiff", "data": "AAAA"}});
    for (messages, piece) in [
        (json!([{"role": "system", "content": "x"}]), "Unexpected role \"system\""),
        (json!([user("")]), "must have non-empty content"),
        (json!([user(json!([text("")]))]), "must be non-empty"),
        (json!([user(json!([text(" ")]))]), "must contain non-whitespace text"),
        (json!([user("x"), call, user(json!([result, text("x")]))]), ""),
        (json!([user("x"), call, user(json!([result])), user("and")]), ""),
        (json!([user("x"), call, user(json!([text("x"), result]))]), "messages.1: `tool_use` ids were found"),
        (json!([user("x"), call]), "immediately after: a"),
        (json!([user("x"), call, user("x")]), "immediately after: a"),
        (json!([user("x"), call, user(json!([result, result]))]), "a single result"),
        (json!([user(json!([result]))]), "unexpected `tool_use_id`"),
        (json!([user("x"), used("a.b", json!({}))]), "should match pattern"),
        (json!([user("x"), used("a", json!("{}"))]), "valid dictionary"),
        (json!([user("x"), assistant(thinking), user("x")]), "Invalid `signature`"),
        (json!([user(json!([mark, mark, mark, mark, mark]))]), "Found 5"),
        (json!([user(json!([picture]))]), "media_type"),
        (json!([user("x"), {"role": "assistant", "content": "x "}]), "trailing whitespace"),
    ] {
        check(ANTHROPIC, "/error/message", &request(messages, json!({})), piece);
    }
    let enabled = json!({"thinking": {"type": "enabled", "budget_tokens": 1024}});
    let request = request(json!([user("x"), call, user(json!([result]))]), enabled);
    check(ANTHROPIC, "/error/message", &request, "Expected `thinking`");
}

#[test]
fn gemini_refuses_wrong_settings() {
    let declared = |declaration: Value| json!({"tools": [{"functionDeclarations": [declaration]}]});
    let with = |parameters: Value| declared(json!({"name": "f", "parameters": parameters}));
    let property = |schema: Value| with(json!({"type": "object", "properties": {"a": schema}}));
    let generation = |field: &str, value: Value| json!({"generationConfig": {field: value}});
    for (more, piece) in [
        (json!({}), ""),
        (json!({"messages": []}), "Unknown name \"messages\": Cannot find field."),
        (
            generation("max_tokens", json!(1)),
            "Unknown name \"max_tokens\" at 'generation_config': Cannot find field.",
        ),
        (generation("max_output_tokens", json!(9)), ""),
        (property(json!({"type": "STRING"})), ""),
        (
            with(json!({"type": "object", "additionalProperties": false})),
            "at 'tools[0].function_declarations[0].parameters'",
        ),
        (property(json!({"type": ["string", "null"]})), "Proto field is not repeating"),
        (property(json!({"enum": [1]})), "(TYPE_STRING), 1"),
        (declared(json!({"name": "f", "parametersJsonSchema": {"oneOf": []}})), ""),
        (declared(json!({"name": "1f"})), "Must start with a letter"),
        (generation("responseJsonSchema", json!({})), "response_mime_type"),
        (generation("stopSequences", json!(["1", "2", "3", "4", "5", "6"])), "stop sequences"),
        (
            json!({"toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["f"]}}}),
            "mode is ANY",
        ),
    ] {
        let mut request = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        check(&gemini("mock", "generateContent"), "/error/message", &request, piece);
    }
}

#[test]
fn gemini_refuses_wrong_contents() {
    let said = |role: &str, parts: Value| json!({"role": role, "parts": parts});
    let hi = said("user", json!([{"text": "hi"}]));
    let call = json!({"functionCall": {"name": "f", "args": {}}});
    let result =
        |name: &str, response: Value| json!({"functionResponse": {"name": name, "response": response}});
    let one = result("f", json!({"result": 1}));
    for (contents, piece) in [
        (json!([]), "contents is not specified"),
        (json!([said("assistant", json!([{"text": "x"}]))]), "valid role: user, model"),
        (json!([said("user", json!([]))]), "must not be empty"),
        (json!([said("user", json!([{}]))]), "required oneof field 'data'"),
        (
            json!([said("user", json!([{"type": "text", "text": "x"}]))]),
            "Unknown name \"type\" at 'contents[0].parts[0]'",
        ),
        (json!([hi, said("model", json!([call])), said("user", json!([one]))]), ""),
        (json!([hi, said("model", json!([call])), said("user", json!([one])), hi]), ""),
        (
            json!([hi, said("model", json!([call, call])), said("user", json!([one]))]),
            "number of function response parts",
        ),
        (json!([hi, said("model", json!([call])), hi]), "number of function response parts"),
        (json!([hi, said("model", json!([call]))]), "followed by a function response turn"),
        (
            json!([hi, said("model", json!([call])), said("user", json!([result("f", json!("x"))]))]),
            "protobuf.Struct",
        ),
        (
            json!([hi, said("model", json!([call])), said("user", json!([result("call_1", json!({}))]))]),
            "does not match",
        ),
    ] {
        check(&gemini("mock", "generateContent"), "/error/message", &json!({"contents": contents}), piece);
    }
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

#[test]
fn ollama_refuses_wrong_types_and_nothing_else() {
    let message = |more: Value| {
        let mut message = json!({"role": "assistant", "content": ""});
        for (name, value) in more.as_object().unwrap() {
            message[name] = value.clone();
        }
        json!({"messages": [message]})
    };
    let call = |function: Value| message(json!({"tool_calls": [{"function": function}]}));
    for (more, piece) in [
        (json!({}), ""),
        (
            json!({"unheard": 1, "options": {"unheard": "x", "temperature": 1}, "think": true, "format": "json"}),
            "",
        ),
        (json!({"messages": {}}), "messages of type slice"),
        (message(json!({"role": "robot"})), "invalid role: robot"),
        (message(json!({"content": ["x"]})), "content of type string"),
        (message(json!({"images": ["data:image/png;base64,AAAA"]})), "illegal base64 data at input byte 4"),
        (call(json!({"name": "f", "arguments": {}})), ""),
        (call(json!({"name": "f", "arguments": "{}"})), "arguments of type"),
        (call(json!({"arguments": {}})), "the name of its function"),
        (json!({"tools": [{"type": "function", "function": {}}]}), "invalid tool"),
        (json!({"stream": "no"}), "stream of type bool"),
        (json!({"format": "xml"}), "invalid format"),
        (json!({"think": "hard"}), "invalid think value"),
        (json!({"think": "low"}), "not supported for this model"),
        (json!({"model": "gpt-oss:20b", "think": "low"}), ""),
        (json!({"options": {"temperature": "hot"}}), "option \"temperature\" must be of type float32"),
        (json!({"options": {"stop": "x"}}), "option \"stop\" must be of type array"),
        (json!({"keep_alive": []}), "keep_alive of type Duration"),
    ] {
        check("/api/chat", "/error", &with_stream_off(request(hello(), more)), piece);
    }
    let (status, answer) = ask(&desk(), "/api/chat", &request(hello(), json!({"model": "unknown"})));
    assert_eq!((status, answer), (404, json!({"error": "model 'unknown' not found"})));
}

fn with_stream_off(mut request: Value) -> Value {
    if request.get("stream").is_none() {
        request["stream"] = json!(false);
    }
    request
}

#[test]
fn legacy_completions_take_prompts_and_no_conversation() {
    for (fields, piece) in [
        (json!({"prompt": "x"}), ""),
        (json!({"prompt": ["x", "y"]}), ""),
        (json!({"prompt": [[1], [2]]}), ""),
        (json!({"prompt": {}}), "Invalid type for 'prompt'."),
        (json!({"prompt": "x", "messages": []}), "Unrecognized request argument supplied: messages"),
        (json!({"prompt": "x", "logprobs": 6}), "Invalid value for 'logprobs'."),
    ] {
        let mut request = fields;
        request["model"] = json!("mock");
        check("/v1/completions", "/error/message", &request, piece);
    }
}
