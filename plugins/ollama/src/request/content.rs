//! A message's content as Ollama has it: one text, and images beside it.

use std::borrow::Cow;

use plugin_sdk::chat::{Content, File, ImageUrl, Message, Part, PartBody, data_url};
use plugin_sdk::{Failure, Losses, base64, failure};

use crate::VENDOR;

/// What a message says and shows.
#[derive(Default)]
pub(super) struct Said<'a> {
    texts: Vec<Cow<'a, str>>,
    pub(super) images: Vec<&'a str>,
}

impl<'a> Said<'a> {
    /// Takes a message's content apart; `path` is the message's.
    pub(super) fn of(message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<Self, Failure> {
        let mut said = Self::default();
        match &message.content {
            None => {}
            Some(Content::Text(text)) => said.texts.push((&**text).into()),
            Some(Content::Parts(parts)) => {
                for (index, part) in parts.iter().enumerate() {
                    said.part(part, &format!("{path}.content[{index}]"), losses)?;
                }
            }
        }
        Ok(said)
    }

    /// The texts as one.
    pub(super) fn text(self, separator: &str) -> Cow<'a, str> {
        let mut texts = self.texts.into_iter().filter(|text| !text.is_empty());
        let first = texts.next().unwrap_or_default();
        texts.fold(first, |all, text| Cow::Owned(all.into_owned() + separator + &text))
    }

    fn part(&mut self, part: &'a Part<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        losses.add_if(&part.cache_control, format!("{path}.cache_control"), "ollama has no cache marks");
        losses.add_if(&part.citations, format!("{path}.citations"), "ollama takes no citations");
        losses.add_state(&part.extra_content, path);
        let text: Cow<'a, str> = match &part.body {
            PartBody::Text(text) | PartBody::Refusal(text) => (&**text).into(),
            PartBody::Image(image) => {
                self.images.push(self::image(image, path, losses)?);
                return Ok(());
            }
            PartBody::File(file) => document(file, &format!("{path}.file"), losses)?,
            PartBody::Audio(_) => {
                let path = format!("{path}.input_audio");
                return Err(failure::unsupported(&path, format!("{path}: ollama takes no audio")));
            }
            PartBody::Vendor { vendor, .. } if *vendor == VENDOR => {
                losses.add(path, "ollama has no parts of content");
                return Ok(());
            }
            PartBody::Vendor { vendor, .. } => {
                losses.add(path, format!("only {vendor} understands it"));
                return Ok(());
            }
            PartBody::Other(kind) => {
                let message = format!("{path}: ollama has no content of type `{kind}`");
                return Err(failure::unsupported(path, message));
            }
        };
        let own = losses.own_fields(&part.rest, VENDOR, path);
        losses.add_fields(&own, &format!("{path}.vendor.{VENDOR}"), "ollama has no parts of content");
        if !self.images.is_empty() && self.texts.iter().any(|text| !text.is_empty()) {
            losses.add(path, "ollama shows all images of a message before its text");
        }
        self.texts.push(text);
        Ok(())
    }
}

/// Bare base64; Ollama fetches nothing.
fn image<'a>(image: &'a ImageUrl<'a>, path: &str, losses: &mut Losses) -> Result<&'a str, Failure> {
    let path = format!("{path}.image_url");
    if image.detail.as_deref().is_some_and(|detail| detail != "auto") {
        losses.add(format!("{path}.detail"), "ollama has no detail of an image");
    }
    losses.add_fields(&image.rest, &path, "ollama has no such field");
    if let Some((_, data)) = data_url(&image.url) {
        return Ok(data);
    }
    let path = format!("{path}.url");
    if image.url.starts_with("http://") || image.url.starts_with("https://") {
        let message = format!("{path}: ollama fetches no images; send the image itself as a data URL");
        return Err(failure::unsupported(path, message));
    }
    let message = format!("{path}: must be a base64 data URL");
    Err(failure::invalid(path, message))
}

/// A text document as text. Anything else is for a provider that reads documents.
fn document<'a>(file: &'a File<'a>, path: &str, losses: &mut Losses) -> Result<Cow<'a, str>, Failure> {
    let text = file.file_data.as_deref().and_then(|data| text_of(data, file.mime_type.as_deref()));
    let Some(text) = text else {
        return Err(failure::unsupported(path, format!("{path}: ollama takes no documents but text")));
    };
    losses.add_if(&file.context, format!("{path}.context"), "ollama has no document context");
    losses.add_if(
        &file.citations.filter(|asked| *asked),
        format!("{path}.citations"),
        "ollama does not cite documents",
    );
    losses.add_fields(&file.rest, path, "ollama has no such field");
    Ok(match file.title.as_deref().or(file.filename.as_deref()) {
        Some(name) => format!("{name}:\n{text}").into(),
        None => text.into(),
    })
}

fn text_of(data: &str, mime_type: Option<&str>) -> Option<String> {
    let (mime, data) = data_url(data).or_else(|| Some((mime_type?, data)))?;
    let readable = mime.starts_with("text/") || mime == "application/json";
    readable.then(|| base64::decode(data)).flatten().and_then(|bytes| String::from_utf8(bytes).ok())
}
