//! An answer in Anthropic's words.

use bytes::Bytes;
use serde_json::Value;

use super::SIGNER;
use crate::mock::prompt::{Prompt, Reasoning};
use crate::mock::reply::{Call, End, Reply, Tokens, eights};
use crate::mock::signature::sign;
use crate::mock::tree::{NULL, Tree, object};

/// What an encrypted block is signed for.
pub(super) const ENCRYPTED: &str = "encrypted";

pub(super) fn whole(prompt: &Prompt, reply: &Reply) -> Tree {
    let mut content = Vec::new();
    match reply.reasoning {
        Reasoning::Off => {}
        Reasoning::Encrypted => content.push(redacted()),
        Reasoning::Shown | Reasoning::Hidden => {
            let thought = reply.thought();
            let signature = sign(SIGNER, &thought);
            content.push(object([
                ("type", "thinking".into()),
                ("thinking", thought.into()),
                ("signature", signature.into()),
            ]));
        }
    }
    let text = reply.text();
    if !text.is_empty() {
        content.push(object([("type", "text".into()), ("text", text.into())]));
    }
    for (at, call) in reply.calls.iter().enumerate() {
        content.push(tool_use(reply, at, call, call.arguments.clone()));
    }
    let (reason, sequence) = stop(reply);
    let message = head(prompt, reply, content)
        .with("stop_reason", reason)
        .with("stop_sequence", sequence)
        .maybe("stop_details", details(reply));
    match reply.tokens {
        Some(tokens) => message.with("usage", usage(prompt, tokens, tokens.output)),
        None => message,
    }
}

fn head(prompt: &Prompt, reply: &Reply, content: Vec<Tree>) -> Tree {
    object([
        ("id", format!("msg_01{:022}", reply.serial).into()),
        ("type", "message".into()),
        ("role", "assistant".into()),
        ("model", prompt.model.as_str().into()),
        ("content", content.into()),
    ])
}

fn redacted() -> Tree {
    object([("type", "redacted_thinking".into()), ("data", sign(SIGNER, ENCRYPTED).into())])
}

fn tool_use(reply: &Reply, at: usize, call: &Call, input: Value) -> Tree {
    object([
        ("type", "tool_use".into()),
        ("id", format!("toolu_01{:018}{at:04}", reply.serial).into()),
        ("name", call.name.as_str().into()),
        ("input", input.into()),
    ])
}

fn stop(reply: &Reply) -> (&'static str, Tree) {
    match &reply.end {
        End::Stop => ("end_turn", NULL),
        End::StopSequence(sequence) => ("stop_sequence", sequence.as_str().into()),
        End::Length => ("max_tokens", NULL),
        End::Calls => ("tool_use", NULL),
        End::Refusal | End::Blocked => ("refusal", NULL),
    }
}

fn details(reply: &Reply) -> Option<Tree> {
    matches!(reply.end, End::Refusal | End::Blocked).then(|| {
        object([
            ("type", "refusal".into()),
            ("category", "cyber".into()),
            ("explanation", "Refused on purpose.".into()),
        ])
    })
}

fn usage(prompt: &Prompt, tokens: Tokens, output: u64) -> Tree {
    let fresh = tokens.input.saturating_sub(tokens.cache_read + tokens.cache_written);
    let (short, long) =
        if prompt.cached.long { (0, tokens.cache_written) } else { (tokens.cache_written, 0) };
    let creation =
        object([("ephemeral_5m_input_tokens", short.into()), ("ephemeral_1h_input_tokens", long.into())]);
    object([
        ("input_tokens", fresh.into()),
        ("cache_creation_input_tokens", tokens.cache_written.into()),
        ("cache_read_input_tokens", tokens.cache_read.into()),
        ("cache_creation", creation),
        ("output_tokens", output.into()),
        ("output_tokens_details", object([("thinking_tokens", tokens.reasoning.min(output).into())])),
        ("service_tier", "standard".into()),
    ])
}

/// One frame of a stream. Anthropic pads its events with blanks inside the JSON.
pub(super) fn frame(name: &str, event: &Tree, blanks: usize) -> Bytes {
    let mut frame = format!("event: {name}\ndata: ").into_bytes();
    let mut json = event.compact();
    json.pop();
    frame.extend(json);
    frame.extend(std::iter::repeat_n(b' ', blanks));
    frame.extend(b"}\n\n");
    frame.into()
}

pub(super) fn stream(prompt: &Prompt, reply: &Reply) -> Vec<Bytes> {
    let mut writer = Writer { reply, index: 0, frames: Vec::new() };
    let mut message = head(prompt, reply, Vec::new()).with("stop_reason", NULL).with("stop_sequence", NULL);
    if let Some(tokens) = reply.tokens {
        message = message.with("usage", usage(prompt, tokens, 1));
    }
    writer.push("message_start", object([("type", "message_start".into()), ("message", message)]));
    writer.reasoning();
    writer.text();
    for (at, call) in reply.calls.iter().enumerate() {
        writer.call(at, call);
    }
    let (reason, sequence) = stop(reply);
    let delta = object([("stop_reason", reason.into()), ("stop_sequence", sequence)])
        .maybe("stop_details", details(reply));
    let end = object([("type", "message_delta".into()), ("delta", delta)]);
    let total = reply.tokens.map(|tokens| {
        object([
            ("input_tokens", tokens.input.saturating_sub(tokens.cache_read + tokens.cache_written).into()),
            ("cache_creation_input_tokens", tokens.cache_written.into()),
            ("cache_read_input_tokens", tokens.cache_read.into()),
            ("output_tokens", tokens.output.into()),
        ])
    });
    // The real API always has `usage` here; a message without it breaks the official clients.
    let total = total.unwrap_or_else(|| object([("output_tokens", 0_u64.into())]));
    writer.push("message_delta", end.with("usage", total));
    writer.push("message_stop", object([("type", "message_stop".into())]));
    writer.frames
}

struct Writer<'a> {
    reply: &'a Reply,
    index: usize,
    frames: Vec<Bytes>,
}

impl Writer<'_> {
    fn push(&mut self, name: &str, event: Tree) {
        let blanks = self.frames.len() * 5 % 13;
        self.frames.push(frame(name, &event, blanks));
    }

    fn start(&mut self, block: Tree) {
        let index = self.index.into();
        self.push(
            "content_block_start",
            object([("type", "content_block_start".into()), ("index", index), ("content_block", block)]),
        );
        if self.index == 0 {
            self.push("ping", object([("type", "ping".into())]));
        }
    }

    fn delta(&mut self, kind: &str, field: &'static str, value: &str) {
        let delta = object([("type", kind.into()), (field, value.into())]);
        let event =
            object([("type", "content_block_delta".into()), ("index", self.index.into()), ("delta", delta)]);
        self.push("content_block_delta", event);
    }

    fn stop(&mut self) {
        let index = self.index.into();
        self.push("content_block_stop", object([("type", "content_block_stop".into()), ("index", index)]));
        self.index += 1;
    }

    fn reasoning(&mut self) {
        let reply = self.reply;
        match reply.reasoning {
            Reasoning::Off => {}
            Reasoning::Encrypted => {
                self.start(redacted());
                self.stop();
            }
            Reasoning::Shown | Reasoning::Hidden => {
                self.start(object([
                    ("type", "thinking".into()),
                    ("thinking", "".into()),
                    ("signature", "".into()),
                ]));
                for thought in &reply.thoughts {
                    self.delta("thinking_delta", "thinking", thought);
                }
                self.delta("signature_delta", "signature", &sign(SIGNER, &reply.thought()));
                self.stop();
            }
        }
    }

    fn text(&mut self) {
        let reply = self.reply;
        if reply.pieces.is_empty() {
            return;
        }
        self.start(object([("type", "text".into()), ("text", "".into())]));
        for piece in &reply.pieces {
            self.delta("text_delta", "text", piece);
        }
        self.stop();
    }

    fn call(&mut self, at: usize, call: &Call) {
        self.start(tool_use(self.reply, at, call, Value::Object(serde_json::Map::new())));
        // A tool without arguments gets no delta at all.
        if call.arguments.as_object().is_none_or(|fields| !fields.is_empty()) {
            self.delta("input_json_delta", "partial_json", "");
            for piece in eights(&call.arguments.to_string()) {
                self.delta("input_json_delta", "partial_json", piece);
            }
        }
        self.stop();
    }
}
