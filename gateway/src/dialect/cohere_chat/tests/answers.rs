//! Whole answers: canonical chat in, Cohere's out; and Cohere's own, passing through.

use serde_json::{Value, json};

use super::{turns, whole};
use crate::dialect::cohere_chat::CohereChat;
use crate::dialect::{Dialect, Passing};
use crate::domain::Usage;
use crate::error::{GatewayError, Kind};

fn answer(message: Value) -> Value {
    json!({ "id": "x", "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }] })
}

#[test]
fn a_text_with_all_that_stands_around_it() {
    let canonical = json!({ "id": "x", "choices": [{ "index": 0, "finish_reason": "stop",
        "message": { "role": "assistant", "content": "h\u{e9}", "reasoning_content": "hm" },
        "logprobs": { "content": [{ "token": "h", "logprob": -0.5, "bytes": [104], "top_logprobs": [] }] } }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
            "prompt_tokens_details": { "cached_tokens": 6 } } });
    let sides = json!({ "input_tokens": 10, "output_tokens": 5 });
    assert_eq!(
        whole(&canonical),
        json!({
            "id": "x", "finish_reason": "COMPLETE",
            "message": { "role": "assistant", "content": [
                { "type": "thinking", "thinking": "hm" }, { "type": "text", "text": "h\u{e9}" },
            ] },
            "usage": { "billed_units": sides, "tokens": sides, "cached_tokens": 6 },
            "logprobs": [{ "text": "h", "token_ids": [], "logprobs": [-0.5] }],
        })
    );
}

#[test]
fn what_was_billed_is_told_where_it_is_known() {
    let mut canonical = answer(json!({ "content": "x" }));
    canonical["usage"] = json!({ "prompt_tokens": 10, "completion_tokens": 5,
        "vendor": { "cohere": { "billed_units": { "input_tokens": 7.0 } } } });
    assert_eq!(whole(&canonical)["usage"]["billed_units"], json!({ "input_tokens": 7.0 }));
}

#[test]
fn a_plan_stands_beside_the_calls() {
    let message = json!({
        "reasoning_details": [
            { "type": "reasoning.summary", "summary": "I will", "format": "cohere" },
            { "type": "reasoning.text", "text": "hm", "format": "cohere" },
        ],
        "tool_calls": [
            { "id": "a", "type": "function", "function": { "name": "f", "arguments": "{\"x\":1}" } },
            { "id": "", "type": "function", "function": { "name": "g", "arguments": "" } },
        ],
    });
    let mut canonical = answer(message);
    canonical["choices"][0]["finish_reason"] = json!("tool_calls");
    let told = whole(&canonical);
    assert_eq!(told["finish_reason"], "TOOL_CALL");
    assert_eq!(
        told["message"],
        json!({
            "role": "assistant", "tool_plan": "I will", "content": [{ "type": "thinking", "thinking": "hm" }],
            "tool_calls": [
                { "id": "a", "type": "function", "function": { "name": "f", "arguments": "{\"x\":1}" } },
                { "id": "call_01J_1", "type": "function", "function": { "name": "g", "arguments": "{}" } },
            ],
        })
    );
}

#[test]
fn sources_become_citations_whoever_named_them() {
    let message = json!({
        "content": [
            { "type": "text", "text": "It is so.", "citations": [
                { "type": "char_location", "cited_text": "so", "document_index": 1, "document_title": "T" },
            ] },
            { "type": "text", "text": " H\u{e9}!" },
        ],
        "annotations": [
            { "type": "vendor", "vendor": "cohere", "value": { "start": 1, "end": 2, "text": "t", "sources": [] } },
            { "type": "url_citation", "url_citation": { "url": "https://x", "title": "X", "start_index": 3, "end_index": 5 } },
            { "type": "vendor", "vendor": "bedrock", "value": { "title": "B", "sourceContent": [{ "text": "b" }], "location": { "web": { "url": "https://b" } } } },
            { "type": "vendor", "vendor": "odd", "value": { "nothing": 1 } },
        ],
    });
    let document =
        |id: &str, document: Value| json!([{ "type": "document", "id": id, "document": document }]);
    assert_eq!(
        whole(&answer(message))["message"]["citations"],
        json!([
            { "start": 0, "end": 9, "text": "It is so.", "content_index": 0, "type": "TEXT_CONTENT",
                "sources": document("doc:1", json!({ "id": "doc:1", "title": "T", "snippet": "so" })) },
            { "start": 1, "end": 2, "text": "t", "sources": [] },
            { "start": 3, "end": 5, "text": "is", "content_index": 0, "type": "TEXT_CONTENT",
                "sources": document("https://x", json!({ "id": "https://x", "title": "X", "url": "https://x" })) },
            { "type": "TEXT_CONTENT",
                "sources": document("https://b", json!({ "id": "https://b", "title": "B", "url": "https://b", "snippet": "b" })) },
        ])
    );
}

#[test]
fn the_reason_is_one_of_coheres() {
    let reason = |finish: &str, native: &str, more: Value| {
        let mut choice =
            json!({ "index": 0, "message": {}, "finish_reason": finish, "native_finish_reason": native });
        if let (Some(choice), Value::Object(more)) = (choice.as_object_mut(), more) {
            choice.extend(more);
        }
        whole(&json!({ "choices": [choice] }))["finish_reason"].take()
    };
    for (finish, native, more, wanted) in [
        ("stop", "end_turn", json!({}), "COMPLETE"),
        ("stop", "", json!({ "stop_sequence": "x" }), "STOP_SEQUENCE"),
        ("stop", "STOP_SEQUENCE", json!({}), "STOP_SEQUENCE"),
        ("length", "", json!({}), "MAX_TOKENS"),
        ("content_filter", "", json!({}), "ERROR_TOXIC"),
        ("stop", "", json!({ "message": { "refusal": "no" } }), "ERROR_TOXIC"),
        (
            "stop",
            "",
            json!({ "message": { "tool_calls": [{ "id": "a", "function": { "name": "f" } }] } }),
            "TOOL_CALL",
        ),
    ] {
        assert_eq!(reason(finish, native, more), wanted, "{finish} {native}");
    }
}

#[test]
fn foreign_state_makes_the_round_trip() {
    let google = json!({ "google": { "thought_signature": "p" } });
    let message = json!({
        "role": "assistant",
        "content": [{ "type": "text", "text": "so", "extra_content": google }],
        "reasoning_details": [
            { "type": "reasoning.text", "text": "hm", "signature": "sig", "format": "anthropic" },
            { "type": "reasoning.encrypted", "data": "enc", "format": "openai" },
        ],
        "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" }, "extra_content": google }],
        "extra_content": google,
    });
    let told = whole(&answer(message.clone()))["message"].take();
    assert_eq!(told["content"][0]["signature"], "causeway:anthropic:sig");
    assert_eq!(turns(json!([told]))[0], message);
}

#[test]
fn an_error_has_an_id_and_a_message() {
    let error = GatewayError::invalid("messages[0].role", "wrong");
    assert_eq!(CohereChat.error(&error, "01J"), br#"{"id":"01J","message":"messages[0].role: wrong"}"#);
    assert_eq!(CohereChat.error_status(&error), 400);
}

#[test]
fn events_are_told_apart_wherever_their_type_stands() {
    let word = |data: &str| match CohereChat.passing(data.as_bytes(), &mut Usage::default()) {
        Passing::Quiet => "quiet",
        Passing::Content => "content",
        Passing::Stopped => "stopped",
        Passing::End => "end",
        Passing::Failed(_) => "failed",
    };
    for (data, wanted) in [
        (r#"{"type":"message-start","id":"x"}"#, "quiet"),
        (
            r#"{"index":0,"delta":{"message":{"content":{"type":"text","text":""}}},"type":"content-start"}"#,
            "quiet",
        ),
        (
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"\"type\":\"message-end\""}}}}"#,
            "content",
        ),
        (
            r#"{"index":0,"delta":{"message":{"tool_calls":{"type":"function"}}},"type": "tool-call-start"}"#,
            "content",
        ),
        (r#"{"type":"tool-plan-delta"}"#, "content"),
        (r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}"#, "end"),
        (r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"broken"}}"#, "failed"),
        (r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","error":"broken"}}"#, "failed"),
        (r#"{"type":"message-end","delta":7}"#, "failed"),
        (r#"{"type":"brand-new"}"#, "quiet"),
        ("[DONE]", "quiet"),
        ("", "quiet"),
    ] {
        assert_eq!(word(data), wanted, "{data}");
    }
}

#[test]
fn usage_is_what_the_model_read_and_wrote() {
    let mut usage = Usage::default();
    let end = br#"{"delta":{"finish_reason":"TIMEOUT","usage":{"billed_units":{"input_tokens":1.0,"output_tokens":2.0},"tokens":{"input_tokens":71.0,"output_tokens":2.0},"cached_tokens":64}},"type":"message-end"}"#;
    let Passing::Failed(error) = CohereChat.passing(end, &mut usage) else {
        panic!("a timeout is a failure")
    };
    assert_eq!(error.kind, Kind::Timeout);
    assert_eq!((usage.input, usage.output, usage.cache_read), (Some(71), Some(2), Some(64)));
    let usage = CohereChat.whole_usage(br#"{"usage":{"billed_units":{"input_tokens":3,"output_tokens":4}}}"#);
    assert_eq!(usage.map(|usage| (usage.input, usage.output)), Some((Some(3), Some(4))));
    assert_eq!(CohereChat.whole_usage(b"{}"), None);
}
