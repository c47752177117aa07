//! Answers, streams, errors and what passes through.

use std::time::Duration;

use serde_json::{Value, json};

use super::{facts, read};
use crate::dialect::gemini_generate::GeminiGenerate;
use crate::dialect::{Dialect as _, Passing};
use crate::domain::Usage;
use crate::error::{GatewayError, Kind};

fn whole(canonical: Value) -> Value {
    let answer = GeminiGenerate.whole(&facts(), canonical.to_string().as_bytes()).unwrap();
    serde_json::from_slice(&answer).unwrap()
}

fn stream(query: Option<&str>, chunks: &[Value], failure: Option<&GatewayError>) -> String {
    let envelope = read("/v1beta/models/m:streamGenerateContent", query, r#"{"contents":[]}"#).unwrap();
    let mut writer = GeminiGenerate.stream(&facts(), &envelope);
    let mut out = Vec::new();
    for chunk in chunks {
        writer.chunk(chunk.to_string().as_bytes(), &mut out).unwrap();
        writer.keep_alive(&mut out);
    }
    match failure {
        None => writer.finish(&mut out),
        Some(error) => writer.fail(error, "req-1", &mut out),
    }
    String::from_utf8(out).unwrap()
}

fn frames(text: &str) -> Vec<Value> {
    let events = text.split("\r\n\r\n").filter_map(|event| event.strip_prefix("data: "));
    events.map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn delta(delta: Value) -> Value {
    json!({"id": "r1", "model": "up", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn ended(reason: &str) -> Value {
    json!({"id": "r1", "model": "up", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

#[test]
fn a_whole_answer_has_parts_in_order_and_gemini_counts() {
    let answer = whole(json!({
        "id": "r1", "object": "chat.completion", "created": 0, "model": "up",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "native_finish_reason": "tool_use",
            "message": {"role": "assistant", "content": "Hi",
                "reasoning_content": "hm",
                "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "s", "format": "anthropic"}],
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""},
                    "extra_content": {"google": {"thought_signature": "YQ=="}}}],
                "annotations": [{"type": "url_citation", "url_citation": {"url": "https://a", "title": "A", "start_index": 0, "end_index": 2}}]},
            "vendor": {"gemini": {"avgLogprobs": -0.1}, "anthropic": {"stop_details": {}}}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 3},
            "vendor": {"gemini": {"toolUsePromptTokenCount": 2, "totalTokenCount": 99}}}
    }));
    let sealed = crate::dialect::gemini_generate::state::seal("anthropic", false, "s");
    assert_eq!(
        answer,
        json!({
            "candidates": [{"index": 0, "finishReason": "STOP", "avgLogprobs": -0.1,
                "citationMetadata": {"citationSources": [{"uri": "https://a", "title": "A", "startIndex": 0, "endIndex": 2}]},
                "content": {"role": "model", "parts": [
                    {"text": "hm", "thought": true, "thoughtSignature": sealed},
                    {"text": "Hi"},
                    {"functionCall": {"id": "c1", "name": "f", "args": {}}, "thoughtSignature": "YQ=="}
                ]}}],
            "usageMetadata": {"promptTokenCount": 8, "candidatesTokenCount": 4, "thoughtsTokenCount": 3,
                "cachedContentTokenCount": 4, "totalTokenCount": 17, "toolUsePromptTokenCount": 2},
            "modelVersion": "up", "responseId": "r1"
        })
    );
}

#[test]
fn order_images_and_blocked_prompts_are_told() {
    let answer = whole(json!({"model": "", "choices": [
        {"index": 0, "finish_reason": "stop", "native_finish_reason": "LANGUAGE", "message": {
            "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                {"type": "vendor", "vendor": "gemini", "value": {"executableCode": {"code": "1"}}},
                {"type": "vendor", "vendor": "anthropic", "value": {}},
                {"type": "text", "text": "x", "extra_content": {"google": {"thought_signature": "YQ==", "partMetadata": {"a": 1}}}}],
            "reasoning_details": [{"type": "reasoning.text", "text": "hm"}],
            "order": ["content:0", "reasoning:0", "content:1"]}},
        {"index": 1, "finish_reason": "length", "message": {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{\"a"}}]}},
        {"index": 2, "finish_reason": "content_filter", "message": {"content": null, "refusal": "no"}}
    ]}));
    assert_eq!(
        answer["candidates"],
        json!([
            {"index": 0, "finishReason": "LANGUAGE", "content": {"role": "model", "parts": [
                {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
                {"text": "hm", "thought": true},
                {"executableCode": {"code": "1"}}, {"text": ""},
                {"text": "x", "thoughtSignature": "YQ==", "partMetadata": {"a": 1}}]}},
            {"index": 1, "finishReason": "MAX_TOKENS", "finishMessage": "the arguments of the call of `f` are not a JSON object"},
            {"index": 2, "finishReason": "SAFETY", "content": {"role": "model", "parts": [{"text": "no"}]}}
        ])
    );
    assert_eq!((&answer["modelVersion"], &answer["responseId"]), (&json!("public"), &json!("req-1")));
    let blocked =
        whole(json!({"choices": [{"index": 0, "finish_reason": "content_filter", "message": {"content": ""},
        "vendor": {"gemini": {"promptFeedback": {"blockReason": "SAFETY"}}}}]}));
    assert_eq!(blocked["promptFeedback"], json!({"blockReason": "SAFETY"}));
    assert!(blocked.get("candidates").is_none());
}

#[test]
fn a_stream_tells_text_at_once_and_calls_whole() {
    let chunks = [
        delta(json!({"role": "assistant", "content": ""})),
        delta(
            json!({"reasoning_content": "hm", "reasoning_details": [{"index": 0, "type": "reasoning.text", "text": "hm", "format": "gemini"}]}),
        ),
        delta(json!({"reasoning_details": [{"index": 0, "signature": "Y"}]})),
        delta(json!({"reasoning_details": [{"index": 0, "signature": "Q=="}]})),
        delta(json!({"content": "Hi"})),
        delta(
            json!({"tool_calls": [{"index": 0, "id": "c0", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
        ),
        delta(
            json!({"tool_calls": [{"index": 1, "id": "c1", "function": {"name": "g", "arguments": "{"}, "extra_content": {"google": {"thought_signature": "eA=="}}}]}),
        ),
        delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"a\":1}"}}]})),
        delta(json!({"content": "and"})),
        delta(json!({"tool_calls": [{"index": 1, "function": {"arguments": "}"}}]})),
        ended("tool_calls"),
        json!({"id": "r1", "model": "up", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}),
    ];
    let part = |part: Value| json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}}], "modelVersion": "up", "responseId": "r1"});
    let expected = vec![
        part(json!({"thought": true, "text": "hm"})),
        json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [
            {"thought": true, "text": "", "thoughtSignature": "YQ=="}, {"text": "Hi"}]}}], "modelVersion": "up", "responseId": "r1"}),
        json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [
            {"functionCall": {"id": "c0", "name": "f", "args": {"a": 1}}}, {"text": "and"}]}}], "modelVersion": "up", "responseId": "r1"}),
        json!({"candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [
            {"functionCall": {"id": "c1", "name": "g", "args": {}}, "thoughtSignature": "eA=="}]}}],
            "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3},
            "modelVersion": "up", "responseId": "r1"}),
    ];
    assert_eq!(frames(&stream(Some("alt=sse"), &chunks, None).replace(": keep-alive\r\n\r\n", "")), expected);
    let array: Value = serde_json::from_str(&stream(None, &chunks, None)).unwrap();
    assert_eq!(array, Value::Array(expected));
}

#[test]
fn a_failed_stream_never_looks_like_success() {
    let chunks = [delta(json!({"content": "Hi"})), ended("stop")];
    let error = GatewayError::upstream(Kind::Malformed, "the stream was cut");
    let text = stream(Some("alt=sse"), &chunks, Some(&error));
    let last = frames(&text.replace(": keep-alive\r\n\r\n", "")).pop().unwrap();
    assert_eq!((&last["error"]["code"], &last["error"]["status"]), (&json!(503), &json!("UNAVAILABLE")));
    assert!(!text.contains("finishReason"));
    let array: Vec<Value> = serde_json::from_str(&stream(None, &chunks, Some(&error))).unwrap();
    assert_eq!(array.last().unwrap()["error"]["message"], json!("the stream was cut"));
    let only: Vec<Value> = serde_json::from_str(&stream(None, &[], Some(&error))).unwrap();
    assert_eq!(only.len(), 1);
    assert_eq!(stream(None, &[], None), "[]");
}

#[test]
fn a_blocked_prompt_is_told_in_the_stream() {
    let chunk = json!({"id": "", "choices": [{"index": 0, "delta": {}, "finish_reason": "content_filter",
        "vendor": {"gemini": {"promptFeedback": {"blockReason": "OTHER"}}}}]});
    let frames = frames(&stream(Some("alt=sse"), &[chunk], None).replace(": keep-alive\r\n\r\n", ""));
    assert_eq!(frames[0]["promptFeedback"], json!({"blockReason": "OTHER"}));
    assert!(frames[0].get("candidates").is_none());
}

#[test]
fn feedback_that_blocks_nothing_stands_beside_the_answer() {
    let feedback = json!({"gemini": {"promptFeedback": {"safetyRatings": []}}});
    let chunk = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "vendor": feedback}]});
    let frames = frames(&stream(Some("alt=sse"), &[chunk], None).replace(": keep-alive\r\n\r\n", ""));
    assert_eq!(frames[0]["promptFeedback"], json!({"safetyRatings": []}));
    assert_eq!(frames[0]["candidates"], json!([{"index": 0, "finishReason": "STOP"}]));
    let answer =
        whole(json!({"choices": [{"index": 0, "finish_reason": "stop", "message": {}, "vendor": feedback}]}));
    assert_eq!(answer["candidates"], frames[0]["candidates"]);
}

#[test]
fn errors_have_googles_shape() {
    let mut error = GatewayError::invalid("contents[0].role", "`x` is not a role");
    error.retry_after = Some(Duration::from_millis(7500));
    let body: Value = serde_json::from_slice(&GeminiGenerate.error(&error, "req-1")).unwrap();
    assert_eq!(
        body,
        json!({"error": {"code": 400, "message": "`x` is not a role", "status": "INVALID_ARGUMENT", "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "INVALID_REQUEST", "domain": "causeway"},
            {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [
                {"field": "contents[0].role", "description": "`x` is not a role"}]},
            {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "req-1"},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7.5s"}
        ]}})
    );
    for (kind, status, word) in [
        (Kind::Authentication, 401, "UNAUTHENTICATED"),
        (Kind::Permission, 403, "PERMISSION_DENIED"),
        (Kind::ModelNotFound, 404, "NOT_FOUND"),
        (Kind::RateLimited, 429, "RESOURCE_EXHAUSTED"),
        (Kind::Internal, 500, "INTERNAL"),
        (Kind::Provider, 503, "UNAVAILABLE"),
        (Kind::Timeout, 504, "DEADLINE_EXCEEDED"),
    ] {
        let error = GatewayError::gateway(kind, "x");
        let body: Value = serde_json::from_slice(&GeminiGenerate.error(&error, "")).unwrap();
        assert_eq!((&body["error"]["code"], &body["error"]["status"]), (&json!(status), &json!(word)));
        assert_eq!(GeminiGenerate.error_status(&error), status);
    }
}

#[test]
fn a_passage_is_read_on_the_side() {
    let mut usage = Usage::default();
    let mut see = |event: Value| {
        let passing = GeminiGenerate.passing(event.to_string().as_bytes(), &mut usage);
        (format!("{passing:?}").split([' ', '(']).next().unwrap().to_owned(), usage)
    };
    assert_eq!(see(json!({"modelVersion": "m"})).0, "Quiet");
    // Quoted names are text.
    let text = "\"usageMetadata\": {\"promptTokenCount\": 1} \"finishReason\": \"STOP\" \"error\"";
    let (kind, counted) = see(json!({"candidates": [{"content": {"parts": [{"text": text}]}}]}));
    assert_eq!((kind.as_str(), counted), ("Content", Usage::default()));
    let call = json!({"candidates": [{"content": {"parts": [{"functionCall": {"args": {"error": "x", "finishReason": "STOP"}}}]}}]});
    assert_eq!(see(call).0, "Content");
    let (kind, counted) = see(json!({
        "candidates": [{"finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 3, "thoughtsTokenCount": 4,
            "toolUsePromptTokenCount": 1, "cachedContentTokenCount": 5,
            "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 2}]}
    }));
    let expected = Usage {
        input: Some(11),
        output: Some(7),
        cache_read: Some(5),
        reasoning: Some(4),
        image_input: Some(2),
        ..Usage::default()
    };
    assert_eq!((kind.as_str(), counted), ("End", expected));
    assert_eq!(see(json!({"promptFeedback": {"blockReason": "SAFETY"}})).0, "End");
    assert_eq!(see(json!({"error": "odd"})).0, "Failed");
    let event = json!({"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "x"}, {"retryDelay": "7s"}]}});
    let Passing::Failed(error) = GeminiGenerate.passing(event.to_string().as_bytes(), &mut usage) else {
        panic!("an error passes as an answer")
    };
    assert_eq!((error.kind, error.retry_after), (Kind::RateLimited, Some(Duration::from_secs(7))));
    assert_eq!(GeminiGenerate.whole_usage(b"{\"candidates\":[]}"), None);
}
