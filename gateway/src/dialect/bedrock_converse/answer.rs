//! A canonical `chat.completion` as a Converse answer.

use serde::Serialize;
use serde_json::value::RawValue;

use super::ending::Ending;
use super::state;
use super::tokens::Told;
use super::written::{Block, Citation};
use crate::dialect::AnswerFacts;
use crate::dialect::chat::Place;
use crate::dialect::object::Object;
use crate::dialect::said::{Answered, Part, Said, json, own, spoken};
use crate::dialect::seal::Owner;
use crate::error::GatewayError;

/// Writes `canonical` as an answer.
pub(super) fn whole(facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
    let answered = Answered::read(canonical)?;
    let choice = answered
        .choices
        .iter()
        .find(|choice| choice.index == 0)
        .ok_or_else(|| GatewayError::plugin("the adapter's answer has no choice"))?;
    let parts = parts(choice.message.content)?;
    let called = choice.message.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty());
    let refused = spoken(choice.message.refusal).is_some();
    let message = Message { role: "assistant", content: content(&choice.message, &parts, facts) };
    let ending = Ending::of(choice, called, refused);
    let answer = Answer {
        output: Output { message },
        stop_reason: ending.reason,
        usage: Told(answered.usage.as_ref()),
        metrics: Metrics::of(&ending, facts),
        additional_model_response_fields: ending.models_own(),
    };
    let mut body = json(&answer);
    // What Bedrock says beside it has names of its own.
    for (name, value) in ending.beside() {
        body.pop();
        body.extend_from_slice(b",");
        body.extend_from_slice(&json(&name));
        body.extend_from_slice(b":");
        body.extend_from_slice(value.get().as_bytes());
        body.extend_from_slice(b"}");
    }
    Ok(body)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    output: Output<'a>,
    stop_reason: &'a str,
    usage: Told<'a>,
    metrics: Metrics<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_model_response_fields: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Output<'a> {
    message: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

/// How long it took: Bedrock's own count, or ours.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Metrics<'a> {
    Theirs(&'a RawValue),
    #[serde(rename_all = "camelCase")]
    Ours {
        latency_ms: u128,
    },
}

impl<'a> Metrics<'a> {
    fn of(ending: &'a Ending<'_>, facts: &AnswerFacts) -> Self {
        Self::told(ending.metrics(), facts.waited.as_millis())
    }

    /// Theirs if there are any.
    pub(super) fn told(theirs: Option<&'a RawValue>, latency_ms: u128) -> Self {
        theirs.map_or(Self::Ours { latency_ms }, Self::Theirs)
    }
}

/// The parts of content that is a list.
fn parts(content: Option<&RawValue>) -> Result<Vec<Part<'_>>, GatewayError> {
    match content.filter(|raw| raw.get().starts_with('[')) {
        None => Ok(Vec::new()),
        Some(raw) => serde_json::from_str(raw.get())
            .map_err(|error| GatewayError::plugin("the adapter's content is not canonical").context(error)),
    }
}

/// A block that has not found its place yet.
struct Entry<'a> {
    place: Place,
    block: Block<'a>,
    /// Other vendors' state bound to it.
    bound: Option<&'a RawValue>,
}

impl<'a> Entry<'a> {
    fn new(place: Place, block: Block<'a>) -> Self {
        Self { place, block, bound: None }
    }
}

/// The content blocks, in the order in which the model said them.
fn content<'a>(said: &'a Said<'a>, parts: &'a [Part<'a>], facts: &AnswerFacts) -> Vec<Block<'a>> {
    let mut entries = Vec::new();
    reasoning(said, &mut entries);
    spoken_parts(said, parts, &mut entries);
    for (index, call) in said.tool_calls.iter().flatten().enumerate() {
        if let Some(block) = Block::call(call, || stand_in(facts, index)) {
            entries.push(Entry { place: Place::ToolCall(index), block, bound: call.extra_content });
        }
    }
    if let Some(order) = &said.order {
        let order: Vec<Option<Place>> = order.iter().map(|entry| Place::parse(&entry.0)).collect();
        let position = |place: Place| order.iter().position(|entry| *entry == Some(place));
        entries.sort_by_key(|entry| position(entry.place).unwrap_or(usize::MAX));
    }
    let mut blocks = Vec::with_capacity(entries.len() + 1);
    blocks.extend(said.extra_content.map(|state| carrier(Owner::Message, state)));
    lay_down(entries, &mut blocks);
    cite(said, &mut blocks);
    blocks
}

/// The id of a call whose provider gave none.
pub(super) fn stand_in(facts: &AnswerFacts, index: usize) -> String {
    format!("tooluse_{}_{index}", facts.request_id)
}

fn reasoning<'a>(said: &'a Said<'a>, entries: &mut Vec<Entry<'a>>) {
    let details = said.reasoning_details.as_deref().unwrap_or_default();
    for (index, detail) in details.iter().enumerate() {
        entries.extend(Block::reasoning(detail).map(|block| Entry::new(Place::Reasoning(index), block)));
    }
    if details.is_empty()
        && let Some(text) = spoken(said.reasoning_content)
    {
        let block = Block::Thought { text: Some(text), signature: "".into() };
        entries.push(Entry::new(Place::Reasoning(0), block));
    }
}

fn spoken_parts<'a>(said: &'a Said<'a>, parts: &'a [Part<'a>], entries: &mut Vec<Entry<'a>>) {
    let text = |text| Block::Text { text, citations: Vec::new() };
    for (index, part) in parts.iter().enumerate() {
        if let Some(block) = Block::part(part) {
            entries.push(Entry { place: Place::Content(index), block, bound: part.extra_content });
        }
    }
    let content = spoken(said.content).map(|content| Entry::new(Place::Content(0), text(content)));
    let refusal = spoken(said.refusal).map(|refusal| Entry::new(Place::Content(usize::MAX), text(refusal)));
    entries.extend(content.into_iter().chain(refusal));
}

/// Puts the blocks down, each after the state bound to it.
fn lay_down<'a>(entries: Vec<Entry<'a>>, blocks: &mut Vec<Block<'a>>) {
    let mut parts = 0;
    for entry in entries {
        if let Some(extra_content) = entry.bound {
            let owner = match &entry.block {
                Block::ToolUse { id, .. } => Owner::Call(id.to_string()),
                _ => Owner::Content(parts),
            };
            blocks.push(carrier(owner, extra_content));
        }
        parts += usize::from(matches!(entry.place, Place::Content(_)));
        blocks.push(entry.block);
    }
}

/// A block that brings `extra_content` back to us.
pub(super) fn carrier<'a>(owner: Owner, extra_content: &RawValue) -> Block<'a> {
    Block::Redacted { data: state::carry(owner, extra_content).into() }
}

/// Sources that stand beside the message belong to its last text.
fn cite<'a>(said: &'a Said<'a>, blocks: &mut [Block<'a>]) {
    let last = blocks.iter_mut().rev().find_map(|block| match block {
        Block::Text { citations, .. } => Some(citations),
        _ => None,
    });
    if let Some(citations) = last {
        citations.extend(said.annotations.iter().flatten().filter_map(Citation::of));
    }
}

/// Bedrock's own fields of a choice.
pub(super) fn own_fields<'a>(vendor: &Option<Object<'a>>) -> Object<'a> {
    own(vendor, super::VENDOR)
}
