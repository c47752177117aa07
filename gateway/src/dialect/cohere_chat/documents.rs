//! Documents beside the conversation: in canonical chat they are files in the user's last turn that may be cited.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::VENDOR;
use crate::dialect::chat::{Chat, Content, File, Json, Message, Own, Ownership, Part};
use crate::dialect::object::{Object, Path, text};
use crate::error::GatewayError;

/// Moves `documents` into the conversation.
pub(super) fn attach<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, "documents");
    let Some(raw) = rest.take("documents", Path::Root)? else { return Ok(()) };
    let list: Vec<&'a RawValue> =
        serde_json::from_str(raw.get()).map_err(|_| path.wrong("expected a list"))?;
    if list.is_empty() {
        return Ok(());
    }
    let mut parts = Vec::with_capacity(list.len() + 1);
    for (index, raw) in list.into_iter().enumerate() {
        parts.push(document(raw, Path::Item(&path, index))?);
    }
    let asked = chat.messages.iter_mut().rev().find(|message| message.role == "user");
    let Some(asked) = asked else {
        let content = Some(Content::Parts(parts));
        chat.messages.push(Message { role: "user", content, ..Message::default() });
        return Ok(());
    };
    match asked.content.take() {
        Some(Content::Parts(own)) => parts.extend(own),
        Some(Content::Text(text)) => parts.push(Part::text(text)),
        None => {}
    }
    asked.content = Some(Content::Parts(parts));
    Ok(())
}

/// A document: a text, or an object of texts with an id.
fn document<'a>(raw: &'a RawValue, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    if raw.get().starts_with('"') {
        return Ok(part(&text(raw, path)?, None, None));
    }
    let mut document = Object::read(raw, path)?;
    let here = Path::Field(&path, "data");
    let data = document.take("data", path)?.ok_or_else(|| here.wrong("field required"))?;
    let part = if data.get().starts_with('"') {
        part(&text(data, here)?, None, None)
    } else {
        let fields = Object::read(data, here)?;
        let title = fields.get("title").filter(|title| title.get().starts_with('"'));
        let context = fields.get("context").filter(|context| context.get().starts_with('"'));
        match only_text(&fields) {
            Some(words) => part(&words, title, context),
            // Its other keys mean something to the model, too.
            None => part(data.get(), title, None),
        }
    };
    let vendor = Own::of(VENDOR, document).map(Ownership::Fields);
    Ok(Part { vendor, ..part })
}

/// The text of a document that has no keys beside it but those that have names elsewhere.
fn only_text<'a>(fields: &Object<'a>) -> Option<Cow<'a, str>> {
    let mut found = None;
    for (name, value) in &fields.0 {
        match name.as_ref() {
            "title" | "context" if value.get().starts_with('"') => {}
            "snippet" | "text" | "content" if found.is_none() => {
                found = Some(crate::dialect::object::decode(value)?);
            }
            _ => return None,
        }
    }
    found
}

fn part<'a>(words: &str, title: Option<&'a RawValue>, context: Option<&'a RawValue>) -> Part<'a> {
    let file = File {
        file_data: Some(Json::Data { mime: "text/plain".into(), base64: STANDARD.encode(words).into() }),
        title: title.map(Json::Raw),
        context,
        citations: Some(true),
        ..File::default()
    };
    Part { r#type: "file", file: Some(file), ..Part::default() }
}
