//! Anthropic's turns as canonical messages.

use serde_json::value::RawValue;

use super::blocks::{self, is_string};
use super::canonical::{Content, FunctionCall, Message, OwnFields, Part, Place, ReasoningDetail, ToolCall};
use super::object::{Object, Path, decode};
use super::state::{self, Owner, State};
use super::wire;
use crate::error::GatewayError;

/// The system prompt, and a system turn among the others.
pub(super) fn system<'a>(
    content: wire::Content<'a>,
    rest: Object<'a>,
    path: Path<'_>,
) -> Result<Message<'a>, GatewayError> {
    let content = Some(plain(content, path)?);
    Ok(Message { role: "system", content, vendor: OwnFields::of(rest), ..Message::default() })
}

/// All turns, in their order.
pub(super) fn turns<'a>(
    turns: Vec<wire::Message<'a>>,
    messages: &mut Vec<Message<'a>>,
) -> Result<(), GatewayError> {
    messages.reserve(turns.len() + 1);
    let list = Path::Field(&Path::Root, "messages");
    for (index, turn) in turns.into_iter().enumerate() {
        let path = Path::Item(&list, index);
        let content = Path::Field(&path, "content");
        match turn.role.as_ref() {
            "user" => user(turn, content, messages)?,
            "assistant" => messages.push(assistant(turn, content)?),
            "system" => messages.push(system(turn.content, turn.rest, content)?),
            _ => return Err(Path::Field(&path, "role").wrong("expected user, assistant or system")),
        }
    }
    Ok(())
}

/// Content that is neither called nor thought: a string, or parts.
fn plain<'a>(content: wire::Content<'a>, path: Path<'_>) -> Result<Content<'a>, GatewayError> {
    let list = match content {
        wire::Content::Text(text) => return Ok(Content::Text(text)),
        wire::Content::Blocks(list) => list,
    };
    let mut parts = Vec::with_capacity(list.len());
    for (index, block) in list.into_iter().enumerate() {
        parts.push(blocks::part(block, Path::Item(&path, index))?);
    }
    Ok(simplest(parts))
}

/// One text that says nothing but itself is a string: every provider takes that.
fn simplest(parts: Vec<Part<'_>>) -> Content<'_> {
    match parts.as_slice() {
        [] => Content::Text("".into()),
        [only] if only.is_bare_text() => only.text.map_or(Content::Text("".into()), Content::RawText),
        _ => Content::Parts(parts),
    }
}

/// A user's turn: each tool result is a message of its own, and they come first, as providers demand.
fn user<'a>(
    turn: wire::Message<'a>,
    path: Path<'_>,
    messages: &mut Vec<Message<'a>>,
) -> Result<(), GatewayError> {
    let vendor = OwnFields::of(turn.rest);
    let list = match turn.content {
        wire::Content::Blocks(list) => list,
        wire::Content::Text(text) => {
            let content = Some(Content::Text(text));
            messages.push(Message { role: "user", content, vendor, ..Message::default() });
            return Ok(());
        }
    };
    let before = messages.len();
    let mut parts = Vec::with_capacity(list.len());
    for (index, block) in list.into_iter().enumerate() {
        let here = Path::Item(&path, index);
        match block.get("type").map(|kind| kind.get()) {
            Some("\"tool_result\"") => messages.push(tool_result(block, here)?),
            Some("\"tool_use\"" | "\"thinking\"" | "\"redacted_thinking\"") => {
                return Err(Path::Field(&here, "type").wrong("this block belongs to the assistant"));
            }
            _ => parts.push(blocks::part(block, here)?),
        }
    }
    let only_results = messages.len() > before;
    if !parts.is_empty() || vendor.is_some() || !only_results {
        let content = Some(simplest(parts));
        messages.push(Message { role: "user", content, vendor, ..Message::default() });
    }
    Ok(())
}

/// What a tool said.
fn tool_result<'a>(mut block: Object<'a>, path: Path<'_>) -> Result<Message<'a>, GatewayError> {
    block.take("type", path)?;
    let tool_call_id = Some(block.need_string("tool_use_id", path)?);
    let inner = Path::Field(&path, "content");
    let content = match block.take("content", path)? {
        None => Content::Text("".into()),
        Some(raw) if is_string(raw) => Content::RawText(raw),
        Some(raw) => plain(wire::Content::Blocks(Object::read_list(raw, inner)?), inner)?,
    };
    Ok(Message {
        role: "tool",
        tool_call_id,
        content: Some(content),
        is_error: block.take_bool("is_error", path)?.filter(|is_error| *is_error),
        cache_control: block.take("cache_control", path)?,
        vendor: OwnFields::of(block),
        ..Message::default()
    })
}

/// The assistant's turn while it is taken apart.
#[derive(Default)]
struct Assistant<'a> {
    reasoning: Vec<ReasoningDetail<'a>>,
    parts: Vec<Part<'a>>,
    calls: Vec<ToolCall<'a>>,
    order: Vec<Place>,
    bound: Vec<(Owner, Box<RawValue>)>,
}

/// The assistant's turn.
fn assistant<'a>(turn: wire::Message<'a>, path: Path<'_>) -> Result<Message<'a>, GatewayError> {
    let vendor = OwnFields::of(turn.rest);
    let list = match turn.content {
        wire::Content::Blocks(list) => list,
        wire::Content::Text(text) => {
            let content = Some(Content::Text(text));
            return Ok(Message { role: "assistant", content, vendor, ..Message::default() });
        }
    };
    let mut taken = Assistant::default();
    for (index, block) in list.into_iter().enumerate() {
        taken.block(block, Path::Item(&path, index))?;
    }
    let mut message = taken.message();
    message.vendor = vendor;
    Ok(message)
}

impl<'a> Assistant<'a> {
    fn block(&mut self, block: Object<'a>, path: Path<'_>) -> Result<(), GatewayError> {
        match block.get("type").map(|kind| kind.get()) {
            Some("\"thinking\"") => self.thinking(block, path),
            Some("\"redacted_thinking\"") => self.redacted(block, path),
            Some("\"tool_use\"") => {
                self.order.push(Place::ToolCall(self.calls.len()));
                self.calls.push(tool_call(block, path)?);
                Ok(())
            }
            Some("\"tool_result\"") => {
                Err(Path::Field(&path, "type").wrong("this block belongs to the user"))
            }
            _ => {
                self.order.push(Place::Content(self.parts.len()));
                self.parts.push(blocks::part(block, path)?);
                Ok(())
            }
        }
    }

    fn thinking(&mut self, mut block: Object<'a>, path: Path<'_>) -> Result<(), GatewayError> {
        block.take("type", path)?;
        let text = Some(block.need_string("thinking", path)?);
        let signature = block.take_text("signature", path)?.unwrap_or_default();
        let (format, signature) = match state::unmark(signature) {
            State::Of(vendor, own) => (Some(vendor), Some(own)),
            State::Nothing => (None, None),
        };
        let vendor = OwnFields::of(block);
        self.reason(ReasoningDetail {
            r#type: "reasoning.text",
            text,
            signature,
            format,
            vendor,
            ..ReasoningDetail::default()
        });
        Ok(())
    }

    fn redacted(&mut self, mut block: Object<'a>, path: Path<'_>) -> Result<(), GatewayError> {
        block.take("type", path)?;
        let data = block.need_text("data", path)?;
        if let Some(bound) = state::unbind(&data) {
            self.bound.push(bound);
            return Ok(());
        }
        let (format, data) = match state::unmark(data) {
            State::Of(vendor, own) => (Some(vendor), Some(own)),
            State::Nothing => return Err(Path::Field(&path, "data").wrong("must not be empty")),
        };
        let vendor = OwnFields::of(block);
        self.reason(ReasoningDetail {
            r#type: "reasoning.encrypted",
            data,
            format,
            vendor,
            ..ReasoningDetail::default()
        });
        Ok(())
    }

    fn reason(&mut self, detail: ReasoningDetail<'a>) {
        self.order.push(Place::Reasoning(self.reasoning.len()));
        self.reasoning.push(detail);
    }

    /// Puts it together; the order is told only where it is not the usual one.
    fn message(mut self) -> Message<'a> {
        let mut message = Message { role: "assistant", ..Message::default() };
        for (owner, extra_content) in self.bound {
            match owner {
                Owner::Message => message.extra_content = Some(extra_content),
                Owner::Content(index) => {
                    if let Some(part) = self.parts.get_mut(index) {
                        part.extra_content = Some(extra_content);
                    }
                }
                Owner::Call(id) => {
                    let is_it = |call: &&mut ToolCall<'_>| decode(call.id).is_some_and(|own| own == id);
                    if let Some(call) = self.calls.iter_mut().find(is_it) {
                        call.extra_content = Some(extra_content);
                    }
                }
            }
        }
        if !self.order.is_sorted() {
            message.order = self.order;
        }
        let silent = self.parts.is_empty() && !(self.calls.is_empty() && self.reasoning.is_empty());
        message.content = (!silent).then(|| simplest(self.parts));
        message.reasoning_details = self.reasoning;
        message.tool_calls = self.calls;
        message
    }
}

/// The model called a tool.
fn tool_call<'a>(mut block: Object<'a>, path: Path<'_>) -> Result<ToolCall<'a>, GatewayError> {
    block.take("type", path)?;
    let id = block.need_string("id", path)?;
    let name = block.need_string("name", path)?;
    let input = block.take("input", path)?;
    if input.is_some_and(|input| !input.get().starts_with('{')) {
        return Err(Path::Field(&path, "input").wrong("expected an object"));
    }
    let input = input.ok_or_else(|| Path::Field(&path, "input").wrong("field required"))?;
    Ok(ToolCall {
        id,
        r#type: "function",
        function: FunctionCall { name, arguments: input.get() },
        cache_control: block.take("cache_control", path)?,
        extra_content: None,
        vendor: OwnFields::of(block),
    })
}
