//! An answer in OpenAI's words.

use bytes::Bytes;
use serde_json::Value;

use crate::mock::prompt::Prompt;
use crate::mock::reply::{Call, End, Reply, Tokens, eights};
use crate::mock::tree::{NULL, Tree, object};

pub(super) fn whole(prompt: &Prompt, reply: &Reply) -> Tree {
    let choices = (0..prompt.candidates).map(|index| choice(prompt, reply, index)).collect::<Vec<_>>();
    head(prompt, reply, "chat.completion")
        .with("choices", choices)
        .maybe("usage", reply.tokens.map(usage))
        .with("service_tier", "default")
        .with("system_fingerprint", "fp_mock")
}

fn choice(prompt: &Prompt, reply: &Reply, index: usize) -> Tree {
    let text = reply.text();
    let refused = matches!(reply.end, End::Refusal | End::Blocked);
    let content = if refused || !reply.calls.is_empty() { NULL } else { text.as_str().into() };
    let refusal = if reply.end == End::Refusal { text.as_str().into() } else { NULL };
    let mut message = object([("role", "assistant".into()), ("content", content)]);
    if !reply.thoughts.is_empty() {
        message = message.with("reasoning_content", reply.thought());
    }
    message = message.with("refusal", refusal).with("annotations", Vec::new());
    if prompt.extras.functions {
        message = message.maybe("function_call", reply.calls.first().map(function));
    } else if !reply.calls.is_empty() {
        let calls: Vec<_> =
            reply.calls.iter().enumerate().map(|(at, call)| whole_call(reply, index, at, call)).collect();
        message = message.with("tool_calls", calls);
    }
    let probabilities = if prompt.extras.log_probabilities { log_probabilities(&text) } else { NULL };
    object([
        ("index", index.into()),
        ("message", message),
        ("logprobs", probabilities),
        ("finish_reason", finish(prompt, reply).into()),
    ])
}

fn head(prompt: &Prompt, reply: &Reply, kind: &str) -> Tree {
    object([
        ("id", format!("chatcmpl-{:029}", reply.serial).into()),
        ("object", kind.into()),
        ("created", reply.created.into()),
        ("model", prompt.model.as_str().into()),
    ])
}

fn call_id(reply: &Reply, choice: usize, at: usize) -> String {
    format!("call_{:018}{choice:03}{at:03}", reply.serial)
}

fn function(call: &Call) -> Tree {
    object([("name", call.name.as_str().into()), ("arguments", call.arguments.to_string().into())])
}

fn whole_call(reply: &Reply, choice: usize, at: usize, call: &Call) -> Tree {
    object([
        ("id", call_id(reply, choice, at).into()),
        ("type", "function".into()),
        ("function", function(call)),
    ])
}

fn finish(prompt: &Prompt, reply: &Reply) -> &'static str {
    match reply.end {
        End::Stop | End::StopSequence(_) | End::Refusal => "stop",
        End::Length => "length",
        End::Calls if prompt.extras.functions => "function_call",
        End::Calls => "tool_calls",
        End::Blocked => "content_filter",
    }
}

pub(super) fn usage(tokens: Tokens) -> Tree {
    let input = object([("cached_tokens", tokens.cache_read.into()), ("audio_tokens", 0_u64.into())]);
    let output = object([
        ("reasoning_tokens", tokens.reasoning.into()),
        ("audio_tokens", 0_u64.into()),
        ("accepted_prediction_tokens", 0_u64.into()),
        ("rejected_prediction_tokens", 0_u64.into()),
    ]);
    object([
        ("prompt_tokens", tokens.input.into()),
        ("completion_tokens", tokens.output.into()),
        ("total_tokens", (tokens.input + tokens.output).into()),
        ("prompt_tokens_details", input),
        ("completion_tokens_details", output),
    ])
}

fn log_probabilities(text: &str) -> Tree {
    let tokens: Vec<_> = text
        .split_inclusive(' ')
        .map(|token| {
            let bytes: Vec<Tree> = token.bytes().map(|byte| u64::from(byte).into()).collect();
            object([
                ("token", token.into()),
                ("logprob", (-0.5).into()),
                ("bytes", bytes.into()),
                ("top_logprobs", Vec::new().into()),
            ])
        })
        .collect();
    object([("content", tokens.into()), ("refusal", NULL)])
}

/// One frame of a stream.
pub(super) fn frame(event: &Tree) -> Bytes {
    let mut frame = b"data: ".to_vec();
    frame.extend(event.compact());
    frame.extend(b"\n\n");
    frame.into()
}

pub(super) fn stream(prompt: &Prompt, reply: &Reply) -> Vec<Bytes> {
    let mut writer = Writer { prompt, reply, frames: Vec::new() };
    for index in 0..prompt.candidates {
        writer.choice(index);
    }
    if prompt.extras.include_usage && reply.tokens.is_some() {
        let last = writer.chunk(Vec::new()).with("usage", reply.tokens.map(usage));
        writer.frames.push(frame(&last));
    }
    writer.frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
    writer.frames
}

struct Writer<'a> {
    prompt: &'a Prompt,
    reply: &'a Reply,
    frames: Vec<Bytes>,
}

impl Writer<'_> {
    fn chunk(&self, choices: Vec<Tree>) -> Tree {
        head(self.prompt, self.reply, "chat.completion.chunk")
            .with("service_tier", "default")
            .with("system_fingerprint", "fp_mock")
            .with("choices", choices)
    }

    fn push(&mut self, index: usize, delta: Tree, probabilities: Tree, finish: Tree) {
        let choice = object([
            ("index", index.into()),
            ("delta", delta),
            ("logprobs", probabilities),
            ("finish_reason", finish),
        ]);
        let mut chunk = self.chunk(vec![choice]);
        if self.prompt.extras.include_usage {
            chunk = chunk.with("usage", NULL);
        }
        if !self.prompt.extras.plain_events {
            // OpenAI pads its events so that their length tells nothing.
            let padding = "aBcDeFgHiJkLmNoP".get(..4 + self.frames.len() % 12);
            chunk = chunk.maybe("obfuscation", padding);
        }
        self.frames.push(frame(&chunk));
    }

    fn delta(&mut self, index: usize, delta: Tree) {
        self.push(index, delta, NULL, NULL);
    }

    fn choice(&mut self, index: usize) {
        let reply = self.reply;
        let content = if reply.calls.is_empty() { "".into() } else { NULL };
        self.delta(index, object([("role", "assistant".into()), ("content", content), ("refusal", NULL)]));
        for thought in &reply.thoughts {
            self.delta(index, object([("reasoning_content", thought.as_str().into())]));
        }
        let name = if reply.end == End::Refusal { "refusal" } else { "content" };
        for piece in &reply.pieces {
            let probabilities = self.prompt.extras.log_probabilities.then(|| log_probabilities(piece));
            self.push(index, object([(name, piece.as_str().into())]), probabilities.into(), NULL);
        }
        for (at, call) in reply.calls.iter().enumerate() {
            if !self.prompt.extras.functions {
                self.call(index, at, call);
            } else if at == 0 {
                self.delta(index, object([("function_call", function(call))]));
            }
        }
        self.push(index, Tree::Object(Vec::new()), NULL, finish(self.prompt, reply).into());
    }

    fn call(&mut self, choice: usize, at: usize, call: &Call) {
        let opening = object([
            ("index", at.into()),
            ("id", call_id(self.reply, choice, at).into()),
            ("type", "function".into()),
            ("function", object([("name", call.name.as_str().into()), ("arguments", "".into())])),
        ]);
        self.delta(choice, object([("tool_calls", vec![opening].into())]));
        let arguments = match &call.arguments {
            Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
            arguments => arguments.to_string(),
        };
        for piece in eights(&arguments) {
            let next = object([("index", at.into()), ("function", object([("arguments", piece.into())]))]);
            self.delta(choice, object([("tool_calls", vec![next].into())]));
        }
    }
}
