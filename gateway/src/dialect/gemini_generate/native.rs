//! A body on its way to Google itself: signatures of others, which this gateway gave the client sealed, are taken out.
//!
//! Google refuses a signature it did not make ("Corrupted thought signature"). A call without one is refused too by
//! its third generation, so there the word stands that Google documents for calls it did not make. Every byte
//! outside the parts that held such a signature stays as it is.
//! Source: <https://ai.google.dev/gemini-api/docs/thought-signatures>

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::state::{self, SEALED_MARK};
use crate::dialect::object::{Object, decode};
use crate::dialect::splice::{list, span, splice};

/// `skip_thought_signature_validator`, in the base64 of the field.
const UNSIGNED: &str = "\"c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=\"";

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    contents: &'a RawValue,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    parts: &'a RawValue,
}

/// The body without what is not Google's; nothing when all of it is. `model` is who will read it.
pub(super) fn native(body: &[u8], model: &str) -> Option<Bytes> {
    memmem::find(body, SEALED_MARK.as_bytes())?;
    let request: Body<'_> = serde_json::from_slice(body).ok()?;
    let contents = one_or_many(request.contents);
    let turns: Vec<Turn<'_>> = contents.iter().map(|raw| Turn::read(raw, model)).collect();
    if turns.iter().all(|turn| turn.parts.is_none()) {
        return None;
    }
    let mut spliced: Vec<(Range<usize>, String)> = Vec::new();
    if turns.iter().any(Turn::is_empty) {
        // A turn of which nothing is left cannot stay.
        let kept: Vec<String> = turns.iter().filter(|turn| !turn.is_empty()).map(Turn::written).collect();
        spliced.push((span(body, request.contents)?, list(kept.iter().map(String::as_str))));
    } else {
        for turn in &turns {
            let Some((raw, parts)) = &turn.parts else { continue };
            spliced.push((span(body, raw)?, list(parts.iter().map(String::as_str))));
        }
    }
    Some(splice(body, spliced))
}

/// Google takes a single element where a list stands.
fn one_or_many(raw: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| vec![raw])
}

/// One content; its parts only where they had to change.
struct Turn<'a> {
    raw: &'a RawValue,
    parts: Option<(&'a RawValue, Vec<String>)>,
}

impl<'a> Turn<'a> {
    fn read(raw: &'a RawValue, model: &str) -> Self {
        let Ok(content) = serde_json::from_str::<Content<'a>>(raw.get()) else {
            return Self { raw, parts: None };
        };
        if memmem::find(content.parts.get().as_bytes(), SEALED_MARK.as_bytes()).is_none() {
            return Self { raw, parts: None };
        }
        let parts = one_or_many(content.parts).into_iter().filter_map(|part| own(part, model)).collect();
        Self { raw, parts: Some((content.parts, parts)) }
    }

    fn is_empty(&self) -> bool {
        self.parts.as_ref().is_some_and(|(_, parts)| parts.is_empty())
    }

    fn written(&self) -> String {
        let raw = self.raw.get();
        let Some((old, parts)) = &self.parts else { return raw.to_owned() };
        let Some(span) = span(raw.as_bytes(), old) else { return raw.to_owned() };
        let written = splice(raw.as_bytes(), vec![(span, list(parts.iter().map(String::as_str)))]);
        String::from_utf8_lossy(&written).into_owned()
    }
}

/// A part as Google may see it; nothing when nothing is left of it.
fn own(part: &RawValue, model: &str) -> Option<String> {
    let unchanged = || Some(part.get().to_owned());
    let Ok(mut fields) = serde_json::from_str::<Object<'_>>(part.get()) else { return unchanged() };
    let is_signature = |name: &str| matches!(name, "thoughtSignature" | "thought_signature");
    let sealed = fields.0.iter().any(|(name, value)| {
        is_signature(name) && decode(value).is_some_and(|text| text.starts_with(state::SEALED_MARK))
    });
    if !sealed {
        return unchanged();
    }
    if fields.get("thought").is_some_and(|thought| thought.get() == "true") {
        return None;
    }
    let calls = fields.get("functionCall").or_else(|| fields.get("function_call")).is_some();
    let must_be_signed = calls && demands_signatures(model);
    let unsigned: &RawValue = serde_json::from_str(UNSIGNED).ok()?;
    for (_, value) in fields.0.iter_mut().filter(|(name, _)| is_signature(name)) {
        *value = if must_be_signed { unsigned } else { RawValue::NULL };
    }
    fields.0.retain(|(name, value)| !(is_signature(name) && value.get() == "null"));
    let empty = fields.0.iter().all(|(name, value)| name == "text" && value.get() == "\"\"");
    (!empty).then(|| serde_json::to_string(&fields).ok()).flatten()
}

/// Models up to the second generation sign, and do not ask for it.
fn demands_signatures(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    let older = ["gemini-1", "gemini-2", "gemma", "learnlm"];
    !older.iter().any(|older| name.starts_with(older))
}

#[cfg(test)]
mod tests;
