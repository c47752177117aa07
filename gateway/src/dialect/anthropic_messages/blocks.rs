//! One content block of Anthropic's as one canonical part.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::canonical::{File, ImageUrl, Link, OwnFields, Ownership, Part};
use super::object::{Object, Path};
use crate::error::GatewayError;

/// Whether a value is a string.
pub(super) fn is_string(raw: &RawValue) -> bool {
    raw.get().starts_with('"')
}

/// A block as a part. What has no canonical name travels whole, as Anthropic's own.
pub(super) fn part<'a>(block: Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let Some(kind) = block.get("type") else {
        return Err(Path::Field(&path, "type").wrong("field required"));
    };
    match kind.get() {
        "\"text\"" => text(block, path),
        "\"image\"" => image(block, path),
        "\"document\"" => document(block, path),
        kind if kind.starts_with('"') => Ok(Part::own(block)),
        _ => Err(Path::Field(&path, "type").wrong("expected a string")),
    }
}

fn text<'a>(mut block: Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    block.take("type", path)?;
    let text = Some(block.need_string("text", path)?);
    let citations = block.take("citations", path)?.filter(|list| list.get() != "[]");
    let cache_control = block.take("cache_control", path)?;
    Ok(Part { r#type: "text", text, citations, cache_control, vendor: left(block), ..Part::default() })
}

/// What is left of a block.
fn left(block: Object<'_>) -> Option<Ownership<'_>> {
    OwnFields::of(block).map(Ownership::Fields)
}

/// A source. `None`: it is Anthropic's alone (a file id of theirs), so the whole block is.
enum Source<'a> {
    Data { mime: Cow<'a, str>, base64: Cow<'a, str> },
    Url(&'a RawValue),
    Own,
}

/// Reads `source` and leaves the block as it is.
fn source<'a>(block: &Object<'a>, path: Path<'_>) -> Result<Source<'a>, GatewayError> {
    let here = Path::Field(&path, "source");
    let raw = block.get("source").ok_or_else(|| here.wrong("field required"))?;
    let mut source = Object::read(raw, here)?;
    let kind = source.need_text("type", here)?;
    let read = match kind.as_ref() {
        "base64" => Source::Data {
            mime: source.need_text("media_type", here)?,
            base64: source.need_text("data", here)?,
        },
        "url" => Source::Url(source.need_string("url", here)?),
        "text" => {
            let mime = source.take_text("media_type", here)?.unwrap_or(Cow::Borrowed("text/plain"));
            Source::Data { mime, base64: STANDARD.encode(source.need_text("data", here)?.as_bytes()).into() }
        }
        "content" => match source.take("content", here)? {
            Some(raw) if is_string(raw) => {
                let text = super::object::text(raw, Path::Field(&here, "content"))?;
                Source::Data { mime: "text/plain".into(), base64: STANDARD.encode(text.as_bytes()).into() }
            }
            _ => Source::Own,
        },
        "file" => Source::Own,
        _ => return Err(Path::Field(&here, "type").wrong(format!("`{kind}` is not a source known here"))),
    };
    Ok(if source.is_empty() { read } else { Source::Own })
}

fn image<'a>(mut block: Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let url = match source(&block, path)? {
        Source::Data { mime, base64 } => Link::Data { mime, base64 },
        Source::Url(url) => Link::Raw(url),
        Source::Own => return Ok(Part::own(block)),
    };
    block.take("type", path)?;
    block.take("source", path)?;
    let cache_control = block.take("cache_control", path)?;
    let image_url = Some(ImageUrl { url });
    Ok(Part { r#type: "image_url", image_url, cache_control, vendor: left(block), ..Part::default() })
}

fn document<'a>(mut block: Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let (file_data, file_url) = match source(&block, path)? {
        Source::Data { mime, base64 } => (Some(Link::Data { mime, base64 }), None),
        Source::Url(url) => (None, Some(url)),
        Source::Own => return Ok(Part::own(block)),
    };
    block.take("type", path)?;
    block.take("source", path)?;
    let citations = match block.take("citations", path)? {
        Some(raw) => {
            let here = Path::Field(&path, "citations");
            Object::read(raw, here)?.take_bool("enabled", here)?
        }
        None => None,
    };
    let file = Some(File {
        file_data,
        file_url,
        title: block.take_string("title", path)?,
        context: block.take_string("context", path)?,
        citations,
    });
    let cache_control = block.take("cache_control", path)?;
    Ok(Part { r#type: "file", file, cache_control, vendor: left(block), ..Part::default() })
}
