//! One content block of Converse's as canonical parts.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{VENDOR, media};
use crate::dialect::chat::{Own, Ownership, Part};
use crate::dialect::object::{Object, Path};
use crate::error::GatewayError;

/// A block: an object whose one field says what it is.
pub(super) struct Block<'a> {
    pub(super) kind: Cow<'a, str>,
    pub(super) inside: &'a RawValue,
    pub(super) whole: Object<'a>,
}

impl<'a> Block<'a> {
    /// Reads the block at `path`.
    pub(super) fn read(whole: Object<'a>, path: Path<'_>) -> Result<Self, GatewayError> {
        let mut given = whole.0.iter().filter(|(_, value)| value.get() != "null");
        match (given.next(), given.next()) {
            (Some((kind, inside)), None) => Ok(Self { kind: kind.clone(), inside, whole }),
            (None, _) => Err(path.wrong("a block must have a field that says what it is")),
            (Some(_), Some(_)) => Err(path.wrong("a block must have one field only")),
        }
    }
}

/// Adds a block as a part. What has no canonical name travels whole, as Bedrock's own.
pub(super) fn part<'a>(
    block: Block<'a>,
    path: Path<'_>,
    parts: &mut Vec<Part<'a>>,
) -> Result<(), GatewayError> {
    let here = Path::Field(&path, &block.kind);
    let part = match block.kind.as_ref() {
        "text" => text(block.inside, here)?,
        "image" => media::image(Object::read(block.inside, here)?, here)?,
        "video" => media::video(Object::read(block.inside, here)?, here)?,
        "audio" => media::audio(Object::read(block.inside, here)?, here)?,
        "document" => media::document(Object::read(block.inside, here)?, here)?,
        "guardContent" => guarded(block.inside, here)?,
        _ => Part::own(VENDOR, block.whole),
    };
    parts.push(part);
    Ok(())
}

fn text<'a>(raw: &'a RawValue, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    if raw.get().starts_with('"') { Ok(Part::text(raw)) } else { Err(path.wrong("expected a string")) }
}

/// Content that a guardrail shall look at: for everyone else it is content like any other, and that it was marked is
/// told as Bedrock's own.
fn guarded<'a>(raw: &'a RawValue, path: Path<'_>) -> Result<Part<'a>, GatewayError> {
    let inner = Block::read(Object::read(raw, path)?, path)?;
    let here = Path::Field(&path, &inner.kind);
    let mut left = Own::new(VENDOR);
    let part = match inner.kind.as_ref() {
        "text" => {
            let mut fields = Object::read(inner.inside, here)?;
            let part = Part::text(fields.need_string("text", here)?);
            if fields.is_empty() {
                fields.0.push((Cow::Borrowed("qualifiers"), RawValue::NULL));
            }
            left.keep("guardContent", fields);
            part
        }
        "image" => {
            left.keep("guardContent", Object(vec![(Cow::Borrowed("image"), RawValue::TRUE)]));
            media::image(Object::read(inner.inside, here)?, here)?
        }
        _ => return Err(here.wrong("expected text or image")),
    };
    let vendor = left.with(Object::default()).map(Ownership::Fields);
    Ok(Part { vendor, ..part })
}
