//! An answer in Cohere's words.

use bytes::Bytes;

use super::id;
use crate::mock::reply::{Call, End, Reply, Tokens, eights};
use crate::mock::tree::{Tree, object};

pub(super) fn whole(reply: &Reply) -> Tree {
    let mut message = object([("role", "assistant".into())]);
    let mut content = Vec::new();
    let thought = reply.thought();
    if !thought.is_empty() {
        content.push(object([("type", "thinking".into()), ("thinking", thought.into())]));
    }
    let text = reply.text();
    if !text.is_empty() {
        content.push(object([("type", "text".into()), ("text", text.into())]));
    }
    if !content.is_empty() {
        message = message.with("content", content);
    }
    if !reply.calls.is_empty() {
        let calls: Vec<_> = reply.calls.iter().enumerate().map(|(at, call)| given(reply, at, call)).collect();
        message = message.with("tool_plan", PLAN).with("tool_calls", calls);
    }
    let mut answer = object([
        ("id", id(reply.serial).into()),
        ("message", message),
        ("finish_reason", stop(reply).into()),
    ]);
    if let Some(tokens) = reply.tokens {
        answer = answer.with("usage", usage(tokens));
    }
    answer
}

/// What the model says it will do with its calls.
const PLAN: &str = "I will use the tools.";

fn given(reply: &Reply, at: usize, call: &Call) -> Tree {
    let function =
        object([("name", call.name.as_str().into()), ("arguments", call.arguments.to_string().into())]);
    object([("id", call_id(reply, at, call).into()), ("type", "function".into()), ("function", function)])
}

fn call_id(reply: &Reply, at: usize, call: &Call) -> String {
    format!("{}_{:08}{at:04}", call.name, reply.serial)
}

fn stop(reply: &Reply) -> &'static str {
    match &reply.end {
        End::Stop => "COMPLETE",
        End::StopSequence(_) => "STOP_SEQUENCE",
        End::Length => "MAX_TOKENS",
        End::Calls => "TOOL_CALL",
        End::Refusal | End::Blocked => "ERROR_TOXIC",
    }
}

/// Counts are floating point at Cohere, and what was billed is another count.
fn usage(tokens: Tokens) -> Tree {
    #[expect(clippy::cast_precision_loss, reason = "no prompt has 2^52 tokens")]
    let sides = |input: u64, output: u64| {
        object([("input_tokens", (input as f64).into()), ("output_tokens", (output as f64).into())])
    };
    object([
        ("billed_units", sides(tokens.input.saturating_sub(3), tokens.output)),
        ("tokens", sides(tokens.input, tokens.output)),
    ])
}

/// One frame of a stream.
pub(super) fn frame(name: &'static str, event: Tree) -> Bytes {
    let json = event.with("type", name).compact();
    [b"event: ", name.as_bytes(), b"\ndata: ", json.as_slice(), b"\n\n"].concat().into()
}

/// `{ "index": …, "delta": { "message": … } }`
fn event(index: usize, message: Tree) -> Tree {
    object([("index", index.into()), ("delta", object([("message", message)]))])
}

pub(super) fn stream(reply: &Reply) -> Vec<Bytes> {
    let empty = || Tree::List(Vec::new());
    let opening = object([
        ("role", "assistant".into()),
        ("content", empty()),
        ("tool_plan", "".into()),
        ("tool_calls", empty()),
        ("citations", empty()),
    ]);
    let start = object([("id", id(reply.serial).into()), ("delta", object([("message", opening)]))]);
    let mut frames = vec![frame("message-start", start)];
    let mut index = 0;
    for (kind, pieces) in [("thinking", &reply.thoughts), ("text", &reply.pieces)] {
        if pieces.is_empty() {
            continue;
        }
        let content = |content: Tree| event(index, object([("content", content)]));
        let begun = object([("type", kind.into()), (kind, "".into())]);
        frames.push(frame("content-start", content(begun)));
        for piece in pieces {
            frames.push(frame("content-delta", content(object([(kind, piece.as_str().into())]))));
        }
        frames.push(frame("content-end", object([("index", index.into())])));
        index += 1;
    }
    calls(reply, &mut frames);
    let mut delta = object([("finish_reason", stop(reply).into())]);
    if let Some(tokens) = reply.tokens {
        delta = delta.with("usage", usage(tokens));
    }
    frames.push(frame("message-end", object([("delta", delta)])));
    frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
    frames
}

fn calls(reply: &Reply, frames: &mut Vec<Bytes>) {
    if !reply.calls.is_empty() {
        for word in PLAN.split_inclusive(' ') {
            let message = object([("tool_plan", word.into())]);
            frames.push(frame("tool-plan-delta", object([("delta", object([("message", message)]))])));
        }
    }
    for (at, call) in reply.calls.iter().enumerate() {
        let function = object([("name", call.name.as_str().into()), ("arguments", "".into())]);
        let begun = object([
            ("id", call_id(reply, at, call).into()),
            ("type", "function".into()),
            ("function", function),
        ]);
        frames.push(frame("tool-call-start", event(at, object([("tool_calls", begun)]))));
        let arguments = call.arguments.to_string();
        // Without arguments Cohere writes the word.
        let arguments = if arguments == "{}" { "null" } else { &arguments };
        for piece in eights(arguments) {
            let piece = object([("function", object([("arguments", piece.into())]))]);
            frames.push(frame("tool-call-delta", event(at, object([("tool_calls", piece)]))));
        }
        frames.push(frame("tool-call-end", object([("index", at.into())])));
    }
}
