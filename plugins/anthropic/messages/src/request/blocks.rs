//! One canonical part as one block of Anthropic's.

use plugin_sdk::chat::{Content, Fields, File, ImageUrl, Json, Part, PartBody, data_url};
use plugin_sdk::{Failure, Losses, base64, failure};

use crate::VENDOR;
use crate::wire::{Block, BlockBody, Citations, Source};

/// The blocks of a message's content; texts that say nothing are dropped, because Anthropic refuses them.
pub(super) fn content<'a>(
    content: &'a Content<'a>,
    path: &str,
    losses: &mut Losses,
) -> Result<Vec<Block<'a>>, Failure> {
    match content {
        Content::Text(text) => Ok(text_block(text).into_iter().collect()),
        Content::Parts(parts) => {
            let mut blocks = Vec::with_capacity(parts.len());
            for (index, part) in parts.iter().enumerate() {
                blocks.extend(self::part(part, &format!("{path}[{index}]"), losses)?);
            }
            Ok(blocks)
        }
    }
}

/// A text, unless it is blank.
pub(super) fn text_block(text: &str) -> Option<Block<'_>> {
    (!text.trim().is_empty()).then(|| Block::of(BlockBody::Text { text, citations: None }))
}

/// One part.
pub(super) fn part<'a>(
    part: &'a Part<'a>,
    path: &str,
    losses: &mut Losses,
) -> Result<Option<Block<'a>>, Failure> {
    lose_state(part.extra_content.as_ref(), path, losses);
    let body = match &part.body {
        PartBody::Text(text) | PartBody::Refusal(text) if text.trim().is_empty() => return Ok(None),
        PartBody::Text(text) => BlockBody::Text { text, citations: part.citations.as_ref() },
        PartBody::Refusal(text) => BlockBody::Text { text, citations: None },
        PartBody::Image(image) => self::image(image, path, losses)?,
        PartBody::File(file) => self::file(file, path, losses)?,
        PartBody::Vendor { vendor, value } if *vendor == VENDOR => return Ok(Some(Block::Own(value))),
        PartBody::Vendor { vendor, .. } => {
            losses.add(path, format!("only {vendor} understands it"));
            return Ok(None);
        }
        PartBody::Audio(_) => return Err(failure::unsupported(path, "anthropic takes no audio")),
        PartBody::Other(kind) => {
            return Err(failure::unsupported(path, format!("anthropic takes no parts of type `{kind}`")));
        }
    };
    let own = own_fields(&part.rest, path, losses);
    Ok(Some(Block::Known { body, cache_control: part.cache_control.as_ref(), own }))
}

/// Anthropic's own fields of a part, a call or a message; all others are lost.
pub(super) fn own_fields<'a>(rest: &Fields<'a>, path: &str, losses: &mut Losses) -> Fields<'a> {
    let mut own = Fields::default();
    for (name, value) in rest.present() {
        if name != "vendor" {
            losses.add(format!("{path}.{name}"), "anthropic has no such field");
            continue;
        }
        let vendor: Fields<'a> = value.read().unwrap_or_default();
        losses.add_foreign(&vendor, VENDOR, &format!("{path}."));
        own = vendor.get(VENDOR).and_then(Json::read).unwrap_or_default();
    }
    own
}

/// Other vendors' state is not sent.
pub(super) fn lose_state(state: Option<&Json<'_>>, path: &str, losses: &mut Losses) {
    let fields: Fields<'_> = state.and_then(Json::read).unwrap_or_default();
    for (name, _) in fields.present() {
        losses.add(format!("{path}.extra_content.{name}"), format!("only {name} understands it"));
    }
}

fn image<'a>(image: &'a ImageUrl<'a>, path: &str, losses: &mut Losses) -> Result<BlockBody<'a>, Failure> {
    let here = format!("{path}.image_url");
    losses.add_fields(&image.rest, &here, "anthropic has no such field");
    if image.detail.as_deref().is_some_and(|detail| detail != "auto") {
        losses.add(format!("{here}.detail"), "anthropic has one level of detail");
    }
    Ok(BlockBody::Image { source: image_source(&image.url, &here)? })
}

fn image_source<'a>(url: &'a str, path: &str) -> Result<Source<'a>, Failure> {
    if let Some((mime, data)) = data_url(url) {
        // Many clients write `image/jpg`, which is no media type.
        let media_type = if mime == "image/jpg" { "image/jpeg" } else { mime };
        return Ok(Source::Base64 { media_type, data });
    }
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(Source::Url { url });
    }
    Err(failure::invalid(format!("{path}.url"), "neither a base64 data URL nor a link"))
}

fn file<'a>(file: &'a File<'a>, path: &str, losses: &mut Losses) -> Result<BlockBody<'a>, Failure> {
    let here = format!("{path}.file");
    losses.add_fields(&file.rest, &here, "anthropic has no such field");
    let source = match (&file.file_data, &file.file_url, &file.file_id) {
        (Some(data), _, _) => inline(data, &here)?,
        (None, Some(url), _) if file.mime_type.as_deref().is_some_and(|mime| mime.starts_with("image/")) => {
            return Ok(BlockBody::Image { source: image_source(url, &here)? });
        }
        (None, Some(url), _) => Source::Url { url },
        // Anthropic's ids begin like this, OpenAI's with `file-`.
        (None, None, Some(id)) if id.starts_with("file_") => Source::File { file_id: id },
        (None, None, Some(_)) => {
            return Err(failure::unsupported(format!("{here}.file_id"), "this file is not at anthropic"));
        }
        (None, None, None) => return Err(failure::invalid(here, "no file in it")),
    };
    if let Source::Base64 { media_type, .. } = &source
        && media_type.starts_with("image/")
    {
        return Ok(BlockBody::Image { source });
    }
    Ok(BlockBody::Document {
        source,
        title: file.title.as_deref().or(file.filename.as_deref()),
        context: file.context.as_deref(),
        citations: file.citations.map(|enabled| Citations { enabled }),
    })
}

/// A file that came with the request.
fn inline<'a>(url: &'a str, path: &str) -> Result<Source<'a>, Failure> {
    let here = || format!("{path}.file_data");
    let (mime, data) = data_url(url).ok_or_else(|| failure::invalid(here(), "not a base64 data URL"))?;
    match mime {
        "application/pdf" => Ok(Source::Base64 { media_type: mime, data }),
        _ if mime.starts_with("image/") => image_source(url, path),
        _ if mime.starts_with("text/") || mime == "application/json" => {
            let text = base64::decode(data).and_then(|bytes| String::from_utf8(bytes).ok());
            let data = text.ok_or_else(|| failure::invalid(here(), "not text in base64"))?;
            Ok(Source::Text { media_type: "text/plain", data })
        }
        _ => Err(failure::unsupported(here(), format!("anthropic takes no files of type `{mime}`"))),
    }
}
