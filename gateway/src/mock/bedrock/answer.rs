//! An answer in Converse's words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::SIGNER;
use crate::domain::event_stream;
use crate::mock::prompt::Reasoning;
use crate::mock::reply::{Call, End, Reply, Tokens, eights};
use crate::mock::signature::sign;
use crate::mock::tree::{Tree, object};

/// What an encrypted block is signed for.
const ENCRYPTED: &str = "encrypted";

pub(super) fn whole(reply: &Reply) -> Tree {
    let mut content = Vec::new();
    match reply.reasoning {
        Reasoning::Off | Reasoning::Hidden => {}
        Reasoning::Encrypted => content.push(one("reasoningContent", one("redactedContent", redacted()))),
        Reasoning::Shown => {
            let thought = reply.thought();
            let signature = sign(SIGNER, &thought);
            let thought = object([("text", thought.into()), ("signature", signature.into())]);
            content.push(one("reasoningContent", one("reasoningText", thought)));
        }
    }
    let text = reply.text();
    if !text.is_empty() {
        content.push(one("text", text.into()));
    }
    for (at, call) in reply.calls.iter().enumerate() {
        content.push(one("toolUse", named(reply, at, call).with("input", call.arguments.clone())));
    }
    let message = object([("role", "assistant".into()), ("content", content.into())]);
    let mut answer = object([
        ("output", one("message", message)),
        ("stopReason", stop(reply).into()),
        ("metrics", one("latencyMs", 12_u64.into())),
    ]);
    if let Some(tokens) = reply.tokens {
        answer = answer.with("usage", usage(tokens));
    }
    if let End::StopSequence(sequence) = &reply.end {
        let told = one("stop_sequence", sequence.as_str().into());
        answer = answer.with("additionalModelResponseFields", told);
    }
    answer
}

fn one(name: &'static str, value: Tree) -> Tree {
    object([(name, value)])
}

fn redacted() -> Tree {
    STANDARD.encode(sign(SIGNER, ENCRYPTED)).into()
}

fn named(reply: &Reply, at: usize, call: &Call) -> Tree {
    let id = format!("tooluse_{:018}{at:04}", reply.serial);
    object([("toolUseId", id.into()), ("name", call.name.as_str().into())])
}

fn stop(reply: &Reply) -> &'static str {
    match &reply.end {
        End::Stop => "end_turn",
        End::StopSequence(_) => "stop_sequence",
        End::Length => "max_tokens",
        End::Calls => "tool_use",
        End::Refusal => "content_filtered",
        End::Blocked => "guardrail_intervened",
    }
}

fn usage(tokens: Tokens) -> Tree {
    let fresh = tokens.input.saturating_sub(tokens.cache_read + tokens.cache_written);
    object([
        ("inputTokens", fresh.into()),
        ("outputTokens", tokens.output.into()),
        ("totalTokens", (tokens.input + tokens.output).into()),
        ("cacheReadInputTokens", tokens.cache_read.into()),
        ("cacheReadInputTokenCount", tokens.cache_read.into()),
        ("cacheWriteInputTokens", tokens.cache_written.into()),
        ("cacheWriteInputTokenCount", tokens.cache_written.into()),
    ])
}

/// The frames of a stream, with the filler that Bedrock puts into each.
struct Frames {
    frames: Vec<Bytes>,
    index: usize,
}

impl Frames {
    fn push(&mut self, name: &str, event: Tree) {
        let filler = "abcdefghijklmnopqrstuvwxyz";
        let length = self.frames.len() % filler.len();
        let event = event.with("p", filler.get(..length).unwrap_or_default());
        let mut frame = Vec::new();
        event_stream::event(&mut frame, name, &event.compact());
        self.frames.push(frame.into());
    }

    fn delta(&mut self, delta: Tree) {
        self.push("contentBlockDelta", object([("contentBlockIndex", self.index.into()), ("delta", delta)]));
    }

    fn stop(&mut self) {
        self.push("contentBlockStop", one("contentBlockIndex", self.index.into()));
        self.index += 1;
    }
}

pub(super) fn stream(reply: &Reply) -> Vec<Bytes> {
    let mut frames = Frames { frames: Vec::new(), index: 0 };
    frames.push("messageStart", one("role", "assistant".into()));
    match reply.reasoning {
        Reasoning::Off | Reasoning::Hidden => {}
        Reasoning::Encrypted => {
            frames.delta(one("reasoningContent", one("redactedContent", redacted())));
            frames.stop();
        }
        Reasoning::Shown => {
            for piece in &reply.thoughts {
                frames.delta(one("reasoningContent", one("text", piece.as_str().into())));
            }
            let signature = sign(SIGNER, &reply.thought());
            frames.delta(one("reasoningContent", one("signature", signature.into())));
            frames.stop();
        }
    }
    for piece in &reply.pieces {
        frames.delta(one("text", piece.as_str().into()));
    }
    if !reply.pieces.is_empty() {
        frames.stop();
    }
    for (at, call) in reply.calls.iter().enumerate() {
        let start = one("toolUse", named(reply, at, call));
        frames.push(
            "contentBlockStart",
            object([("start", start), ("contentBlockIndex", frames.index.into())]),
        );
        // A call without arguments gets no piece.
        let arguments = Some(call.arguments.to_string()).filter(|text| text != "{}").unwrap_or_default();
        for piece in eights(&arguments) {
            frames.delta(one("toolUse", one("input", piece.into())));
        }
        frames.stop();
    }
    let mut end = one("stopReason", stop(reply).into());
    if let End::StopSequence(sequence) = &reply.end {
        let told = one("stop_sequence", sequence.as_str().into());
        end = end.with("additionalModelResponseFields", told);
    }
    frames.push("messageStop", end);
    let mut last = one("metrics", one("latencyMs", 12_u64.into()));
    if let Some(tokens) = reply.tokens {
        last = last.with("usage", usage(tokens));
    }
    frames.push("metadata", last);
    frames.frames
}
