//! A canonical `chat.completion` as an Anthropic message.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::answered::{Answered, Part, Said, spoken, word};
use super::canonical::Place;
use super::ending::Ending;
use super::state::{self, Owner};
use super::tokens::Tokens;
use super::written::{Block, call_id};
use crate::dialect::AnswerFacts;
use crate::error::GatewayError;

/// Writes `canonical` as a message.
pub(super) fn whole(facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
    let answered: Answered<'_> = serde_json::from_slice(canonical)
        .map_err(|error| GatewayError::plugin("the adapter's answer is not canonical").context(error))?;
    let choice = answered
        .choices
        .into_iter()
        .find(|choice| choice.index == 0)
        .ok_or_else(|| GatewayError::plugin("the adapter's answer has no choice"))?;
    let called = choice.message.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty());
    let message = Message {
        id: message_id(word(&answered.id), facts),
        model: model(word(&answered.model), facts),
        ending: Ending::of(&choice, called, spoken(choice.message.refusal).is_some()),
        content: content(choice.message, facts)?,
        usage: answered.usage.unwrap_or_default(),
    };
    serde_json::to_vec(&message)
        .map_err(|error| GatewayError::plugin("the answer could not be written").context(error))
}

/// The provider's id, or one made of ours.
pub(super) fn message_id<'a>(id: &'a str, facts: &AnswerFacts) -> Cow<'a, str> {
    if id.is_empty() { Cow::Owned(format!("msg_{}", facts.request_id)) } else { Cow::Borrowed(id) }
}

/// The provider's name of the model, or the one the client asked for.
pub(super) fn model<'a>(model: &'a str, facts: &'a AnswerFacts) -> &'a str {
    if model.is_empty() { &facts.model } else { model }
}

/// The whole message.
struct Message<'a> {
    id: Cow<'a, str>,
    model: &'a str,
    content: Vec<Block<'a>>,
    ending: Ending,
    usage: Tokens<'a>,
}

impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("type", "message")?;
        map.serialize_entry("role", "assistant")?;
        map.serialize_entry("model", self.model)?;
        map.serialize_entry("content", &self.content)?;
        map.serialize_entry("stop_reason", &self.ending.reason)?;
        map.serialize_entry("stop_sequence", &self.ending.sequence)?;
        for (name, value) in &self.ending.own {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("usage", &self.usage)?;
        map.end()
    }
}

/// A block that has not found its place yet.
struct Entry<'a> {
    place: Place,
    block: Block<'a>,
    /// Other vendors' state bound to it.
    bound: Option<&'a RawValue>,
}

/// The content blocks, in the order in which the model said them.
fn content<'a>(said: Said<'a>, facts: &AnswerFacts) -> Result<Vec<Block<'a>>, GatewayError> {
    let mut entries = Vec::new();
    let called = said.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty());
    reasoning(&said, &mut entries);
    spoken_parts(&said, &mut entries)?;
    for (index, mut call) in said.tool_calls.into_iter().flatten().enumerate() {
        let bound = call.extra_content.take();
        let stand_in = || stand_in(facts, index);
        if let Some(block) = Block::call(call, stand_in) {
            entries.push(Entry { place: Place::ToolCall(index), block, bound });
        }
    }
    if let Some(order) = said.order {
        let order: Vec<Option<Place>> = order.iter().map(|entry| Place::parse(&entry.0)).collect();
        let position = |place: Place| order.iter().position(|entry| *entry == Some(place));
        entries.sort_by_key(|entry| position(entry.place).unwrap_or(usize::MAX));
    }
    let mut blocks = Vec::with_capacity(entries.len() + 1);
    let text_alone = !called && spoken(said.content).is_some();
    if let Some(extra_content) = said.extra_content.filter(|_| !text_alone) {
        blocks.push(carrier(Owner::Message, extra_content));
    }
    lay_down(entries, &mut blocks);
    cite(said.annotations.iter().flatten().filter_map(|note| note.citation()), &mut blocks);
    Ok(blocks)
}

/// The id of a call whose provider gave none.
pub(super) fn stand_in(facts: &AnswerFacts, index: usize) -> String {
    call_id(&format!("toolu_{}_{index}", facts.request_id), String::new)
}

fn reasoning<'a>(said: &Said<'a>, entries: &mut Vec<Entry<'a>>) {
    let details = said.reasoning_details.as_deref().unwrap_or_default();
    for (index, detail) in details.iter().enumerate() {
        if let Some(block) = Block::reasoning(detail) {
            entries.push(Entry { place: Place::Reasoning(index), block, bound: None });
        }
    }
    if details.is_empty()
        && let Some(text) = spoken(said.reasoning_content)
    {
        let block = Block::Thinking { text: Some(text), signature: Cow::Borrowed("") };
        entries.push(Entry { place: Place::Reasoning(0), block, bound: None });
    }
}

fn spoken_parts<'a>(said: &Said<'a>, entries: &mut Vec<Entry<'a>>) -> Result<(), GatewayError> {
    let text = |text| Block::Text { text, citations: Vec::new() };
    match said.content {
        Some(raw) if raw.get().starts_with('[') => {
            let parts: Vec<Part<'_>> = serde_json::from_str(raw.get()).map_err(|error| {
                GatewayError::plugin("the adapter's content is not canonical").context(error)
            })?;
            for (index, part) in parts.into_iter().enumerate() {
                let bound = part.extra_content;
                if let Some(block) = Block::part(part) {
                    entries.push(Entry { place: Place::Content(index), block, bound });
                }
            }
        }
        content => entries.extend(spoken(content).map(|content| Entry {
            place: Place::Content(0),
            block: text(content),
            bound: None,
        })),
    }
    entries.extend(spoken(said.refusal).map(|refusal| Entry {
        place: Place::Content(usize::MAX),
        block: text(refusal),
        bound: None,
    }));
    Ok(())
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
    Block::Redacted { data: Cow::Owned(state::bind(owner, extra_content)) }
}

/// Citations that stand beside the message belong to its last text.
fn cite<'a>(found: impl Iterator<Item = &'a RawValue>, blocks: &mut [Block<'a>]) {
    let last = blocks.iter_mut().rev().find_map(|block| match block {
        Block::Text { citations, .. } => Some(citations),
        _ => None,
    });
    if let Some(citations) = last {
        citations.extend(found);
    }
}
