//! Converse's turns as canonical messages.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::blocks::{self, Block};
use super::state::{self, Redacted};
use super::{VENDOR, media};
use crate::dialect::chat::{
    Annotation, CacheControl, Content, FunctionCall, Json, Message, Own, Part, Place, ReasoningDetail, Said,
    ToolCall,
};
use crate::dialect::object::{Object, Path};
use crate::error::GatewayError;

/// The system prompt.
pub(super) fn system<'a>(
    raw: &'a RawValue,
    path: Path<'_>,
    messages: &mut Vec<Message<'a>>,
) -> Result<(), GatewayError> {
    let list = Object::read_list(raw, path)?;
    if !list.is_empty() {
        let content = Some(plain(list, path)?);
        messages.push(Message { role: "system", content, ..Message::default() });
    }
    Ok(())
}

/// All turns, in their order.
pub(super) fn turns<'a>(
    raw: &'a RawValue,
    model: &str,
    messages: &mut Vec<Message<'a>>,
) -> Result<(), GatewayError> {
    let list = Path::Field(&Path::Root, "messages");
    for (index, mut turn) in Object::read_list(raw, list)?.into_iter().enumerate() {
        let path = Path::Item(&list, index);
        let role = turn.need_text("role", path)?;
        let here = Path::Field(&path, "content");
        let content = turn.take("content", path)?.ok_or_else(|| here.wrong("field required"))?;
        let content = Object::read_list(content, here)?;
        let vendor = Own::of(VENDOR, turn);
        match role.as_ref() {
            "user" => user(content, vendor, here, messages)?,
            "assistant" => {
                let message = assistant(content, model, here)?;
                messages.push(Message { vendor, ..message });
            }
            "system" => {
                let content = Some(plain(content, here)?);
                messages.push(Message { role: "system", content, vendor, ..Message::default() });
            }
            _ => return Err(Path::Field(&path, "role").wrong("expected user, assistant or system")),
        }
    }
    Ok(())
}

/// Content that is neither called nor thought.
fn plain<'a>(list: Vec<Object<'a>>, path: Path<'_>) -> Result<Content<'a>, GatewayError> {
    let mut parts: Vec<Part<'a>> = Vec::with_capacity(list.len());
    for (index, object) in list.into_iter().enumerate() {
        let here = Path::Item(&path, index);
        let block = Block::read(object, here)?;
        if block.kind != "cachePoint" {
            blocks::part(block, here, &mut parts)?;
            continue;
        }
        let mark = mark(&block, here)?;
        match parts.last_mut().filter(|last| last.cache_control.is_none()) {
            Some(last) => last.cache_control = Some(mark),
            None => parts.push(Part::own(VENDOR, block.whole)),
        }
    }
    Ok(Content::simplest(parts))
}

/// Everything before a mark is to be cached.
fn mark<'a>(block: &Block<'a>, path: Path<'_>) -> Result<CacheControl<'a>, GatewayError> {
    let path = Path::Field(&path, "cachePoint");
    let mut point = Object::read(block.inside, path)?;
    Ok(CacheControl { r#type: "ephemeral", ttl: point.take_string("ttl", path)? })
}

/// A user's turn: each result is a message of its own, and they come first, as providers demand.
fn user<'a>(
    list: Vec<Object<'a>>,
    vendor: Option<Own<'a>>,
    path: Path<'_>,
    messages: &mut Vec<Message<'a>>,
) -> Result<(), GatewayError> {
    let before = messages.len();
    let mut parts: Vec<Part<'a>> = Vec::with_capacity(list.len());
    let mut result_last = false;
    for (index, object) in list.into_iter().enumerate() {
        let here = Path::Item(&path, index);
        let block = Block::read(object, here)?;
        match block.kind.as_ref() {
            "toolResult" => {
                messages.push(result(&block, here)?);
                result_last = true;
            }
            "cachePoint" => {
                let mark = mark(&block, here)?;
                let place = if result_last {
                    messages.last_mut().map(|message| &mut message.cache_control)
                } else {
                    parts.last_mut().map(|part| &mut part.cache_control)
                };
                match place.filter(|place| place.is_none()) {
                    Some(place) => *place = Some(mark),
                    None => parts.push(Part::own(VENDOR, block.whole)),
                }
            }
            "toolUse" | "reasoningContent" => {
                return Err(Path::Field(&here, &block.kind).wrong("this block belongs to the assistant"));
            }
            _ => {
                blocks::part(block, here, &mut parts)?;
                result_last = false;
            }
        }
    }
    let only_results = messages.len() > before;
    if !parts.is_empty() || vendor.is_some() || !only_results {
        let content = Some(Content::simplest(parts));
        messages.push(Message { role: "user", content, vendor, ..Message::default() });
    }
    Ok(())
}

/// What a tool said.
fn result<'a>(block: &Block<'a>, path: Path<'_>) -> Result<Message<'a>, GatewayError> {
    let path = Path::Field(&path, "toolResult");
    let mut result = Object::read(block.inside, path)?;
    let tool_call_id = Some(result.need_string("toolUseId", path)?);
    let here = Path::Field(&path, "content");
    let mut parts = Vec::new();
    if let Some(content) = result.take("content", path)? {
        for (index, object) in Object::read_list(content, here)?.into_iter().enumerate() {
            let here = Path::Item(&here, index);
            let block = Block::read(object, here)?;
            match block.kind.as_ref() {
                // Others know text only; JSON is text.
                "json" => parts.push(Part::text(block.inside.get().to_owned())),
                _ => blocks::part(block, here, &mut parts)?,
            }
        }
    }
    let status = result.take_text("status", path)?;
    let is_error = match status.as_deref() {
        None | Some("success") => false,
        Some("error") => true,
        Some(_) => return Err(Path::Field(&path, "status").wrong("expected success or error")),
    };
    Ok(Message {
        role: "tool",
        tool_call_id,
        content: Some(Content::simplest(parts)),
        is_error,
        vendor: Own::of(VENDOR, result),
        ..Message::default()
    })
}

/// The assistant's turn.
fn assistant<'a>(list: Vec<Object<'a>>, model: &str, path: Path<'_>) -> Result<Message<'a>, GatewayError> {
    let mut said = Said::default();
    for (index, object) in list.into_iter().enumerate() {
        let here = Path::Item(&path, index);
        let block = Block::read(object, here)?;
        match block.kind.as_ref() {
            "reasoningContent" => reason(&block, model, here, &mut said)?,
            "toolUse" => call(block, here, &mut said)?,
            "citationsContent" => cite(block, here, &mut said)?,
            "cachePoint" => set_mark(block, here, &mut said)?,
            "toolResult" if media::field(block.inside, "type").is_none() => {
                return Err(Path::Field(&here, "toolResult").wrong("this block belongs to the user"));
            }
            _ => {
                let mut parts = Vec::new();
                blocks::part(block, here, &mut parts)?;
                parts.into_iter().for_each(|part| said.say(part));
            }
        }
    }
    Ok(said.message())
}

fn set_mark<'a>(block: Block<'a>, path: Path<'_>, said: &mut Said<'a>) -> Result<(), GatewayError> {
    let mark = mark(&block, path)?;
    let place = match said.last() {
        Some(Place::Content(_)) => said.parts.last_mut().map(|part| &mut part.cache_control),
        Some(Place::ToolCall(_)) => said.calls.last_mut().map(|call| &mut call.cache_control),
        Some(Place::Reasoning(_)) | None => None,
    };
    match place.filter(|place| place.is_none()) {
        Some(place) => *place = Some(mark),
        None => said.say(Part::own(VENDOR, block.whole)),
    }
    Ok(())
}

/// A thought, or state of others that was laid into one.
fn reason<'a>(
    block: &Block<'a>,
    model: &str,
    path: Path<'_>,
    said: &mut Said<'a>,
) -> Result<(), GatewayError> {
    let path = Path::Field(&path, "reasoningContent");
    let mut thought = Object::read(block.inside, path)?;
    if let Some(data) = thought.take_text("redactedContent", path)? {
        match state::redacted(data) {
            Redacted::Bound(owner, state) => said.bound.push((owner, state)),
            Redacted::Of(vendor, data) => said.think(ReasoningDetail {
                r#type: "reasoning.encrypted",
                data: Some(data),
                format: Some(vendor),
                vendor: Own::of(VENDOR, thought),
                ..ReasoningDetail::default()
            }),
        }
        return Ok(());
    }
    let here = Path::Field(&path, "reasoningText");
    let raw = thought.take("reasoningText", path)?.ok_or_else(|| here.wrong("field required"))?;
    let mut inner = Object::read(raw, here)?;
    let text = Some(inner.need_string("text", here)?);
    let signature = inner.take_text("signature", here)?.unwrap_or(Cow::Borrowed(""));
    let (format, signature) = state::signed(signature, model).unzip();
    let vendor = Own::of(VENDOR, inner);
    said.think(ReasoningDetail {
        r#type: "reasoning.text",
        text,
        signature,
        format,
        vendor,
        ..ReasoningDetail::default()
    });
    Ok(())
}

/// The model called a tool; calls of AWS's own tools stay what they are.
fn call<'a>(block: Block<'a>, path: Path<'_>, said: &mut Said<'a>) -> Result<(), GatewayError> {
    let here = Path::Field(&path, "toolUse");
    let mut call = Object::read(block.inside, here)?;
    if call.get("type").is_some() {
        said.say(Part::own(VENDOR, block.whole));
        return Ok(());
    }
    let id = call.need_string("toolUseId", here)?;
    let name = call.need_string("name", here)?;
    let input =
        call.take("input", here)?.ok_or_else(|| Path::Field(&here, "input").wrong("field required"))?;
    if !input.get().starts_with('{') {
        return Err(Path::Field(&here, "input").wrong("expected an object"));
    }
    said.call(ToolCall {
        id,
        r#type: "function",
        function: FunctionCall { name, arguments: Json::Text(Cow::Borrowed(input.get())) },
        cache_control: None,
        extra_content: None,
        vendor: Own::of(VENDOR, call),
    });
    Ok(())
}

/// Text with its sources: the text is text, the sources are annotations of Bedrock's own.
fn cite<'a>(block: Block<'a>, path: Path<'_>, said: &mut Said<'a>) -> Result<(), GatewayError> {
    let path = Path::Field(&path, "citationsContent");
    let mut cited = Object::read(block.inside, path)?;
    let here = Path::Field(&path, "content");
    if let Some(content) = cited.take("content", path)? {
        for (index, mut piece) in Object::read_list(content, here)?.into_iter().enumerate() {
            said.say(Part::text(piece.need_string("text", Path::Item(&here, index))?));
        }
    }
    if let Some(raw) = cited.take("citations", path)? {
        let citations: Vec<&'a RawValue> = serde_json::from_str(raw.get())
            .map_err(|_| Path::Field(&path, "citations").wrong("expected a list"))?;
        said.annotations.extend(citations.into_iter().map(|value| Annotation {
            r#type: "vendor",
            vendor: VENDOR,
            value,
        }));
    }
    Ok(())
}
