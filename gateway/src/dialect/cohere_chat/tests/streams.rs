//! Streams: canonical chunks in, Cohere's events out.

use serde_json::{Value, json};

use super::{facts, read};
use crate::dialect::cohere_chat::CohereChat;
use crate::dialect::{Dialect, StreamWriter};
use crate::error::{GatewayError, Kind};

fn delta(delta: Value) -> Value {
    json!({ "id": "x", "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] })
}

fn call(index: usize, id: &str, arguments: &str) -> Value {
    let function = json!({ "name": format!("f{index}"), "arguments": arguments });
    delta(json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": function }] }))
}

fn more(index: usize, arguments: &str) -> Value {
    delta(json!({ "tool_calls": [{ "index": index, "function": { "arguments": arguments } }] }))
}

fn finish(reason: &str) -> Value {
    json!({ "id": "x", "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] })
}

fn writer() -> Box<dyn StreamWriter> {
    CohereChat.stream(&facts(), &read(r#"{"model":"m","stream":true,"messages":[]}"#).expect("facts"))
}

/// The events, names and data checked against each other; `[DONE]` is a string.
fn events(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).expect("a stream is text");
    let framed = text.split("\n\n").filter(|event| !event.is_empty());
    framed
        .map(|event| {
            if event == "data: [DONE]" {
                return json!("[DONE]");
            }
            let (name, data) = event.split_once("\ndata: ").expect("an event has a name and data");
            let data: Value = serde_json::from_str(data).expect("data is JSON");
            assert_eq!(name, format!("event: {}", data["type"].as_str().unwrap_or_default()));
            data
        })
        .collect()
}

fn write(chunks: &[Value]) -> Vec<Value> {
    let mut writer = writer();
    let mut out = Vec::new();
    for chunk in chunks {
        writer.chunk(chunk.to_string().as_bytes(), &mut out).expect("a legal chunk");
    }
    writer.finish(&mut out);
    events(&out)
}

/// One line per event, so that a case can be read.
fn check(chunks: &[Value], wanted: &[&str]) {
    let lines: Vec<String> = write(chunks)
        .iter()
        .map(|event| {
            let (kind, index) = (event["type"].as_str().unwrap_or_default(), &event["index"]);
            match kind {
                "" => "done".to_owned(),
                "message-start" => "start".to_owned(),
                "message-end" => event["delta"]["finish_reason"].as_str().unwrap_or_default().to_owned(),
                _ if kind.ends_with("-end") => format!("{kind} {index}"),
                _ => {
                    let message = event["delta"]["message"].as_object().expect("a message");
                    let (_, said) = message.iter().next().expect("something new");
                    format!("{kind} {index} {said}")
                }
            }
        })
        .collect();
    let (first, rest) = lines.split_first().expect("events");
    let (last, between) = rest.split_last().expect("events");
    assert_eq!((first.as_str(), last.as_str()), ("start", "done"));
    assert_eq!(between, wanted);
}

#[test]
fn a_text_from_start_to_end() {
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 7, "completion_tokens": 2 } });
    let chunks = [
        delta(json!({ "role": "assistant", "content": "" })),
        delta(json!({ "content": "h\u{e9}\n" })),
        finish("stop"),
        usage,
    ];
    let sides = json!({ "input_tokens": 7, "output_tokens": 2 });
    assert_eq!(
        write(&chunks),
        [
            json!({ "id": "x", "type": "message-start", "delta": { "message": {
                "role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": [] } } }),
            json!({ "type": "content-start", "index": 0, "delta": { "message": { "content": { "type": "text", "text": "" } } } }),
            json!({ "type": "content-delta", "index": 0, "delta": { "message": { "content": { "text": "h\u{e9}\n" } } } }),
            json!({ "type": "content-end", "index": 0 }),
            json!({ "type": "message-end", "delta": { "finish_reason": "COMPLETE", "usage": { "billed_units": sides, "tokens": sides } } }),
            json!("[DONE]"),
        ]
    );
}

#[test]
fn a_stream_that_says_nothing_is_whole_all_the_same() {
    check(&[], &["COMPLETE"]);
}

#[test]
fn plans_thoughts_and_calls_one_after_the_other() {
    let reasoning = |entry: Value| delta(json!({ "reasoning_details": [entry] }));
    check(
        &[
            reasoning(json!({ "index": 0, "type": "reasoning.text", "format": "anthropic", "text": "hm" })),
            reasoning(json!({ "index": 0, "signature": "si" })),
            reasoning(json!({ "index": 0, "signature": "g" })),
            reasoning(
                json!({ "index": 1, "type": "reasoning.summary", "format": "cohere", "summary": "I " }),
            ),
            reasoning(json!({ "index": 1, "summary": "will" })),
            call(0, "a", ""),
            call(1, "", "{\"y\":2}"),
            more(0, "{}"),
            finish("tool_calls"),
        ],
        &[
            r#"content-start 0 {"thinking":"","type":"thinking"}"#,
            r#"content-delta 0 {"thinking":"hm"}"#,
            r#"content-delta 0 {"signature":"causeway:anthropic:sig"}"#,
            "content-end 0",
            r#"tool-plan-delta null "I ""#,
            r#"tool-plan-delta null "will""#,
            r#"tool-call-start 0 {"function":{"arguments":"","name":"f0"},"id":"a","type":"function"}"#,
            r#"tool-call-delta 0 {"function":{"arguments":"{}"}}"#,
            "tool-call-end 0",
            r#"tool-call-start 1 {"function":{"arguments":"","name":"f1"},"id":"call_01J_1","type":"function"}"#,
            r#"tool-call-delta 1 {"function":{"arguments":"{\"y\":2}"}}"#,
            "tool-call-end 1",
            "TOOL_CALL",
        ],
    );
}

#[test]
fn citations_stand_in_the_open_block() {
    check(
        &[
            delta(
                json!({ "content": "a", "annotations": [{ "type": "vendor", "vendor": "cohere", "value": { "start": 0 } }] }),
            ),
            delta(json!({ "content": "b" })),
            finish("stop"),
        ],
        &[
            r#"content-start 0 {"text":"","type":"text"}"#,
            r#"content-delta 0 {"text":"a"}"#,
            r#"citation-start 0 {"start":0}"#,
            "citation-end 0",
            r#"content-delta 0 {"text":"b"}"#,
            "content-end 0",
            "COMPLETE",
        ],
    );
}

#[test]
fn a_failure_is_an_end_that_says_so() {
    for (kind, word) in [(Kind::Provider, "ERROR"), (Kind::Timeout, "TIMEOUT")] {
        let mut writer = writer();
        let mut out = Vec::new();
        writer.chunk(delta(json!({ "content": "a" })).to_string().as_bytes(), &mut out).expect("a chunk");
        writer.fail(&GatewayError::upstream(kind, "broken"), "r", &mut out);
        let told = events(&out);
        let last = told.last().expect("events");
        assert_eq!(last["delta"], json!({ "error": "broken", "finish_reason": word }));
        assert!(!told.contains(&json!("[DONE]")));
    }
}

#[test]
fn chunks_that_make_no_sense_are_the_adapters_fault() {
    let mut out = Vec::new();
    for line in ["{", r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":3}]}}]}"#] {
        let error = writer().chunk(line.as_bytes(), &mut out).expect_err(line);
        assert_eq!(error.kind, Kind::Adapter, "{line}");
    }
}
