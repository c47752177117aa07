//! A body on its way to a provider of this very API: reasoning that this gateway brought from another vendor is taken
//! out.
//!
//! A client that keeps fields it does not know brings `reasoning_details` back. The entries name their vendor in
//! canonical chat's words; others who have that field (OpenRouter) use words of their own, and theirs stay. With the last
//! entry its views go too, and so does every `extra_content` that is marked (`foreign`). Every byte outside such messages stays as it is.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::foreign;
use crate::dialect::object::Object;
use crate::dialect::splice::{list, span, splice};
use crate::dialect::word::Word;

static DETAILS: Word = Word::new("\"reasoning_details\"");

/// Vendors whose reasoning an adapter of ours brings into canonical chat.
const VENDORS: [&str; 8] =
    ["anthropic", "bedrock", "cohere", "gemini", "mistral", "ollama", "openai", "openai-responses"];

/// The body without what is not this provider's; nothing when all of it is.
pub(super) fn native(body: &[u8]) -> Option<Bytes> {
    if !DETAILS.is_in(body) && !foreign::may_be_marked(body) {
        return None;
    }
    #[derive(Deserialize)]
    struct Chat<'a> {
        #[serde(borrow)]
        messages: Vec<&'a RawValue>,
    }
    let chat: Chat<'_> = serde_json::from_slice(body).ok()?;
    let changed = |raw: &&RawValue| {
        let place = span(body, raw)?;
        let own = own(raw);
        let left = own.as_deref().unwrap_or(raw.get());
        let left = foreign::without(left).or(own)?;
        Some((place, left))
    };
    let parts: Vec<_> = chat.messages.iter().filter_map(changed).collect();
    (!parts.is_empty()).then(|| splice(body, parts))
}

/// The message without others' reasoning; nothing when it has none.
fn own(message: &RawValue) -> Option<String> {
    DETAILS.find(message.get().as_bytes())?;
    let mut fields: Object<'_> = serde_json::from_str(message.get()).ok()?;
    let details = fields.get("reasoning_details")?;
    let details: Vec<&RawValue> = serde_json::from_str(details.get()).ok()?;
    let kept: Vec<&str> =
        details.iter().filter(|detail| !is_foreign(detail)).map(|detail| detail.get()).collect();
    if kept.len() == details.len() {
        return None;
    }
    let left;
    if kept.is_empty() {
        fields.0.retain(|(name, _)| !["reasoning_details", "reasoning_content", "order"].contains(&&**name));
    } else {
        left = RawValue::from_string(list(kept)).ok()?;
        for (_, value) in fields.0.iter_mut().filter(|(name, _)| name == "reasoning_details") {
            *value = &left;
        }
    }
    serde_json::to_string(&fields).ok()
}

fn is_foreign(detail: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Detail<'a> {
        #[serde(borrow, default)]
        format: Cow<'a, str>,
    }
    serde_json::from_str::<Detail<'_>>(detail.get()).is_ok_and(|detail| VENDORS.contains(&&*detail.format))
}

#[cfg(test)]
mod tests;
