//! Content parts of this API as canonical parts.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::canonical::{Content, File, ImageUrl, OwnFields, Ownership, Part, Text};
use super::object::{Object, Path};
use crate::error::GatewayError;

/// What is said in a message or by a tool: a string, or parts.
pub(super) fn content<'a>(raw: &'a RawValue, path: Path<'_>) -> Result<Content<'a>, GatewayError> {
    if raw.get().starts_with('"') {
        return Ok(Content::Text(Text::Raw(raw)));
    }
    list(raw, path).map(simplest)
}

/// A list of parts.
pub(super) fn list<'a>(raw: &'a RawValue, path: Path<'_>) -> Result<Vec<Part<'a>>, GatewayError> {
    if !raw.get().starts_with('[') {
        return Err(path.wrong("expected a string or a list of content parts"));
    }
    let objects = Object::read_list(raw, path)?;
    objects.into_iter().enumerate().map(|(index, object)| part(object, Path::Item(&path, index))).collect()
}

/// One text that says nothing but itself is a string: every provider takes that.
pub(super) fn simplest(mut parts: Vec<Part<'_>>) -> Content<'_> {
    match parts.as_mut_slice() {
        [] => Content::Text(Text::Plain("".into())),
        [only] if only.is_bare_text() => Content::Text(only.text.take().unwrap_or(Text::Plain("".into()))),
        _ => Content::Parts(parts),
    }
}

/// The parts of some content; an empty text has none.
pub(super) fn spread(content: Content<'_>) -> Vec<Part<'_>> {
    match content {
        Content::Parts(parts) => parts,
        Content::Text(text) if text.is_empty() => Vec::new(),
        Content::Text(text) => vec![Part { r#type: "text", text: Some(text), ..Part::default() }],
    }
}

/// A part that is a text.
pub(super) fn text<'a>(text: &'a RawValue) -> Part<'a> {
    Part { r#type: "text", text: Some(Text::Raw(text)), ..Part::default() }
}

/// One part.
pub(super) fn part<'a>(mut object: Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let kind = object.need_text("type", path)?;
    let mut part = match kind.as_ref() {
        "input_text" | "output_text" | "text" => text(object.need_string("text", path)?),
        "refusal" => {
            Part { r#type: "refusal", refusal: Some(object.need_string("refusal", path)?), ..Part::default() }
        }
        "input_image" => image(&mut object, path)?,
        "input_file" => file(&mut object, path)?,
        "input_audio" => {
            let here = Path::Field(&path, "input_audio");
            let audio = object.take("input_audio", path)?.ok_or_else(|| here.wrong("field required"))?;
            Object::read(audio, here)?;
            Part { r#type: "input_audio", input_audio: Some(audio), ..Part::default() }
        }
        _ => {
            let message = format!("content of type `{kind}` is not known here");
            return Err(Path::Field(&path, "type").wrong(message));
        }
    };
    part.vendor = OwnFields::of(object).map(Ownership::Fields);
    Ok(part)
}

fn image<'a>(object: &mut Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    if object.get("file_id").is_some() {
        let message = "files are not kept by this version; send the image as `image_url`";
        return Err(Path::Field(&path, "file_id").wrong(message));
    }
    let url = Text::Raw(object.need_string("image_url", path)?);
    let image_url = Some(ImageUrl { url, detail: object.take_string("detail", path)? });
    Ok(Part { r#type: "image_url", image_url, ..Part::default() })
}

fn file<'a>(object: &mut Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let filename = object.take_text("filename", path)?;
    let file_data = object.take_string("file_data", path)?;
    let file_data = file_data.map(|raw| data_url(raw, filename.as_deref().unwrap_or_default()));
    let file = File {
        file_data,
        file_url: object.take_string("file_url", path)?,
        file_id: object.take_string("file_id", path)?,
        filename: filename.map(Text::Plain),
    };
    if file.file_data.is_none() && file.file_url.is_none() && file.file_id.is_none() {
        return Err(path.wrong("one of file_data, file_url and file_id is needed"));
    }
    Ok(Part { r#type: "file", file: Some(file), ..Part::default() })
}

/// The data as a data URL; without one, the name tells what it is.
fn data_url<'a>(raw: &'a RawValue, filename: &str) -> Text<'a> {
    if raw.get().starts_with("\"data:") {
        return Text::Raw(raw);
    }
    let ending = filename.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    let mime = match ending.as_str() {
        "" | "pdf" => "application/pdf",
        "txt" | "log" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" => "text/html",
        "json" => "application/json",
        _ => "application/octet-stream",
    };
    let data = Text::Raw(raw).plain();
    Text::Plain(Cow::Owned(format!("data:{mime};base64,{data}")))
}
