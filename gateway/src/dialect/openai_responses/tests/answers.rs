//! Whole answers, and what comes back to us when a client sends them as input.

use serde_json::{Value, json};

use super::{answered, completion, facts, returned};
use crate::dialect::{Dialect, openai_responses::OpenAiResponses};
use crate::error::{GatewayError, Kind};

fn output(message: Value, finish_reason: &str) -> Value {
    answered(json!({}), &completion(message, finish_reason))["output"].take()
}

#[test]
fn a_text_is_a_response() {
    let found = answered(
        json!({"temperature": 0.5, "instructions": "i", "store": true}),
        &completion(json!({"role": "assistant", "content": "Hi."}), "stop"),
    );
    assert_eq!(found["id"], "resp_R");
    assert_eq!(
        (&found["object"], &found["status"], &found["created_at"]),
        (&json!("response"), &json!("completed"), &json!(7))
    );
    assert_eq!(found["model"], "real");
    assert_eq!(
        found["output"],
        json!([{"id": "msg_R_0", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": "Hi.", "annotations": [], "logprobs": []}]}])
    );
    assert_eq!(
        found["usage"],
        json!({"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 15})
    );
    assert_eq!(
        (&found["temperature"], &found["top_p"], &found["instructions"]),
        (&json!(0.5), &json!(1.0), &json!("i"))
    );
    assert_eq!(
        (&found["tools"], &found["tool_choice"], &found["parallel_tool_calls"]),
        (&json!([]), &json!("auto"), &json!(true))
    );
    assert_eq!(
        (&found["store"], &found["error"], &found["incomplete_details"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
}

#[test]
fn what_is_cut_is_incomplete() {
    for (finish_reason, reason) in [("length", "max_output_tokens"), ("content_filter", "content_filter")] {
        let found = answered(json!({}), &completion(json!({"content": "Hi"}), finish_reason));
        assert_eq!(found["status"], "incomplete");
        assert_eq!(found["incomplete_details"], json!({"reason": reason}));
        assert_eq!(found["output"][0]["status"], "incomplete");
    }
    let found = output(json!({"content": null, "refusal": "I will not."}), "stop");
    assert_eq!(found[0]["content"], json!([{"type": "refusal", "refusal": "I will not."}]));
}

#[test]
fn calls_get_their_own_names_back() {
    let tools = json!({"tools": [
        {"type": "custom", "name": "patch"},
        {"type": "namespace", "name": "mcp", "description": "", "tools": [{"type": "function", "name": "get"}]}],
        "input": [{"type": "additional_tools", "role": "developer", "tools": [
            {"type": "namespace", "name": "functions", "description": "", "tools": [{"type": "custom", "name": "exec"}]}]}]});
    let calls = json!({"content": null, "tool_calls": [
        {"id": "c0", "type": "function", "function": {"name": "functions__exec", "arguments": "{\"input\":\"1\"}"}},
        {"id": "c1", "type": "function", "function": {"name": "patch", "arguments": "{\"input\":\"a\\nb\"}"}},
        {"id": "c2", "type": "function", "function": {"name": "mcp__get", "arguments": ""}},
        {"id": "", "type": "function", "function": {"name": "other", "arguments": "{}"}}]});
    let found = answered(tools, &completion(calls, "tool_calls"))["output"].take();
    assert_eq!(
        found,
        json!([
        {"id": "ctc_R_0", "type": "custom_tool_call", "call_id": "c0", "name": "exec", "namespace": "functions", "input": "1", "status": "completed"},
        {"id": "ctc_R_1", "type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": "a\nb", "status": "completed"},
        {"id": "fc_R_2", "type": "function_call", "call_id": "c2", "name": "get", "namespace": "mcp", "arguments": "{}", "status": "completed"},
        {"id": "fc_R_3", "type": "function_call", "call_id": "call_R_3", "name": "other", "arguments": "{}", "status": "completed"}])
    );
}

/// Every kind of state that an answer can hold comes back to its place.
#[test]
fn state_survives_a_round_trip() {
    for message in [
        json!({"role": "assistant", "content": "x", "reasoning_details": [
            {"type": "reasoning.text", "text": "hm \"so\"", "signature": "S=", "format": "anthropic"},
            {"type": "reasoning.encrypted", "data": "D=", "format": "anthropic"},
            {"type": "reasoning.text", "text": "", "signature": "T", "format": "anthropic"}]}),
        json!({"role": "assistant", "content": null, "reasoning_details": [{"type": "reasoning.summary", "summary": "s", "format": "x"}],
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"},
                "extra_content": {"google": {"thought_signature": "G"}}}]}),
        json!({"role": "assistant", "content": "x", "extra_content": {"google": {"a": 1}}}),
        json!({"role": "assistant", "content": [
            {"type": "text", "text": "a"},
            {"type": "image_url", "image_url": {"url": "data:image/webp;base64,AAAA"}},
            {"type": "text", "text": "", "extra_content": {"google": {"thought_signature": "H"}}},
            {"type": "text", "text": "b", "citations": [{"type": "char_location"}]},
            {"type": "vendor", "vendor": "anthropic", "value": {"type": "server_tool_use"}}]}),
        json!({"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            "reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "S", "format": "anthropic"}],
            "order": ["content:0", "reasoning:0", "content:1", "tool_call:0"]}),
        json!({"role": "assistant", "content": "x", "annotations": [
            {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 1, "title": "t", "url": "u"}},
            {"type": "vendor", "vendor": "gemini", "value": {"a": 1}}]}),
        json!({"role": "assistant", "content": "x", "reasoning_details": [{"type": "reasoning.encrypted", "data": "gAA", "format": "openai"}]}),
    ] {
        let output = output(message.clone(), "stop");
        let mut back = returned(&output);
        let mut back = back[0].take();
        if message["content"].is_null() {
            back["content"] = Value::Null;
        }
        assert_eq!(back, message, "by way of {output:#}");
    }
}

#[test]
fn openais_state_is_not_sealed() {
    let found = output(
        json!({"content": "x", "reasoning_details": [{"type": "reasoning.encrypted", "data": "gAA", "format": "openai"}]}),
        "stop",
    );
    assert_eq!(found[0]["encrypted_content"], "gAA");
    let found = output(json!({"content": "x", "reasoning_content": "hm"}), "stop");
    assert_eq!(
        found[0],
        json!({"id": "rs_R_0", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": null})
    );
}

#[test]
fn annotations_and_probabilities_stand_with_the_text() {
    let mut answer = completion(
        json!({"content": "x", "annotations": [
        {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 1, "title": "t", "url": "u"}}]}),
        "stop",
    );
    answer["choices"][0]["logprobs"] =
        json!({"content": [{"token": "x", "logprob": -0.5, "bytes": [120], "top_logprobs": []}]});
    let part = answered(json!({}), &answer)["output"][0]["content"][0].take();
    assert_eq!(
        part["annotations"],
        json!([{"type": "url_citation", "start_index": 0, "end_index": 1, "title": "t", "url": "u"}])
    );
    assert_eq!(part["logprobs"][0]["token"], "x");
}

#[test]
fn an_adapters_nonsense_is_its_fault() {
    for answer in [
        "{}",
        "[]",
        r#"{"choices":[]}"#,
        r#"{"choices":[{"index":0,"message":{"tool_calls":[{"function":{}}]}}]}"#,
    ] {
        let error = OpenAiResponses.whole(&facts(), answer.as_bytes()).expect_err(answer);
        assert_eq!(error.kind, Kind::Adapter, "{answer}");
    }
}

#[test]
fn an_unknown_model_is_a_bad_request_here() {
    let error = GatewayError::client(Kind::ModelNotFound, "there is no model `x`");
    assert_eq!(OpenAiResponses.error_status(&error), 400);
    assert_eq!(OpenAiResponses.error_status(&GatewayError::client(Kind::RateLimited, "")), 429);
    let body: Value = serde_json::from_slice(&OpenAiResponses.error(&error, "R")).expect("JSON");
    assert_eq!(body["error"]["code"], "model_not_found");
}
