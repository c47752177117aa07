//! One canonical part as one block of Cohere's.

use plugin_sdk::chat::{File, ImageUrl, Part, PartBody, data_url};
use plugin_sdk::{Failure, Losses, base64, failure};

use crate::VENDOR;
use crate::wire::{Block, Document, DocumentData, Image};

/// What a part becomes.
pub(super) enum Piece<'a> {
    Block(Block<'a>),
    Image(Image<'a>),
    /// A text that can be cited.
    Document(Document<'a>),
}

/// One part; nothing when it cannot be sent. `in_result`: documents may stand there.
pub(super) fn piece<'a>(
    part: &'a Part<'a>,
    path: &str,
    in_result: bool,
    losses: &mut Losses,
) -> Result<Option<Piece<'a>>, Failure> {
    losses.add_if(&part.cache_control, format!("{path}.cache_control"), "cohere has no cache marks");
    losses.add_if(&part.citations, format!("{path}.citations"), "cohere keeps citations on the message");
    losses.add_state(&part.extra_content, path);
    let own = losses.own_fields(&part.rest, VENDOR, path);
    losses.add_fields(
        &own,
        &format!("{path}.vendor.{VENDOR}"),
        "send such a block as a part of type `vendor`",
    );
    Ok(Some(match &part.body {
        PartBody::Text(said) | PartBody::Refusal(said) => Piece::Block(text(said)),
        PartBody::Image(image) => Piece::Image(self::image(image, path, losses)?),
        PartBody::File(file) => self::file(file, &format!("{path}.file"), in_result, losses)?,
        PartBody::Audio(_) => {
            let path = format!("{path}.input_audio");
            return Err(failure::unsupported(&path, format!("{path}: cohere takes no audio")));
        }
        PartBody::Vendor { vendor, value } if *vendor == VENDOR => Piece::Block(Block::Own(value.clone())),
        PartBody::Vendor { vendor, .. } => {
            losses.add(path, format!("only {vendor} understands it"));
            return Ok(None);
        }
        PartBody::Other(kind) => {
            let message = format!("{path}: cohere has no content of type `{kind}`");
            return Err(failure::unsupported(path, message));
        }
    }))
}

/// A text.
pub(super) fn text(text: &str) -> Block<'_> {
    Block::Text { text: text.into() }
}

fn image<'a>(image: &'a ImageUrl<'a>, path: &str, losses: &mut Losses) -> Result<Image<'a>, Failure> {
    let path = format!("{path}.image_url");
    losses.add_fields(&image.rest, &path, "cohere has no such field");
    let is_link = image.url.starts_with("https://") || image.url.starts_with("http://");
    if !is_link && data_url(&image.url).is_none() {
        let path = format!("{path}.url");
        let message = format!("{path}: must be a base64 data URL or an http(s) link");
        return Err(failure::invalid(path, message));
    }
    Ok(Image { url: &image.url, detail: image.detail.as_deref() })
}

/// Cohere reads documents as text: cited ones as documents, others as part of the message.
fn file<'a>(
    file: &'a File<'a>,
    path: &str,
    in_result: bool,
    losses: &mut Losses,
) -> Result<Piece<'a>, Failure> {
    losses.add_fields(&file.rest, path, "cohere has no such field");
    let Some(snippet) = file.file_data.as_deref().and_then(|data| text_of(data, file.mime_type.as_deref()))
    else {
        return Err(failure::unsupported(path, format!("{path}: cohere takes no documents but text")));
    };
    let title = file.title.as_deref().or(file.filename.as_deref());
    if in_result || file.citations == Some(true) {
        let data = DocumentData { title, context: file.context.as_deref(), snippet };
        return Ok(Piece::Document(Document { data }));
    }
    let lines =
        [title.map(|title| format!("{title}:")), file.context.as_deref().map(str::to_owned), Some(snippet)];
    let text = lines.into_iter().flatten().collect::<Vec<_>>().join("\n");
    Ok(Piece::Block(Block::Text { text: text.into() }))
}

fn text_of(data: &str, mime_type: Option<&str>) -> Option<String> {
    let (mime, data) = data_url(data).or_else(|| Some((mime_type?, data)))?;
    let readable = mime.starts_with("text/") || mime == "application/json";
    readable.then(|| base64::decode(data)).flatten().and_then(|bytes| String::from_utf8(bytes).ok())
}
