//! Canonical content parts as Gemini parts.

use plugin_sdk::chat::{Fields, File, ImageUrl, InputAudio, Json, Part, PartBody, Text, data_url};
use plugin_sdk::{Failure, Losses, failure, object};

use crate::VENDOR;
use crate::wire::{Blob, FileData, Part as Piece};

object! {
    /// `extra_content`
    Extra {
        /// Google's.
        google: Option<Google<'a>> = "google",
    }
}

object! {
    /// `extra_content.google`; `rest` holds other marks of the part, in Google's spelling.
    Google {
        /// The signature.
        thought_signature: Option<Text<'a>> = "thought_signature",
    }
}

/// A text part.
pub(crate) fn text(text: &str) -> Piece<'_> {
    Piece { text: Some(text.into()), ..Piece::default() }
}

/// One content part; nothing when it is empty or cannot be sent.
pub(crate) fn piece<'a>(
    part: &'a Part<'a>,
    path: &str,
    losses: &mut Losses,
) -> Result<Option<Piece<'a>>, Failure> {
    losses.add_if(&part.cache_control, format!("{path}.cache_control"), "gemini has no cache marks");
    losses.add_if(&part.citations, format!("{path}.citations"), "gemini takes no citations");
    let piece = match &part.body {
        PartBody::Text(said) | PartBody::Refusal(said) => Some(text(said)),
        PartBody::Image(link) => Some(image(link, path, losses)?),
        PartBody::Audio(sound) => Some(audio(sound, path, losses)),
        PartBody::File(document) => Some(file(document, path, losses)?),
        PartBody::Vendor { vendor, value } if *vendor == VENDOR => own(value, path)?,
        PartBody::Vendor { vendor, .. } => {
            losses.add(path, format!("only {vendor} understands it"));
            None
        }
        PartBody::Other(kind) => {
            losses.add(path, format!("gemini has no content of type `{kind}`"));
            return Ok(None);
        }
    };
    losses.add_fields(&part.rest, path, "gemini has no such field");
    let Some(mut piece) = piece else { return Ok(None) };
    marks(&mut piece, part.extra_content.as_ref(), path, losses);
    // Google refuses empty texts, unless they carry a signature.
    let empty = piece.text.as_ref().is_some_and(|text| text.trim().is_empty());
    Ok((!empty || piece.thought_signature.is_some()).then_some(piece))
}

/// Puts `extra_content.google` back to where it came from.
pub(super) fn marks<'a>(piece: &mut Piece<'a>, extra: Option<&'a Json<'a>>, path: &str, losses: &mut Losses) {
    let Some(extra) = extra.and_then(Json::read::<Extra<'a>>) else { return };
    losses.add_fields(&extra.rest, &format!("{path}.extra_content"), "it belongs to another vendor");
    let Some(google) = extra.google else { return };
    if google.thought_signature.is_some() {
        piece.thought_signature = google.thought_signature;
    }
    for (name, value) in google.rest.0 {
        let inner = value.read::<Fields<'a>>().unwrap_or_default();
        let datum = match &*name {
            "functionCall" => piece.function_call.as_mut().map(|call| &mut call.rest),
            "functionResponse" => piece.function_response.as_mut().map(|response| &mut response.rest),
            "inlineData" => piece.inline_data.as_mut().map(|blob| &mut blob.rest),
            "fileData" => piece.file_data.as_mut().map(|file| &mut file.rest),
            _ => None,
        };
        match datum {
            Some(rest) => rest.0.extend(inner.0),
            None => piece.rest.0.push((name, value)),
        }
    }
}

fn own<'a>(value: &'a Json<'a>, path: &str) -> Result<Option<Piece<'a>>, Failure> {
    match value.read::<Piece<'a>>() {
        Some(piece) => Ok(Some(piece)),
        None => {
            Err(failure::invalid(format!("{path}.value"), format!("{path}.value: not a part of gemini's")))
        }
    }
}

fn image<'a>(link: &'a ImageUrl<'a>, path: &str, losses: &mut Losses) -> Result<Piece<'a>, Failure> {
    if link.detail.as_ref().is_some_and(|detail| *detail != "auto") {
        losses.add(format!("{path}.image_url.detail"), "gemini has no detail of one image");
    }
    losses.add_fields(&link.rest, &format!("{path}.image_url"), "gemini has no such field");
    from_url(&link.url, None, &format!("{path}.image_url.url"))
}

fn audio<'a>(sound: &'a InputAudio<'a>, path: &str, losses: &mut Losses) -> Piece<'a> {
    losses.add_fields(&sound.rest, &format!("{path}.input_audio"), "gemini has no such field");
    inline(format!("audio/{}", sound.format).into(), &sound.data)
}

fn file<'a>(document: &'a File<'a>, path: &str, losses: &mut Losses) -> Result<Piece<'a>, Failure> {
    let path = format!("{path}.file");
    losses.add_if(&document.filename, format!("{path}.filename"), "gemini has no file names");
    losses.add_if(&document.title, format!("{path}.title"), "gemini has no document titles");
    losses.add_if(&document.context, format!("{path}.context"), "gemini has no document context");
    if document.citations == Some(true) {
        losses.add(format!("{path}.citations"), "gemini does not cite documents");
    }
    losses.add_fields(&document.rest, &path, "gemini has no such field");
    let mime_type = document.mime_type.as_deref();
    match (&document.file_data, &document.file_url, &document.file_id) {
        (Some(data), _, _) if data.starts_with("data:") => {
            from_url(data, mime_type, &format!("{path}.file_data"))
        }
        (Some(data), _, _) => match mime_type {
            Some(mime_type) => Ok(inline(mime_type.into(), data)),
            None => {
                let path = format!("{path}.file_data");
                let message = format!("{path}: must be a data URL, or `mime_type` must say what it is");
                Err(failure::invalid(path, message))
            }
        },
        (None, Some(url), _) => from_url(url, mime_type, &format!("{path}.file_url")),
        (None, None, Some(id)) => uploaded(id, mime_type, &path),
        (None, None, None) => {
            Err(failure::invalid(&path, format!("{path}: needs `file_data`, `file_url` or `file_id`")))
        }
    }
}

/// A file uploaded to Google; other vendors' ids look different.
fn uploaded<'a>(id: &'a str, mime_type: Option<&'a str>, path: &str) -> Result<Piece<'a>, Failure> {
    let path = format!("{path}.file_id");
    if !id.starts_with("files/") {
        let message = format!("{path}: `{id}` is not a file of gemini's (`files/…`)");
        return Err(failure::unsupported(path, message));
    }
    let file_uri = format!("https://generativelanguage.googleapis.com/v1beta/{id}").into();
    Ok(linked(file_uri, mime_type.map(Text::from)))
}

fn from_url<'a>(url: &'a str, mime_type: Option<&'a str>, path: &str) -> Result<Piece<'a>, Failure> {
    if let Some((mime, data)) = data_url(url) {
        let mime = if mime.is_empty() { mime_type.unwrap_or("text/plain") } else { mime };
        return Ok(inline(mime.into(), data));
    }
    if url.starts_with("data:") {
        return Err(failure::invalid(path, format!("{path}: the data URL must be base64")));
    }
    if !["https://", "http://", "gs://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(failure::invalid(path, format!("{path}: must be a data URL or an http(s) link")));
    }
    Ok(linked(url.into(), mime_type.or_else(|| guess(url)).map(Text::from)))
}

fn inline<'a>(mime_type: Text<'a>, data: &'a str) -> Piece<'a> {
    let blob = Blob { mime_type, data: data.into(), ..Blob::default() };
    Piece { inline_data: Some(blob), ..Piece::default() }
}

fn linked<'a>(file_uri: Text<'a>, mime_type: Option<Text<'a>>) -> Piece<'a> {
    let file = FileData { file_uri, mime_type, ..FileData::default() };
    Piece { file_data: Some(file), ..Piece::default() }
}

/// The media type by the name's ending, as far as Gemini takes it.
fn guess(url: &str) -> Option<&'static str> {
    let name = url.split(['?', '#']).next()?.rsplit('/').next()?;
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "pdf" => "application/pdf",
        "txt" | "md" => "text/plain",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "json" => "application/json",
        "wav" => "audio/wav",
        "mp3" => "audio/mp3",
        "ogg" => "audio/ogg",
        "flac" => "audio/flac",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        _ => return None,
    })
}
