//! Canonical messages as Converse's turns. Roles alternate: what follows in the same role joins the turn before it.

use std::borrow::Cow;

use plugin_sdk::chat::{
    self, CacheControl, ChatRequest, Content, Json, Message, ReasoningDetail, Role, Text, ToolCall,
};
use plugin_sdk::{Failure, Losses, failure};
use serde_json::value::RawValue;

use super::parts::{self, Names};
use crate::VENDOR;
use crate::model::Family;
use crate::wire::{Block, Reasoning, Turn};

/// The conversation, taken apart.
pub(super) struct Conversation<'a> {
    pub(super) system: Vec<Block<'a>>,
    pub(super) turns: Vec<Turn<'a>>,
    /// The names of the functions that were called, each once.
    pub(super) called: Vec<&'a str>,
    /// The last turns are a call without thoughts and its results.
    pub(super) ends_with_unthought_calls: bool,
    /// The last turn is the assistant's: the model continues it.
    pub(super) ends_with_assistant: bool,
    family: Family,
    names: Names,
    /// How many blocks at the front of the user's last turn are results: they come first in it.
    results: usize,
}

impl<'a> Conversation<'a> {
    /// Takes it apart.
    pub(super) fn of(
        request: &'a ChatRequest<'a>,
        family: Family,
        losses: &mut Losses,
    ) -> Result<Self, Failure> {
        let mut conversation = Self {
            system: Vec::new(),
            turns: Vec::new(),
            called: Vec::new(),
            ends_with_unthought_calls: false,
            ends_with_assistant: false,
            family,
            names: Names::default(),
            results: 0,
        };
        for (index, message) in request.messages.iter().enumerate() {
            conversation.take(message, &format!("messages[{index}]"), losses)?;
        }
        conversation.ends_with_assistant =
            conversation.turns.last().is_some_and(|turn| turn.role == "assistant");
        conversation.ends_with_unthought_calls &= !conversation.ends_with_assistant;
        if let Some(Block::Text(text)) = conversation.begun_answer() {
            // A begun answer must not end in white space.
            *text = text.trim_end();
        }
        Ok(conversation)
    }

    fn begun_answer(&mut self) -> Option<&mut Block<'a>> {
        self.turns.last_mut().filter(|turn| turn.role == "assistant")?.content.last_mut()
    }

    fn take(&mut self, message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        if message.role != Role::Tool {
            losses.add_if(&message.name, format!("{path}.name"), "bedrock knows no names of speakers");
        }
        losses.add_if(&message.audio, format!("{path}.audio"), "bedrock takes no audio");
        parts::lose_state(message.extra_content.as_ref(), path, losses);
        parts::lose_fields(&message.rest, path, losses);
        match message.role {
            Role::System | Role::Developer => self.instruct(message, path, losses),
            Role::User => {
                let blocks = self.content(message.content.as_ref(), path, losses)?;
                self.say("user", blocks);
                Ok(())
            }
            Role::Tool | Role::Function => self.result(message, path, losses),
            Role::Assistant => self.answer(message, path, losses),
        }
    }

    /// Instructions stand apart from the turns; those in the middle are brought to the front.
    fn instruct(&mut self, message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        if !self.turns.is_empty() {
            losses.add(path, "moved to the front, where bedrock's instructions stand");
        }
        for block in self.content(message.content.as_ref(), path, losses)? {
            match block {
                Block::Text(_) | Block::CachePoint(_) | Block::Own(_) => self.system.push(block),
                _ => losses.add(format!("{path}.content"), "bedrock's instructions are text only"),
            }
        }
        Ok(())
    }

    fn content(
        &mut self,
        content: Option<&'a Content<'a>>,
        path: &str,
        losses: &mut Losses,
    ) -> Result<Vec<Block<'a>>, Failure> {
        let parts = match content {
            None => return Ok(Vec::new()),
            Some(Content::Text(text)) => return Ok(parts::text_block(text).into_iter().collect()),
            Some(Content::Parts(parts)) => parts,
        };
        let mut blocks = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            let here = format!("{path}.content[{index}]");
            if let Some(block) = parts::part(part, &here, &mut self.names, losses)? {
                blocks.push(block);
                self.mark(part.cache_control.as_ref(), &here, &mut blocks, losses);
            }
        }
        Ok(blocks)
    }

    fn mark(
        &self,
        mark: Option<&'a CacheControl<'a>>,
        path: &str,
        blocks: &mut Vec<Block<'a>>,
        losses: &mut Losses,
    ) {
        let Some(mark) = mark else { return };
        parts::mark(mark, self.family, &format!("{path}.cache_control"), blocks, losses);
    }

    /// Adds to the last turn when it is of the same role.
    fn say(&mut self, role: &'static str, blocks: Vec<Block<'a>>) {
        if blocks.is_empty() {
            return;
        }
        match self.turns.last_mut().filter(|turn| turn.role == role) {
            Some(turn) => turn.content.extend(blocks),
            None => {
                self.results = 0;
                self.turns.push(Turn { role, content: blocks });
            }
        }
    }

    fn result(&mut self, message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        let id = message.tool_call_id.as_deref().filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| failure::invalid(format!("{path}.tool_call_id"), "field required"))?;
        let mut content = self.content(message.content.as_ref(), path, losses)?;
        let marks = content.extract_if(.., |block| matches!(block, Block::CachePoint(_)));
        // A mark stands between blocks, not inside a result.
        let mark = marks.last();
        let status = message.is_error.then_some("error").filter(|_| self.family.takes_status());
        if message.is_error && status.is_none() {
            losses.add(format!("{path}.is_error"), "this model takes no status of results");
        }
        let mut blocks = vec![Block::ToolResult { tool_use_id: sanitised(id), content, status }];
        match (&message.cache_control, mark) {
            (None, Some(mark)) => blocks.push(mark),
            (own, _) => self.mark(own.as_ref(), path, &mut blocks, losses),
        }
        if self.turns.last().is_none_or(|turn| turn.role != "user") {
            self.results = 0;
            self.turns.push(Turn { role: "user", content: Vec::new() });
        }
        let (count, place) = (blocks.len(), self.results);
        if let Some(turn) = self.turns.last_mut() {
            let place = place.min(turn.content.len());
            turn.content.splice(place..place, blocks);
        }
        self.results += count;
        Ok(())
    }

    fn answer(&mut self, message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        if !message.annotations.is_empty() {
            losses.add(format!("{path}.annotations"), "bedrock takes no citations back");
        }
        let mut blocks = Vec::new();
        let mut thought_first = false;
        for block in message.ordered() {
            let here = format!("{path}.{}", block.path());
            match block {
                chat::Block::Reasoning(_, detail) => {
                    let thought = thought(detail, self.family, &here, losses);
                    thought_first |= blocks.is_empty() && thought.is_some();
                    blocks.extend(thought);
                }
                chat::Block::ReasoningText(_) => losses.add(here, NOT_OURS),
                chat::Block::Text(text) | chat::Block::Refusal(text) => {
                    blocks.extend(parts::text_block(text))
                }
                chat::Block::Part(_, part) => {
                    if let Some(block) = parts::part(part, &here, &mut self.names, losses)? {
                        blocks.push(block);
                        self.mark(part.cache_control.as_ref(), &here, &mut blocks, losses);
                    }
                }
                chat::Block::ToolCall(_, call) => {
                    blocks.push(self.call(call, &here, losses)?);
                    self.mark(call.cache_control.as_ref(), &here, &mut blocks, losses);
                }
            }
        }
        self.ends_with_unthought_calls = !message.tool_calls.is_empty() && !thought_first;
        self.say("assistant", blocks);
        Ok(())
    }

    fn call(
        &mut self,
        call: &'a ToolCall<'a>,
        path: &str,
        losses: &mut Losses,
    ) -> Result<Block<'a>, Failure> {
        if !matches!(&*call.kind, "function" | "") {
            return Err(failure::unsupported(path, format!("bedrock has no calls of type `{}`", call.kind)));
        }
        if call.id.is_empty() {
            return Err(failure::invalid(format!("{path}.id"), "field required"));
        }
        parts::lose_state(call.extra_content.as_ref(), path, losses);
        parts::lose_fields(&call.rest, path, losses);
        losses.add_fields(&call.function.rest, &format!("{path}.function"), "bedrock has no such field");
        let name: &'a str = &call.function.name;
        if !self.called.contains(&name) {
            self.called.push(name);
        }
        let input = input(&call.function.arguments)
            .ok_or_else(|| failure::invalid(format!("{path}.function.arguments"), "not a JSON object"))?;
        Ok(Block::ToolUse { tool_use_id: sanitised(&call.id), name, input })
    }
}

const NOT_OURS: &str = "bedrock takes back only thoughts that its own models have signed";

/// A thought, if it is this model's own. Anthropic's signatures are good on either side.
fn thought<'a>(
    detail: &'a ReasoningDetail<'a>,
    family: Family,
    path: &str,
    losses: &mut Losses,
) -> Option<Block<'a>> {
    let format = detail.format.as_deref();
    let own = format == Some(VENDOR) || (format == Some(family.signature_format()) && detail.data.is_none());
    let signature = detail.signature.as_deref().filter(|signature| !signature.is_empty());
    let reasoning = match (detail.data.as_deref(), detail.readable()) {
        _ if !own => None,
        (Some(data), _) => Some(Reasoning::RedactedContent(data)),
        (None, text) if signature.is_some() => {
            Some(Reasoning::ReasoningText { text: text.unwrap_or_default(), signature })
        }
        // Models without signatures want none back; Claude does.
        (None, Some(text)) if family.takes_unsigned_thoughts() => {
            Some(Reasoning::ReasoningText { text, signature: None })
        }
        _ => None,
    };
    if reasoning.is_none() {
        losses.add(path, NOT_OURS);
    }
    reasoning.map(Block::ReasoningContent)
}

/// An id as Bedrock allows it: 64 letters. What had to be changed gets a hash, so that two ids stay two.
fn sanitised(id: &str) -> Cow<'_, str> {
    let fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if id.len() <= 64 && id.chars().all(fine) {
        return Cow::Borrowed(id);
    }
    // FNV-1a: call and result are sanitised apart from each other and must meet again.
    let hash =
        id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let kept: String = id.chars().take(55).map(|letter| if fine(letter) { letter } else { '_' }).collect();
    Cow::Owned(format!("{kept}_{hash:08x}"))
}

/// Arguments as an object; no text means no arguments.
fn input<'a>(arguments: &'a Text<'a>) -> Option<Json<'a>> {
    let text: &'a str = match arguments.trim() {
        "" | "null" => "{}",
        text => text,
    };
    text.starts_with('{').then(|| serde_json::from_str::<&'a RawValue>(text).ok())?.map(Json::Raw)
}
