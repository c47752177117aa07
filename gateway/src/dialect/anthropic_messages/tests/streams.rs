//! Streams: canonical chunks in, Anthropic's events out.

use serde_json::{Value, json};

use super::{events, facts, read};
use crate::dialect::Dialect;
use crate::dialect::anthropic_messages::AnthropicMessages;
use crate::error::{GatewayError, Kind};

fn delta(delta: Value) -> Value {
    json!({"id": "msg_1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [
        {"index": 0, "delta": delta, "finish_reason": null},
    ]})
}

fn call(index: usize, id: &str, name: &str, arguments: &str) -> Value {
    let function = json!({"name": name, "arguments": arguments});
    delta(json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]}))
}

fn more(index: usize, arguments: &str) -> Value {
    delta(json!({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}))
}

fn finish(reason: &str) -> Value {
    json!({"id": "msg_1", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn write(chunks: &[Value]) -> Result<Vec<u8>, GatewayError> {
    let envelope = read(r#"{"model":"claude","max_tokens":1,"stream":true,"messages":[]}"#)?;
    let mut writer = AnthropicMessages.stream(&facts(), &envelope);
    let mut out = Vec::new();
    for chunk in chunks {
        writer.chunk(chunk.to_string().as_bytes(), &mut out)?;
    }
    writer.finish(&mut out);
    Ok(out)
}

/// One line per event, so that a case can be read.
fn short(bytes: &[u8]) -> Vec<String> {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let line = |event: &Value| match event["type"].as_str().unwrap_or_default() {
        "content_block_start" => format!("{} {}", event["index"], word(&event["content_block"]["type"])),
        "content_block_delta" => {
            let delta = event["delta"].as_object().expect("a delta is an object");
            let said = delta.iter().find(|(name, _)| *name != "type").map(|(_, value)| word(value));
            format!("{} + {}", event["index"], said.unwrap_or_default())
        }
        "content_block_stop" => format!("{} .", event["index"]),
        "message_delta" => word(&event["delta"]["stop_reason"]),
        other => other.to_owned(),
    };
    events(bytes).iter().map(line).collect()
}

fn check(chunks: &[Value], wanted: &[&str]) {
    let written = write(chunks).expect("legal chunks");
    let mut lines = short(&written);
    assert_eq!(lines.first().map(String::as_str), Some("message_start"));
    assert_eq!(lines.pop().as_deref(), Some("message_stop"));
    assert_eq!(lines[1..], *wanted);
}

#[test]
fn a_text_from_start_to_stop() {
    let usage = json!({"id": "msg_1", "choices": [], "usage": {
        "prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22, "prompt_tokens_details": {"cached_tokens": 8},
    }});
    let mut last = finish("stop");
    last["choices"][0]["native_finish_reason"] = json!("pause_turn");
    last["choices"][0]["vendor"] =
        json!({"anthropic": {"stop_details": null, "context_management": {"applied_edits": []}}});
    let chunks = [
        delta(json!({"role": "assistant", "content": ""})),
        delta(json!({"content": "h\u{e9}\n"})),
        delta(json!({"content": "\"y\""})),
        last,
        usage,
    ];
    assert_eq!(
        events(&write(&chunks).expect("legal chunks")),
        [
            json!({"type": "message_start", "message": {
                "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
                "stop_reason": null, "stop_sequence": null,
                "usage": {"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0},
            }}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "h\u{e9}\n"}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "\"y\""}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "message_delta", "delta": {"stop_reason": "pause_turn", "stop_sequence": null, "stop_details": null},
                "usage": {"input_tokens": 12, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 8, "output_tokens": 2},
                "context_management": {"applied_edits": []}}),
            json!({"type": "message_stop"}),
        ]
    );
}

#[test]
fn thinking_is_signed_once_before_its_block_closes() {
    let reasoning = |entry: Value| delta(json!({"reasoning_details": [entry]}));
    check(
        &[
            reasoning(json!({"index": 0, "type": "reasoning.text", "format": "anthropic", "text": "h"})),
            reasoning(json!({"index": 0, "text": "m"})),
            reasoning(json!({"index": 0, "signature": "si"})),
            reasoning(json!({"index": 0, "signature": "g"})),
            reasoning(
                json!({"index": 1, "type": "reasoning.encrypted", "format": "anthropic", "data": "da"}),
            ),
            reasoning(json!({"index": 1, "data": "ta"})),
            delta(json!({"content": "so"})),
            finish("stop"),
        ],
        &[
            "0 thinking",
            "0 + h",
            "0 + m",
            "0 + sig",
            "0 .",
            "1 redacted_thinking",
            "1 .",
            "2 text",
            "2 + so",
            "2 .",
            "end_turn",
        ],
    );
    check(
        &[
            delta(json!({"reasoning_content": "a"})),
            delta(json!({"reasoning_content": "b"})),
            finish("length"),
        ],
        &["0 thinking", "0 + a", "0 + b", "0 .", "max_tokens"],
    );
    check(
        &[
            reasoning(json!({"index": 0, "type": "reasoning.text", "format": "gemini", "signature": "x"})),
            reasoning(json!({"index": 0, "signature": "y"})),
            finish("stop"),
        ],
        &["0 thinking", "0 + causeway:gemini:xy", "0 .", "end_turn"],
    );
}

#[test]
fn calls_in_a_row_are_not_held_back() {
    check(
        &[
            delta(json!({"content": "look"})),
            call(0, "a", "f", ""),
            more(0, "{\"x\":"),
            more(0, "\"}\"}"),
            call(1, "b", "g", "{}"),
            finish("tool_calls"),
        ],
        &[
            "0 text",
            "0 + look",
            "0 .",
            "1 tool_use",
            "1 + {\"x\":",
            "1 + \"}\"}",
            "1 .",
            "2 tool_use",
            "2 + {}",
            "2 .",
            "tool_use",
        ],
    );
}

#[test]
fn interleaved_calls_do_not_interleave_blocks() {
    check(
        &[
            call(0, "a", "f", ""),
            call(1, "b", "g", "{"),
            more(0, "{\"a\""),
            more(1, "\"b\""),
            call(2, "c", "h", ""),
            more(0, ":1}"),
            more(1, ":2}"),
            delta(json!({"content": "done"})),
            finish("stop"),
        ],
        &[
            "0 tool_use",
            "0 + {\"a\"",
            "0 + :1}",
            "0 .",
            "1 tool_use",
            "1 + {",
            "1 + \"b\"",
            "1 + :2}",
            "1 .",
            "2 tool_use",
            "2 .",
            "3 text",
            "3 + done",
            "3 .",
            "tool_use",
        ],
    );
}

#[test]
fn whole_parts_and_state_get_blocks_of_their_own() {
    let search = json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}});
    let written = write(&[
        delta(json!({"content_parts": [{"type": "vendor", "vendor": "anthropic", "value": search}]})),
        delta(json!({"content": "cited"})),
        delta(json!({"annotations": [{"type": "vendor", "vendor": "anthropic", "value": {"type": "page_location"}}]})),
        delta(json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {}}}]})),
        finish("tool_calls"),
    ])
    .expect("legal chunks");
    let lines = short(&written);
    assert_eq!(
        lines[1..],
        [
            "0 server_tool_use",
            "0 + {\"q\":1}",
            "0 .",
            "1 text",
            "1 + cited",
            "1 + {\"type\":\"page_location\"}",
            "1 .",
            "2 tool_use",
            "2 + {}",
            "2 .",
            "3 redacted_thinking",
            "3 .",
            "tool_use",
            "message_stop",
        ]
    );
    assert_eq!(events(&written)[1]["content_block"]["input"], json!({}));
}

#[test]
fn a_failed_stream_has_no_success_terminator() {
    let envelope = read(r#"{"model":"claude","max_tokens":1,"messages":[]}"#).expect("a legal request");
    let mut writer = AnthropicMessages.stream(&facts(), &envelope);
    let mut out = Vec::new();
    writer.chunk(delta(json!({"content": "x"})).to_string().as_bytes(), &mut out).expect("a legal chunk");
    writer.keep_alive(&mut out);
    writer.fail(&GatewayError::upstream(Kind::Overloaded, "busy"), "req_1", &mut out);
    let written = events(&out);
    let last = written.last().expect("an error event");
    assert_eq!(
        *last,
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}, "request_id": "req_1"})
    );
    assert!(!String::from_utf8_lossy(&out).contains("message_stop"));
    assert!(written.iter().any(|event| event["type"] == "ping"));
}

#[test]
fn an_answer_without_words_is_still_an_answer() {
    check(&[], &["end_turn"]);
    check(&[finish("content_filter")], &["refusal"]);
    check(&[delta(json!({"refusal": "no"})), finish("stop")], &["0 text", "0 + no", "0 .", "refusal"]);
}

#[test]
fn chunks_that_break_the_contract_are_the_adapters_fault() {
    let cases = [
        vec![call(1, "a", "f", "{}")],
        vec![more(0, "{}")],
        vec![call(0, "a", "f", "{}"), call(1, "b", "g", ""), more(0, "{}")],
        vec![json!("chunk")],
    ];
    for chunks in cases {
        assert_eq!(write(&chunks).expect_err("illegal chunks").kind, Kind::Adapter);
    }
}

/// Deltas in an order that depends on `seed`, and what each call's arguments must be in the end.
fn shuffled(seed: u64) -> (Vec<Value>, Vec<String>) {
    let mut state = seed;
    let mut dice = move |sides: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % sides
    };
    let (mut chunks, mut calls) = (Vec::new(), Vec::<(String, usize)>::new());
    for _ in 0..40 {
        match dice(6) {
            0 => chunks.push(delta(json!({"content": "t"}))),
            1 => chunks.push(delta(json!({"reasoning_content": "r"}))),
            2 => {
                let arguments = format!("{{\"k{0}\":\"}}{{\\\"{0}\"}}", calls.len());
                chunks.push(call(calls.len(), "", "f", ""));
                calls.push((arguments, 0));
            }
            _ if calls.is_empty() => {}
            _ => {
                let index = dice(calls.len());
                let (arguments, sent) = &mut calls[index];
                let end = (*sent + 1 + dice(4)).min(arguments.len());
                if end > *sent {
                    chunks.push(more(index, &arguments[*sent..end]));
                    *sent = end;
                }
            }
        }
    }
    for (index, (arguments, sent)) in calls.iter().enumerate() {
        chunks.push(more(index, &arguments[*sent..]));
    }
    chunks.push(finish("tool_calls"));
    (chunks, calls.into_iter().map(|(arguments, _)| arguments).collect())
}

#[test]
fn whatever_interleaves_comes_out_block_by_block_and_whole() {
    for seed in 0..300 {
        let (chunks, wanted) = shuffled(seed);
        let written = events(&write(&chunks).expect("legal chunks"));
        let (mut open, mut next, mut texts, mut arguments) = (None, 0, 0, Vec::new());
        for event in &written[1..written.len() - 2] {
            let index = event["index"].as_u64().expect("an index");
            match event["type"].as_str() {
                Some("content_block_start") => {
                    assert_eq!((open, index), (None, next), "seed {seed}");
                    open = Some(index);
                    next += 1;
                    if event["content_block"]["type"] == "tool_use" {
                        arguments.push(String::new());
                    }
                }
                Some("content_block_stop") => assert_eq!(open.take(), Some(index), "seed {seed}"),
                _ => {
                    assert_eq!(open, Some(index), "seed {seed}");
                    let said = &event["delta"];
                    match (said["partial_json"].as_str(), arguments.last_mut()) {
                        (Some(piece), Some(last)) => last.push_str(piece),
                        _ => texts += 1,
                    }
                }
            }
        }
        let said = |chunk: &&Value| {
            let delta = &chunk["choices"][0]["delta"];
            delta["content"].is_string() || delta["reasoning_content"].is_string()
        };
        assert_eq!(open, None, "seed {seed}");
        assert_eq!((arguments, texts), (wanted, chunks.iter().filter(said).count()), "seed {seed}");
    }
}

/// Claude Code prints the last block of an answer if it is text, and many programs only look at the first.
#[test]
fn a_text_stays_the_only_block_when_state_of_others_comes_with_it() {
    let state = json!({"google": {"thought_signature": "s"}});
    check(
        &[delta(json!({"content": "so"})), delta(json!({"extra_content": state})), finish("stop")],
        &["0 text", "0 + so", "0 .", "end_turn"],
    );
    check(
        &[
            delta(json!({"content": "so"})),
            delta(json!({"extra_content": state})),
            call(0, "a", "f", "{}"),
            finish("tool_calls"),
        ],
        &["0 text", "0 + so", "0 .", "1 redacted_thinking", "1 .", "2 tool_use", "2 + {}", "2 .", "tool_use"],
    );
    check(
        &[delta(json!({"extra_content": state})), finish("stop")],
        &["0 redacted_thinking", "0 .", "end_turn"],
    );
}
