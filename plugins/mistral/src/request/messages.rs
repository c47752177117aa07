//! Canonical messages in the order of roles that Mistral insists on: instructions first, no question right behind a
//! result, and a question, a result or a begun answer at the end.

use plugin_sdk::chat::{self, Block, Message, ReasoningDetail, Role, ToolCall};
use plugin_sdk::{Failure, Losses, failure};
use serde_json::value::RawValue;

use super::ids::Ids;
use super::parts;
use crate::VENDOR;
use crate::wire::{Call, Chunk, Content, Function, Thought, Turn};

/// What is said between a result and a question.
const BRIDGE: &str = "Understood.";

/// The conversation.
pub(super) fn convert<'a>(
    messages: &'a [Message<'a>],
    losses: &mut Losses,
) -> Result<Vec<Turn<'a>>, Failure> {
    let mut conversation = Conversation::default();
    for (index, message) in messages.iter().enumerate() {
        conversation.take(message, &format!("messages[{index}]"), losses)?;
    }
    Ok(conversation.close(losses))
}

#[derive(Default)]
struct Conversation<'a> {
    instructions: Vec<Turn<'a>>,
    turns: Vec<Turn<'a>>,
    ids: Ids<'a>,
    /// Id and function of every call so far.
    calls: Vec<(&'a str, &'a str)>,
}

impl<'a> Conversation<'a> {
    fn take(&mut self, message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        report_marks(message, path, losses);
        let own = losses.own_fields(&message.rest, VENDOR, path);
        match message.role {
            Role::System | Role::Developer => {
                if !self.turns.is_empty() {
                    losses.add(path, "moved to the front, where mistral's instructions stand");
                }
                let content = instructions(message, path, losses)?;
                self.instructions.push(Turn { role: "system", content, own, ..Turn::default() });
            }
            Role::User => {
                if self.turns.last().is_some_and(|turn| turn.role == "tool") {
                    let reason = format!(
                        "mistral wants an answer between a result and a question; `{BRIDGE}` was put there"
                    );
                    losses.add(path, reason);
                    let content = Some(Content::Text(BRIDGE.into()));
                    self.turns.push(Turn { role: "assistant", content, ..Turn::default() });
                }
                let content = content(message, path, losses)?.or_else(|| Some(Content::Text("".into())));
                self.turns.push(Turn { role: "user", content, own, ..Turn::default() });
            }
            Role::Assistant => {
                let turn = self.answer(message, path, losses)?;
                // Mistral refuses an answer that says nothing.
                if turn.content.is_some() || !turn.tool_calls.is_empty() {
                    self.turns.push(Turn { own, ..turn });
                }
            }
            Role::Tool | Role::Function => {
                let turn = self.result(message, path, losses)?;
                self.turns.push(Turn { own, ..turn });
            }
        }
        Ok(())
    }

    fn close(mut self, losses: &mut Losses) -> Vec<Turn<'a>> {
        match self.turns.last_mut() {
            Some(last) => last.prefix = last.role == "assistant" && last.tool_calls.is_empty(),
            None => {
                if let Some(last) = self.instructions.last_mut() {
                    losses.add("messages", "mistral wants a question; the last instruction was sent as one");
                    last.role = "user";
                }
            }
        }
        self.instructions.append(&mut self.turns);
        self.instructions
    }

    fn answer(
        &mut self,
        message: &'a Message<'a>,
        path: &str,
        losses: &mut Losses,
    ) -> Result<Turn<'a>, Failure> {
        let mut chunks = Vec::new();
        let mut tool_calls = Vec::new();
        for block in message.ordered() {
            let here = format!("{path}.{}", block.path());
            if !tool_calls.is_empty() && !matches!(block, Block::ToolCall(..)) {
                losses.add(format!("{path}.order"), "mistral has calls behind everything else");
            }
            match block {
                Block::Reasoning(_, detail) => chunks.extend(thought(detail, &here, losses)),
                Block::ReasoningText(text) => chunks.push(Chunk::Thinking { thinking: [Thought { text }] }),
                Block::Text(text) | Block::Refusal(text) => chunks.push(parts::text(text)),
                Block::Part(_, part) => chunks.extend(parts::chunk(part, &here, losses)?),
                Block::ToolCall(_, call) => tool_calls.push(self.call(call, &here, losses)?),
            }
        }
        Ok(Turn { role: "assistant", content: simplest(chunks), tool_calls, ..Turn::default() })
    }

    fn call(&mut self, call: &'a ToolCall<'a>, path: &str, losses: &mut Losses) -> Result<Call<'a>, Failure> {
        if !matches!(&*call.kind, "function" | "") {
            let message = format!("{path}: mistral has no calls of type `{}`", call.kind);
            return Err(failure::unsupported(path, message));
        }
        losses.add_if(&call.cache_control, format!("{path}.cache_control"), "mistral has no cache marks");
        losses.add_state(&call.extra_content, path);
        losses.add_fields(&call.function.rest, &format!("{path}.function"), "mistral has no such field");
        self.calls.push((&call.id, &call.function.name));
        let arguments: &'a str = match call.function.arguments.trim() {
            "" | "null" => "{}",
            text => text,
        };
        if !arguments.starts_with('{') || serde_json::from_str::<&RawValue>(arguments).is_err() {
            let path = format!("{path}.function.arguments");
            let message = format!("{path}: not a JSON object");
            return Err(failure::invalid(path, message));
        }
        Ok(Call {
            id: self.ids.sent(&call.id),
            kind: "function",
            function: Function { name: &call.function.name, arguments },
            own: losses.own_fields(&call.rest, VENDOR, path),
        })
    }

    fn result(
        &mut self,
        message: &'a Message<'a>,
        path: &str,
        losses: &mut Losses,
    ) -> Result<Turn<'a>, Failure> {
        let Some(id) = message.tool_call_id.as_deref().filter(|id| !id.is_empty()) else {
            let path = format!("{path}.tool_call_id");
            let message = format!("{path}: a tool message needs the id of the call it answers");
            return Err(failure::invalid(path, message));
        };
        let called = self.calls.iter().rev().find(|(call, _)| *call == id);
        let name = message.name.as_deref().or(called.map(|(_, name)| *name));
        let mut content = content(message, path, losses)?.unwrap_or_else(|| Content::Text("".into()));
        if message.is_error {
            content = marked(content);
        }
        let tool_call_id = Some(self.ids.sent(id));
        Ok(Turn { role: "tool", content: Some(content), tool_call_id, name, ..Turn::default() })
    }
}

/// Mistral's tool messages cannot say that the tool failed but in words.
fn marked(content: Content<'_>) -> Content<'_> {
    match content {
        Content::Text(text)
            if text.trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("error")) =>
        {
            Content::Text(text)
        }
        Content::Text(text) => Content::Text(format!("Error: {text}").into()),
        Content::Chunks(mut chunks) => {
            chunks.insert(0, parts::text("Error:"));
            Content::Chunks(chunks)
        }
    }
}

/// Instructions are text.
fn instructions<'a>(
    message: &'a Message<'a>,
    path: &str,
    losses: &mut Losses,
) -> Result<Option<Content<'a>>, Failure> {
    let Some(Content::Chunks(chunks)) = content(message, path, losses)? else {
        return Ok(message.content.as_ref().map(|content| Content::Text(content.text())));
    };
    let before = chunks.len();
    let texts: Vec<Chunk<'a>> =
        chunks.into_iter().filter(|chunk| matches!(chunk, Chunk::Text { .. })).collect();
    if texts.len() < before {
        losses.add(format!("{path}.content"), "mistral's instructions are text only");
    }
    Ok(simplest(texts))
}

fn content<'a>(
    message: &'a Message<'a>,
    path: &str,
    losses: &mut Losses,
) -> Result<Option<Content<'a>>, Failure> {
    match &message.content {
        None => Ok(None),
        Some(chat::Content::Text(text)) => Ok(Some(Content::Text((&**text).into()))),
        Some(chat::Content::Parts(parts)) => {
            let mut chunks = Vec::with_capacity(parts.len());
            for (index, part) in parts.iter().enumerate() {
                chunks.extend(parts::chunk(part, &format!("{path}.content[{index}]"), losses)?);
            }
            Ok(simplest(chunks))
        }
    }
}

/// One text is a string; nothing is nothing.
fn simplest(mut chunks: Vec<Chunk<'_>>) -> Option<Content<'_>> {
    chunks.retain(|chunk| !matches!(chunk, Chunk::Text { text } if text.is_empty()));
    match chunks.pop() {
        Some(Chunk::Text { text }) if chunks.is_empty() => Some(Content::Text(text)),
        Some(last) => {
            chunks.push(last);
            Some(Content::Chunks(chunks))
        }
        None => None,
    }
}

/// A thought without another vendor's state.
fn thought<'a>(detail: &'a ReasoningDetail<'a>, path: &str, losses: &mut Losses) -> Option<Chunk<'a>> {
    let Some(text) = detail.readable().filter(|_| detail.belongs_to(VENDOR)) else {
        losses.add(path, "state of another vendor");
        return None;
    };
    let own = losses.own_fields(&detail.rest, VENDOR, path);
    losses.add_fields(&own, &format!("{path}.vendor.{VENDOR}"), "mistral takes only the text of a thought");
    (!text.is_empty()).then_some(Chunk::Thinking { thinking: [Thought { text }] })
}

/// What stands on a message and has no place in Mistral's.
fn report_marks(message: &Message<'_>, path: &str, losses: &mut Losses) {
    losses.add_if(&message.cache_control, format!("{path}.cache_control"), "mistral has no cache marks");
    losses.add_state(&message.extra_content, path);
    losses.add_if(&message.audio, format!("{path}.audio"), "mistral takes no spoken answer back");
    if message.role != Role::Tool {
        losses.add_if(&message.name, format!("{path}.name"), "mistral knows no names of speakers");
    }
    if !message.annotations.is_empty() {
        losses.add(format!("{path}.annotations"), "mistral takes no annotations back");
    }
}
