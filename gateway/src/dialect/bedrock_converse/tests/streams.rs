//! Streams: canonical chunks in, frames out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{facts, frames, read};
use crate::dialect::bedrock_converse::BedrockConverse;
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
    let envelope = read("/model/m/converse-stream", r#"{"messages":[]}"#).expect("facts");
    BedrockConverse.stream(&facts(), &envelope)
}

fn write(chunks: &[Value]) -> Result<Vec<(String, String, Value)>, GatewayError> {
    let mut writer = writer();
    let mut out = Vec::new();
    for chunk in chunks {
        writer.chunk(chunk.to_string().as_bytes(), &mut out)?;
    }
    writer.took(std::time::Duration::from_millis(55));
    writer.finish(&mut out);
    Ok(frames(&out))
}

/// One line per event, so that a case can be read.
fn check(chunks: &[Value], wanted: &[&str]) {
    let line = |(kind, name, payload): &(String, String, Value)| {
        assert_eq!(kind, "event");
        let at = &payload["contentBlockIndex"];
        match name.as_str() {
            "contentBlockStart" => format!("{at} {}", payload["start"]),
            "contentBlockDelta" => format!("{at} + {}", payload["delta"]),
            "contentBlockStop" => format!("{at} ."),
            "messageStop" => payload["stopReason"].as_str().unwrap_or_default().to_owned(),
            other => other.to_owned(),
        }
    };
    let lines: Vec<_> = write(chunks).expect("legal chunks").iter().map(line).collect();
    let (first, rest) = lines.split_first().expect("events");
    let (last, between) = rest.split_last().expect("events");
    assert_eq!((first.as_str(), last.as_str()), ("messageStart", "metadata"));
    assert_eq!(between, wanted);
}

#[test]
fn a_text_from_start_to_end() {
    let mut last = finish("stop");
    last["choices"][0]["vendor"] =
        json!({ "bedrock": { "trace": { "t": 1 }, "additionalModelResponseFields": { "a": 1 } } });
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 7, "completion_tokens": 2,
        "prompt_tokens_details": { "cached_tokens": 3 } } });
    let chunks = [
        delta(json!({ "role": "assistant", "content": "" })),
        delta(json!({ "content": "h\u{e9}\n" })),
        delta(json!({ "content": "\"y\"" })),
        last,
        usage,
    ];
    let event = |name: &str, payload: Value| ("event".to_owned(), name.to_owned(), payload);
    assert_eq!(
        write(&chunks).expect("legal chunks"),
        [
            event("messageStart", json!({ "role": "assistant" })),
            event("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": "h\u{e9}\n" } })),
            event("contentBlockDelta", json!({ "contentBlockIndex": 0, "delta": { "text": "\"y\"" } })),
            event("contentBlockStop", json!({ "contentBlockIndex": 0 })),
            event(
                "messageStop",
                json!({ "stopReason": "end_turn", "additionalModelResponseFields": { "a": 1 } })
            ),
            event(
                "metadata",
                json!({
                    "usage": { "inputTokens": 4, "outputTokens": 2, "totalTokens": 9, "cacheReadInputTokens": 3 },
                    "metrics": { "latencyMs": 55 }, "trace": { "t": 1 },
                })
            ),
        ]
    );
}

#[test]
fn a_stream_that_says_nothing_is_whole_all_the_same() {
    check(&[], &["end_turn"]);
}

#[test]
fn calls_that_interleave_are_told_one_after_the_other() {
    check(
        &[
            delta(json!({ "content": "let me" })),
            call(0, "a", ""),
            more(0, "{\"x\":"),
            call(1, "b", "{\"y\""),
            more(1, ":2}"),
            more(0, "1}"),
            finish("tool_calls"),
        ],
        &[
            r#"0 + {"text":"let me"}"#,
            "0 .",
            r#"1 {"toolUse":{"name":"f0","toolUseId":"a"}}"#,
            r#"1 + {"toolUse":{"input":"{\"x\":"}}"#,
            r#"1 + {"toolUse":{"input":"1}"}}"#,
            "1 .",
            r#"2 {"toolUse":{"name":"f1","toolUseId":"b"}}"#,
            r#"2 + {"toolUse":{"input":"{\"y\""}}"#,
            r#"2 + {"toolUse":{"input":":2}"}}"#,
            "2 .",
            "tool_use",
        ],
    );
}

#[test]
fn thoughts_are_signed_in_one_piece_before_their_block_closes() {
    let reasoning = |entry: Value| delta(json!({ "reasoning_details": [entry] }));
    let redacted = format!(
        r#"1 + {{"reasoningContent":{{"redactedContent":"{}"}}}}"#,
        STANDARD.encode("causeway:openai:data")
    );
    check(
        &[
            reasoning(json!({ "index": 0, "type": "reasoning.text", "format": "anthropic", "text": "h" })),
            reasoning(json!({ "index": 0, "text": "m" })),
            reasoning(json!({ "index": 0, "signature": "si" })),
            reasoning(json!({ "index": 0, "signature": "g" })),
            reasoning(json!({ "index": 1, "type": "reasoning.encrypted", "format": "openai", "data": "da" })),
            reasoning(json!({ "index": 1, "data": "ta" })),
            delta(json!({ "reasoning_content": "plain" })),
            delta(json!({ "content": "so" })),
            finish("stop"),
        ],
        &[
            r#"0 + {"reasoningContent":{"text":"h"}}"#,
            r#"0 + {"reasoningContent":{"text":"m"}}"#,
            r#"0 + {"reasoningContent":{"signature":"causeway:anthropic:sig"}}"#,
            "0 .",
            &redacted,
            "1 .",
            r#"2 + {"reasoningContent":{"text":"plain"}}"#,
            "2 .",
            r#"3 + {"text":"so"}"#,
            "3 .",
            "end_turn",
        ],
    );
}

#[test]
fn whole_parts_citations_and_bedrocks_own_blocks() {
    check(
        &[
            delta(
                json!({ "content": "a", "annotations": [{ "type": "vendor", "vendor": "bedrock", "value": { "title": "t" } }] }),
            ),
            delta(json!({ "content_parts": [
                { "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } },
                { "type": "vendor", "vendor": "bedrock", "value": { "toolResult": { "toolUseId": "w" }, "pieces": [{ "toolResult": [{ "text": "r" }] }] } },
            ] })),
            finish("stop"),
        ],
        &[
            r#"0 + {"text":"a"}"#,
            r#"0 + {"citation":{"title":"t"}}"#,
            "0 .",
            r#"1 {"image":{"format":"png"}}"#,
            r#"1 + {"image":{"source":{"bytes":"AA=="}}}"#,
            "1 .",
            r#"2 {"toolResult":{"toolUseId":"w"}}"#,
            r#"2 + {"toolResult":[{"text":"r"}]}"#,
            "2 .",
            "end_turn",
        ],
    );
}

#[test]
fn a_failure_is_an_exception_and_no_end() {
    for (kind, name) in [
        (Kind::RateLimited, "throttlingException"),
        (Kind::Overloaded, "serviceUnavailableException"),
        (Kind::Malformed, "modelStreamErrorException"),
        (Kind::InvalidRequest, "validationException"),
        (Kind::Internal, "internalServerException"),
    ] {
        let mut writer = writer();
        let mut out = Vec::new();
        writer.chunk(delta(json!({ "content": "a" })).to_string().as_bytes(), &mut out).expect("a chunk");
        writer.fail(&GatewayError::upstream(kind, "broken"), "r", &mut out);
        let told = frames(&out);
        let (last, before) = told.split_last().expect("frames");
        assert_eq!(
            (last.0.as_str(), last.1.as_str(), &last.2["message"]),
            ("exception", name, &json!("broken"))
        );
        assert!(before.iter().all(|(kind, name, _)| kind == "event" && name != "messageStop"));
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
