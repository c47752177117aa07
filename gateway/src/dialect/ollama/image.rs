//! Ollama's images: bare base64 without a type, so the first bytes must tell it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::canonical::{DataUrl, Link, Part};
use crate::dialect::object::{Path, text};
use crate::error::GatewayError;

/// A list of images as parts.
pub(in crate::dialect) fn parts<'a>(
    images: Option<&'a RawValue>,
    path: Path<'_>,
) -> Result<Vec<Part<'a>>, GatewayError> {
    let Some(raw) = images else { return Ok(Vec::new()) };
    let list: Vec<&'a RawValue> =
        serde_json::from_str(raw.get()).map_err(|_| path.wrong("expected a list of base64 strings"))?;
    let images = list.into_iter().enumerate();
    images.map(|(index, raw)| part(raw, Path::Item(&path, index))).collect()
}

fn part<'a>(raw: &'a RawValue, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let data = text(raw, path)?;
    let url = match split(&data) {
        Some((mime, start)) => DataUrl {
            mime: Cow::Owned(mime.to_owned()),
            data: Cow::Owned(data.get(start..).unwrap_or_default().to_owned()),
        },
        None => {
            let mime = mime_of(&data)
                .ok_or_else(|| path.wrong("expected base64 of a PNG, JPEG, WebP, GIF or BMP image"))?;
            DataUrl { mime: Cow::Borrowed(mime), data }
        }
    };
    Ok(Part::ImageUrl { image_url: Link { url } })
}

/// Some clients send a data URL. Its type, and where its data begins.
fn split(data: &str) -> Option<(&str, usize)> {
    let (head, _) = data.strip_prefix("data:")?.split_once(',')?;
    let mime = head.strip_suffix(";base64")?;
    Some((mime, "data:,".len() + head.len()))
}

/// The type by the first bytes, read in base64.
fn mime_of(data: &str) -> Option<&'static str> {
    // `RIFF`, four bytes of length, `WEBP`: the last three fill the fifth group of four letters' place.
    let webp = data.starts_with("UklGR") && data.get(12..16) == Some("RUJQ");
    if webp {
        return Some("image/webp");
    }
    let known =
        [("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("Qk", "image/bmp")];
    known.into_iter().find(|(front, _)| data.starts_with(front)).map(|(_, mime)| mime)
}
