//! What the mock says, whole and as a stream, in each vendor's shape.

use serde_json::{Value, json};

use super::{ANTHROPIC, OPENAI, ask, body, desk, events, gemini, put};

fn openai(model: &str, said: &str) -> Value {
    json!({"model": model, "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": said}]})
}

fn anthropic(model: &str, said: &str) -> Value {
    json!({"model": model, "max_tokens": 4096, "system": "be brief", "messages": [{"role": "user", "content": said}]})
}

fn google(said: &str) -> Value {
    json!({"systemInstruction": {"parts": [{"text": "be brief"}]}, "contents": [{"role": "user", "parts": [{"text": said}]}]})
}

fn with(mut request: Value, name: &str, value: Value) -> Value {
    request[name] = value;
    request
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

fn pieces(events: &[Value], pointer: &str) -> String {
    events.iter().filter_map(|event| event.pointer(pointer)?.as_str()).collect()
}

#[test]
fn all_vendors_say_the_same() {
    let desk = desk();
    let (_, one) = ask(&desk, OPENAI, &openai("mock", "hello"));
    let (_, two) = ask(&desk, ANTHROPIC, &anthropic("mock", "hello"));
    let (_, three) = ask(&desk, &gemini("mock", "generateContent"), &google("hello"));
    let texts = [
        (&one, "/choices/0/message/content", "OPENAI"),
        (&two, "/content/0/text", "ANTHROPIC"),
        (&three, "/candidates/0/content/parts/0/text", "GEMINI"),
    ];
    for (answer, pointer, name) in texts {
        let text = answer.pointer(pointer).unwrap().as_str().unwrap();
        let expected = format!(
            "You said: \"hello\". The system prompt is: \"be brief\". — This is Causeway's built-in mock provider. Set {name}_API_KEY to talk to a real model."
        );
        assert_eq!(text, expected);
    }
    assert_eq!(one["usage"]["prompt_tokens"], 4);
    assert_eq!(two["usage"]["input_tokens"], 4);
    assert_eq!(three["usageMetadata"]["promptTokenCount"], 4);
    assert_eq!(
        (&one["choices"][0]["finish_reason"], &two["stop_reason"], &three["candidates"][0]["finishReason"]),
        (&json!("stop"), &json!("end_turn"), &json!("STOP"))
    );
}

#[test]
fn a_stream_of_openai_is_the_whole_answer_in_pieces() {
    let desk = desk();
    let request = with(openai("mock@chunks=4", "hello"), "stream", json!(true));
    let request = with(request, "stream_options", json!({"include_usage": true}));
    let stream = events(&desk, OPENAI, &request);
    assert_eq!(
        stream[0]["choices"][0]["delta"],
        json!({"role": "assistant", "content": "", "refusal": null})
    );
    // The role, four pieces, the end, the usage.
    assert_eq!(stream.len(), 7);
    let (_, whole) = ask(&desk, OPENAI, &openai("mock@chunks=4", "hello"));
    assert_eq!(pieces(&stream, "/choices/0/delta/content"), whole["choices"][0]["message"]["content"]);
    assert_eq!(stream[5]["choices"][0]["finish_reason"], "stop");
    assert_eq!((&stream[6]["choices"], &stream[6]["usage"]), (&json!([]), &whole["usage"]));
    assert!(stream[..6].iter().all(|event| event["usage"].is_null() && event.get("usage").is_some()));
    assert!(body(&put(&desk, OPENAI, &request)).ends_with("data: [DONE]\n\n"));
}

#[test]
fn a_stream_of_anthropic_has_its_order() {
    let request = with(anthropic("mock-think@chunks=2", "parallel"), "stream", json!(true));
    let request = with(request, "tools", json!([{"name": "w", "input_schema": schema()}]));
    let stream = events(&desk(), ANTHROPIC, &request);
    let mut names: Vec<_> = stream.iter().map(|event| event["type"].as_str().unwrap()).collect();
    names.dedup();
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_stop",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    assert_eq!(pieces(&stream, "/delta/partial_json"), r#"{"city":"x"}{"city":"y"}"#);
    assert!(!pieces(&stream, "/delta/signature").is_empty());
    assert_eq!(stream[stream.len() - 2]["delta"]["stop_reason"], "tool_use");
    let raw = body(&put(&desk(), ANTHROPIC, &request));
    assert!(raw.starts_with("event: message_start\ndata: {") && !raw.contains("[DONE]"));
    assert!(raw.contains("  }\n\n"), "events are padded inside the JSON");
}

#[test]
fn gemini_streams_events_or_one_array() {
    let desk = desk();
    let path = gemini("mock@chunks=3", "streamGenerateContent");
    let stream = events(&desk, &format!("{path}?alt=sse"), &google("hello"));
    assert_eq!(stream.len(), 3);
    let text = pieces(&stream, "/candidates/0/content/parts/0/text");
    assert!(body(&put(&desk, &format!("{path}?alt=sse"), &google("hello"))).ends_with("}\r\n\r\n"));
    let (_, array) = ask(&desk, &path, &google("hello"));
    assert_eq!(pieces(array.as_array().unwrap(), "/candidates/0/content/parts/0/text"), text);
    assert_eq!(stream[2]["candidates"][0]["finishReason"], "STOP");
    assert!(stream[0]["candidates"][0].get("finishReason").is_none());
}

#[test]
fn tools_are_called_and_their_results_quoted() {
    let desk = desk();
    let tools = json!([{"type": "function", "function": {"name": "a", "parameters": schema()}}, {"type": "function", "function": {"name": "b"}}]);
    let request = with(openai("mock", "please call:b and call:a{\"city\":\"Köln\"}"), "tools", tools);
    let (_, answer) = ask(&desk, OPENAI, &request);
    let message = &answer["choices"][0]["message"];
    let calls = message["tool_calls"].as_array().unwrap();
    assert_eq!(calls[0]["function"], json!({"name": "b", "arguments": "{}"}));
    assert_eq!(calls[1]["function"]["arguments"], r#"{"city":"Köln"}"#);
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    let mut history = request.clone();
    let messages = history["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": null, "tool_calls": calls}));
    for (call, result) in calls.iter().zip(["one", "two"]) {
        messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": result}));
    }
    let (status, answer) = ask(&desk, OPENAI, &history);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        "The tool b returned: \"one\". The tool a returned: \"two\"."
    );
}

#[test]
fn a_tool_choice_forces_or_forbids() {
    let desk = desk();
    let tools = json!([{"name": "a", "input_schema": schema()}, {"name": "b", "input_schema": schema()}]);
    for (choice, said, expected) in [
        (json!({"type": "tool", "name": "b"}), "hi", vec!["b"]),
        (json!({"type": "any"}), "hi", vec!["a"]),
        (json!({"type": "auto"}), "hi", vec![]),
        (json!({"type": "auto", "disable_parallel_tool_use": true}), "parallel", vec!["a"]),
        (json!({"type": "auto"}), "parallel", vec!["a", "b"]),
        (json!({"type": "none"}), "weather", vec![]),
    ] {
        let request =
            with(with(anthropic("mock", said), "tools", tools.clone()), "tool_choice", choice.clone());
        let (_, answer) = ask(&desk, ANTHROPIC, &request);
        let blocks = answer["content"].as_array().unwrap();
        let names: Vec<_> = blocks.iter().filter_map(|block| block["name"].as_str()).collect();
        assert_eq!(names, expected, "{choice} {said}");
    }
}

#[test]
fn signatures_go_round() {
    let desk = desk();
    let tools = json!([{"functionDeclarations": [{"name": "w", "parametersJsonSchema": schema()}]}]);
    let path = gemini("mock-think", "generateContent");
    let mut request = with(google("parallel"), "tools", tools);
    let (_, answer) = ask(&desk, &path, &request);
    let content = answer["candidates"][0]["content"].clone();
    assert_eq!(content["parts"][0]["thought"], true);
    assert!(
        content["parts"][1]["thoughtSignature"].is_string()
            && content["parts"][2].get("thoughtSignature").is_none()
    );
    let responses: Vec<_> = ["one", "two"]
        .iter()
        .map(|text| json!({"functionResponse": {"name": "w", "response": {"result": text}}}))
        .collect();
    let contents = request["contents"].as_array_mut().unwrap();
    contents.extend([content, json!({"role": "user", "parts": responses})]);
    let (status, answer) = ask(&desk, &path, &request);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        answer["candidates"][0]["content"]["parts"][1]["text"],
        "The tool w returned: \"one\". The tool w returned: \"two\"."
    );
    request["contents"][1]["parts"][1].as_object_mut().unwrap().remove("thoughtSignature");
    assert_eq!(ask(&desk, &path, &request).0, 400);
    request["contents"][1]["parts"][1]["thoughtSignature"] = json!("Zm9yZWlnbg==");
    assert_eq!(ask(&desk, &path, &request).0, 400);
    request["contents"][1]["parts"][1]["thoughtSignature"] = json!("skip_thought_signature_validator");
    assert_eq!(ask(&desk, &path, &request).0, 200);
}

#[test]
fn limits_and_stop_sequences_cut_the_text() {
    let desk = desk();
    let request = with(with(openai("mock", "hello"), "stop", json!("hello")), "n", json!(2));
    let (_, answer) = ask(&desk, OPENAI, &request);
    assert_eq!(answer["choices"][1]["message"]["content"], "You said: \"");
    assert_eq!(answer["choices"][1]["finish_reason"], "stop");
    let (_, answer) =
        ask(&desk, ANTHROPIC, &with(anthropic("mock", "hello"), "stop_sequences", json!(["system", "\"."])));
    assert_eq!((&answer["stop_reason"], &answer["stop_sequence"]), (&json!("stop_sequence"), &json!("\".")));
    let limited =
        with(google("hello"), "generationConfig", json!({"max_output_tokens": 2, "candidateCount": 2}));
    let (_, answer) = ask(&desk, &gemini("mock", "generateContent"), &limited);
    assert_eq!(answer["candidates"][1]["content"]["parts"][0]["text"], "You said");
    assert_eq!(answer["candidates"][1]["finishReason"], "MAX_TOKENS");
}

#[test]
fn structured_answers_satisfy_their_schema() {
    let desk = desk();
    let wanted = json!({"type": "json_schema", "json_schema": {"name": "city", "schema": schema()}});
    let (_, answer) = ask(&desk, OPENAI, &with(openai("mock", "hello"), "response_format", wanted));
    assert_eq!(answer["choices"][0]["message"]["content"], r#"{"city":"x"}"#);
    let wanted = json!({"format": {"type": "json_schema", "schema": schema()}});
    let (_, answer) = ask(&desk, ANTHROPIC, &with(anthropic("mock", "hello"), "output_config", wanted));
    assert_eq!(answer["content"][0]["text"], r#"{"city":"x"}"#);
    let wanted = json!({"responseMimeType": "application/json", "response_json_schema": schema()});
    let (_, answer) =
        ask(&desk, &gemini("mock", "generateContent"), &with(google("hello"), "generationConfig", wanted));
    assert_eq!(answer["candidates"][0]["content"]["parts"][0]["text"], r#"{"city":"x"}"#);
}

#[test]
fn pictures_are_seen() {
    let request = json!({"model": "mock", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.webp"}}]}]});
    let (_, answer) = ask(&desk(), OPENAI, &request);
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("I see 2 image(s): image/png of 3 bytes, https://example.com/a.webp."), "{text}");
}

#[test]
fn a_marked_prompt_is_written_to_the_cache_and_then_read() {
    let desk = desk();
    let system = json!([{"type": "text", "text": "x".repeat(400), "cache_control": {"type": "ephemeral", "ttl": "1h"}}]);
    let request = with(anthropic("mock", "hello"), "system", system);
    let (_, first) = ask(&desk, ANTHROPIC, &request);
    assert_eq!(
        first["usage"]["cache_creation"],
        json!({"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 100})
    );
    let (_, second) = ask(&desk, ANTHROPIC, &request);
    let usage = &second["usage"];
    assert_eq!(
        (&usage["input_tokens"], &usage["cache_creation_input_tokens"], &usage["cache_read_input_tokens"]),
        (&json!(2), &json!(0), &json!(100))
    );
}

#[test]
fn refusals_are_the_vendors_own() {
    let desk = desk();
    let (_, one) = ask(&desk, OPENAI, &openai("mock@finish=refusal", "hi"));
    assert_eq!(one["choices"][0]["message"]["refusal"], "I cannot help with that.");
    let (_, two) = ask(&desk, ANTHROPIC, &anthropic("mock@finish=refusal", "hi"));
    assert_eq!(two["stop_reason"], "refusal");
    let (_, three) = ask(&desk, &gemini("mock@finish=refusal", "generateContent"), &google("hi"));
    assert_eq!(three["candidates"][0]["finishReason"], "SAFETY");
    let (_, four) = ask(&desk, &gemini("mock@finish=blocked", "generateContent"), &google("hi"));
    assert!(four.get("candidates").is_none() && four["promptFeedback"]["blockReason"].is_string());
}

#[test]
fn an_empty_answer_is_still_one() {
    let desk = desk();
    let stream = events(&desk, OPENAI, &with(openai("mock@fault=empty", "hi"), "stream", json!(true)));
    assert_eq!((stream.len(), &stream[1]["choices"][0]["finish_reason"]), (2, &json!("stop")));
    let (_, answer) = ask(&desk, ANTHROPIC, &anthropic("mock@fault=empty", "hi"));
    assert_eq!(answer["content"], json!([]));
}

#[test]
fn an_error_comes_inside_the_stream() {
    let desk = desk();
    let stream =
        events(&desk, ANTHROPIC, &with(anthropic("mock@fault=error-event:3", "hi"), "stream", json!(true)));
    assert_eq!((stream.len(), &stream[3]["error"]["type"]), (4, &json!("overloaded_error")));
    let (_, array) = ask(&desk, &gemini("mock@fault=error-event:1", "streamGenerateContent"), &google("hi"));
    assert_eq!((array.as_array().unwrap().len(), &array[1]["error"]["status"]), (2, &json!("UNAVAILABLE")));
    let (_, array) = ask(&desk, &gemini("mock@fault=error-event:0", "streamGenerateContent"), &google("hi"));
    assert_eq!(array.as_array().unwrap().len(), 1);
}

fn ollama(model: &str, said: &str) -> Value {
    json!({"model": model, "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": said}]})
}

/// The lines of an Ollama stream.
fn lines(path: &str, request: &Value) -> Vec<Value> {
    let answer = put(&desk(), path, request);
    assert_eq!((answer.status, answer.content_type), (200, "application/x-ndjson"), "{}", body(&answer));
    body(&answer).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_stream_of_ollama_is_the_default_and_the_whole_answer_in_lines() {
    for (path, request, pointer) in [
        ("/api/chat", ollama("mock-think@chunks=4", "hello"), "/message"),
        (
            "/api/generate",
            json!({"model": "mock-think@chunks=4", "system": "be brief", "prompt": "hello"}),
            "",
        ),
    ] {
        let stream = lines(path, &request);
        let (status, whole) = ask(&desk(), path, &with(request, "stream", json!(false)));
        assert_eq!(status, 200, "{whole}");
        for name in ["content", "response", "thinking"] {
            let pointer = format!("{pointer}/{name}");
            let told = whole.pointer(&pointer).and_then(Value::as_str).unwrap_or_default();
            assert_eq!(pieces(&stream, &pointer), told, "{path} {name}");
        }
        let last = stream.last().unwrap();
        assert_eq!((&last["done"], &last["done_reason"]), (&json!(true), &json!("stop")));
        assert_eq!((&last["prompt_eval_count"], &whole["prompt_eval_count"]), (&json!(4), &json!(4)));
        assert!(stream[..stream.len() - 1].iter().all(|line| line["done"] == false), "{stream:#?}");
    }
}

#[test]
fn calls_of_ollama_are_whole_objects() {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": schema()}});
    let request = with(ollama("mock", "both in parallel"), "tools", json!([tool("w"), tool("t")]));
    let stream = lines("/api/chat", &request);
    let called: Vec<_> =
        stream.iter().filter_map(|line| line.pointer("/message/tool_calls/0/function")).collect();
    assert_eq!(
        called,
        [
            &json!({"index": 0, "name": "w", "arguments": {"city": "x"}}),
            &json!({"index": 1, "name": "t", "arguments": {"city": "y"}})
        ]
    );
    assert_eq!(stream.last().unwrap()["done_reason"], "stop");
}

#[test]
fn a_legacy_completion_echoes_and_streams() {
    let path = "/v1/completions";
    let request = json!({"model": "mock", "prompt": "hello", "max_tokens": 3, "echo": true});
    let (_, whole) = ask(&desk(), path, &request);
    assert_eq!(whole["choices"][0]["text"], "helloYou said: \"h");
    assert_eq!(
        (&whole["object"], &whole["choices"][0]["finish_reason"]),
        (&json!("text_completion"), &json!("length"))
    );
    let request = with(request, "stream", json!(true));
    let stream = events(&desk(), path, &with(request, "stream_options", json!({"include_usage": true})));
    assert_eq!(pieces(&stream, "/choices/0/text"), whole["choices"][0]["text"]);
    assert_eq!(stream.last().unwrap()["usage"], whole["usage"]);
}
