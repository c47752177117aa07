//! Whatever a vendor streams, in whatever pieces: the client of every API gets the same texts, thoughts and calls.

use serde_json::{Value, json};

use super::generate::{Block, Random, summed};
use super::hold;
use crate::support::Shape;
use crate::support::sse;
use crate::support::translation::*;

#[test]
fn texts_thoughts_and_arguments_are_kept_by_every_pair_however_they_come() {
    hold(&[], 12, |random| {
        let blocks = random.blocks();
        let expected = summed(&blocks);
        for vendor in ALL {
            let stream = match vendor.adapter {
                "anthropic" => anthropic(&blocks, random).into_bytes(),
                "bedrock" => bedrock(&blocks, random),
                "cohere" => cohere(&blocks, random).into_bytes(),
                "gemini" => gemini(&blocks, random).into_bytes(),
                "mistral" => openai(&blocks, random, mistral_thought).into_bytes(),
                "ollama" => ollama(&blocks, random).into_bytes(),
                _ => openai(&blocks, random, |text| json!({ "reasoning_content": text })).into_bytes(),
            };
            for path in [CHAT, MESSAGES, GEMINI_STREAM, RESPONSES] {
                let asked = match path {
                    CHAT => chat(json!([user("go")]), json!({ "stream": true })),
                    MESSAGES => messages(json!([user("go")]), json!({ "stream": true })),
                    RESPONSES => json!({ "model": "m", "input": "go", "stream": true }),
                    _ => json!({ "contents": [{ "parts": [{ "text": "go" }] }] }),
                };
                let slices = random.slices(&stream);
                let client = vendor.streams(path, &asked, slices);
                let found = read(path, &client);
                assert_eq!(found, expected, "{} → {path}\n{blocks:?}\n{client}", vendor.adapter);
            }
        }
    });
}

fn read(path: &str, stream: &str) -> (String, String, Vec<(String, Value)>) {
    let shape = match path {
        CHAT => Shape::OpenAi,
        MESSAGES => Shape::Anthropic,
        RESPONSES => return read_responses(stream),
        _ => Shape::Gemini,
    };
    let said = shape.streamed(&sse::events(stream));
    let calls = said.calls.into_iter().map(|call| (call.name, call.arguments)).collect();
    (said.text, said.reasoning, calls)
}

/// By its pieces, not by what stands whole at the end; both must agree.
fn read_responses(stream: &str) -> (String, String, Vec<(String, Value)>) {
    let events = data(stream);
    let of = |kind: &str| events.iter().filter(move |event| event["type"] == kind).collect::<Vec<_>>();
    let joined = |kind: &str| of(kind).iter().filter_map(|event| event["delta"].as_str()).collect::<String>();
    let mut calls = Vec::new();
    for added in of("response.output_item.added") {
        if added["item"]["type"] != "function_call" {
            continue;
        }
        let own = |event: &&&Value| event["output_index"] == added["output_index"];
        let deltas = of("response.function_call_arguments.delta");
        let arguments: String =
            deltas.iter().filter(own).filter_map(|event| event["delta"].as_str()).collect();
        let done = of("response.function_call_arguments.done");
        let whole = done.iter().find(own).unwrap()["arguments"].as_str().unwrap();
        assert!(arguments.is_empty() || arguments == whole, "{arguments} is not {whole}");
        calls
            .push((added["item"]["name"].as_str().unwrap().to_owned(), serde_json::from_str(whole).unwrap()));
    }
    let thought = joined("response.reasoning_summary_text.delta") + &joined("response.reasoning_text.delta");
    (joined("response.output_text.delta"), thought, calls)
}

fn called(blocks: &[Block]) -> bool {
    blocks.iter().any(|block| matches!(block, Block::Call { .. }))
}

fn anthropic(blocks: &[Block], random: &mut Random) -> String {
    let start = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 3, "output_tokens": 1 } });
    let mut events = vec![json!({ "type": "message_start", "message": start })];
    for (index, block) in blocks.iter().enumerate() {
        let (start, field, kind, text) = match block {
            Block::Text(text) => (json!({ "type": "text", "text": "" }), "text", "text_delta", text.clone()),
            Block::Thought(text) => (
                json!({ "type": "thinking", "thinking": "", "signature": "" }),
                "thinking",
                "thinking_delta",
                text.clone(),
            ),
            Block::Call { id, name, arguments } => (
                json!({ "type": "tool_use", "id": id, "name": name, "input": {} }),
                "partial_json",
                "input_json_delta",
                arguments.to_string(),
            ),
        };
        events.push(json!({ "type": "content_block_start", "index": index, "content_block": start }));
        // A tool without arguments gets no piece at all.
        let pieces = if text == "{}" { Vec::new() } else { random.pieces(&text) };
        for piece in pieces {
            let delta = json!({ "type": kind, field: piece });
            events.push(json!({ "type": "content_block_delta", "index": index, "delta": delta }));
            if random.chance(10) {
                events.push(json!({ "type": "ping" }));
            }
        }
        if kind == "thinking_delta" {
            let delta = json!({ "type": "signature_delta", "signature": "c2ln" });
            events.push(json!({ "type": "content_block_delta", "index": index, "delta": delta }));
        }
        events.push(json!({ "type": "content_block_stop", "index": index }));
    }
    let reason = if called(blocks) { "tool_use" } else { "end_turn" };
    events.push(json!({ "type": "message_delta", "delta": { "stop_reason": reason }, "usage": { "output_tokens": 4 } }));
    events.push(json!({ "type": "message_stop" }));
    sse(&events)
}

fn bedrock(blocks: &[Block], random: &mut Random) -> Vec<u8> {
    let mut stream = frame("messageStart", &json!({ "role": "assistant" }));
    for (index, block) in blocks.iter().enumerate() {
        let (text, delta): (String, fn(String) -> Value) = match block {
            Block::Text(text) => (text.clone(), |piece| json!({ "text": piece })),
            Block::Thought(text) => (text.clone(), |piece| json!({ "reasoningContent": { "text": piece } })),
            Block::Call { id, name, arguments } => {
                let start = json!({ "toolUse": { "toolUseId": id, "name": name } });
                stream.extend(frame(
                    "contentBlockStart",
                    &json!({ "contentBlockIndex": index, "start": start }),
                ));
                (arguments.to_string(), |piece| json!({ "toolUse": { "input": piece } }))
            }
        };
        for piece in random.pieces(&text) {
            let payload = json!({ "contentBlockIndex": index, "delta": delta(piece), "p": "abc" });
            stream.extend(frame("contentBlockDelta", &payload));
        }
        stream.extend(frame("contentBlockStop", &json!({ "contentBlockIndex": index })));
    }
    let reason = if called(blocks) { "tool_use" } else { "end_turn" };
    stream.extend(frame("messageStop", &json!({ "stopReason": reason })));
    let usage = json!({ "usage": { "inputTokens": 1, "outputTokens": 2, "totalTokens": 3 } });
    stream.extend(frame("metadata", &usage));
    stream
}

fn cohere(blocks: &[Block], random: &mut Random) -> String {
    let mut events =
        vec![json!({ "type": "message-start", "id": "c", "delta": { "message": { "role": "assistant" } } })];
    for (index, block) in blocks.iter().enumerate() {
        let message = |message: Value| json!({ "message": message });
        let mut push =
            |kind: &str, delta: Value| events.push(json!({ "type": kind, "index": index, "delta": delta }));
        match block {
            Block::Text(text) | Block::Thought(text) => {
                let kind = if matches!(block, Block::Text(_)) { "text" } else { "thinking" };
                push("content-start", message(json!({ "content": { "type": kind, kind: "" } })));
                for piece in random.pieces(text) {
                    push("content-delta", message(json!({ "content": { kind: piece } })));
                }
                push("content-end", json!({}));
            }
            Block::Call { id, name, arguments } => {
                let function = json!({ "name": name, "arguments": "" });
                push(
                    "tool-call-start",
                    message(json!({ "tool_calls": { "id": id, "type": "function", "function": function } })),
                );
                let arguments =
                    if *arguments == json!({}) { "null".to_owned() } else { arguments.to_string() };
                for piece in random.pieces(&arguments) {
                    push(
                        "tool-call-delta",
                        message(json!({ "tool_calls": { "function": { "arguments": piece } } })),
                    );
                }
                push("tool-call-end", json!({}));
            }
        }
    }
    let reason = if called(blocks) { "TOOL_CALL" } else { "COMPLETE" };
    events.push(json!({ "type": "message-end", "delta": { "finish_reason": reason } }));
    sse(&events) + "data: [DONE]\n\n"
}

fn gemini(blocks: &[Block], random: &mut Random) -> String {
    let mut parts = Vec::new();
    for block in blocks {
        match block {
            Block::Text(text) => {
                parts.extend(random.pieces(text).into_iter().map(|text| json!({ "text": text })))
            }
            Block::Thought(text) => {
                parts.extend(
                    random.pieces(text).into_iter().map(|text| json!({ "text": text, "thought": true })),
                );
            }
            Block::Call { id, name, arguments } => {
                parts.push(json!({ "functionCall": { "id": id, "name": name, "args": arguments } }));
            }
        }
    }
    let chunk = |parts: &[Value], reason: Option<&str>| {
        let mut candidate = json!({ "index": 0, "content": { "role": "model", "parts": parts } });
        if let Some(reason) = reason {
            candidate["finishReason"] = json!(reason);
        }
        json!({ "candidates": [candidate], "modelVersion": "g", "responseId": "r" })
    };
    let mut events = Vec::new();
    let mut rest = parts.as_slice();
    while !rest.is_empty() {
        let (some, after) = rest.split_at(rest.len().min(1 + random.below(3)));
        events.push(chunk(some, None));
        rest = after;
    }
    events.push(chunk(&[], Some("STOP")));
    sse(&events).replace('\n', "\r\n")
}

fn ollama(blocks: &[Block], random: &mut Random) -> String {
    let mut lines = Vec::new();
    for block in blocks {
        match block {
            Block::Text(text) => {
                lines.extend(random.pieces(text).into_iter().map(|text| json!({ "content": text })))
            }
            Block::Thought(text) => {
                lines.extend(
                    random.pieces(text).into_iter().map(|text| json!({ "content": "", "thinking": text })),
                );
            }
            Block::Call { id, name, arguments } => {
                let call = json!({ "id": id, "function": { "name": name, "arguments": arguments } });
                lines.push(json!({ "content": "", "tool_calls": [call] }));
            }
        }
    }
    let line = |message: Value| {
        json!({ "model": "o", "created_at": "2026-01-01T00:00:00Z",
        "message": with(message, json!({ "role": "assistant" })), "done": false })
    };
    let mut stream: String = lines.into_iter().map(|message| format!("{}\n", line(message))).collect();
    let last = with(line(json!({ "content": "" })), json!({ "done": true, "done_reason": "stop" }));
    stream.push_str(&format!("{last}\n"));
    stream
}

fn mistral_thought(text: String) -> Value {
    json!({ "content": [{ "type": "thinking", "thinking": [{ "type": "text", "text": text }] }] })
}

/// Deltas of text, thoughts and calls, each kind in its own order, mixed at random.
fn openai(blocks: &[Block], random: &mut Random, thought: fn(String) -> Value) -> String {
    let mut queues: Vec<Vec<Value>> = vec![Vec::new(), Vec::new()];
    for block in blocks {
        match block {
            Block::Text(text) => {
                queues[0].extend(random.pieces(text).into_iter().map(|text| json!({ "content": text })));
            }
            Block::Thought(text) => queues[1].extend(random.pieces(text).into_iter().map(thought)),
            Block::Call { id, name, arguments } => {
                let index = queues.len() - 2;
                let delta = |call: Value| json!({ "tool_calls": [with(call, json!({ "index": index }))] });
                let mut queue = vec![delta(call(id, name, ""))];
                let pieces = random.pieces(&arguments.to_string());
                queue.extend(
                    pieces.into_iter().map(|piece| delta(json!({ "function": { "arguments": piece } }))),
                );
                queues.push(queue);
            }
        }
    }
    queues.iter_mut().for_each(|queue| queue.reverse());
    let mut deltas = vec![json!({ "role": "assistant", "content": "" })];
    let mut begun = 2;
    while queues.iter().any(|queue| !queue.is_empty()) {
        // A call begins after those before it have begun.
        let chosen = random.below(queues.len().min(begun + 1));
        if let Some(delta) = queues[chosen].pop() {
            deltas.push(delta);
            begun = begun.max(chosen + 1);
        }
    }
    let chunk = |delta: Value, reason: Value| {
        json!({ "id": "c", "object": "chat.completion.chunk", "created": 1,
        "model": "g", "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] })
    };
    let mut events: Vec<_> = deltas.into_iter().map(|delta| chunk(delta, Value::Null)).collect();
    let reason = if called(blocks) { "tool_calls" } else { "stop" };
    events.push(chunk(json!({}), json!(reason)));
    sse(&events) + "data: [DONE]\n\n"
}
