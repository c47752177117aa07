//! Whole answers and errors.

use serde_json::{Value, json};

use super::{facts, turns, whole};
use crate::dialect::Dialect;
use crate::dialect::anthropic_messages::AnthropicMessages;
use crate::error::{GatewayError, Kind};

fn completion(message: Value, finish_reason: &str) -> Value {
    json!({"id": "", "object": "chat.completion", "created": 0, "model": "claude-x", "choices": [
        {"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": null},
    ]})
}

#[test]
fn an_answer_with_everything() {
    let answer = json!({
        "id": "msg_1", "object": "chat.completion", "created": 0, "model": "claude-x",
        "choices": [{
            "index": 0, "finish_reason": "tool_calls", "native_finish_reason": "tool_use",
            "message": {
                "role": "assistant", "content": "hello \"you\"", "reasoning_content": "hm",
                "reasoning_details": [
                    {"type": "reasoning.text", "text": "hm", "signature": "sig", "format": "anthropic"},
                    {"type": "reasoning.encrypted", "data": "xyz", "format": "anthropic"},
                    {"type": "reasoning.summary", "summary": "sum", "format": "openai"},
                    {"type": "reasoning.encrypted", "data": "xyz", "format": "openai"},
                ],
                "tool_calls": [
                    {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": [1, 2]}"}},
                    {"id": "functions.g:0", "type": "function", "function": {"name": "g", "arguments": ""}},
                    {"id": "", "type": "function", "function": {"name": "h", "arguments": "{\"cut"}},
                ],
            },
            "vendor": {"anthropic": {"container": {"id": "c"}}, "other": {"x": 1}},
        }],
        "usage": {"prompt_tokens": 110, "completion_tokens": 7, "total_tokens": 117,
            "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 40, "cache_write_long_tokens": 30},
            "completion_tokens_details": {"reasoning_tokens": 3},
            "vendor": {"anthropic": {"service_tier": "standard"}}},
    });
    assert_eq!(
        whole(&answer),
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "sig"},
                {"type": "redacted_thinking", "data": "xyz"},
                {"type": "thinking", "thinking": "sum", "signature": ""},
                {"type": "redacted_thinking", "data": "causeway:openai:xyz"},
                {"type": "text", "text": "hello \"you\""},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": [1, 2]}},
                {"type": "tool_use", "id": "functions_g_0_3e39ea67", "name": "g", "input": {}},
                {"type": "tool_use", "id": "toolu_01J_2", "name": "h", "input": {"INVALID_JSON": "{\"cut"}},
            ],
            "stop_reason": "tool_use", "stop_sequence": null, "container": {"id": "c"},
            "usage": {
                "input_tokens": 10, "cache_creation_input_tokens": 40, "cache_read_input_tokens": 60,
                "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 30},
                "output_tokens": 7, "output_tokens_details": {"thinking_tokens": 3}, "service_tier": "standard",
            },
        })
    );
}

#[test]
fn the_order_of_blocks_is_kept() {
    let message = json!({
        "content": [
            {"type": "text", "text": "a", "citations": [{"type": "char_location"}]},
            {"type": "vendor", "vendor": "anthropic", "value": {"type": "server_tool_use", "id": "s"}},
            {"type": "vendor", "vendor": "gemini", "value": {}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
        ],
        "reasoning_details": [{"type": "reasoning.text", "text": "r"}],
        "tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "{}"}}],
        "order": ["content:0", "tool_call:0", "reasoning:0"],
        "annotations": [{"type": "vendor", "vendor": "anthropic", "value": {"type": "page_location"}}, {"type": "url_citation"}],
    });
    assert_eq!(
        whole(&completion(message, "tool_calls"))["content"],
        json!([
            {"type": "text", "text": "a", "citations": [{"type": "char_location"}, {"type": "page_location"}]},
            {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            {"type": "thinking", "thinking": "r", "signature": ""},
            {"type": "server_tool_use", "id": "s"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
        ])
    );
}

#[test]
fn reasons_to_stop() {
    let cases = [
        (json!({"content": "x"}), "stop", "end_turn"),
        (json!({"content": "x"}), "length", "max_tokens"),
        (json!({"content": "x"}), "content_filter", "refusal"),
        (json!({"content": null, "refusal": "no"}), "stop", "refusal"),
        (
            json!({"content": "", "tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "{}"}}]}),
            "stop",
            "tool_use",
        ),
        (json!({"content": "x"}), "novel", "end_turn"),
    ];
    for (message, finish_reason, stop_reason) in cases {
        assert_eq!(whole(&completion(message, finish_reason))["stop_reason"], stop_reason);
    }
    let mut stopped = completion(json!({"content": "x"}), "stop");
    stopped["choices"][0]["stop_sequence"] = json!("END");
    let message = whole(&stopped);
    assert_eq!(
        (&message["stop_reason"], &message["stop_sequence"]),
        (&json!("stop_sequence"), &json!("END"))
    );
    assert_eq!(message["id"], "msg_01J");
    assert_eq!(
        message["usage"],
        json!({"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0})
    );
}

#[test]
fn other_vendors_state_comes_back_where_it_belongs() {
    let thought = json!({"google": {"thought_signature": "s"}});
    let message = json!({
        "content": [{"type": "text", "text": "a", "extra_content": thought}],
        "tool_calls": [{"id": "a.b", "function": {"name": "f", "arguments": "{}"}, "extra_content": thought}],
        "extra_content": thought,
    });
    let content = whole(&completion(message, "tool_calls"))["content"].take();
    assert!(content.as_array().is_some_and(|blocks| blocks.len() == 5), "{content}");
    let id = content[4]["id"].clone();
    assert_eq!(
        turns(json!([{"role": "assistant", "content": content}])),
        json!([{
            "role": "assistant", "extra_content": thought,
            "content": [{"type": "text", "text": "a", "extra_content": thought}],
            "tool_calls": [{"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": thought}],
        }])
    );
}

#[test]
fn an_answer_that_is_not_canonical_is_the_adapters_fault() {
    for answer in ["", "{}", "{\"choices\":[]}", "[]"] {
        let error = AnthropicMessages.whole(&facts(), answer.as_bytes()).expect_err(answer);
        assert_eq!(error.kind, Kind::Adapter);
    }
}

#[test]
fn errors_speak_anthropics_words() {
    let cases = [
        (Kind::InvalidRequest, 400, "invalid_request_error"),
        (Kind::ContextLength, 400, "invalid_request_error"),
        (Kind::Authentication, 401, "authentication_error"),
        (Kind::Quota, 402, "billing_error"),
        (Kind::Permission, 403, "permission_error"),
        (Kind::ModelNotFound, 404, "not_found_error"),
        (Kind::TooLarge, 413, "request_too_large"),
        (Kind::RateLimited, 429, "rate_limit_error"),
        (Kind::Provider, 502, "api_error"),
        (Kind::Timeout, 504, "timeout_error"),
        (Kind::Overloaded, 529, "overloaded_error"),
    ];
    for (kind, status, word) in cases {
        let error = GatewayError::gateway(kind, "it failed");
        assert_eq!(AnthropicMessages.error_status(&error), status);
        let body: Value = serde_json::from_slice(&AnthropicMessages.error(&error, "req_1")).expect("JSON");
        assert_eq!(
            body,
            json!({"type": "error", "error": {"type": word, "message": "it failed"}, "request_id": "req_1"})
        );
    }
    let error = GatewayError::invalid("messages[0].role", "expected user");
    let body: Value = serde_json::from_slice(&AnthropicMessages.error(&error, "r")).expect("JSON");
    assert_eq!(body["error"]["message"], "messages[0].role: expected user");
}

#[test]
fn a_text_stays_the_only_block_when_state_of_others_comes_with_it() {
    let thought = json!({"google": {"thought_signature": "s"}});
    let message = json!({"content": "so", "extra_content": thought});
    assert_eq!(whole(&completion(message, "stop"))["content"], json!([{"type": "text", "text": "so"}]));
}
