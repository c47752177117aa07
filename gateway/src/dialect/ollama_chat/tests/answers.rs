//! Canonical answers and chunks in Ollama's words.

use serde_json::{Value, json};

use super::{facts, lines, read};
use crate::dialect::ollama_chat::OllamaChat;
use crate::dialect::{Dialect as _, StreamWriter};
use crate::error::{GatewayError, Kind};

fn whole(choice: &Value, usage: &Value) -> Result<Value, GatewayError> {
    let canonical = json!({
        "id": "x", "object": "chat.completion", "created": 0, "model": "real", "choices": [choice], "usage": usage,
    });
    let answer = OllamaChat.whole(&facts(), canonical.to_string().as_bytes())?;
    Ok(serde_json::from_slice(&answer).expect("JSON"))
}

fn writer() -> Box<dyn StreamWriter> {
    OllamaChat.stream(&facts(), &read(r#"{"model":"m","messages":[]}"#).expect("reads"))
}

/// All lines of a stream of these choices, ended well.
fn streamed(chunks: &[Value]) -> Vec<Value> {
    let (mut writer, mut out) = (writer(), Vec::new());
    for chunk in chunks {
        writer.chunk(chunk.to_string().as_bytes(), &mut out).expect("canonical");
    }
    writer.finish(&mut out);
    lines(&out)
}

fn delta(delta: &Value) -> Value {
    json!({ "id": "x", "model": "real", "choices": [{ "index": 0, "delta": delta }] })
}

fn ending(reason: &str) -> Value {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] })
}

fn line(message: &Value) -> Value {
    json!({ "model": "public", "created_at": "2023-11-14T22:13:20Z", "message": message, "done": false })
}

#[test]
fn a_whole_answer_holds_everything_ollama_has_a_place_for() {
    let choice = json!({
        "index": 0, "finish_reason": "tool_calls",
        "message": {
            "role": "assistant", "content": "Let me see.", "reasoning_content": "hm",
            "reasoning_details": [{ "type": "reasoning.text", "text": "hm", "signature": "s", "format": "anthropic" }],
            "tool_calls": [{ "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{\n\"a\": 1}" } }],
        },
        "logprobs": { "content": [{ "token": "L", "logprob": -0.5, "bytes": [76], "top_logprobs": [] }] },
    });
    let answer = whole(&choice, &json!({ "prompt_tokens": 5, "completion_tokens": 3 })).expect("written");
    let expected = json!({
        "model": "public", "created_at": "2023-11-14T22:13:20Z",
        "message": {
            "role": "assistant", "content": "Let me see.", "thinking": "hm",
            "tool_calls": [{ "id": "c1", "function": { "index": 0, "name": "f", "arguments": { "a": 1 } } }],
            "reasoning_details": [{ "type": "reasoning.text", "text": "hm", "signature": "s", "format": "anthropic" }],
        },
        "done": true, "done_reason": "stop", "total_duration": 77,
        "logprobs": [{ "token": "L", "logprob": -0.5, "bytes": [76], "top_logprobs": [] }],
        "prompt_eval_count": 5, "eval_count": 3,
    });
    assert_eq!(answer, expected);
}

#[test]
fn parts_pictures_and_refusals_are_told_as_text_and_images() {
    let content = json!([
        { "type": "text", "text": "a" },
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } },
        { "type": "text", "text": "b" },
    ]);
    let choice = json!({ "message": { "content": content }, "finish_reason": "length" });
    let answer = whole(&choice, &Value::Null).expect("written");
    assert_eq!(answer["message"], json!({ "role": "assistant", "content": "ab", "images": ["AAAA"] }));
    assert_eq!(answer["done_reason"], "length");
    assert_eq!(answer.get("prompt_eval_count"), None, "what nobody counted is not told");
    let choice =
        json!({ "message": { "content": null, "refusal": "no" }, "finish_reason": "content_filter" });
    let answer = whole(&choice, &Value::Null).expect("written");
    assert_eq!(answer["message"]["content"], "no");
    assert_eq!(answer["done_reason"], "content_filter");
}

#[test]
fn a_call_whose_arguments_are_no_object_fails_the_answer() {
    let call = json!([{ "id": "c", "function": { "name": "f", "arguments": "{\"a\":" } }]);
    let choice = |reason: &str| json!({ "message": { "tool_calls": call }, "finish_reason": reason });
    let error = whole(&choice("tool_calls"), &Value::Null).expect_err("broken");
    assert_eq!(error.kind, Kind::Malformed);
    // Cut at its length, an answer is what it is.
    let answer = whole(&choice("length"), &Value::Null).expect("written");
    assert_eq!(answer["message"], json!({ "role": "assistant", "content": "" }));
    let nonsense = OllamaChat.whole(&facts(), b"[]").expect_err("no answer");
    assert_eq!(nonsense.kind, Kind::Adapter);
}

#[test]
fn a_stream_is_lines_and_its_last_says_how_it_ended() {
    let told = streamed(&[
        delta(&json!({ "role": "assistant", "content": "" })),
        delta(&json!({ "reasoning_content": "hm" })),
        delta(&json!({ "content": "Hel" })),
        delta(&json!({ "content": "lo" })),
        ending("stop"),
        json!({ "choices": [], "usage": { "prompt_tokens": 4, "completion_tokens": 2 } }),
    ]);
    let mut last = line(&json!({ "role": "assistant", "content": "" }));
    for (name, value) in [
        ("done", json!(true)),
        ("done_reason", json!("stop")),
        ("prompt_eval_count", json!(4)),
        ("eval_count", json!(2)),
    ] {
        last[name] = value;
    }
    let expected = [
        line(&json!({ "role": "assistant", "content": "", "thinking": "hm" })),
        line(&json!({ "role": "assistant", "content": "Hel" })),
        line(&json!({ "role": "assistant", "content": "lo" })),
        last,
    ];
    assert_eq!(told, expected);
}

#[test]
fn calls_are_told_whole_however_they_come() {
    let piece = |index: u64, head: Option<(&str, &str)>, arguments: &str| {
        let mut call = json!({ "index": index, "function": { "arguments": arguments } });
        if let Some((id, name)) = head {
            call["id"] = id.into();
            call["function"]["name"] = name.into();
        }
        delta(&json!({ "tool_calls": [call] }))
    };
    let told = streamed(&[
        piece(0, Some(("c0", "f")), ""),
        piece(0, None, "{\"a\":"),
        piece(1, Some(("c1", "g")), ""),
        piece(0, None, "1}"),
        piece(1, None, "{}"),
        delta(&json!({ "content": "after" })),
        piece(2, Some(("c2", "h")), ""),
        ending("tool_calls"),
    ]);
    let call = |id: &str, index: u64, name: &str, arguments: Value| json!({ "id": id, "function": { "index": index, "name": name, "arguments": arguments } });
    let calls = json!([call("c0", 0, "f", json!({ "a": 1 })), call("c1", 1, "g", json!({}))]);
    assert_eq!(told[0], line(&json!({ "role": "assistant", "content": "", "tool_calls": calls })));
    assert_eq!(told[1], line(&json!({ "role": "assistant", "content": "after" })));
    let calls = json!([call("c2", 2, "h", json!({}))]);
    assert_eq!(told[2], line(&json!({ "role": "assistant", "content": "", "tool_calls": calls })));
    assert_eq!(told[3]["done_reason"], "stop");
    assert_eq!(told.len(), 4);
}

#[test]
fn state_of_thoughts_is_gathered_and_told_last() {
    let detail = |index: u64, more: Value| {
        let mut detail = json!({ "index": index });
        detail.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        delta(&json!({ "reasoning_content": more.get("text"), "reasoning_details": [detail] }))
    };
    let told = streamed(&[
        detail(0, json!({ "type": "reasoning.text", "format": "anthropic", "text": "a" })),
        detail(0, json!({ "text": "b" })),
        detail(0, json!({ "signature": "s1" })),
        detail(0, json!({ "signature": "s2" })),
        detail(1, json!({ "type": "reasoning.encrypted", "format": "anthropic", "data": "d" })),
        ending("stop"),
    ]);
    let expected = json!([
        { "type": "reasoning.text", "format": "anthropic", "text": "ab", "signature": "s1s2" },
        { "type": "reasoning.encrypted", "format": "anthropic", "data": "d" },
    ]);
    assert_eq!(told[2]["message"]["reasoning_details"], expected);
    assert_eq!((told.len(), &told[1]["message"]["thinking"]), (3, &json!("b")));
    // Text alone stands in `thinking`.
    let told = streamed(&[detail(0, json!({ "type": "reasoning.text", "text": "a" })), ending("stop")]);
    assert_eq!(told[1]["message"].get("reasoning_details"), None);
}

#[test]
fn a_stream_that_fails_says_so_in_one_line_and_has_no_end() {
    let (mut writer, mut out) = (writer(), Vec::new());
    assert_eq!(writer.content_type(), "application/x-ndjson");
    writer.chunk(delta(&json!({ "content": "Hel" })).to_string().as_bytes(), &mut out).expect("canonical");
    writer.keep_alive(&mut out);
    writer.fail(&GatewayError::upstream(Kind::Malformed, "cut"), "R", &mut out);
    writer.finish(&mut out);
    let told = lines(&out);
    assert_eq!(told[1..], [json!({ "error": "cut" })]);
}

#[test]
fn a_stream_is_measured() {
    let (mut writer, mut out) = (writer(), Vec::new());
    writer.finish(&mut out);
    let last: Value = serde_json::from_slice(&out).expect("one line");
    assert!(last["total_duration"].as_u64() >= Some(77), "{last}");
    assert!(last["prompt_eval_duration"].as_u64() >= Some(77), "{last}");
    assert!(last["eval_duration"].is_u64(), "{last}");
}

#[test]
fn an_error_is_one_text() {
    let text = |error: &GatewayError| {
        serde_json::from_slice::<Value>(&OllamaChat.error(error, "R")).expect("JSON")["error"].clone()
    };
    assert_eq!(text(&GatewayError::invalid("think", "no \"x\"")), "no \"x\"");
    let unknown = GatewayError::client(Kind::ModelNotFound, "the model `x` does not exist");
    assert_eq!(text(&unknown), "model not found: the model `x` does not exist");
}
