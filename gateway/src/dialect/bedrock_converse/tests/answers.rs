//! Whole answers: canonical chat in, Converse out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{turns, whole};

fn answer(message: Value) -> Value {
    json!({ "id": "x", "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }] })
}

fn content(message: Value) -> Value {
    whole(&answer(message))["output"]["message"]["content"].take()
}

#[test]
fn a_text_with_all_that_stands_around_it() {
    let canonical = json!({ "id": "x", "choices": [{ "index": 0, "message": { "role": "assistant", "content": "h\u{e9}" },
        "finish_reason": "stop", "native_finish_reason": "stop", "stop_sequence": "END",
        "vendor": { "bedrock": { "trace": { "a": 1 }, "additionalModelResponseFields": { "b": 2 } }, "gemini": {} } }],
        "usage": { "prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105,
            "prompt_tokens_details": { "cached_tokens": 60, "cache_write_tokens": 30, "cache_write_long_tokens": 10 } } });
    assert_eq!(
        whole(&canonical),
        json!({
            "output": { "message": { "role": "assistant", "content": [{ "text": "h\u{e9}" }] } },
            "stopReason": "stop_sequence",
            "usage": { "inputTokens": 10, "outputTokens": 5, "totalTokens": 105, "cacheReadInputTokens": 60,
                "cacheWriteInputTokens": 30, "cacheDetails": [{ "ttl": "1h", "inputTokens": 10 }, { "ttl": "5m", "inputTokens": 20 }] },
            "metrics": { "latencyMs": 34 },
            "additionalModelResponseFields": { "b": 2, "stop_sequence": "END" },
            "trace": { "a": 1 },
        })
    );
}

#[test]
fn usage_is_there_even_when_nobody_counted() {
    let told = whole(&answer(json!({ "content": "x" })));
    assert_eq!(told["usage"], json!({ "inputTokens": 0, "outputTokens": 0, "totalTokens": 0 }));
}

#[test]
fn bedrocks_own_metrics_stand_before_ours() {
    let mut canonical = answer(json!({ "content": "x" }));
    canonical["choices"][0]["vendor"] = json!({ "bedrock": { "metrics": { "latencyMs": 9 } } });
    assert_eq!(whole(&canonical)["metrics"], json!({ "latencyMs": 9 }));
}

#[test]
fn the_reason_is_one_of_awss() {
    let reason = |finish: &str, native: &str, message: Value| {
        let choice = json!({ "index": 0, "message": message, "finish_reason": finish, "native_finish_reason": native });
        whole(&json!({ "choices": [choice] }))["stopReason"].take()
    };
    let calls = json!({ "tool_calls": [{ "id": "a", "function": { "name": "f", "arguments": "" } }] });
    for (finish, native, message, wanted) in [
        ("stop", "STOP", json!({}), "end_turn"),
        ("length", "", json!({}), "max_tokens"),
        ("content_filter", "SAFETY", json!({}), "content_filtered"),
        ("content_filter", "guardrail_intervened", json!({}), "guardrail_intervened"),
        ("stop", "", json!({ "refusal": "no" }), "content_filtered"),
        ("tool_calls", "", calls.clone(), "tool_use"),
        ("stop", "", calls, "tool_use"),
        ("length", "model_context_window_exceeded", json!({}), "model_context_window_exceeded"),
    ] {
        assert_eq!(reason(finish, native, message), wanted, "{finish} {native}");
    }
}

#[test]
fn blocks_of_every_kind_in_their_order() {
    let message = json!({
        "content": [
            { "type": "text", "text": "a" },
            { "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } },
            { "type": "image_url", "image_url": { "url": "https://x/y.png" } },
            { "type": "vendor", "vendor": "bedrock", "value": { "searchResult": {} } },
            { "type": "vendor", "vendor": "gemini", "value": {} },
            { "type": "text", "text": "b" },
        ],
        "reasoning_details": [{ "type": "reasoning.text", "text": "hm", "signature": "s", "format": "bedrock" }],
        "tool_calls": [{ "id": "odd id!", "type": "function", "function": { "name": "f", "arguments": "{\"x\": 1}" } }],
        "annotations": [
            { "type": "url_citation", "url_citation": { "url": "https://x", "title": "t", "start_index": 0, "end_index": 1 } },
            { "type": "vendor", "vendor": "bedrock", "value": { "source": "s" } },
        ],
        "order": ["content:0", "tool_call:0", "reasoning:0"],
    });
    assert_eq!(
        content(message),
        json!([
            { "text": "a" },
            { "toolUse": { "toolUseId": "odd_id__3b49f442", "name": "f", "input": { "x": 1 } } },
            { "reasoningContent": { "reasoningText": { "text": "hm", "signature": "s" } } },
            { "image": { "format": "png", "source": { "bytes": "AA==" } } },
            { "text": "https://x/y.png" },
            { "searchResult": {} },
            { "citationsContent": { "content": [{ "text": "b" }], "citations": [
                { "title": "t", "location": { "web": { "url": "https://x" } } }, { "source": "s" },
            ] } },
        ])
    );
}

#[test]
fn arguments_are_an_object_whatever_came() {
    let input = |arguments: Value| {
        let call = json!({ "id": "a", "function": { "name": "f", "arguments": arguments } });
        content(json!({ "tool_calls": [call] }))[0]["toolUse"]["input"].take()
    };
    assert_eq!(input(json!("")), json!({}));
    assert_eq!(input(json!("null")), json!({}));
    assert_eq!(input(Value::Null), json!({}));
    assert_eq!(input(json!("{\"a\":")), json!({ "INVALID_JSON": "{\"a\":" }));
    assert_eq!(input(json!("[1]")), json!({ "INVALID_JSON": "[1]" }));
}

#[test]
fn a_call_without_an_id_gets_one_and_a_long_one_fits() {
    let id = |id: &str| {
        let call = json!({ "id": id, "function": { "name": "f" } });
        content(json!({ "tool_calls": [call] }))[0]["toolUse"]["toolUseId"].as_str().map(str::to_owned)
    };
    assert_eq!(id("").as_deref(), Some("tooluse_01J_0"));
    assert_eq!(id(&"x".repeat(100)).map(|id| id.len()), Some(64));
}

#[test]
fn foreign_state_makes_the_round_trip() {
    let message = json!({
        "role": "assistant", "content": [{ "type": "text", "text": "so", "extra_content": { "google": { "thought_signature": "p" } } }],
        "reasoning_details": [
            { "type": "reasoning.text", "text": "hm", "signature": "sig", "format": "anthropic" },
            { "type": "reasoning.encrypted", "data": "enc", "format": "openai" },
            { "type": "reasoning.encrypted", "data": "AA==", "format": "bedrock" },
        ],
        "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" },
            "extra_content": { "google": { "thought_signature": "c" } } }],
    });
    let said = content(message.clone());
    assert_eq!(said[0]["reasoningContent"]["reasoningText"]["signature"], "causeway:anthropic:sig");
    assert_eq!(said[1]["reasoningContent"]["redactedContent"], STANDARD.encode("causeway:openai:enc"));
    let back = turns(json!([{ "role": "assistant", "content": said }]));
    assert_eq!(back[0], message);
}
