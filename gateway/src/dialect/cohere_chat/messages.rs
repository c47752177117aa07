//! Cohere's turns as canonical messages.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::VENDOR;
use crate::dialect::chat::{
    Annotation, Content, FunctionCall, ImageUrl, Json, Message, Own, Ownership, Part, ReasoningDetail, Said,
    ToolCall,
};
use crate::dialect::object::{Object, Path};
use crate::dialect::seal::{self, State};
use crate::error::GatewayError;

/// All turns, in their order.
pub(super) fn turns<'a>(
    turns: Vec<Object<'a>>,
    list: Path<'_>,
    messages: &mut Vec<Message<'a>>,
) -> Result<(), GatewayError> {
    messages.reserve(turns.len() + 1);
    for (index, mut turn) in turns.into_iter().enumerate() {
        let path = Path::Item(&list, index);
        let role = turn.need_text("role", path)?;
        messages.push(match role.as_ref() {
            "user" => plain("user", turn, path)?,
            "system" | "developer" => plain("system", turn, path)?,
            "assistant" => assistant(turn, path)?,
            "tool" => result(turn, path)?,
            _ => return Err(Path::Field(&path, "role").wrong("expected user, assistant, system or tool")),
        });
    }
    Ok(())
}

/// A turn that is neither called nor thought.
fn plain<'a>(role: &'static str, mut turn: Object<'a>, path: Path<'_>) -> Result<Message<'a>, GatewayError> {
    let here = Path::Field(&path, "content");
    let content = turn.take("content", path)?.ok_or_else(|| here.wrong("field required"))?;
    let content = Some(content_of(content, here)?);
    Ok(Message { role, content, vendor: Own::of(VENDOR, turn), ..Message::default() })
}

fn content_of<'a>(raw: &'a RawValue, path: Path<'_>) -> Result<Content<'a>, GatewayError> {
    if raw.get().starts_with('"') {
        return Ok(Content::Text(raw.into()));
    }
    let mut parts = Vec::new();
    for (index, block) in blocks(raw, path)?.into_iter().enumerate() {
        parts.push(part(block, Path::Item(&path, index))?);
    }
    Ok(Content::simplest(parts))
}

fn blocks<'a>(raw: &'a RawValue, path: Path<'_>) -> Result<Vec<Object<'a>>, GatewayError> {
    serde_json::from_str(raw.get()).map_err(|_| path.wrong("expected a string or a list of content blocks"))
}

/// A block as a part. What has no canonical name travels whole, as Cohere's own.
fn part<'a>(mut block: Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let kind = block.get("type").ok_or_else(|| Path::Field(&path, "type").wrong("field required"))?;
    let part = match kind.get() {
        "\"text\"" => Part::text(block.need_string("text", path)?),
        "\"image_url\"" => image(&mut block, path)?,
        "\"document\"" => document(&mut block, path)?,
        kind if kind.starts_with('"') => return Ok(Part::own(VENDOR, block)),
        _ => return Err(Path::Field(&path, "type").wrong("expected a string")),
    };
    block.take("type", path)?;
    let extra_content = bound(&mut block, path)?;
    let vendor = Own::of(VENDOR, block).map(Ownership::Fields);
    Ok(Part { vendor, extra_content, ..part })
}

fn image<'a>(block: &mut Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let here = Path::Field(&path, "image_url");
    let raw = block.take("image_url", path)?.ok_or_else(|| here.wrong("field required"))?;
    let mut image = Object::read(raw, here)?;
    let url = image.need_string("url", here)?.into();
    let image_url = Some(ImageUrl { url, detail: image.take_string("detail", here)? });
    Ok(Part { r#type: "image_url", image_url, ..Part::default() })
}

/// A document in a tool's result. Its keys are shown to the model, so others are shown all of it as text.
fn document<'a>(block: &mut Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let here = Path::Field(&path, "document");
    let raw = block.take("document", path)?.ok_or_else(|| here.wrong("field required"))?;
    let document = Object::read(raw, here)?;
    let data = document.get("data").ok_or_else(|| Path::Field(&here, "data").wrong("field required"))?;
    if document.get("id").is_none() && data.get().starts_with('"') {
        return Ok(Part::text(data));
    }
    let shown = if document.get("id").is_none() { data } else { raw };
    Ok(Part::text(shown.get().to_owned()))
}

/// State of others that was bound to a block or a call.
fn bound<'a>(fields: &mut Object<'a>, path: Path<'_>) -> Result<Option<Json<'a>>, GatewayError> {
    let marked = fields.get("signature").is_some_and(|raw| raw.get().starts_with("\"causeway:bound:"));
    if !marked {
        return Ok(None);
    }
    let state = fields.take_text("signature", path)?.unwrap_or_default();
    Ok(seal::unbind(&state).map(|(_, extra_content)| Json::Made(extra_content)))
}

/// The assistant's turn: a plan comes first, calls come last.
fn assistant<'a>(mut turn: Object<'a>, path: Path<'_>) -> Result<Message<'a>, GatewayError> {
    let mut said = Said::default();
    if let Some(plan) = turn.take_string("tool_plan", path)?.filter(|plan| plan.get() != "\"\"") {
        said.think(ReasoningDetail {
            r#type: "reasoning.summary",
            summary: Some(plan),
            ..ReasoningDetail::default()
        });
    }
    let here = Path::Field(&path, "content");
    match turn.take("content", path)? {
        None => {}
        Some(raw) if raw.get() == "\"\"" => {}
        Some(raw) if raw.get().starts_with('"') => said.say(Part::text(raw)),
        Some(raw) => {
            for (index, block) in blocks(raw, here)?.into_iter().enumerate() {
                let here = Path::Item(&here, index);
                if block.get("type").is_some_and(|kind| kind.get() == "\"thinking\"") {
                    said.think(thought(block, here)?);
                } else {
                    said.say(part(block, here)?);
                }
            }
        }
    }
    let here = Path::Field(&path, "tool_calls");
    if let Some(raw) = turn.take("tool_calls", path)? {
        for (index, given) in Object::read_list(raw, here)?.into_iter().enumerate() {
            said.call(call(given, Path::Item(&here, index))?);
        }
    }
    if let Some(raw) = turn.take("citations", path)? {
        let citations: Vec<&'a RawValue> = serde_json::from_str(raw.get())
            .map_err(|_| Path::Field(&path, "citations").wrong("expected a list"))?;
        let own = |value| Annotation { r#type: "vendor", vendor: VENDOR, value };
        said.annotations.extend(citations.into_iter().map(own));
    }
    let extra_content = bound(&mut turn, path)?;
    let vendor = Own::of(VENDOR, turn);
    let message = said.message();
    Ok(Message { vendor, extra_content, ..message })
}

/// A thought. Cohere signs none, so it is anybody's, unless another vendor's state was laid beside it.
fn thought<'a>(mut block: Object<'a>, path: Path<'_>) -> Result<ReasoningDetail<'a>, GatewayError> {
    block.take("type", path)?;
    let text = block.need_string("thinking", path)?;
    if let State::Foreign(vendor, data) = taken(&mut block, "data", path)? {
        return Ok(ReasoningDetail {
            r#type: "reasoning.encrypted",
            data: Some(data),
            format: Some(vendor),
            vendor: Own::of(VENDOR, block),
            ..ReasoningDetail::default()
        });
    }
    let (format, signature) = match taken(&mut block, "signature", path)? {
        State::Foreign(vendor, signature) => (Some(vendor), Some(signature)),
        State::Unmarked(_) | State::Nothing => (None, None),
    };
    let vendor = Own::of(VENDOR, block);
    let r#type = "reasoning.text";
    Ok(ReasoningDetail { r#type, text: Some(text), signature, format, vendor, ..ReasoningDetail::default() })
}

/// Marked state in a field of ours; what bears no mark is not ours and stays.
fn taken<'a>(block: &mut Object<'a>, name: &str, path: Path<'_>) -> Result<State<'a>, GatewayError> {
    let marked = block.get(name).is_some_and(|raw| raw.get().starts_with("\"causeway:"));
    if !marked {
        return Ok(State::Nothing);
    }
    Ok(seal::unmark(block.take_text(name, path)?.unwrap_or_default()))
}

/// The model called a tool. Arguments may be the word `null`.
fn call<'a>(mut given: Object<'a>, path: Path<'_>) -> Result<ToolCall<'a>, GatewayError> {
    let kind = given.take_text("type", path)?.unwrap_or(Cow::Borrowed("function"));
    if kind != "function" {
        return Err(Path::Field(&path, "type").wrong("expected function"));
    }
    let id = given.need_string("id", path)?;
    let here = Path::Field(&path, "function");
    let raw = given.take("function", path)?.ok_or_else(|| here.wrong("field required"))?;
    let mut function = Object::read(raw, here)?;
    let name = function.need_string("name", here)?;
    let arguments = match function.take_string("arguments", here)? {
        Some(raw) if raw.get() != "\"null\"" && raw.get() != "\"\"" => raw.into(),
        _ => "{}".into(),
    };
    let extra_content = bound(&mut given, path)?;
    let mut own = Own::new(VENDOR);
    own.keep("function", function);
    Ok(ToolCall {
        id,
        r#type: "function",
        function: FunctionCall { name, arguments },
        cache_control: None,
        extra_content,
        vendor: own.with(given),
    })
}

/// What a tool said.
fn result<'a>(mut turn: Object<'a>, path: Path<'_>) -> Result<Message<'a>, GatewayError> {
    let tool_call_id = Some(turn.need_string("tool_call_id", path)?);
    let message = plain("tool", turn, path)?;
    Ok(Message { tool_call_id, ..message })
}
