//! Gemini's turns as canonical messages.

use super::canonical::{Block, Called, Content as Said, Message, ReasoningDetail, ToolCall};
use super::parts;
use super::state;
use super::wire::{Content, FunctionCall, FunctionResponse, Leftover as _, Part, Text};
use crate::error::GatewayError;

/// The system instruction; several texts stay several parts.
pub(super) fn system(instruction: Content<'_>) -> Option<Message<'_>> {
    let blocks: Vec<Block<'_>> =
        instruction.parts.unwrap_or_default().0.into_iter().map(parts::block).collect();
    (!blocks.is_empty()).then(|| Message { role: "system", content: content(blocks), ..Message::default() })
}

/// Every turn in order.
pub(super) fn messages<'a>(
    contents: Vec<Content<'a>>,
    into: &mut Vec<Message<'a>>,
) -> Result<(), GatewayError> {
    let mut turns = Turns { messages: into, open: None, calls: Vec::new(), called: 0 };
    for (index, content) in contents.into_iter().enumerate() {
        let path = format!("contents[{index}]");
        let parts = content.parts.unwrap_or_default().0;
        let role = content.role.as_ref().map_or("user", Text::as_str).to_ascii_lowercase();
        match role.as_str() {
            "model" => turns.model(parts, &path)?,
            "user" | "function" | "" => turns.user(parts, &path)?,
            other => {
                let message = format!("`{other}` is not a role; use `user` or `model`");
                return Err(GatewayError::invalid(format!("{path}.role"), message));
            }
        }
    }
    turns.close();
    Ok(())
}

struct Turns<'a, 'm> {
    messages: &'m mut Vec<Message<'a>>,
    /// The model's turn so far: a client that gathers a stream has one content per chunk.
    open: Option<Assistant<'a>>,
    /// Calls of the last model turn.
    calls: Vec<Call<'a>>,
    /// How many calls there were at all; makes up ids.
    called: usize,
}

struct Call<'a> {
    id: Text<'a>,
    name: Text<'a>,
    answered: bool,
}

#[derive(Default)]
struct Assistant<'a> {
    reasoning: Vec<ReasoningDetail<'a>>,
    content: Vec<Block<'a>>,
    calls: Vec<ToolCall<'a>>,
    /// Kind and place of each block, as they came: 0 reasoning, 1 content, 2 calls.
    order: Vec<(u8, usize)>,
    signature: Option<Part<'a>>,
}

impl<'a> Turns<'a, '_> {
    fn model(&mut self, parts: Vec<Part<'a>>, path: &str) -> Result<(), GatewayError> {
        if self.open.is_none() {
            self.calls.clear();
        }
        let mut open = self.open.take().unwrap_or_default();
        for (index, mut part) in parts.into_iter().enumerate() {
            if part.function_response.is_some() {
                return Err(GatewayError::invalid(
                    format!("{path}.parts[{index}].functionResponse"),
                    "a function response stands in a turn of the user",
                ));
            }
            match part.function_call.take() {
                Some(call) => {
                    let call = self.call(call, part, &format!("{path}.parts[{index}].functionCall"))?;
                    open.order.push((2, open.calls.len()));
                    open.calls.push(call);
                }
                None => open.say(part),
            }
        }
        self.open = Some(open);
        Ok(())
    }

    fn call(
        &mut self,
        mut call: FunctionCall<'a>,
        mut part: Part<'a>,
        path: &str,
    ) -> Result<ToolCall<'a>, GatewayError> {
        let Some(name) = call.name.take().filter(|name| !name.is_empty()) else {
            return Err(GatewayError::invalid(format!("{path}.name"), "a function call needs a name"));
        };
        let arguments = call.args.take().map_or("{}", |args| args.get());
        if !arguments.starts_with('{') {
            return Err(GatewayError::invalid(format!("{path}.args"), "the arguments must be an object"));
        }
        let id = match call.id.take().filter(|id| !id.is_empty()) {
            Some(id) => id,
            None => format!("call_gemini_{}", self.called).into(),
        };
        self.called += 1;
        self.calls.push(Call { id: id.clone(), name: name.clone(), answered: false });
        if !call.is_empty() {
            part.function_call = Some(call);
        }
        let function = Called { name, arguments };
        Ok(ToolCall { id, kind: "function", function, extra_content: parts::extra(part) })
    }

    /// Results come first: canonical chat, like every vendor, wants them right behind the calls.
    fn user(&mut self, parts: Vec<Part<'a>>, path: &str) -> Result<(), GatewayError> {
        self.close();
        let mut blocks = Vec::new();
        for (index, mut part) in parts.into_iter().enumerate() {
            if part.function_call.is_some() {
                return Err(GatewayError::invalid(
                    format!("{path}.parts[{index}].functionCall"),
                    "a function call stands in a turn of the model",
                ));
            }
            match part.function_response.take() {
                Some(response) => {
                    let message =
                        self.result(response, part, &format!("{path}.parts[{index}].functionResponse"))?;
                    self.messages.push(message);
                }
                None => blocks.push(parts::block(part)),
            }
        }
        if !blocks.is_empty() {
            self.messages.push(Message { role: "user", content: content(blocks), ..Message::default() });
        }
        Ok(())
    }

    fn result(
        &mut self,
        mut response: FunctionResponse<'a>,
        mut part: Part<'a>,
        path: &str,
    ) -> Result<Message<'a>, GatewayError> {
        let id = response.id.take().filter(|id| !id.is_empty());
        let name = response.name.take().filter(|name| !name.is_empty());
        let Some(call) = self.answered_call(id.as_ref(), name.as_ref()) else {
            return Err(GatewayError::invalid(path, "it answers no function call of the turn before it"));
        };
        call.answered = true;
        let (tool_call_id, called) = (call.id.clone(), call.name.clone());
        let (text, is_error) = match response.response.take() {
            Some(response) => result_text(response.get(), path)?,
            None => (Text::from(""), false),
        };
        let mut blocks = Vec::new();
        let media = response.parts.take().unwrap_or_default().0;
        if !text.is_empty() || media.is_empty() {
            blocks.push(Block::Text { text, extra_content: None });
        }
        blocks.extend(media.into_iter().map(parts::block));
        if !response.is_empty() {
            part.function_response = Some(response);
        }
        Ok(Message {
            role: "tool",
            tool_call_id: Some(tool_call_id),
            name: Some(name.unwrap_or(called)),
            content: content(blocks),
            is_error,
            extra_content: parts::extra(part),
            ..Message::default()
        })
    }

    /// By id; else the first open call of that name; else, without id and name, the first open call.
    fn answered_call(&mut self, id: Option<&Text<'_>>, name: Option<&Text<'_>>) -> Option<&mut Call<'a>> {
        let by_id = self.calls.iter().position(|call| !call.answered && id == Some(&call.id));
        let by_name = || self.calls.iter().position(|call| !call.answered && name == Some(&call.name));
        let by_place = || self.calls.iter().position(|call| !call.answered && name.is_none() && id.is_none());
        let place = by_id.or_else(by_name).or_else(by_place)?;
        self.calls.get_mut(place)
    }

    fn close(&mut self) {
        if let Some(message) = self.open.take().and_then(Assistant::message) {
            self.messages.push(message);
        }
    }
}

impl<'a> Assistant<'a> {
    fn say(&mut self, mut part: Part<'a>) {
        let thought = part.thought == Some(true);
        let text = part.text.take();
        match text {
            Some(text) if thought => self.think(text, part),
            // Google sends a late signature on a part that holds nothing else.
            text if text.as_ref().is_none_or(Text::is_empty) && self.keep_signature(&mut part) => {}
            text if text.as_ref().is_none_or(Text::is_empty) && part.is_empty() => {}
            text => self.add(Part { text, ..part }),
        }
    }

    fn think(&mut self, text: Text<'a>, mut part: Part<'a>) {
        let state = part.thought_signature.take().map(state::open);
        if let Some(open) =
            self.reasoning.last_mut().filter(|last| last.format.is_none() && last.data.is_none())
            && self.order.last().is_some_and(|last| last.0 == 0)
            && state.as_ref().is_none_or(|state| !state.encrypted)
        {
            open.text = Some(joined(open.text.take(), text));
            if let Some(state) = state {
                (open.signature, open.format) = (Some(state.value), Some(state.format));
            }
            return;
        }
        self.order.push((0, self.reasoning.len()));
        let text = Some(text);
        self.reasoning.push(match state {
            None => {
                ReasoningDetail { kind: "reasoning.text", text, signature: None, data: None, format: None }
            }
            Some(state) if state.encrypted => ReasoningDetail {
                kind: "reasoning.encrypted",
                text: None,
                signature: None,
                data: Some(state.value),
                format: Some(state.format),
            },
            Some(state) => ReasoningDetail {
                kind: "reasoning.text",
                text,
                signature: Some(state.value),
                data: None,
                format: Some(state.format),
            },
        });
    }

    /// The first signature without a datum belongs to the whole message.
    fn keep_signature(&mut self, part: &mut Part<'a>) -> bool {
        let bare = part.thought_signature.is_some() && part.inline_data.is_none() && part.file_data.is_none();
        if !bare || !part.rest.is_empty() || self.signature.is_some() {
            return false;
        }
        self.signature = Some(std::mem::take(part));
        true
    }

    /// Plain text that follows plain text continues it; a client that gathers a stream has a part per chunk.
    fn add(&mut self, part: Part<'a>) {
        let block = parts::block(part);
        if let Block::Text { text, extra_content: None } = &block
            && self.order.last().is_some_and(|last| last.0 == 1)
            && let Some(Block::Text { text: before, extra_content: None }) = self.content.last_mut()
        {
            *before = joined(Some(std::mem::take(before)), text.clone());
            return;
        }
        self.order.push((1, self.content.len()));
        self.content.push(block);
    }

    fn message(self) -> Option<Message<'a>> {
        if self.order.is_empty() && self.signature.is_none() {
            return None;
        }
        let order = if self.order.is_sorted() { Vec::new() } else { self.order.iter().map(place).collect() };
        Some(Message {
            role: "assistant",
            content: content(self.content),
            reasoning_details: self.reasoning,
            tool_calls: self.calls,
            extra_content: self.signature.and_then(parts::extra),
            order,
            ..Message::default()
        })
    }
}

fn place(&(kind, index): &(u8, usize)) -> String {
    match kind {
        0 => format!("reasoning:{index}"),
        1 => format!("content:{index}"),
        _ => format!("tool_call:{index}"),
    }
}

fn joined<'a>(before: Option<Text<'a>>, after: Text<'a>) -> Text<'a> {
    match before {
        Some(before) if !before.is_empty() => {
            let mut text = before.0.into_owned();
            text.push_str(after.as_str());
            text.into()
        }
        _ => after,
    }
}

/// One plain text is a string; nothing at all is `null`.
fn content(mut blocks: Vec<Block<'_>>) -> Option<Said<'_>> {
    if let [Block::Text { extra_content: None, .. }] = blocks.as_slice()
        && let Some(Block::Text { text, .. }) = blocks.pop()
    {
        return Some(Said::Text(text));
    }
    (!blocks.is_empty()).then_some(Said::Parts(blocks))
}

/// The wrappers Google's SDKs put around a text are taken off; any other object stays as JSON text.
fn result_text<'a>(response: &'a str, path: &str) -> Result<(Text<'a>, bool), GatewayError> {
    let fields = serde_json::from_str::<super::wire::Object<'a>>(response)
        .map_err(|_| GatewayError::invalid(format!("{path}.response"), "the response must be an object"))?;
    if let [(name, value)] = fields.rest.as_slice() {
        let text = serde_json::from_str::<Text<'a>>(value.get()).ok();
        match (name.as_str(), text) {
            ("error", Some(text)) => return Ok((text, true)),
            ("error", None) => return Ok((value.get().into(), true)),
            ("result" | "output", Some(text)) => return Ok((text, false)),
            _ => {}
        }
    }
    Ok((response.into(), false))
}
