//! Requests: Cohere's in, canonical chat out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{canonical, read, turns};
use crate::error::Kind;

#[test]
fn the_facts_are_found_wherever_they_stand() {
    let body = r#"{"documents":[{"data":{"model":"inner"}}],"stream":true,"messages":[],"max_tokens":5,"model":"co\u006dmand"}"#;
    let envelope = read(body).expect("facts");
    assert_eq!((envelope.model.as_str(), envelope.stream, envelope.max_output), ("command", true, Some(5)));
    assert!(envelope.passable && envelope.include_usage);
    let sent = envelope.body_for("other");
    assert_eq!(sent, body.replace("\"co\\u006dmand\"", "\"other\""));
}

#[test]
fn what_is_no_request_is_refused_with_its_place() {
    for (body, path) in [
        ("", None),
        ("[]", None),
        ("{} x", None),
        (r#"{"messages":[]}"#, Some("model")),
        (r#"{"model":"","messages":[]}"#, Some("model")),
        (r#"{"model":1,"messages":[]}"#, Some("model")),
        (r#"{"model":"m"}"#, Some("messages")),
        (r#"{"model":"m","messages":[],"stream":"yes"}"#, Some("stream")),
    ] {
        let error = read(body).expect_err(body);
        assert_eq!((error.kind, error.param.as_deref()), (Kind::InvalidRequest, path), "{body}");
    }
    assert!(read(r#"{"model":"m","model":"n","messages":[]}"#).is_err());
}

#[test]
fn wrong_fields_are_named() {
    for (fields, path) in [
        (json!({ "messages": {} }), "messages"),
        (json!({ "messages": [{ "content": "x" }] }), "messages[0].role"),
        (json!({ "messages": [{ "role": "bot", "content": "x" }] }), "messages[0].role"),
        (json!({ "messages": [{ "role": "user" }] }), "messages[0].content"),
        (json!({ "messages": [{ "role": "user", "content": 1 }] }), "messages[0].content"),
        (json!({ "messages": [{ "role": "user", "content": [{}] }] }), "messages[0].content[0].type"),
        (
            json!({ "messages": [{ "role": "user", "content": [{ "type": "text" }] }] }),
            "messages[0].content[0].text",
        ),
        (json!({ "messages": [{ "role": "tool", "content": "x" }] }), "messages[0].tool_call_id"),
        (
            json!({ "messages": [{ "role": "assistant", "tool_calls": [{ "id": "a" }] }] }),
            "messages[0].tool_calls[0].function",
        ),
        (json!({ "tool_choice": "auto" }), "tool_choice"),
        (json!({ "response_format": { "type": "xml" } }), "response_format.type"),
        (json!({ "thinking": { "type": "maybe" } }), "thinking.type"),
        (json!({ "thinking": { "type": "enabled", "odd": 1 } }), "thinking.odd"),
        (json!({ "stop_sequences": "x" }), "stop_sequences"),
        (json!({ "documents": [{}] }), "documents[0].data"),
        (json!({ "tools": [{ "type": "function" }] }), "tools[0].function"),
    ] {
        let error = canonical(fields.clone()).expect_err(path);
        assert_eq!((error.kind, error.param.as_deref()), (Kind::InvalidRequest, Some(path)), "{fields}");
    }
}

#[test]
fn every_setting_finds_its_name_and_the_rest_stays_coheres() {
    let chat = canonical(json!({
        "stream": true, "max_tokens": 9, "temperature": 0.0, "p": 0.9, "k": 5, "seed": 1, "frequency_penalty": 0.1,
        "presence_penalty": 0.2, "logprobs": true, "stop_sequences": ["x"], "strict_tools": true, "tool_choice": "REQUIRED",
        "tools": [{ "type": "function", "function": { "name": "f", "description": "d", "parameters": { "type": "object" } } }],
        "response_format": { "type": "json_object", "json_schema": { "type": "object" } },
        "thinking": { "type": "enabled", "token_budget": 100 },
        "safety_mode": "STRICT", "citation_options": { "mode": "FAST" }, "priority": 3,
    }));
    assert_eq!(
        chat.expect("a legal request"),
        json!({
            "model": "m", "messages": [], "stream": true, "max_completion_tokens": 9, "temperature": 0.0, "top_p": 0.9,
            "top_k": 5, "seed": 1, "frequency_penalty": 0.1, "presence_penalty": 0.2, "logprobs": true, "stop": ["x"],
            "tools": [{ "type": "function", "function": {
                "name": "f", "description": "d", "parameters": { "type": "object" }, "strict": true,
            } }],
            "tool_choice": "required",
            "response_format": { "type": "json_schema", "json_schema": {
                "name": "response", "schema": { "type": "object" }, "strict": true,
            } },
            "reasoning": { "mode": "enabled", "max_tokens": 100, "include": true },
            "vendor": { "cohere": { "safety_mode": "STRICT", "citation_options": { "mode": "FAST" }, "priority": 3 } },
        })
    );
    let chat = canonical(
        json!({ "k": 0, "thinking": { "type": "disabled" }, "response_format": { "type": "json_object" } }),
    );
    let chat = chat.expect("a legal request");
    assert_eq!((chat.get("top_k"), &chat["reasoning"]), (None, &json!({ "mode": "disabled" })));
    assert_eq!(chat["response_format"], json!({ "type": "json_object" }));
}

#[test]
fn turns_of_every_kind() {
    let said = turns(json!([
        { "role": "system", "content": [{ "type": "text", "text": "be" }] },
        { "role": "user", "content": [
            { "type": "text", "text": "look" }, { "type": "image_url", "image_url": { "url": "https://x", "detail": "low" } },
        ] },
        { "role": "assistant", "tool_plan": "I will", "tool_calls": [
            { "id": "a", "type": "function", "function": { "name": "f", "arguments": "null" } },
            { "id": "b", "type": "function", "function": { "name": "g", "arguments": "{\"x\":1.0}" } },
        ] },
        { "role": "tool", "tool_call_id": "a", "content": "sunny" },
        { "role": "tool", "tool_call_id": "b", "content": [
            { "type": "document", "document": { "data": { "t": "noon" }, "id": "d" } },
            { "type": "document", "document": { "data": "plain" } },
        ] },
        { "role": "assistant", "content": [
            { "type": "thinking", "thinking": "hm" }, { "type": "text", "text": "so" },
        ], "citations": [{ "start": 0 }] },
    ]));
    assert_eq!(
        said,
        json!([
            { "role": "system", "content": "be" },
            { "role": "user", "content": [
                { "type": "text", "text": "look" }, { "type": "image_url", "image_url": { "url": "https://x", "detail": "low" } },
            ] },
            { "role": "assistant", "content": null,
                "reasoning_details": [{ "type": "reasoning.summary", "summary": "I will" }],
                "tool_calls": [
                    { "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" } },
                    { "id": "b", "type": "function", "function": { "name": "g", "arguments": "{\"x\":1.0}" } },
                ] },
            { "role": "tool", "tool_call_id": "a", "content": "sunny" },
            { "role": "tool", "tool_call_id": "b", "content": [
                { "type": "text", "text": "{\"data\":{\"t\":\"noon\"},\"id\":\"d\"}" }, { "type": "text", "text": "plain" },
            ] },
            { "role": "assistant", "content": "so", "reasoning_details": [{ "type": "reasoning.text", "text": "hm" }],
                "annotations": [{ "type": "vendor", "vendor": "cohere", "value": { "start": 0 } }] },
        ])
    );
}

#[test]
fn documents_join_the_question_and_may_be_cited() {
    let chat = canonical(json!({
        "messages": [{ "role": "user", "content": "who?" }, { "role": "assistant", "content": "me" }],
        "documents": [
            "plain",
            { "data": { "title": "t", "snippet": "words" }, "id": "d1" },
            { "data": { "title": "t", "snippet": "words", "page": "3" } },
        ],
    }));
    let file = |text: &str, title: Option<&str>| {
        let mut file = json!({ "file_data": format!("data:text/plain;base64,{}", STANDARD.encode(text)), "citations": true });
        if let Some(title) = title {
            file["title"] = json!(title);
        }
        json!({ "type": "file", "file": file })
    };
    let mut second = file("words", Some("t"));
    second["vendor"] = json!({ "cohere": { "id": "d1" } });
    let third = file(r#"{"page":"3","snippet":"words","title":"t"}"#, Some("t"));
    let chat: Value = chat.expect("a legal request");
    assert_eq!(
        chat["messages"][0]["content"],
        json!([file("plain", None), second, third, { "type": "text", "text": "who?" }])
    );
    let alone = canonical(json!({ "documents": ["plain"] })).expect("a legal request");
    assert_eq!(alone["messages"], json!([{ "role": "user", "content": [file("plain", None)] }]));
}

#[test]
fn state_of_others_comes_home_and_never_passes_through() {
    let state = json!({ "to": "message", "extra_content": { "google": { "thought_signature": "g" } } });
    let bound = format!("causeway:bound:{state}");
    let turn = json!([{ "role": "assistant",
        "content": [
            { "type": "thinking", "thinking": "hm", "signature": "causeway:anthropic:s" },
            { "type": "thinking", "thinking": "", "data": "causeway:openai:e" },
            { "type": "text", "text": "so", "signature": bound },
        ],
        "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" }, "signature": bound }],
    }]);
    let google = json!({ "google": { "thought_signature": "g" } });
    assert_eq!(
        turns(turn.clone())[0],
        json!({ "role": "assistant",
            "content": [{ "type": "text", "text": "so", "extra_content": google }],
            "reasoning_details": [
                { "type": "reasoning.text", "text": "hm", "signature": "s", "format": "anthropic" },
                { "type": "reasoning.encrypted", "data": "e", "format": "openai" },
            ],
            "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" }, "extra_content": google }],
        })
    );
    let body = json!({ "model": "m", "messages": turn });
    assert!(!read(&body.to_string()).expect("facts").passable);
}

#[test]
fn what_nobody_knows_travels_as_coheres() {
    let said = turns(json!([
        { "role": "user", "content": [{ "type": "audio", "x": 1 }, { "type": "text", "text": "a", "odd": 2 }], "odd": 3 },
    ]));
    assert_eq!(
        said[0],
        json!({ "role": "user", "content": [
            { "type": "vendor", "vendor": "cohere", "value": { "type": "audio", "x": 1 } },
            { "type": "text", "text": "a", "vendor": { "cohere": { "odd": 2 } } },
        ], "vendor": { "cohere": { "odd": 3 } } })
    );
}
