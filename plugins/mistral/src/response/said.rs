//! What a message or a delta says, piece by piece; and fields without a name.

use plugin_sdk::chat::{Fields, Json, Part, PartBody, Text};
use plugin_sdk::json;
use serde_json::Value;

use crate::VENDOR;
use crate::request::ids;
use crate::wire::AnswerChunk;

/// One piece of a content.
pub(crate) enum Piece<'a> {
    Thought(Text<'a>),
    Text(Text<'a>),
    /// A chunk of Mistral's own (`reference`, …).
    Block(Json<'a>),
}

/// A string, or a list of chunks.
pub(crate) fn pieces(content: Option<Json<'_>>) -> Vec<Piece<'_>> {
    let Some(content) = content else { return Vec::new() };
    if let Some(text) = content.read::<Text<'_>>() {
        return Some(Piece::Text(text)).into_iter().filter(says_something).collect();
    }
    let chunks: Vec<Json<'_>> = content.read().unwrap_or_default();
    chunks.into_iter().map(piece).filter(says_something).collect()
}

fn says_something(piece: &Piece<'_>) -> bool {
    match piece {
        Piece::Thought(text) | Piece::Text(text) => !text.is_empty(),
        Piece::Block(_) => true,
    }
}

fn piece(chunk: Json<'_>) -> Piece<'_> {
    let read = chunk.read::<AnswerChunk<'_>>().unwrap_or_default();
    // A text or thought with more than its text stays what it is.
    let plain = read.rest.present().next().is_none();
    match (&*read.kind, read.text, read.thinking) {
        ("text", Some(text), _) if plain => Piece::Text(text),
        ("thinking", _, Some(thinking)) if plain => Piece::Thought(thought(&thinking)),
        _ => Piece::Block(chunk),
    }
}

/// A chunk of Mistral's own as a part.
pub(crate) fn block(value: Json<'_>) -> Part<'_> {
    Part::new(PartBody::Vendor { vendor: VENDOR.into(), value })
}

fn thought<'a>(thinking: &Json<'a>) -> Text<'a> {
    if let Some(text) = thinking.read::<Text<'a>>() {
        return text;
    }
    let pieces: Vec<AnswerChunk<'a>> = thinking.read().unwrap_or_default();
    let mut texts = pieces.into_iter().filter_map(|piece| piece.text);
    let first = texts.next().unwrap_or_default();
    texts.fold(first, |all, text| (all.into_inner().into_owned() + &text).into())
}

/// The call's id. Old streams write `"null"`; then one is made that is the same whenever the same bytes are read.
pub(crate) fn call_id<'a>(given: Option<Text<'a>>, answer: &str, choice: u64, place: u64) -> Text<'a> {
    given
        .filter(|id| !id.is_empty() && *id != "null")
        .unwrap_or_else(|| ids::digest(&format!("{answer}:{choice}:{place}"), 0).into())
}

/// A string that holds an object; the schema allows the object itself.
pub(crate) fn arguments(given: Json<'_>) -> Text<'_> {
    match given.read::<Text<'_>>() {
        Some(text) => text,
        None => given.text().into(),
    }
}

/// Keeps fields without a name; later ones replace earlier ones.
pub(crate) fn gather(fields: &Fields<'_>, own: &mut Value) {
    for (name, value) in fields.present() {
        json::merge(own, serde_json::json!({ name: value.to_value() }));
    }
}

/// As `vendor` of a choice.
pub(crate) fn own<'a>(own: Value) -> Fields<'a> {
    let mut vendor = Fields::default();
    if !own.is_null() {
        vendor.push(VENDOR, own);
    }
    vendor
}

/// With the key `vendor`, for objects that keep their own fields.
pub(crate) fn beside<'a>(own: Value) -> Fields<'a> {
    let mut rest = Fields::default();
    if !own.is_null() {
        rest.push("vendor", serde_json::json!({ VENDOR: own }));
    }
    rest
}
