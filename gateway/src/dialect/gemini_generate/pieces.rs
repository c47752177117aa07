//! Canonical content, reasoning and calls as Gemini parts.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::reply::{Blob, FileData, FunctionCall, Made, Piece};
use super::said::{Block, Detail, Extra, Message};
use super::state;
use super::wire::{Object, Text};
use crate::error::GatewayError;

/// A text, if there is any.
pub(super) fn text(text: Text<'_>) -> Option<Piece<'_>> {
    (!text.is_empty()).then(|| Piece::Made(Made { text: Some(text.0), ..Made::default() }))
}

/// Readable reasoning, if there is any.
pub(super) fn thought(text: Text<'_>) -> Option<Piece<'_>> {
    (!text.is_empty()).then(|| Piece::Made(Made { thought: true, text: Some(text.0), ..Made::default() }))
}

/// State of reasoning; a part of its own, as a stream tells it after the text.
pub(super) fn thought_state<'a>(format: &str, encrypted: bool, value: &str) -> Piece<'a> {
    let thought_signature = Some(Cow::Owned(state::seal(format, encrypted, value)));
    Piece::Made(Made { thought: true, text: Some(Cow::Borrowed("")), thought_signature, ..Made::default() })
}

/// A signature bound to the message: a part that holds nothing else, as Google sends it.
pub(super) fn message_state(extra: Option<Extra<'_>>) -> Option<Piece<'_>> {
    let signature = signature(extra)?;
    let text = Some(Cow::Borrowed(""));
    Some(Piece::Made(Made { text, thought_signature: Some(signature), ..Made::default() }))
}

/// Google's signature in `extra_content`.
pub(super) fn signature(extra: Option<Extra<'_>>) -> Option<Cow<'_, str>> {
    Some(extra?.google?.thought_signature?.0)
}

/// One entry of `reasoning_details`.
pub(super) fn reasoning(detail: Detail<'_>) -> Option<Piece<'_>> {
    let format = detail.format.as_ref().map_or("unknown", Text::as_str);
    let thought_signature = match (&detail.signature, &detail.data) {
        (Some(signature), _) => Some(Cow::Owned(state::seal(format, false, signature.as_str()))),
        (None, Some(data)) => Some(Cow::Owned(state::seal(format, true, data.as_str()))),
        (None, None) => None,
    };
    let text = detail.text.or(detail.summary).unwrap_or_default();
    if text.is_empty() && thought_signature.is_none() {
        return None;
    }
    Some(Piece::Made(Made { thought: true, text: Some(text.0), thought_signature, ..Made::default() }))
}

/// `content` of a whole message.
pub(super) fn content<'a>(message: &mut Message<'a>) -> Result<Vec<Piece<'a>>, GatewayError> {
    let Some(raw) = message.content.take() else {
        return Ok(message.refusal.take().and_then(text).into_iter().collect());
    };
    let read =
        |error: serde_json::Error| GatewayError::plugin(format!("canonical content makes no sense: {error}"));
    if raw.get().starts_with('[') {
        let blocks: Vec<Block<'a>> = serde_json::from_str(raw.get()).map_err(read)?;
        // Not filtered: `order` counts the parts.
        return Ok(blocks.into_iter().map(|part| block(part).unwrap_or_else(nothing)).collect());
    }
    let said: Text<'a> = serde_json::from_str(raw.get()).map_err(read)?;
    Ok(text(said).into_iter().collect())
}

fn nothing<'a>() -> Piece<'a> {
    Piece::Made(Made { text: Some(Cow::Borrowed("")), ..Made::default() })
}

/// One content part. Blocks of other vendors have no place in Gemini's answer.
pub(super) fn block(block: Block<'_>) -> Option<Piece<'_>> {
    if block.vendor.is_some_and(|vendor| vendor.as_str() == "gemini") {
        return block.value.map(Piece::Own);
    }
    let google = block.extra_content.and_then(|extra| extra.google).unwrap_or_default();
    let thought_signature = google.thought_signature.map(|signature| signature.0);
    let marks = (!google.rest.is_empty()).then_some(Object { rest: google.rest });
    let mut made = Made { thought_signature, marks, ..Made::default() };
    match block.kind.as_ref().map_or("", Text::as_str) {
        "text" => made.text = Some(block.text.unwrap_or_default().0),
        "refusal" => made.text = Some(block.refusal?.0),
        "image_url" => link(&mut made, block.image_url?.url, None),
        "input_audio" => {
            let audio = block.input_audio?;
            let mime_type = format!("audio/{}", audio.format.as_str()).into();
            made.inline_data = Some(Blob { mime_type, data: audio.data.0 });
        }
        "file" => {
            let file = block.file?;
            link(&mut made, file.file_data.or(file.file_url)?, file.mime_type);
        }
        _ => return None,
    }
    Some(Piece::Made(made))
}

fn link<'a>(made: &mut Made<'a>, url: Text<'a>, mime_type: Option<Text<'a>>) {
    match data_url(url.as_str()) {
        Some((mime_type, data)) => {
            let (mime_type, data) = (mime_type.to_owned().into(), data.to_owned().into());
            made.inline_data = Some(Blob { mime_type, data });
        }
        None => {
            made.file_data = Some(FileData { mime_type: mime_type.map(|mime| mime.0), file_uri: url.0 });
        }
    }
}

fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    Some((head.strip_suffix(";base64")?, data))
}

/// A whole call; `None` when its arguments are not an object.
pub(super) fn call<'a>(
    id: Cow<'a, str>,
    name: Cow<'a, str>,
    arguments: &str,
    thought_signature: Option<Cow<'a, str>>,
) -> Option<Piece<'a>> {
    let args = object(arguments)?;
    let function_call = Some(FunctionCall { id, name, args });
    Some(Piece::Made(Made { function_call, thought_signature, ..Made::default() }))
}

/// Arguments as an object: nothing and `null` are an empty one.
pub(super) fn object(arguments: &str) -> Option<Box<RawValue>> {
    let trimmed = arguments.trim();
    let text = if matches!(trimmed, "" | "null") { "{}" } else { trimmed };
    RawValue::from_string(text.to_owned()).ok().filter(|_| text.starts_with('{'))
}
