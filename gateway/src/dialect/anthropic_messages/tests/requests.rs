//! Requests: facts, canonical chat, and what is said about wrong ones.

use serde_json::{Value, json};

use super::{canonical, read, request, turns};
use crate::dialect::Dialect;
use crate::dialect::anthropic_messages::AnthropicMessages;
use crate::error::Kind;

#[test]
fn the_facts_are_read_and_the_model_can_be_replaced_in_place() {
    let body =
        r#" {"stream":true, "model" : "claude-\u0061", "max_tokens":64000,"messages":[{"model":"no"}]}"#;
    let envelope = read(body).expect("a legal request");
    assert_eq!(envelope.model, "claude-a");
    assert!(envelope.stream && envelope.include_usage);
    assert_eq!(envelope.max_output, Some(64000));
    let spliced = r#" {"stream":true, "model" : "other", "max_tokens":64000,"messages":[{"model":"no"}]}"#;
    assert_eq!(envelope.body_for("other"), spliced);
}

#[test]
fn a_wrong_request_is_told_where_it_is_wrong() {
    let cases = [
        (r#"{"messages":[],"max_tokens":1}"#, "model", "field required"),
        (r#"{"model":"m","max_tokens":1}"#, "messages", "field required"),
        (r#"{"model":"m","messages":[]}"#, "max_tokens", "field required"),
        (r#"{"model":1,"messages":[],"max_tokens":1}"#, "model", "expected a string"),
        (r#"{"model":"","messages":[],"max_tokens":1}"#, "model", "must not be empty"),
        (r#"{"model":"m","model":"n","messages":[],"max_tokens":1}"#, "model", "the field stands twice"),
        (
            r#"{"model":"m","stream":true,"stream":false,"messages":[],"max_tokens":1}"#,
            "stream",
            "the field stands twice",
        ),
        (
            r#"{"model":"m","messages":{},"max_tokens":1}"#,
            "messages",
            "invalid type: map, expected a list of messages",
        ),
        (
            r#"{"model":"m","messages":[],"max_tokens":-1}"#,
            "max_tokens",
            "invalid value: integer `-1`, expected u64",
        ),
    ];
    for (body, param, message) in cases {
        let error = read(body).expect_err(body);
        assert_eq!((error.param.as_deref(), error.message.as_str()), (Some(param), message), "{body}");
        assert_eq!(error.kind.status(), 400);
    }
    for body in ["", "{\"model\": nul", "{} x"] {
        let error = read(body).expect_err(body);
        assert!(error.param.is_some() || error.message.contains("line 1 column"), "{body}: {error}");
    }
}

#[test]
fn a_wrong_field_is_named_with_its_path() {
    let cases: [(Value, &str, &str); 14] = [
        (json!({"messages": [{"role": "user"}]}), "messages[0].content", "field required"),
        (
            json!({"messages": [{"role": "tool", "content": ""}]}),
            "messages[0].role",
            "expected user, assistant or system",
        ),
        (
            json!({"messages": [{"role": "user", "content": 3}]}),
            "messages[0].content",
            "invalid type: integer `3`, expected a string or a list of content blocks",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"text": ""}]}]}),
            "messages[0].content[0].type",
            "field required",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            "messages[0].content[0].text",
            "field required",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "ftp"}}]}]}),
            "messages[0].content[0].source.type",
            "`ftp` is not a source known here",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": 1}]}]}]}),
            "messages[0].content[0].content[0].text",
            "expected a string",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": "x"}]}]}),
            "messages[0].content[0].input",
            "expected an object",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": [{"type": "tool_result"}]}]}),
            "messages[0].content[0].type",
            "this block belongs to the user",
        ),
        (json!({"tools": [{"name": "f"}, {}]}), "tools[1].name", "field required"),
        (json!({"tool_choice": {"type": "all"}}), "tool_choice.type", "expected auto, any, tool or none"),
        (json!({"thinking": {"type": "deep"}}), "thinking.type", "expected enabled, adaptive or disabled"),
        (json!({"temperature": "hot"}), "temperature", "expected a number"),
        (json!({"stop_sequences": "x"}), "stop_sequences", "expected a list of strings"),
    ];
    for (fields, param, message) in cases {
        let error = canonical(&request(fields)).expect_err(param);
        assert_eq!((error.param.as_deref(), error.message.as_str()), (Some(param), message));
    }
}

#[test]
fn every_field_finds_its_canonical_name() {
    let chat = canonical(&request(json!({
        "stream": true, "temperature": 0, "top_p": 0.5, "top_k": 40, "stop_sequences": ["a", "b"],
        "system": [{"type": "text", "text": "be kind", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [
            {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": true,
             "cache_control": {"type": "ephemeral"}, "defer_loading": true},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
        ],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "output_config": {"effort": "xhigh", "format": {"type": "json_schema", "schema": {"type": "object"}}, "task_budget": {"total": 5}},
        "metadata": {"user_id": "{\"device\":1}", "team": "x"},
        "service_tier": "standard_only", "cache_control": {"type": "ephemeral"},
        "context_management": {"edits": []}, "brand_new": [1.50],
    })))
    .expect("a legal request");
    assert_eq!(
        chat,
        json!({
            "model": "claude", "stream": true, "max_completion_tokens": 9, "temperature": 0, "top_p": 0.5, "top_k": 40,
            "stop": ["a", "b"],
            "messages": [
                {"role": "system", "content": [{"type": "text", "text": "be kind", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
                {"role": "user", "content": "hi"},
            ],
            "tools": [
                {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true},
                 "cache_control": {"type": "ephemeral"}, "vendor": {"anthropic": {"defer_loading": true}}},
                {"type": "vendor", "vendor": "anthropic", "value": {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}},
            ],
            "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": false,
            "reasoning": {"mode": "enabled", "max_tokens": 2048, "include": true}, "reasoning_effort": "xhigh",
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": true}},
            "user": "{\"device\":1}", "service_tier": "default", "cache_control": {"type": "ephemeral"},
            "vendor": {"anthropic": {
                "context_management": {"edits": []}, "brand_new": [1.50],
                "output_config": {"task_budget": {"total": 5}}, "metadata": {"team": "x"},
            }},
        })
    );
}

#[test]
fn tool_choices_and_thinking_modes() {
    let cases = [
        (json!({"tool_choice": {"type": "any"}}), "tool_choice", json!("required")),
        (json!({"tool_choice": {"type": "none"}}), "tool_choice", json!("none")),
        (
            json!({"tool_choice": {"type": "auto", "disable_parallel_tool_use": false}}),
            "parallel_tool_calls",
            json!(true),
        ),
        (json!({"thinking": {"type": "disabled"}}), "reasoning", json!({"mode": "disabled"})),
        (
            json!({"thinking": {"type": "adaptive", "display": "omitted"}}),
            "reasoning",
            json!({"mode": "adaptive", "include": false, "display": "omitted"}),
        ),
        (json!({"service_tier": "flex"}), "vendor", json!({"anthropic": {"service_tier": "flex"}})),
        (json!({"tool_choice": null, "system": null, "metadata": null}), "vendor", Value::Null),
        (
            json!({"output_format": {"type": "json_schema", "schema": {}}}),
            "response_format",
            json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": {}, "strict": true}}),
        ),
    ];
    for (fields, name, wanted) in cases {
        let chat = canonical(&request(fields)).expect("a legal request");
        assert_eq!(chat[name], wanted);
    }
}

#[test]
fn parallel_results_become_messages_of_their_own_and_text_follows_them() {
    let messages = turns(json!([
        {"role": "assistant", "content": [
            {"type": "text", "text": "let me see"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": "\u{e4}\n"}},
            {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}, "caller": {"type": "direct"}},
        ]},
        {"role": "user", "content": [
            {"type": "text", "text": "here you are"},
            {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true, "content": "no"},
            {"type": "tool_result", "tool_use_id": "toolu_1", "cache_control": {"type": "ephemeral"}, "content": [
                {"type": "text", "text": "a picture"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "AAAA"}},
                {"type": "tool_reference", "tool_name": "x"},
            ]},
            {"type": "tool_result", "tool_use_id": "toolu_3"},
        ]},
    ]));
    assert_eq!(
        messages,
        json!([
            {"role": "assistant", "content": "let me see", "tool_calls": [
                {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":\"\u{e4}\\n\"}"}},
                {"id": "toolu_2", "type": "function", "function": {"name": "g", "arguments": "{}"}, "vendor": {"anthropic": {"caller": {"type": "direct"}}}},
            ]},
            {"role": "tool", "tool_call_id": "toolu_2", "content": "no", "is_error": true},
            {"role": "tool", "tool_call_id": "toolu_1", "cache_control": {"type": "ephemeral"}, "content": [
                {"type": "text", "text": "a picture"},
                {"type": "image_url", "image_url": {"url": "data:image/webp;base64,AAAA"}},
                {"type": "vendor", "vendor": "anthropic", "value": {"type": "tool_reference", "tool_name": "x"}},
            ]},
            {"role": "tool", "tool_call_id": "toolu_3", "content": ""},
            {"role": "user", "content": "here you are"},
        ])
    );
}

#[test]
fn thinking_keeps_its_signature_and_its_place() {
    let messages = turns(json!([
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "ZGF0YQ"},
            {"type": "text", "text": "one"},
            {"type": "thinking", "thinking": "plain", "signature": ""},
            {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        ]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "causeway:gemini:abc:d"}]},
    ]));
    assert_eq!(
        messages,
        json!([
            {"role": "assistant",
             "content": [
                {"type": "text", "text": "one"},
                {"type": "vendor", "vendor": "anthropic", "value": {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}},
             ],
             "reasoning_details": [
                {"type": "reasoning.text", "text": "hm", "signature": "c2ln", "format": "anthropic"},
                {"type": "reasoning.encrypted", "data": "ZGF0YQ", "format": "anthropic"},
                {"type": "reasoning.text", "text": "plain"},
             ],
             "tool_calls": [{"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
             "order": ["reasoning:0", "reasoning:1", "content:0", "reasoning:2", "tool_call:0", "content:1"]},
            {"role": "assistant", "content": null, "reasoning_details": [
                {"type": "reasoning.text", "text": "x", "signature": "abc:d", "format": "gemini"},
            ]},
        ])
    );
}

#[test]
fn documents_and_images_of_every_source() {
    let messages = turns(json!([{"role": "user", "content": [
        {"type": "document", "title": "t", "context": "c", "citations": {"enabled": true},
         "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}},
        {"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}, "cache_control": {"type": "ephemeral"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "h\u{e9}"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}},
        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "search_result", "source": "https://x", "title": "t", "content": []},
        {"type": "text", "text": "cited", "citations": [{"type": "char_location"}], "novelty": 1},
    ]}]));
    assert_eq!(
        messages[0]["content"],
        json!([
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE", "title": "t", "context": "c", "citations": true}},
            {"type": "file", "file": {"file_url": "https://x/y.pdf"}, "cache_control": {"type": "ephemeral"}},
            {"type": "file", "file": {"file_data": "data:text/plain;base64,aMOp"}},
            {"type": "vendor", "vendor": "anthropic", "value": {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}}},
            {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            {"type": "vendor", "vendor": "anthropic", "value": {"type": "image", "source": {"type": "file", "file_id": "file_1"}}},
            {"type": "vendor", "vendor": "anthropic", "value": {"type": "search_result", "source": "https://x", "title": "t", "content": []}},
            {"type": "text", "text": "cited", "citations": [{"type": "char_location"}], "vendor": {"anthropic": {"novelty": 1}}},
        ])
    );
}

#[test]
fn odd_turns_stay_what_they_are() {
    let same = json!([
        {"role": "assistant", "content": "I begin"},
        {"role": "user", "content": ""},
        {"role": "user", "content": "again"},
        {"role": "system", "content": "in the middle"},
        {"role": "user", "content": "   "},
        {"role": "assistant", "content": "prefill"},
    ]);
    assert_eq!(turns(same.clone()), same);
    assert_eq!(
        turns(json!([{"role": "assistant", "content": []}, {"role": "user", "content": []}])),
        json!([{"role": "assistant", "content": ""}, {"role": "user", "content": ""}])
    );
}

/// Anthropic's SDK knows the refusal by its code, and sends the whole conversation instead.
#[test]
fn a_conversation_kept_elsewhere_is_refused_in_words_that_the_sdk_knows() {
    for (thread, refused) in [
        (json!({"type": "create"}), true),
        (json!({"type": "continue", "previous_message_id": "msg_1"}), true),
        (json!(null), false),
    ] {
        let answer = canonical(&request(json!({"thread": thread})));
        let code = answer.as_ref().err().and_then(|error| error.code.as_deref());
        assert_eq!(code, refused.then_some("thread_unsupported_request"), "{thread}");
        let Err(error) = answer else { continue };
        assert_eq!(error.kind, Kind::Unsupported);
        let body: Value = serde_json::from_slice(&AnthropicMessages.error(&error, "r")).expect("JSON");
        assert_eq!(body["error"]["details"], json!({"error_code": "thread_unsupported_request"}));
    }
}
