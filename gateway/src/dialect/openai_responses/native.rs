//! A body on its way to a provider that speaks this API itself: what only this gateway understands is taken out.
//!
//! State of other vendors in `encrypted_content` goes, a summary of ours becomes a message, and `previous_response_id`
//! goes when it is one of ours: what stood behind it is in `input` by now. Ids of the provider's own stay.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::object::decode;
use super::state::{self, Sealed, State};
use super::{compaction, facts, kept};
use crate::dialect::splice::{list, span, splice};

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    encrypted_content: Option<&'a RawValue>,
}

/// The body without what is ours; nothing when nothing is.
pub(super) fn native(body: &[u8]) -> Option<Bytes> {
    let sealed = memmem::find(body, state::MARK.as_bytes()).is_some();
    let follows = memmem::find(body, b"\"previous_response_id\"").is_some();
    if !sealed && !follows {
        return None;
    }
    let fields = facts::root(facts::body_text(body).ok()?).ok()?;
    let mut parts: Vec<(Range<usize>, String)> = Vec::new();
    let previous =
        fields.get("previous_response_id").filter(|id| decode(id).is_some_and(|id| kept::is_ours(&id)));
    if let Some(previous) = previous {
        parts.push((span(body, previous)?, "null".to_owned()));
    }
    let input = fields.get("input").filter(|input| sealed && input.get().starts_with('['));
    if let Some(input) = input {
        let items: Vec<&RawValue> = serde_json::from_str(input.get()).ok()?;
        let own: Vec<Cow<'_, str>> = items.iter().filter_map(|item| own(item)).collect();
        parts.push((span(body, input)?, list(own.iter().map(AsRef::as_ref))));
    }
    (!parts.is_empty()).then(|| splice(body, parts))
}

/// An item as the provider may see it; nothing when it is not for it.
fn own(item: &RawValue) -> Option<Cow<'_, str>> {
    let unchanged = Some(Cow::Borrowed(item.get()));
    let Ok(read) = serde_json::from_str::<Item<'_>>(item.get()) else { return unchanged };
    let Some(content) = read.encrypted_content.and_then(decode) else { return unchanged };
    match state::unseal(&content) {
        State::Theirs => unchanged,
        State::Ours(Sealed::Summary(summary)) if read.r#type == "compaction" => {
            let text = compaction::opened(&summary);
            Some(Cow::Owned(json!({ "type": "message", "role": "user", "content": text }).to_string()))
        }
        State::Ours(_) | State::Broken => None,
    }
}

#[cfg(test)]
mod tests;
