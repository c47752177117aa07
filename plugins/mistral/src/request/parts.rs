//! One canonical part as one chunk of Mistral's.

use std::borrow::Cow;

use plugin_sdk::chat::{File, ImageUrl, Part, PartBody, data_url};
use plugin_sdk::{Failure, Losses, base64, failure};

use crate::VENDOR;
use crate::wire::{Chunk, Image};

/// A text.
pub(super) fn text(text: &str) -> Chunk<'_> {
    Chunk::Text { text: text.into() }
}

/// One part; nothing when it cannot be sent.
pub(super) fn chunk<'a>(
    part: &'a Part<'a>,
    path: &str,
    losses: &mut Losses,
) -> Result<Option<Chunk<'a>>, Failure> {
    losses.add_if(&part.cache_control, format!("{path}.cache_control"), "mistral has no cache marks");
    losses.add_if(&part.citations, format!("{path}.citations"), "mistral takes no citations back");
    losses.add_state(&part.extra_content, path);
    let own = losses.own_fields(&part.rest, VENDOR, path);
    losses.add_fields(
        &own,
        &format!("{path}.vendor.{VENDOR}"),
        "send such a chunk as a part of type `vendor`",
    );
    Ok(Some(match &part.body {
        PartBody::Text(said) | PartBody::Refusal(said) => text(said),
        PartBody::Image(link) => image(link, path, losses)?,
        PartBody::Audio(sound) => {
            losses.add_fields(&sound.rest, &format!("{path}.input_audio"), "mistral has no such field");
            Chunk::InputAudio { input_audio: &sound.data }
        }
        PartBody::File(file) => self::file(file, &format!("{path}.file"), losses)?,
        PartBody::Vendor { vendor, value } if *vendor == VENDOR => Chunk::Own(value.clone()),
        PartBody::Vendor { vendor, .. } => {
            losses.add(path, format!("only {vendor} understands it"));
            return Ok(None);
        }
        PartBody::Other(kind) => {
            let message = format!("{path}: mistral has no content of type `{kind}`");
            return Err(failure::unsupported(path, message));
        }
    }))
}

fn image<'a>(image: &'a ImageUrl<'a>, path: &str, losses: &mut Losses) -> Result<Chunk<'a>, Failure> {
    let path = format!("{path}.image_url");
    losses.add_fields(&image.rest, &path, "mistral has no such field");
    if !is_link(&image.url) && data_url(&image.url).is_none() {
        let path = format!("{path}.url");
        let message = format!("{path}: must be a base64 data URL or an http(s) link");
        return Err(failure::invalid(path, message));
    }
    Ok(Chunk::ImageUrl { image_url: Image { url: (&*image.url).into(), detail: image.detail.as_deref() } })
}

/// A document by link, by id or in itself; text goes as text, images as images.
fn file<'a>(file: &'a File<'a>, path: &str, losses: &mut Losses) -> Result<Chunk<'a>, Failure> {
    losses.add_if(&file.context, format!("{path}.context"), "mistral has no document context");
    let asked = file.citations.filter(|asked| *asked);
    losses.add_if(&asked, format!("{path}.citations"), "mistral does not cite documents");
    losses.add_fields(&file.rest, path, "mistral has no such field");
    let document_name = file.title.as_deref().or(file.filename.as_deref());
    let Some(data) = file.file_data.as_deref() else {
        return match (file.file_url.as_deref(), file.file_id.as_deref()) {
            (Some(url), _) if is_link(url) => {
                Ok(Chunk::DocumentUrl { document_url: url.into(), document_name })
            }
            (None, Some(file_id)) => Ok(Chunk::File { file_id }),
            (Some(_), _) => {
                let path = format!("{path}.file_url");
                let message = format!("{path}: must be an http(s) link");
                Err(failure::invalid(path, message))
            }
            (None, None) => {
                let message = format!("{path}: needs `file_data`, `file_url` or `file_id`");
                Err(failure::invalid(path, message))
            }
        };
    };
    let given = data_url(data).or_else(|| Some((file.mime_type.as_deref()?, data)));
    let Some((mime, base64)) = given else {
        let path = format!("{path}.file_data");
        let message = format!("{path}: must be a data URL, or `mime_type` must say what it is");
        return Err(failure::invalid(path, message));
    };
    if mime.starts_with("text/") {
        let bytes = base64::decode(base64).and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(said) = bytes else {
            let path = format!("{path}.file_data");
            let message = format!("{path}: not base64 of text in UTF-8");
            return Err(failure::invalid(path, message));
        };
        let said = document_name.map_or(said.clone(), |name| format!("{name}:\n{said}"));
        return Ok(Chunk::Text { text: said.into() });
    }
    let url: Cow<'a, str> =
        if data.starts_with("data:") { data.into() } else { format!("data:{mime};base64,{base64}").into() };
    if mime.starts_with("image/") {
        return Ok(Chunk::ImageUrl { image_url: Image { url, detail: None } });
    }
    Ok(Chunk::DocumentUrl { document_url: url, document_name })
}

fn is_link(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
