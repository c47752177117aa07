//! Requests as canonical chat.

use serde_json::{Value, json};

use super::{canonical, chat, messages, read, refused, request};
use crate::dialect::{Dialect, openai_chat::OpenAiChat, openai_responses::OpenAiResponses};
use crate::domain::RequestHead;
use bytes::Bytes;

#[test]
fn the_facts_are_found() {
    let body =
        r#"{"input":[{"model":"no"}],"stream":true,"max_output_tokens":9,"model":"a\"b","store":true}"#;
    let envelope = read(body).expect("reads");
    assert_eq!((envelope.model.as_str(), envelope.stream, envelope.max_output), ("a\"b", true, Some(9)));
    assert!(envelope.passable);
    assert_eq!(&body[envelope.model_span.expect("in the body")], r#""a\"b""#);
}

#[test]
fn refusals_say_where() {
    let path = |body: Value| {
        let error = read(&body.to_string()).expect_err("refused");
        error.param.unwrap_or_default()
    };
    assert_eq!(path(json!({"input": "x"})), "model");
    assert_eq!(path(json!({"model": "", "input": "x"})), "model");
    assert_eq!(path(json!({"model": "m"})), "input");
    assert_eq!(path(json!({"model": "m", "input": {}})), "input");
    for field in ["previous_response_id", "conversation", "prompt"] {
        assert_eq!(path(json!({"model": "m", "input": "x", field: "id"})), field);
        assert!(read(&json!({"model": "m", "input": "x", field: null}).to_string()).is_ok());
    }
    assert_eq!(path(json!({"model": "m", "input": "x", "background": true})), "background");
    assert_eq!(path(json!({"model": "m", "input": "x", "stream": 1})), "stream");
    assert_eq!(path(json!({"model": "m", "input": "x", "max_output_tokens": -1})), "max_output_tokens");
    assert!(read("{\"model\":").expect_err("cut").message.starts_with("the body is not valid JSON"));
    assert_eq!(
        read(r#"{"model":"m","model":"n","input":"x"}"#).expect_err("twice").param.as_deref(),
        Some("model")
    );
}

#[test]
fn a_deep_body_does_no_harm() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let tools = format!(r#"[{{"type":"function","name":"f","parameters":{{"type":"object","x":{deep}}}}}]"#);
    let envelope =
        read(&format!(r#"{{"model":"m","x":{deep},"tools":{tools},"input":"hi"}}"#)).expect("reads");
    assert!(OpenAiResponses.canonical(&envelope).is_ok());
    assert!(
        read(&format!(r#"{{"model":"m","input":{deep}}}"#))
            .is_ok_and(|envelope| OpenAiResponses.canonical(&envelope).is_err())
    );
}

#[test]
fn a_string_is_the_users() {
    let expected = json!({"model": "m", "messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]});
    assert_eq!(chat(json!({"instructions": "Be brief.", "store": false, "background": false})), expected);
}

#[test]
fn settings_find_their_names() {
    let found = chat(json!({
        "max_output_tokens": 9, "temperature": 0, "top_p": 1.0, "parallel_tool_calls": false, "stream": true,
        "metadata": {"a": "b"}, "user": "u", "safety_identifier": "s", "prompt_cache_key": "k", "service_tier": "flex",
        "reasoning": {"effort": "high", "summary": "auto", "context": "all_turns"}, "include": ["reasoning.encrypted_content"],
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true}, "verbosity": "low"},
        "truncation": "disabled", "max_tool_calls": 3, "client_metadata": {"x": 1}, "top_logprobs": 2, "nothing": null,
    }));
    let expected = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}],
        "stream": true, "max_completion_tokens": 9, "temperature": 0, "top_p": 1.0, "parallel_tool_calls": false,
        "metadata": {"a": "b"}, "user": "u", "safety_identifier": "s", "prompt_cache_key": "k", "service_tier": "flex",
        "top_logprobs": 2, "logprobs": true,
        "reasoning_effort": "high", "reasoning": {"include": true, "display": "summarized"}, "verbosity": "low",
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": true}},
        "vendor": {"openai-responses": {"max_tool_calls": 3, "reasoning": {"context": "all_turns"}}}});
    assert_eq!(found, expected);
    assert_eq!(chat(json!({"text": {"format": {"type": "text"}}})).get("response_format"), None);
    assert_eq!(
        chat(json!({"text": {"format": {"type": "json_object"}}}))["response_format"],
        json!({"type": "json_object"})
    );
    assert_eq!(chat(json!({"reasoning": {"effort": "none", "summary": "auto"}})).get("reasoning"), None);
    assert_eq!(refused(json!({"text": {"format": {"type": "xml"}}})).0, "text.format.type");
    assert_eq!(chat(json!({"include": ["message.output_text.logprobs"]}))["logprobs"], true);
    let kept = chat(json!({"include": ["file_search_call.results"]}));
    assert_eq!(kept["vendor"]["openai-responses"]["include"], json!(["file_search_call.results"]));
}

#[test]
fn parts_are_translated() {
    let found = messages(json!([
        {"role": "developer", "content": "d"},
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "look"},
            {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"},
            {"type": "input_file", "file_data": "JVBERg==", "filename": "a.pdf"},
            {"type": "input_file", "file_url": "https://x/z.pdf"},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]},
        {"role": "user", "content": [{"type": "input_text", "text": "one \"text\""}]},
    ]));
    assert_eq!(
        found,
        json!([
            {"role": "developer", "content": "d"},
            {"role": "user", "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERg==", "filename": "a.pdf"}},
                {"type": "file", "file": {"file_url": "https://x/z.pdf"}},
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]},
            {"role": "user", "content": "one \"text\""},
        ])
    );
}

#[test]
fn one_turn_is_one_message() {
    let found = messages(json!([
        {"role": "user", "content": "q"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary",
            "content": [{"type": "output_text", "text": "I look.", "annotations": [], "logprobs": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "a", "arguments": "{}", "status": "completed"},
        {"type": "function_call", "call_id": "c2", "name": "b", "arguments": "{\"x\":1}"},
        {"type": "function_call_output", "call_id": "c2", "output": "two"},
        {"type": "function_call_output", "call_id": "c1", "output": [
            {"type": "input_text", "text": "one"}, {"type": "input_image", "image_url": "data:image/png;base64,AA=="}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
    ]));
    assert_eq!(
        found,
        json!([
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "I look.",
                "reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}],
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "a", "arguments": "{}"}},
                    {"id": "c2", "type": "function", "function": {"name": "b", "arguments": "{\"x\":1}"}}],
                "vendor": {"openai-responses": {"phase": "commentary"}}},
            {"role": "tool", "tool_call_id": "c2", "content": "two"},
            {"role": "tool", "tool_call_id": "c1", "content": [
                {"type": "text", "text": "one"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        ])
    );
}

#[test]
fn another_order_is_told() {
    let found = messages(json!([
        {"type": "function_call", "call_id": "c1", "name": "a", "arguments": ""},
        {"role": "assistant", "content": "meanwhile"},
    ]));
    assert_eq!(found[0]["order"], json!(["tool_call:0", "content:0"]));
}

#[test]
fn openais_own_state_keeps_its_owner() {
    let found = messages(json!([
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}],
            "encrypted_content": "gAAAA"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": null},
        {"role": "assistant", "content": "x"},
    ]));
    assert_eq!(
        found,
        json!([{"role": "assistant", "content": "x", "reasoning_details": [
        {"type": "reasoning.summary", "summary": "a\n\nb", "format": "openai"},
        {"type": "reasoning.encrypted", "data": "gAAAA", "format": "openai"}]}])
    );
}

#[test]
fn what_is_left_of_an_item_is_carried() {
    let found = messages(json!([
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}], "x": 1, "status": null},
        {"type": "image_generation_call", "id": "ig", "status": "completed", "result": "AA==", "size": "1x1"},
        {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}", "caller": {"type": "direct"}},
        {"type": "function_call_output", "call_id": "c", "output": "o", "y": 2, "name": "n"},
    ]));
    let own = |fields: Value| json!({"openai-responses": fields});
    assert_eq!(found[0]["reasoning_details"][0]["vendor"], own(json!({"x": 1})));
    let part = &found[0]["content"][0];
    assert_eq!(part["image_url"]["url"], "data:image/png;base64,AA==");
    assert_eq!(part["vendor"], own(json!({"size": "1x1"})));
    assert_eq!(found[0]["tool_calls"][0]["vendor"], own(json!({"caller": {"type": "direct"}})));
    assert_eq!((&found[1]["vendor"], &found[1]["name"]), (&own(json!({"y": 2})), &json!("n")));
}

#[test]
fn items_that_cannot_be_served_are_named() {
    for (item, path) in [
        (json!({"type": "item_reference", "id": "msg_1"}), "input[0]"),
        (json!({"id": "msg_1"}), "input[0]"),
        (json!({"type": "local_shell_call_output", "output": ""}), "input[0].type"),
        (json!({"type": "compaction", "encrypted_content": "x"}), "input[0].type"),
        (json!({"content": "x"}), "input[0].type"),
        (json!({"role": "robot", "content": "x"}), "input[0].role"),
        (json!({"role": "user"}), "input[0].content"),
        (json!({"role": "user", "content": [{"type": "hologram"}]}), "input[0].content[0].type"),
        (
            json!({"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}),
            "input[0].content[0].file_id",
        ),
        (
            json!({"type": "function_call", "call_id": "c", "name": "n", "arguments": {}}),
            "input[0].arguments",
        ),
        (json!({"type": "function_call_output", "output": ""}), "input[0].call_id"),
        (
            json!({"type": "reasoning", "summary": [], "encrypted_content": "causeway:{"}),
            "input[0].encrypted_content",
        ),
    ] {
        let (found, message) = refused(json!({"input": [item]}));
        assert_eq!(found, path, "{message}");
    }
    let found = messages(
        json!([{"type": "web_search_call", "id": "ws", "status": "completed"}, {"role": "assistant", "content": "x"}]),
    );
    assert_eq!(found[0]["content"][0]["vendor"], "openai-responses");
    assert_eq!(found[0]["content"][1]["text"], "x");
}

#[test]
fn tools_become_functions() {
    let closed = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    let open = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let found = chat(json!({"tools": [
        {"type": "function", "name": "closed", "description": "d", "parameters": closed},
        {"type": "function", "name": "open", "parameters": open, "strict": null},
        {"type": "function", "name": "lax", "parameters": closed, "strict": false, "defer_loading": true},
        {"type": "custom", "name": "patch", "description": "Patch.", "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}},
        {"type": "namespace", "name": "mcp", "description": "All of it.", "tools": [
            {"type": "function", "name": "get", "description": "Get.", "parameters": {"type": "object"}},
            {"type": "custom", "name": "run.it"}]},
        {"type": "web_search", "external_web_access": false},
    ], "tool_choice": {"type": "function", "name": "get", "namespace": "mcp"}}));
    let tools = &found["tools"];
    assert_eq!(
        tools[0],
        json!({"type": "function", "function": {"name": "closed", "description": "d", "parameters": closed, "strict": true}})
    );
    assert_eq!(tools[1], json!({"type": "function", "function": {"name": "open", "parameters": open}}));
    assert_eq!(tools[2]["function"]["strict"], false);
    assert_eq!(tools[2]["vendor"], json!({"openai-responses": {"defer_loading": true}}));
    assert_eq!(
        tools[3]["function"]["description"],
        "Patch.\n\nThe input must follow this lark grammar:\nstart: x"
    );
    assert_eq!(tools[3]["function"]["parameters"]["required"], json!(["input"]));
    assert_eq!(tools[4]["function"]["name"], "mcp__get");
    assert_eq!(tools[4]["function"]["description"], "All of it.\n\nGet.");
    let name = tools[5]["function"]["name"].as_str().expect("a name");
    assert!(name.starts_with("mcp__run_it_") && name.len() == 20, "{name}");
    assert_eq!(
        tools[6],
        json!({"type": "vendor", "vendor": "openai-responses", "value": {"type": "web_search", "external_web_access": false}})
    );
    assert_eq!(found["tool_choice"], json!({"type": "function", "function": {"name": "mcp__get"}}));
    for kind in [
        "code_interpreter",
        "file_search",
        "mcp",
        "image_generation",
        "local_shell",
        "computer_use_preview",
        "shell",
    ] {
        let (path, message) = refused(json!({"tools": [{"type": kind}]}));
        assert_eq!(path, "tools[0].type");
        assert!(message.contains(kind), "{message}");
    }
}

#[test]
fn names_stay_apart_and_legal() {
    let long = "n".repeat(80);
    let found = chat(json!({"tools": [
        {"type": "function", "name": "a__b"},
        {"type": "namespace", "name": "a", "description": "", "tools": [{"type": "function", "name": "b"}, {"type": "function", "name": long}]},
    ], "input": [{"type": "function_call", "call_id": "c", "name": "b", "namespace": "a", "arguments": "{}"}]}));
    let name = |index: usize| found["tools"][index]["function"]["name"].as_str().expect("a name");
    assert!(name(1).starts_with("a__b_") && name(1) != name(0));
    assert_eq!(name(2).len(), 64);
    assert_eq!(found["messages"][0]["tool_calls"][0]["function"]["name"], name(1));
}

#[test]
fn choices_are_translated() {
    let choice = |choice: Value| {
        chat(json!({"tools": [{"type": "custom", "name": "p"}], "tool_choice": choice}))["tool_choice"].take()
    };
    assert_eq!(choice(json!("required")), "required");
    assert_eq!(
        choice(json!({"type": "custom", "name": "p"})),
        json!({"type": "function", "function": {"name": "p"}})
    );
    assert_eq!(
        choice(
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}]})
        ),
        json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}})
    );
    assert_eq!(refused(json!({"tool_choice": {"type": "file_search"}})).0, "tool_choice.type");
    assert_eq!(refused(json!({"tool_choice": "any"})).0, "tool_choice");
}

#[test]
fn custom_calls_come_back_as_functions() {
    let found = messages(json!([
        {"type": "custom_tool_call", "call_id": "c", "name": "p", "input": "a \"b\"\n"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "done"},
    ]));
    let arguments = found[0]["tool_calls"][0]["function"]["arguments"].as_str().expect("a string");
    assert_eq!(serde_json::from_str::<Value>(arguments).expect("JSON"), json!({"input": "a \"b\"\n"}));
    assert_eq!(found[1], json!({"role": "tool", "tool_call_id": "c", "content": "done"}));
}

#[test]
fn a_body_sent_to_chat_completions_is_understood_there() {
    let head = RequestHead {
        method: http::Method::POST,
        path: "/v1/chat/completions".into(),
        query: None,
        headers: http::HeaderMap::new(),
    };
    let read = |body: Value| OpenAiChat.read(&head, Bytes::from(body.to_string()));
    let body =
        request(json!({"stream": true, "stream_options": {"include_usage": true}, "max_output_tokens": 5,
        "tools": [{"type": "function", "name": "f"}], "reasoning": {"effort": "low"}}));
    let envelope = read(body.clone()).expect("reads");
    assert!(!envelope.passable && envelope.stream && envelope.include_usage);
    assert_eq!(envelope.max_output, Some(5));
    let found: Value =
        serde_json::from_slice(&OpenAiChat.canonical(&envelope).expect("translates")).expect("JSON");
    assert_eq!(found, canonical(&body).expect("translates"));
    assert_eq!(found["tools"][0]["function"]["name"], "f");
    let error = read(json!({"model": "m", "input": "x", "previous_response_id": "r"})).expect_err("refused");
    assert_eq!(error.param.as_deref(), Some("previous_response_id"));
    let both = read(json!({"model": "m", "input": "x", "messages": []})).expect("chat");
    assert!(both.passable);
    assert_eq!(read(json!({"model": "m"})).expect_err("refused").param.as_deref(), Some("messages"));
}
