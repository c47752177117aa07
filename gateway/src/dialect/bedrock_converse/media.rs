//! Images, videos, sounds and documents. AWS names formats where others have media types.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::VENDOR;
use crate::dialect::chat::{File, ImageUrl, InputAudio, Json, Own, Ownership, Part};
use crate::dialect::object::{Object, Path};
use crate::error::GatewayError;

/// Where something is, and what of the source has no canonical name.
struct Source<'a> {
    place: Place<'a>,
    left: Object<'a>,
}

enum Place<'a> {
    /// Base64.
    Bytes(Cow<'a, str>),
    /// A link to S3.
    Link(&'a RawValue),
    /// Text that is no base64 yet.
    Text(Cow<'a, str>),
}

/// A field of a raw object, if it is there.
pub(super) fn field<'a>(raw: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    serde_json::from_str::<Object<'a>>(raw.get()).ok()?.get(name)
}

fn source<'a>(block: &mut Object<'a>, path: Path<'_>) -> Result<Source<'a>, GatewayError> {
    let here = Path::Field(&path, "source");
    let raw = block.take("source", path)?.ok_or_else(|| here.wrong("field required"))?;
    let mut source = Object::read(raw, here)?;
    if let Some(bytes) = source.take_text("bytes", here)? {
        return Ok(Source { place: Place::Bytes(bytes), left: source });
    }
    if let Some(text) = source.take_text("text", here)? {
        return Ok(Source { place: Place::Text(text), left: source });
    }
    if let Some(raw) = source.take("s3Location", here)? {
        let inner = Path::Field(&here, "s3Location");
        let mut location = Object::read(raw, inner)?;
        let uri = location.need_string("uri", inner)?;
        return Ok(Source { place: Place::Link(uri), left: location });
    }
    let inner = Path::Field(&here, "content");
    let Some(raw) = source.take("content", here)? else {
        return Err(here.wrong("expected bytes, text, content or s3Location"));
    };
    let mut text = String::new();
    for (index, mut chunk) in Object::read_list(raw, inner)?.into_iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(&chunk.need_text("text", Path::Item(&inner, index))?);
    }
    // That it came in chunks matters for what can be cited, and nobody else can say it.
    source.0.push((Cow::Borrowed("content"), RawValue::TRUE));
    Ok(Source { place: Place::Text(text.into()), left: source })
}

/// What is left of a block and of its source.
fn left<'a>(block: Object<'a>, source: Object<'a>) -> Option<Ownership<'a>> {
    let mut own = Own::new(VENDOR);
    own.keep("source", source);
    own.with(block).map(Ownership::Fields)
}

/// An image.
pub(super) fn image<'a>(mut block: Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let format = block.need_text("format", path)?;
    let source = source(&mut block, path)?;
    let url = match source.place {
        Place::Bytes(base64) => Json::Data { mime: format!("image/{format}").into(), base64 },
        Place::Link(uri) => uri.into(),
        Place::Text(_) => return Err(Path::Field(&path, "source").wrong("expected bytes or s3Location")),
    };
    let image_url = Some(ImageUrl { url, detail: None });
    Ok(Part { r#type: "image_url", image_url, vendor: left(block, source.left), ..Part::default() })
}

/// A video: a file of its own media type.
pub(super) fn video<'a>(mut block: Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let format = block.need_text("format", path)?;
    let mime = match format.as_ref() {
        "mov" => "video/quicktime",
        "mkv" => "video/x-matroska",
        "flv" => "video/x-flv",
        "wmv" => "video/x-ms-wmv",
        "mpg" | "mpeg" => "video/mpeg",
        "three_gp" => "video/3gpp",
        "webm" => "video/webm",
        "mp4" => "video/mp4",
        _ => return Err(Path::Field(&path, "format").wrong("a format of videos that is not known here")),
    };
    let source = source(&mut block, path)?;
    let file = match source.place {
        Place::Bytes(base64) => {
            File { file_data: Some(Json::Data { mime: mime.into(), base64 }), ..File::default() }
        }
        Place::Link(uri) => File { file_url: Some(uri), mime_type: Some(mime.into()), ..File::default() },
        Place::Text(_) => return Err(Path::Field(&path, "source").wrong("expected bytes or s3Location")),
    };
    Ok(Part { r#type: "file", file: Some(file), vendor: left(block, source.left), ..Part::default() })
}

/// A sound. One at S3 is a file, because canonical chat has no links to sounds.
pub(super) fn audio<'a>(mut block: Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let format = block.need_text("format", path)?;
    let source = source(&mut block, path)?;
    let mut part = match source.place {
        Place::Bytes(data) => {
            let input_audio = InputAudio { data: data.into(), format: format.into() };
            Part { r#type: "input_audio", input_audio: Some(input_audio), ..Part::default() }
        }
        Place::Link(uri) => {
            let mime_type = Some(format!("audio/{format}").into());
            let file = File { file_url: Some(uri), mime_type, ..File::default() };
            Part { r#type: "file", file: Some(file), ..Part::default() }
        }
        Place::Text(_) => return Err(Path::Field(&path, "source").wrong("expected bytes or s3Location")),
    };
    part.vendor = left(block, source.left);
    Ok(part)
}

/// A document. Its name is its title, and with its format the name of a file.
pub(super) fn document<'a>(mut block: Object<'a>, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let name = block.need_text("name", path)?;
    let format = block.take_text("format", path)?;
    let source = source(&mut block, path)?;
    let format = format.unwrap_or(Cow::Borrowed("txt"));
    let mime = document_type(&format)
        .ok_or_else(|| Path::Field(&path, "format").wrong("a format of documents that is not known here"))?;
    let here = Path::Field(&path, "citations");
    let citations = match block.take("citations", path)? {
        Some(raw) => Object::read(raw, here)?.take_bool("enabled", here)?,
        None => None,
    };
    let mut file = File {
        filename: Some(format!("{name}.{format}").into()),
        title: Some(name.into()),
        context: block.take_string("context", path)?,
        citations,
        ..File::default()
    };
    match source.place {
        Place::Bytes(base64) => file.file_data = Some(Json::Data { mime: mime.into(), base64 }),
        Place::Text(text) => {
            let base64 = STANDARD.encode(text.as_bytes()).into();
            file.file_data = Some(Json::Data { mime: mime.into(), base64 });
        }
        Place::Link(uri) => {
            file.file_url = Some(uri);
            file.mime_type = Some(mime.into());
        }
    }
    Ok(Part { r#type: "file", file: Some(file), vendor: left(block, source.left), ..Part::default() })
}

fn document_type(format: &str) -> Option<&'static str> {
    Some(match format {
        "pdf" => "application/pdf",
        "csv" => "text/csv",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "html" => "text/html",
        "txt" => "text/plain",
        "md" => "text/markdown",
        _ => return None,
    })
}
