//! The input items as canonical messages.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::canonical::{Content, Message, OwnFields, Ownership, Part, Text, Tool, Value};
use super::names::Names;
use super::object::{Object, Path};
use super::state::{self, Sealed, State};
use super::turn::{self, Turn};
use super::{VENDOR, compaction, parts, tools};
use crate::error::GatewayError;

/// What has been read so far.
#[derive(Default)]
pub(super) struct Conversation<'a> {
    pub(super) messages: Vec<Message<'a>>,
    /// The tools of the request; items may bring more.
    pub(super) tools: Vec<Tool<'a>>,
    pub(super) names: Names,
    /// What else items say that bring tools.
    pub(super) own: OwnFields<'a>,
    /// Where each function stands among the tools.
    places: HashMap<String, usize>,
    /// Where the result of each call stands among the messages.
    results: HashMap<&'a str, usize>,
}

/// `input`: a string of the user's, or items.
pub(super) fn messages<'a>(
    input: &'a RawValue,
    conversation: &mut Conversation<'a>,
) -> Result<(), GatewayError> {
    if input.get().starts_with('"') {
        let content = Some(Content::Text(Text::Raw(input)));
        conversation.messages.push(Message { role: "user", content, ..Message::default() });
        return Ok(());
    }
    let list = Path::Field(&Path::Root, "input");
    let items = Object::read_list(input, list)?;
    conversation.messages.reserve(items.len());
    let mut turn = Turn::default();
    for (index, object) in items.into_iter().enumerate() {
        item(object, Path::Item(&list, index), &mut turn, conversation)?;
    }
    turn.end(&mut conversation.messages);
    Ok(())
}

fn item<'a>(
    mut item: Object<'a>,
    path: Path<'_>,
    turn: &mut Turn<'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), GatewayError> {
    let kind = match item.get("type") {
        Some(kind) => super::object::text(kind, Path::Field(&path, "type"))?,
        None if item.get("role").is_some() => "message".into(),
        // A bare `{"id": …}` is the short form of a reference.
        None if item.get("id").is_some() => "item_reference".into(),
        None => return Err(Path::Field(&path, "type").wrong("field required")),
    };
    if kind.starts_with("web_search_call") || SEEN.contains(&kind.as_ref()) {
        turn.part(foreign(item));
        return Ok(());
    }
    item.take("type", path)?;
    // Ids of things that are not kept, and whether they are complete, mean nothing to anyone.
    item.take("id", path)?;
    item.take("status", path)?;
    match kind.as_ref() {
        "message" => message(item, path, turn, &mut conversation.messages),
        "function_call" => turn.call(item, path, &conversation.names),
        "custom_tool_call" => turn.custom_call(item, path, &conversation.names),
        "reasoning" => turn.reasoning(item, path),
        "image_generation_call" => {
            if let Some(part) = turn::picture(item, path)? {
                turn.part(part);
            }
            Ok(())
        }
        "function_call_output" | "custom_tool_call_output" => {
            turn.end(&mut conversation.messages);
            conversation.output(item, path)
        }
        "additional_tools" | "tool_search_output" => conversation.more_tools(item, path),
        "compaction" => {
            turn.end(&mut conversation.messages);
            conversation.messages.push(summary(item, path)?);
            Ok(())
        }
        "item_reference" => Err(path.wrong("there is no such item here; send the item itself")),
        _ => {
            let message = format!("items of type `{kind}` cannot be served here");
            Err(Path::Field(&path, "type").wrong(message))
        }
    }
}

/// Kinds of items that bring tools.
pub(super) const BRINGERS: [&str; 2] = ["\"additional_tools\"", "\"tool_search_output\""];

impl<'a> Conversation<'a> {
    /// Tools that are offered from here on. Others know no such thing: they are offered from the start.
    fn more_tools(&mut self, mut item: Object<'a>, path: Path<'_>) -> Result<(), GatewayError> {
        for name in ["role", "call_id", "execution"] {
            item.take(name, path)?;
        }
        let here = Path::Field(&path, "tools");
        let raw = item.take("tools", path)?.ok_or_else(|| here.wrong("field required"))?;
        let named = |tool: &Tool<'_>| tool.function_name().map(ToOwned::to_owned);
        if self.places.is_empty() {
            let known = self.tools.iter().enumerate();
            self.places = known.filter_map(|(index, tool)| Some((named(tool)?, index))).collect();
        }
        for tool in tools::read(raw, here, &mut self.names)? {
            let place = named(&tool).map(|name| *self.places.entry(name).or_insert(self.tools.len()));
            match place.and_then(|place| self.tools.get_mut(place)) {
                Some(known) => *known = tool,
                None => self.tools.push(tool),
            }
        }
        self.own.keep("additional_tools", item);
        Ok(())
    }

    /// What a tool said. A call may be answered in several items (Codex's `notify`); elsewhere it has one result.
    fn output(&mut self, mut item: Object<'a>, path: Path<'_>) -> Result<(), GatewayError> {
        let call = item.need_string("call_id", path)?;
        let here = Path::Field(&path, "output");
        let raw = item.take("output", path)?.ok_or_else(|| here.wrong("field required"))?;
        let namespace = item.take_text("namespace", path)?;
        let name = item.take_text("name", path)?;
        let name = name.map(|name| match &namespace {
            None => Text::Plain(name),
            Some(namespace) => Text::Plain(self.names.flat(Some(namespace), &name).into_owned().into()),
        });
        let content = parts::content(raw, here)?;
        let vendor = OwnFields::of(item);
        let place = *self.results.entry(call.get()).or_insert(self.messages.len());
        if let Some(message) = self.messages.get_mut(place) {
            let before = message.content.take().map_or_else(Vec::new, parts::spread);
            let both = before.into_iter().chain(parts::spread(content)).collect();
            message.content = Some(parts::simplest(both));
            message.vendor = message.vendor.take().or(vendor);
            return Ok(());
        }
        let (tool_call_id, content) = (Some(Text::Raw(call)), Some(content));
        self.messages.push(Message {
            role: "tool",
            tool_call_id,
            name,
            content,
            vendor,
            ..Message::default()
        });
        Ok(())
    }
}

/// What OpenAI's own tools did in earlier turns: what came of it stands in the text behind it.
const SEEN: [&str; 5] =
    ["file_search_call", "code_interpreter_call", "mcp_list_tools", "mcp_call", "tool_search_call"];

fn foreign(item: Object<'_>) -> Part<'_> {
    Part {
        r#type: "vendor",
        vendor: Some(Ownership::Whole(VENDOR.into())),
        value: Some(Value::Object(item)),
        ..Part::default()
    }
}

fn message<'a>(
    mut item: Object<'a>,
    path: Path<'_>,
    turn: &mut Turn<'a>,
    messages: &mut Vec<Message<'a>>,
) -> Result<(), GatewayError> {
    let role = match item.need_text("role", path)?.as_ref() {
        "assistant" => return turn.message(item, path),
        "user" => "user",
        "system" => "system",
        "developer" => "developer",
        _ => {
            let message = "expected user, assistant, system or developer";
            return Err(Path::Field(&path, "role").wrong(message));
        }
    };
    turn.end(messages);
    let here = Path::Field(&path, "content");
    let raw = item.take("content", path)?.ok_or_else(|| here.wrong("field required"))?;
    let content = Some(parts::content(raw, here)?);
    messages.push(Message { role, content, vendor: OwnFields::of(item), ..Message::default() });
    Ok(())
}

/// A conversation that we made shorter.
fn summary<'a>(mut item: Object<'a>, path: Path<'_>) -> Result<Message<'a>, GatewayError> {
    let here = Path::Field(&path, "encrypted_content");
    let content = item.take_text("encrypted_content", path)?.unwrap_or_default();
    match state::unseal(&content) {
        State::Ours(Sealed::Summary(summary)) => {
            let text = Text::Plain(compaction::opened(&summary).into());
            Ok(Message { role: "user", content: Some(Content::Text(text)), ..Message::default() })
        }
        State::Theirs => {
            let message = "this compaction was made by another service, which alone can read it";
            Err(Path::Field(&path, "type").wrong(message))
        }
        State::Ours(_) | State::Broken => Err(here.wrong("this state was altered on its way")),
    }
}
