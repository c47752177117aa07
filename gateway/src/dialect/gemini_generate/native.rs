//! A body on its way to Google itself: signatures of others, which this gateway gave the client sealed, are taken out.
//!
//! Google refuses a signature it did not make ("Corrupted thought signature"). Its third generation also refuses calls of
//! the current turn without one, so there the word is put that Google documents for calls it did not make. Every byte
//! outside the parts that had to change stays as it is.
//! Source: <https://ai.google.dev/gemini-api/docs/thought-signatures>

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::state::SEALED_MARK;
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
    #[serde(borrow, default)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    parts: &'a RawValue,
}

impl Content<'_> {
    fn is_the_models(&self) -> bool {
        self.role.and_then(decode).is_some_and(|role| role.eq_ignore_ascii_case("model"))
    }

    /// The user says something, and does not only tell what tools gave back.
    fn is_spoken(&self) -> bool {
        let parts = self.parts.get().as_bytes();
        let answers = ["\"functionResponse\"", "\"function_response\""];
        !self.is_the_models() && answers.iter().all(|key| memmem::find(parts, key.as_bytes()).is_none())
    }
}

/// The body as Google may see it; nothing when it is so already. `model` is who will read it.
pub(super) fn native(body: &[u8], model: &str) -> Option<Bytes> {
    let has = |word: &str| memmem::find(body, word.as_bytes()).is_some();
    let must_sign = demands_signatures(model) && (has("\"functionCall\"") || has("\"function_call\""));
    if !must_sign && !has(SEALED_MARK) {
        return None;
    }
    let request: Body<'_> = serde_json::from_slice(body).ok()?;
    let contents: Vec<(&RawValue, Option<Content<'_>>)> = one_or_many(request.contents)
        .into_iter()
        .map(|raw| (raw, serde_json::from_str(raw.get()).ok()))
        .collect();
    let spoken =
        |(_, content): &(&RawValue, Option<Content<'_>>)| content.as_ref().is_some_and(Content::is_spoken);
    let current = contents.iter().rposition(spoken).map_or(0, |at| at + 1);
    let turn = |(at, (raw, content))| Turn::read(raw, content, must_sign, at >= current);
    let turns: Vec<Turn<'_>> = contents.into_iter().enumerate().map(turn).collect();
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
    fn read(raw: &'a RawValue, content: Option<Content<'a>>, must_sign: bool, current: bool) -> Self {
        let unchanged = Self { raw, parts: None };
        let Some(content) = content else { return unchanged };
        let before = one_or_many(content.parts);
        let mut parts: Vec<String> = before.iter().filter_map(|part| own(part)).collect();
        if must_sign && current && content.is_the_models() {
            sign_first_call(&mut parts);
        }
        if parts.iter().map(String::as_str).eq(before.iter().map(|part| part.get())) {
            return unchanged;
        }
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

fn is_signature(name: &str) -> bool {
    matches!(name, "thoughtSignature" | "thought_signature")
}

fn is_call(fields: &Object<'_>) -> bool {
    fields.get("functionCall").or_else(|| fields.get("function_call")).is_some()
}

/// Of calls at once the first carries the signature. Where none does, another vendor made them.
fn sign_first_call(parts: &mut [String]) {
    let read = |part: &String| {
        let fields: Object<'_> = serde_json::from_str(part).ok()?;
        is_call(&fields).then(|| fields.0.iter().any(|(name, _)| is_signature(name)))
    };
    let calls: Vec<Option<bool>> = parts.iter().map(read).collect();
    if calls.contains(&Some(true)) {
        return;
    }
    let first = calls.iter().position(Option::is_some).and_then(|at| parts.get_mut(at));
    if let Some(part) = first
        && let Some(front) = part.trim_end().strip_suffix('}')
    {
        *part = format!("{front},\"thoughtSignature\":{UNSIGNED}}}");
    }
}

/// A part as Google may see it; nothing when nothing is left of it.
fn own(part: &RawValue) -> Option<String> {
    let unchanged = || Some(part.get().to_owned());
    if memmem::find(part.get().as_bytes(), SEALED_MARK.as_bytes()).is_none() {
        return unchanged();
    }
    let Ok(mut fields) = serde_json::from_str::<Object<'_>>(part.get()) else { return unchanged() };
    let sealed = fields.0.iter().position(|(name, value)| {
        is_signature(name) && decode(value).is_some_and(|text| text.starts_with(SEALED_MARK))
    });
    let Some(sealed) = sealed else { return unchanged() };
    if fields.get("thought").is_some_and(|thought| thought.get() == "true") {
        return None;
    }
    fields.0.remove(sealed);
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
