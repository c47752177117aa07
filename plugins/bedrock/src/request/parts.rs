//! One canonical part as one block of Converse's.

use plugin_sdk::chat::{CacheControl, Fields, File, ImageUrl, Json, Part, PartBody, data_url};
use plugin_sdk::{Failure, Losses, failure};

use crate::VENDOR;
use crate::model::Family;
use crate::wire::{Block, CachePoint, Citations, Document, Media, Source};

/// Names of documents that were given out: Bedrock refuses a name that stands twice.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<String>);

/// A text, unless it is blank: Bedrock refuses those.
pub(super) fn text_block(text: &str) -> Option<Block<'_>> {
    (!text.trim().is_empty()).then_some(Block::Text(text))
}

/// One part, without its cache mark.
pub(super) fn part<'a>(
    part: &'a Part<'a>,
    path: &str,
    names: &mut Names,
    losses: &mut Losses,
) -> Result<Option<Block<'a>>, Failure> {
    lose_state(part.extra_content.as_ref(), path, losses);
    lose_fields(&part.rest, path, losses);
    losses.add_if(&part.citations, format!("{path}.citations"), "bedrock takes no citations back");
    match &part.body {
        PartBody::Text(text) | PartBody::Refusal(text) => Ok(text_block(text)),
        PartBody::Image(image) => self::image(image, path, losses).map(Some),
        PartBody::File(file) => self::file(file, path, names, losses).map(Some),
        PartBody::Vendor { vendor, value } if *vendor == VENDOR => Ok(Some(Block::Own(value))),
        PartBody::Vendor { vendor, .. } => {
            losses.add(path, format!("only {vendor} understands it"));
            Ok(None)
        }
        PartBody::Audio(_) => Err(failure::unsupported(path, "bedrock takes no audio")),
        PartBody::Other(kind) => {
            Err(failure::unsupported(path, format!("bedrock takes no parts of type `{kind}`")))
        }
    }
}

/// The mark behind a block, where the model takes one.
pub(super) fn cache_point<'a>(
    mark: &'a CacheControl<'a>,
    family: Family,
    path: &str,
    losses: &mut Losses,
) -> Option<CachePoint<'a>> {
    losses.add_fields(&mark.rest, path, "bedrock has no such field");
    if !family.takes_cache_points() {
        losses.add(path, "this model has no prompt cache");
        return None;
    }
    // Five minutes are the default; models that know nothing else know no word for it.
    Some(CachePoint { kind: "default", ttl: mark.ttl.as_deref().filter(|ttl| *ttl != "5m") })
}

/// Puts a mark behind the last block, or as near to that as Bedrock allows.
pub(super) fn mark<'a>(
    mark: &'a CacheControl<'a>,
    family: Family,
    path: &str,
    blocks: &mut Vec<Block<'a>>,
    losses: &mut Losses,
) {
    let Some(point) = cache_point(mark, family, path, losses) else { return };
    // Directly behind a document it is refused, unless that is a PDF.
    let is_document =
        |block: &Block<'_>| matches!(block, Block::Document(document) if document.format != "pdf");
    let place = blocks.iter().rposition(|block| !is_document(block)).map_or(0, |last| last + 1);
    match place.checked_sub(1).and_then(|before| blocks.get(before)) {
        Some(Block::CachePoint(_)) => {}
        None | Some(Block::ReasoningContent(_)) => losses.add(path, "bedrock takes no mark at this place"),
        Some(_) => {
            if place < blocks.len() {
                losses.add(path, "moved before the document, behind which bedrock takes no mark");
            }
            blocks.insert(place, Block::CachePoint(point));
        }
    }
}

/// Fields of a part, a call or a message that nobody knows here.
pub(super) fn lose_fields(rest: &Fields<'_>, path: &str, losses: &mut Losses) {
    for (name, value) in rest.present() {
        if name != "vendor" {
            losses.add(format!("{path}.{name}"), "bedrock has no such field");
            continue;
        }
        let vendor: Fields<'_> = value.read().unwrap_or_default();
        for (vendor, _) in vendor.present() {
            losses.add(format!("{path}.vendor.{vendor}"), "bedrock's blocks have no such fields");
        }
    }
}

/// Other vendors' state is not sent; Bedrock has none of this kind.
pub(super) fn lose_state(state: Option<&Json<'_>>, path: &str, losses: &mut Losses) {
    let fields: Fields<'_> = state.and_then(Json::read).unwrap_or_default();
    for (name, _) in fields.present() {
        losses.add(format!("{path}.extra_content.{name}"), format!("only {name} understands it"));
    }
}

fn image<'a>(image: &'a ImageUrl<'a>, path: &str, losses: &mut Losses) -> Result<Block<'a>, Failure> {
    let here = format!("{path}.image_url");
    losses.add_fields(&image.rest, &here, "bedrock has no such field");
    if image.detail.as_deref().is_some_and(|detail| detail != "auto") {
        losses.add(format!("{here}.detail"), "bedrock has one level of detail");
    }
    let place = format!("{here}.url");
    if let Some((mime, data)) = data_url(&image.url) {
        return picture(mime, Source::Bytes(data), &place);
    }
    if image.url.starts_with("s3://") {
        let ending = image.url.rsplit('.').next().unwrap_or_default();
        return picture(&format!("image/{ending}"), Source::S3Location { uri: &image.url }, &place);
    }
    if image.url.starts_with("https://") || image.url.starts_with("http://") {
        return Err(failure::unsupported(place, "bedrock fetches no links"));
    }
    Err(failure::invalid(place, "neither a base64 data URL nor a link"))
}

fn picture<'a>(mime: &str, source: Source<'a>, path: &str) -> Result<Block<'a>, Failure> {
    let format = match mime {
        "image/png" => "png",
        // Many clients write `image/jpg`, which is no media type.
        "image/jpeg" | "image/jpg" => "jpeg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        _ => return Err(failure::unsupported(path, format!("bedrock takes no images of type `{mime}`"))),
    };
    Ok(Block::Image(Media { format, source }))
}

fn file<'a>(
    file: &'a File<'a>,
    path: &str,
    names: &mut Names,
    losses: &mut Losses,
) -> Result<Block<'a>, Failure> {
    let here = format!("{path}.file");
    losses.add_fields(&file.rest, &here, "bedrock has no such field");
    let name = file.title.as_deref().or(file.filename.as_deref()).unwrap_or("document");
    let (mime, source) = match (&file.file_data, &file.file_url, &file.file_id) {
        (Some(data), _, _) => {
            let (mime, data) = data_url(data)
                .ok_or_else(|| failure::invalid(format!("{here}.file_data"), "not a base64 data URL"))?;
            (mime, Source::Bytes(data))
        }
        (None, Some(url), _) if url.starts_with("s3://") => {
            (file.mime_type.as_deref().unwrap_or_default(), Source::S3Location { uri: url })
        }
        (None, Some(_), _) => {
            return Err(failure::unsupported(format!("{here}.file_url"), "bedrock fetches no links"));
        }
        (None, None, Some(_)) => {
            return Err(failure::unsupported(format!("{here}.file_id"), "this file is not at bedrock"));
        }
        (None, None, None) => return Err(failure::invalid(here, "no file in it")),
    };
    if mime.starts_with("image/") {
        return picture(mime, source, &here);
    }
    if let Some(format) = video_format(mime) {
        return Ok(Block::Video(Media { format, source }));
    }
    let ending = file.filename.as_deref().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending);
    let format = document_format(mime).or_else(|| document_ending(ending.unwrap_or_default()));
    let Some(format) = format else {
        return Err(failure::unsupported(here, format!("bedrock takes no files of type `{mime}`")));
    };
    Ok(Block::Document(Document {
        format,
        name: names.legal(name),
        source,
        context: file.context.as_deref(),
        citations: file.citations.filter(|on| *on).map(|enabled| Citations { enabled }),
    }))
}

fn document_format(mime: &str) -> Option<&'static str> {
    Some(match mime {
        "application/pdf" => "pdf",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/markdown" => "md",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/json" => "txt",
        _ if mime.starts_with("text/") => "txt",
        _ => return None,
    })
}

/// Clients that do not know write `application/octet-stream`; the file's name may tell.
fn document_ending(ending: &str) -> Option<&'static str> {
    let known = ["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"];
    known.into_iter().find(|known| known.eq_ignore_ascii_case(ending))
}

fn video_format(mime: &str) -> Option<&'static str> {
    Some(match mime.strip_prefix("video/")? {
        "mp4" => "mp4",
        "quicktime" => "mov",
        "x-matroska" => "mkv",
        "webm" => "webm",
        "x-flv" => "flv",
        "mpeg" => "mpeg",
        "x-ms-wmv" => "wmv",
        "3gpp" => "three_gp",
        _ => return None,
    })
}

impl Names {
    /// Letters, digits, single blanks, hyphens, parentheses and brackets are allowed, nothing else; each name once.
    fn legal(&mut self, wanted: &str) -> String {
        let wanted = match wanted.rsplit_once('.') {
            // The format stands beside it.
            Some((stem, ending)) if document_ending(ending).is_some() => stem,
            _ => wanted,
        };
        let mut name = String::new();
        for letter in wanted.chars().take(190) {
            let legal = letter.is_ascii_alphanumeric() || "-()[]".contains(letter);
            match letter {
                _ if legal => name.push(letter),
                _ if name.ends_with([' ', '-']) || name.is_empty() => {}
                ' ' | '\t' => name.push(' '),
                _ => name.push('-'),
            }
        }
        let name = name.trim_end_matches([' ', '-']);
        let name = if name.is_empty() { "document" } else { name };
        let mut unique = name.to_owned();
        let mut count = 1;
        while self.0.iter().any(|given| given.eq_ignore_ascii_case(&unique)) {
            count += 1;
            unique = format!("{name} ({count})");
        }
        self.0.push(unique.clone());
        unique
    }
}

#[cfg(test)]
mod tests;
