//! An answer in Gemini's words.

use bytes::Bytes;

use super::SIGNER;
use crate::mock::prompt::{Prompt, Reasoning};
use crate::mock::reply::{End, Reply, Tokens};
use crate::mock::signature::sign;
use crate::mock::tree::{Tree, object};

pub(super) fn whole(prompt: &Prompt, reply: &Reply) -> Tree {
    let mut parts = Vec::new();
    if !reply.thoughts.is_empty() {
        parts.push(thought(&reply.thought()));
    }
    if !reply.pieces.is_empty() {
        parts.push(text(&reply.text()).maybe("thoughtSignature", signature(reply)));
    }
    parts.extend(calls(prompt, reply));
    response(prompt, reply, &parts, Some(finish(reply)), reply.tokens)
}

fn text(text: &str) -> Tree {
    object([("text", text.into())])
}

fn thought(text: &str) -> Tree {
    object([("text", text.into()), ("thought", true.into())])
}

fn signature(reply: &Reply) -> Option<String> {
    (reply.reasoning != Reasoning::Off).then(|| sign(SIGNER, &reply.serial.to_string()))
}

fn calls(prompt: &Prompt, reply: &Reply) -> Vec<Tree> {
    let one = |(at, call): (usize, &crate::mock::reply::Call)| {
        let id = prompt.extras.signed_calls.then(|| format!("{:06}{at:02}", reply.serial));
        let mut function = Tree::Object(Vec::new()).maybe("id", id).with("name", call.name.as_str());
        // A call without arguments has none.
        if call.arguments.as_object().is_none_or(|fields| !fields.is_empty()) {
            function = function.with("args", call.arguments.clone());
        }
        // Only the first of parallel calls is signed.
        let signed =
            if prompt.extras.signed_calls { Some(sign(SIGNER, &call.name)) } else { signature(reply) };
        object([("functionCall", function)]).maybe("thoughtSignature", signed.filter(|_| at == 0))
    };
    reply.calls.iter().enumerate().map(one).collect()
}

fn finish(reply: &Reply) -> &'static str {
    match reply.end {
        End::Stop | End::StopSequence(_) | End::Calls => "STOP",
        End::Length => "MAX_TOKENS",
        End::Refusal | End::Blocked => "SAFETY",
    }
}

fn response(
    prompt: &Prompt,
    reply: &Reply,
    parts: &[Tree],
    finish: Option<&'static str>,
    tokens: Option<Tokens>,
) -> Tree {
    let candidates: Vec<_> = (0..prompt.candidates)
        .map(|index| {
            // What is refused has no content at all.
            let content = object([("parts", parts.to_vec().into()), ("role", "model".into())]);
            let content = (reply.end != End::Refusal).then_some(content);
            let ratings = (reply.end == End::Refusal).then(|| vec![rating()]);
            Tree::Object(Vec::new())
                .maybe("content", content)
                .maybe("finishReason", finish)
                .with("index", index)
                .maybe("safetyRatings", ratings)
        })
        .collect();
    let blocked = reply.end == End::Blocked;
    let feedback = object([("blockReason", "PROHIBITED_CONTENT".into())]);
    Tree::Object(Vec::new())
        .maybe("candidates", (!blocked).then_some(candidates))
        .maybe("promptFeedback", blocked.then_some(feedback))
        .maybe("usageMetadata", tokens.map(usage))
        .with("modelVersion", prompt.model.as_str())
        .with("responseId", format!("mock{:018}", reply.serial))
}

fn rating() -> Tree {
    object([
        ("category", "HARM_CATEGORY_DANGEROUS_CONTENT".into()),
        ("probability", "HIGH".into()),
        ("blocked", true.into()),
    ])
}

/// Tokens by what they are made of.
pub(super) fn by_modality(tokens: u64) -> Tree {
    vec![object([("modality", "TEXT".into()), ("tokenCount", tokens.into())])].into()
}

fn usage(tokens: Tokens) -> Tree {
    let mut usage = object([("promptTokenCount", tokens.input.into())]);
    if tokens.output > tokens.reasoning {
        usage = usage.with("candidatesTokenCount", tokens.output - tokens.reasoning);
    }
    usage = usage.with("totalTokenCount", tokens.input + tokens.output);
    if tokens.cache_read > 0 {
        usage = usage.with("cachedContentTokenCount", tokens.cache_read);
    }
    usage = usage.with("promptTokensDetails", by_modality(tokens.input));
    if tokens.reasoning > 0 {
        usage = usage.with("thoughtsTokenCount", tokens.reasoning);
    }
    usage
}

/// One frame of a stream.
pub(super) fn frame(event: &Tree) -> Bytes {
    [b"data: ", event.compact().as_slice(), b"\r\n\r\n"].concat().into()
}

pub(super) fn stream(prompt: &Prompt, reply: &Reply) -> Vec<Bytes> {
    let mut steps: Vec<Tree> = reply.thoughts.iter().map(|piece| thought(piece)).collect();
    steps.extend(reply.pieces.iter().map(|piece| text(piece)));
    steps.extend(calls(prompt, reply));
    if reply.calls.is_empty() && reply.reasoning != Reasoning::Off {
        // The signature of a text comes behind it, on a part without any.
        steps.push(text("").maybe("thoughtSignature", signature(reply)));
    } else if steps.is_empty() {
        steps.push(text(""));
    }
    let last = steps.len() - 1;
    let events = steps.into_iter().enumerate().map(|(at, part)| {
        let (finish, tokens) = if at == last {
            (Some(finish(reply)), reply.tokens)
        } else {
            // On the way the counts are anything but a sum so far.
            let output = u64::try_from(at * 37 % 91).unwrap_or_default();
            (None, reply.tokens.map(|tokens| Tokens { output, reasoning: 0, ..tokens }))
        };
        response(prompt, reply, &[part], finish, tokens)
    });
    if prompt.extras.events {
        return events.map(|event| frame(&event)).collect();
    }
    let mut frames: Vec<Bytes> = events
        .enumerate()
        .map(|(at, event)| {
            let opening: &[u8] = if at == 0 { b"[" } else { b",\r\n" };
            [opening, &event.pretty()].concat().into()
        })
        .collect();
    frames.push(Bytes::from_static(b"\n]"));
    frames
}
