//! One Gemini part as one canonical content part.

use std::borrow::Cow;

use super::canonical::{Audio, Block, Extra, File, Link};
use super::state;
use super::wire::{Blob, FileData, Leftover as _, Part, Text};

/// A part that is neither a call nor a result. What has no canonical name becomes a `vendor` part as a whole.
pub(super) fn block(mut part: Part<'_>) -> Block<'_> {
    // A thought that is not text (a draft image) has no canonical name; taken apart it would read as an answer.
    if part.thought == Some(true) {
        return vendor(part);
    }
    part.thought = None;
    if let Some(text) = part.text.take() {
        return Block::Text { text, extra_content: extra(part) };
    }
    match (part.inline_data.take(), part.file_data.take()) {
        (Some(blob), None) => inline(blob, part),
        (None, Some(file)) => linked(file, part),
        (inline_data, file_data) => vendor(Part { inline_data, file_data, ..part }),
    }
}

/// Marks beside a datum, once the datum is taken out.
pub(super) fn extra(mut part: Part<'_>) -> Option<Extra<'_>> {
    let thought_signature = part.thought_signature.take();
    part.thought = None;
    if thought_signature.is_none() && part.is_empty() {
        return None;
    }
    Some(Extra { thought_signature, leftover: Box::new(part) })
}

fn vendor(part: Part<'_>) -> Block<'_> {
    Block::Vendor { vendor: "gemini", value: Box::new(part) }
}

fn inline<'a>(mut blob: Blob<'a>, mut part: Part<'a>) -> Block<'a> {
    let (Some(mime_type), Some(data)) = (blob.mime_type.take(), blob.data.take()) else {
        part.inline_data = Some(blob);
        return vendor(part);
    };
    let data = standard_base64(data);
    let filename = blob.display_name.take();
    if !blob.is_empty() {
        part.inline_data = Some(blob);
    }
    let extra_content = extra(part);
    let mime = mime_type.as_str().to_ascii_lowercase();
    if mime.starts_with("image/") {
        return Block::ImageUrl { image_url: Link { url: data_url(&mime_type, &data) }, extra_content };
    }
    let format = match mime.as_str() {
        "audio/wav" | "audio/x-wav" | "audio/wave" => Some("wav"),
        "audio/mp3" | "audio/mpeg" => Some("mp3"),
        _ => None,
    };
    if let Some(format) = format {
        return Block::InputAudio { input_audio: Audio { data, format }, extra_content };
    }
    let file =
        File { file_data: Some(data_url(&mime_type, &data).into_owned()), filename, ..File::default() };
    Block::File { file, extra_content }
}

fn linked<'a>(mut file: FileData<'a>, mut part: Part<'a>) -> Block<'a> {
    let mime_type = file.mime_type.take();
    let Some(uri) = file.file_uri.take() else {
        part.file_data = Some(FileData { mime_type, ..file });
        return vendor(part);
    };
    let filename = file.display_name.take();
    if !file.is_empty() {
        part.file_data = Some(file);
    }
    let extra_content = extra(part);
    let image = mime_type.as_ref().is_some_and(|mime| mime.as_str().starts_with("image/"));
    if image && anyone_can_fetch(uri.as_str()) {
        return Block::ImageUrl { image_url: Link { url: uri.0 }, extra_content };
    }
    Block::File { file: File { file_url: Some(uri), filename, mime_type, file_data: None }, extra_content }
}

/// Google's own stores need Google's credentials, and their links do not tell the kind of the file.
fn anyone_can_fetch(uri: &str) -> bool {
    let web = uri.starts_with("https://") || uri.starts_with("http://");
    web && !uri.starts_with("https://generativelanguage.googleapis.com/")
}

fn data_url(mime_type: &Text<'_>, data: &str) -> Cow<'static, str> {
    Cow::Owned(format!("data:{};base64,{data}", mime_type.as_str()))
}

/// Google reads both alphabets and its Python SDK writes the URL one; data URLs know only the standard one.
fn standard_base64(data: Text<'_>) -> Cow<'_, str> {
    if memchr::memchr2(b'-', b'_', data.as_str().as_bytes()).is_none() {
        return data.0;
    }
    Cow::Owned(data.as_str().chars().map(state::to_standard).collect())
}
