//! Canonical messages as Anthropic's turns.

use plugin_sdk::chat::{self, Fields, Json, Message, ReasoningDetail, Role, Text, ToolCall};
use plugin_sdk::{Failure, Losses, failure};
use serde_json::value::RawValue;

use super::blocks;
use crate::VENDOR;
use crate::wire::{Block, BlockBody, Content, Turn};

/// The conversation, taken apart.
#[derive(Default)]
pub(super) struct Conversation<'a> {
    pub(super) system: Vec<Block<'a>>,
    pub(super) turns: Vec<Turn<'a>>,
    /// The names of the functions that were called, each once.
    pub(super) called: Vec<&'a str>,
    /// The last turns are a call without thoughts and its results.
    pub(super) ends_with_unthought_calls: bool,
    /// The last turn is the assistant's: the model continues it.
    pub(super) ends_with_assistant: bool,
    /// The answer is JSON by a schema, given by a call of this tool.
    pub(super) answers_by_call: Option<&'static str>,
    /// The turn of the user that is being gathered.
    user: Option<UserTurn<'a>>,
    /// The assistant's last turn had calls, so their results belong into the next one.
    awaits_results: bool,
}

/// A turn of the user: results of tools come first in it.
#[derive(Default)]
struct UserTurn<'a> {
    results: Vec<Block<'a>>,
    blocks: Vec<Block<'a>>,
    own: Fields<'a>,
}

impl<'a> Conversation<'a> {
    /// Takes it apart.
    pub(super) fn of(messages: &'a [Message<'a>], losses: &mut Losses) -> Result<Self, Failure> {
        let mut conversation = Self::default();
        for (index, message) in messages.iter().enumerate() {
            let path = format!("messages[{index}]");
            conversation.take(message, &path, losses)?;
        }
        conversation.close_user();
        let last = conversation.turns.last();
        conversation.ends_with_assistant = last.is_some_and(|turn| turn.role == "assistant");
        conversation.ends_with_unthought_calls &= !conversation.ends_with_assistant;
        if conversation.ends_with_assistant {
            conversation.trim_last();
        }
        Ok(conversation)
    }

    fn take(&mut self, message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        if message.role != Role::Tool {
            losses.add_if(&message.name, format!("{path}.name"), "anthropic knows no names of speakers");
        }
        losses.add_if(&message.audio, format!("{path}.audio"), "anthropic takes no audio");
        blocks::lose_state(message.extra_content.as_ref(), path, losses);
        match message.role {
            Role::System | Role::Developer => self.instruct(message, path, losses),
            Role::User => self.ask(message, path, losses),
            Role::Tool | Role::Function => self.result(message, path, losses),
            Role::Assistant => self.answer(message, path, losses),
        }
    }

    /// Instructions stand apart from the turns; those in the middle are brought to the front.
    fn instruct(&mut self, message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        if self.user.is_some() || !self.turns.is_empty() {
            losses.add(path, "moved to the front, where anthropic's instructions stand");
        }
        let Some(content) = &message.content else { return Ok(()) };
        let here = format!("{path}.content");
        let own = blocks::own_fields(&message.rest, path, losses);
        losses.add_fields(&own, path, "instructions have no such field");
        for (index, block) in blocks::content(content, &here, losses)?.into_iter().enumerate() {
            match block {
                Block::Known { body: BlockBody::Text { .. }, .. } | Block::Own(_) => self.system.push(block),
                Block::Known { .. } => {
                    losses.add(format!("{here}[{index}]"), "anthropic's instructions are text only");
                }
            }
        }
        Ok(())
    }

    fn ask(&mut self, message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        if !self.awaits_results {
            self.close_user();
        }
        let turn = self.user.get_or_insert_default();
        if let Some(content) = &message.content {
            turn.blocks.extend(blocks::content(content, &format!("{path}.content"), losses)?);
        }
        turn.own.0.extend(blocks::own_fields(&message.rest, path, losses).0);
        Ok(())
    }

    fn result(&mut self, message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        let id = message.tool_call_id.as_deref().filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| failure::invalid(format!("{path}.tool_call_id"), "field required"))?;
        let content = match &message.content {
            None => None,
            Some(chat::Content::Text(text)) => Some(Content::Text(text)),
            Some(parts) => {
                let blocks = blocks::content(parts, &format!("{path}.content"), losses)?;
                (!blocks.is_empty()).then_some(Content::Blocks(blocks))
            }
        };
        let body = BlockBody::ToolResult { tool_use_id: sanitised(id), content, is_error: message.is_error };
        let own = blocks::own_fields(&message.rest, path, losses);
        let block = Block::Known { body, cache_control: message.cache_control.as_ref(), own };
        self.user.get_or_insert_default().results.push(block);
        Ok(())
    }

    fn answer(&mut self, message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        self.close_user();
        if !message.annotations.is_empty() {
            losses.add(format!("{path}.annotations"), "anthropic takes no citations back like this");
        }
        let mut blocks = Vec::new();
        for block in message.ordered() {
            let here = || format!("{path}.{}", block.path());
            match block {
                chat::Block::Reasoning(_, detail) => blocks.extend(thought(detail, here, losses)),
                chat::Block::ReasoningText(_) => losses.add(here(), NOT_OURS),
                chat::Block::Text(text) | chat::Block::Refusal(text) => {
                    blocks.extend(blocks::text_block(text))
                }
                chat::Block::Part(_, part) => blocks.extend(blocks::part(part, &here(), losses)?),
                chat::Block::ToolCall(_, call) => blocks.push(self.call(call, &here(), losses)?),
            }
        }
        self.awaits_results = !message.tool_calls.is_empty();
        self.ends_with_unthought_calls = self.awaits_results && !begins_with_thought(&blocks);
        let own = blocks::own_fields(&message.rest, path, losses);
        if !blocks.is_empty() {
            self.turns.push(Turn { role: "assistant", content: simplest(blocks), own });
        }
        Ok(())
    }

    fn call(
        &mut self,
        call: &'a ToolCall<'a>,
        path: &str,
        losses: &mut Losses,
    ) -> Result<Block<'a>, Failure> {
        if !matches!(&*call.kind, "function" | "") {
            return Err(failure::unsupported(
                path,
                format!("anthropic has no calls of type `{}`", call.kind),
            ));
        }
        if call.id.is_empty() {
            return Err(failure::invalid(format!("{path}.id"), "field required"));
        }
        blocks::lose_state(call.extra_content.as_ref(), path, losses);
        losses.add_fields(&call.function.rest, &format!("{path}.function"), "anthropic has no such field");
        let name: &'a str = &call.function.name;
        if !self.called.contains(&name) {
            self.called.push(name);
        }
        let input = input(&call.function.arguments)
            .ok_or_else(|| failure::invalid(format!("{path}.function.arguments"), "not a JSON object"))?;
        let body = BlockBody::ToolUse { id: sanitised(&call.id), name, input };
        let own = blocks::own_fields(&call.rest, path, losses);
        Ok(Block::Known { body, cache_control: call.cache_control.as_ref(), own })
    }

    /// Ends the user's turn. One that says nothing is left out: Anthropic refuses it.
    fn close_user(&mut self) {
        let Some(UserTurn { mut results, blocks, own }) = self.user.take() else { return };
        results.extend(blocks);
        self.awaits_results = false;
        if !results.is_empty() {
            self.turns.push(Turn { role: "user", content: simplest(results), own });
        }
    }

    /// Anthropic refuses a begun answer that ends in white space.
    fn trim_last(&mut self) {
        let text = match self.turns.last_mut().map(|turn| &mut turn.content) {
            Some(Content::Text(text)) => Some(text),
            Some(Content::Blocks(blocks)) => match blocks.last_mut() {
                Some(Block::Known { body: BlockBody::Text { text, .. }, .. }) => Some(text),
                _ => None,
            },
            None => None,
        };
        if let Some(text) = text {
            *text = text.trim_end();
        }
    }
}

const NOT_OURS: &str = "anthropic takes back only thoughts that it has signed";

/// A thought, if it is Anthropic's own.
fn thought<'a>(
    detail: &'a ReasoningDetail<'a>,
    path: impl Fn() -> String,
    losses: &mut Losses,
) -> Option<Block<'a>> {
    if detail.format.as_deref() != Some(VENDOR) {
        losses.add(path(), NOT_OURS);
        return None;
    }
    let own = blocks::own_fields(&detail.rest, &path(), losses);
    let body = match (detail.data.as_deref(), detail.signature.as_deref()) {
        (Some(data), _) => BlockBody::RedactedThinking { data },
        (None, Some(signature)) if !signature.is_empty() => {
            BlockBody::Thinking { thinking: detail.readable().unwrap_or_default(), signature }
        }
        _ => {
            losses.add(path(), NOT_OURS);
            return None;
        }
    };
    Some(Block::Known { body, cache_control: None, own })
}

fn begins_with_thought(blocks: &[Block<'_>]) -> bool {
    let first = blocks.first();
    first.is_some_and(|block| {
        matches!(
            block,
            Block::Known { body: BlockBody::Thinking { .. } | BlockBody::RedactedThinking { .. }, .. }
        )
    })
}

/// One plain text is a string.
fn simplest(blocks: Vec<Block<'_>>) -> Content<'_> {
    match blocks.as_slice() {
        [Block::Known { body: BlockBody::Text { text, citations: None }, cache_control: None, own }]
            if own.is_empty() =>
        {
            Content::Text(text)
        }
        _ => Content::Blocks(blocks),
    }
}

/// An id as Anthropic allows it. What had to be changed gets a hash, so that two ids stay two.
fn sanitised(id: &str) -> Text<'_> {
    let fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if id.chars().all(fine) {
        return id.into();
    }
    // FNV-1a: call and result are sanitised apart from each other and must meet again.
    let hash =
        id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let kept: String = id.chars().map(|letter| if fine(letter) { letter } else { '_' }).collect();
    format!("{kept}_{hash:08x}").into()
}

/// Arguments as an object; no text means no arguments.
fn input<'a>(arguments: &'a Text<'a>) -> Option<Json<'a>> {
    let text: &'a str = match arguments.trim() {
        "" | "null" => "{}",
        text => text,
    };
    text.starts_with('{').then(|| serde_json::from_str::<&'a RawValue>(text).ok())?.map(Json::Raw)
}
