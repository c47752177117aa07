//! An answer in Ollama's words.

use bytes::Bytes;

use super::Ollama;
use crate::domain::rfc3339;
use crate::mock::prompt::Prompt;
use crate::mock::reply::{Call, End, Reply};
use crate::mock::tree::{Tree, object};

/// A made-up nanosecond count per token, so that clients can divide by it.
const PER_TOKEN: u64 = 1_000_000;

pub(super) fn whole(form: Ollama, prompt: &Prompt, reply: &Reply) -> Tree {
    let text = if reply.calls.is_empty() { reply.text() } else { String::new() };
    let calls = (!reply.calls.is_empty()).then(|| {
        let calls = reply.calls.iter().enumerate();
        calls.map(|(at, call)| one_call(reply, at, call)).collect::<Vec<_>>()
    });
    let thought = reply.thought();
    let said = said(form, prompt, reply, &text, Some(thought.as_str()).filter(|thought| !thought.is_empty()));
    let said = with_calls(form, said, calls);
    last(probabilities(said, prompt, &text), reply)
}

/// The lines of a stream.
pub(super) fn stream(form: Ollama, prompt: &Prompt, reply: &Reply) -> Vec<Bytes> {
    let going_on = |said: Tree| line(&said.with("done", false));
    let mut lines = Vec::new();
    for thought in &reply.thoughts {
        lines.push(going_on(said(form, prompt, reply, "", Some(thought))));
    }
    if reply.calls.is_empty() {
        for piece in &reply.pieces {
            let said = said(form, prompt, reply, piece, None);
            lines.push(going_on(probabilities(said, prompt, piece)));
        }
    }
    for (at, call) in reply.calls.iter().enumerate() {
        let said = said(form, prompt, reply, "", None);
        lines.push(going_on(with_calls(form, said, Some(vec![one_call(reply, at, call)]))));
    }
    lines.push(line(&last(said(form, prompt, reply, "", None), reply)));
    lines
}

/// One line of a stream.
pub(super) fn line(object: &Tree) -> Bytes {
    let mut line = object.compact();
    line.push(b'\n');
    line.into()
}

/// The head of an object, and what is said in it.
fn said(form: Ollama, prompt: &Prompt, reply: &Reply, text: &str, thought: Option<&str>) -> Tree {
    let head =
        object([("model", prompt.model.as_str().into()), ("created_at", rfc3339(reply.created).into())]);
    match form {
        Ollama::Chat => {
            let message = object([("role", "assistant".into()), ("content", text.into())]);
            head.with("message", message.maybe("thinking", thought))
        }
        Ollama::Generate => head.with("response", text).maybe("thinking", thought),
    }
}

/// Calls stand in the message.
fn with_calls(form: Ollama, said: Tree, calls: Option<Vec<Tree>>) -> Tree {
    let fields = match (form, said) {
        (Ollama::Chat, Tree::Object(fields)) => fields,
        (_, said) => return said,
    };
    let fields = fields.into_iter().map(|(name, value)| match name {
        "message" => (name, value.maybe("tool_calls", calls.clone())),
        _ => (name, value),
    });
    Tree::Object(fields.collect())
}

fn one_call(reply: &Reply, at: usize, call: &Call) -> Tree {
    let function = object([
        ("index", at.into()),
        ("name", call.name.as_str().into()),
        ("arguments", Tree::Leaf(call.arguments.clone())),
    ]);
    object([("id", format!("call_{:04}{at:04}", reply.serial).into()), ("function", function)])
}

fn probabilities(said: Tree, prompt: &Prompt, text: &str) -> Tree {
    if !prompt.extras.log_probabilities {
        return said;
    }
    let tokens = text.split_inclusive(' ').map(|token| {
        let bytes: Vec<Tree> = token.bytes().map(|byte| u64::from(byte).into()).collect();
        object([("token", token.into()), ("logprob", (-0.5).into()), ("bytes", bytes.into())])
    });
    said.with("logprobs", tokens.collect::<Vec<_>>())
}

fn last(said: Tree, reply: &Reply) -> Tree {
    let reason = match reply.end {
        End::Length => "length",
        _ => "stop",
    };
    let ended = said.with("done", true).with("done_reason", reason);
    let Some(tokens) = reply.tokens else { return ended };
    ended
        .with("total_duration", (tokens.input + tokens.output) * PER_TOKEN)
        .with("load_duration", PER_TOKEN)
        .with("prompt_eval_count", tokens.input)
        .with("prompt_eval_duration", tokens.input * PER_TOKEN)
        .with("eval_count", tokens.output)
        .with("eval_duration", tokens.output * PER_TOKEN)
}
