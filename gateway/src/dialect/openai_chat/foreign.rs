//! `extra_content` of another vendor in a client's keeping.
//!
//! Google's own OpenAI-compatible API has that field too, so its name does not say where a value came from. What this
//! gateway brings from an adapter is marked; a client that returns the object returns the mark. Towards an adapter the mark
//! is taken off, and on a passage the whole object goes: the provider did not make it, and may refuse it.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::dialect::splice::{span, splice};
use crate::dialect::word::Word;

const FIELD: &str = "extra_content";
const MARK: &str = "causeway";

static OPENING: Word = Word::new("\"extra_content\":{\"");
/// Both stand in a body that may be marked.
static MARKED: Word = Word::new("\"causeway\"");
static MARKED_FIELD: Word = Word::new("\"extra_content\"");

/// A canonical answer or chunk with its `extra_content` marked. Inside a string the quotes would be escaped.
pub(super) fn marked(canonical: &[u8]) -> Cow<'_, [u8]> {
    const WITH_MARK: &[u8] = b"\"extra_content\":{\"causeway\":true,\"";
    let mut places = OPENING.places(canonical).peekable();
    if places.peek().is_none() {
        return Cow::Borrowed(canonical);
    }
    let mut out = Vec::with_capacity(canonical.len() + 64);
    let mut from = 0;
    for at in places {
        out.extend_from_slice(canonical.get(from..at).unwrap_or_default());
        out.extend_from_slice(WITH_MARK);
        from = at + OPENING.len();
    }
    out.extend_from_slice(canonical.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

/// Whether a body may hold the mark; most do not.
pub(super) fn may_be_marked(text: &[u8]) -> bool {
    MARKED.is_in(text) && MARKED_FIELD.is_in(text)
}

/// The body without marks; nothing when it has none.
pub(super) fn unmarked(body: &[u8]) -> Option<Bytes> {
    if !may_be_marked(body) {
        return None;
    }
    #[derive(Deserialize)]
    struct Chat<'a> {
        #[serde(borrow)]
        messages: Vec<&'a RawValue>,
    }
    let chat: Chat<'_> = serde_json::from_slice(body).ok()?;
    let changed = |raw: &&RawValue| -> Option<(Range<usize>, String)> {
        Some((span(body, raw)?, rewritten(raw.get(), &take_mark)?))
    };
    let parts: Vec<_> = chat.messages.iter().filter_map(changed).collect();
    (!parts.is_empty()).then(|| splice(body, parts))
}

/// The message without what is marked; nothing when nothing is.
pub(super) fn without(message: &str) -> Option<String> {
    rewritten(message, &take_all)
}

/// What becomes of an object with a field `extra_content`; true: it changed.
type Change = dyn Fn(&mut serde_json::Map<String, Value>) -> bool;

fn take_mark(owner: &mut serde_json::Map<String, Value>) -> bool {
    owner.get_mut(FIELD).and_then(Value::as_object_mut).is_some_and(|extra| extra.remove(MARK).is_some())
}

fn take_all(owner: &mut serde_json::Map<String, Value>) -> bool {
    let is_marked = owner.get(FIELD).is_some_and(|extra| extra.get(MARK).is_some());
    is_marked && owner.remove(FIELD).is_some()
}

/// Applies a change to a message, its calls and its parts. Such messages are rare, so a tree will do.
fn rewritten(message: &str, change: &Change) -> Option<String> {
    if !may_be_marked(message.as_bytes()) {
        return None;
    }
    let mut message: Value = serde_json::from_str(message).ok()?;
    let fields = message.as_object_mut()?;
    let mut changed = change(fields);
    for list in ["tool_calls", "content", "content_parts"] {
        let owners = fields.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for owner in owners.filter_map(Value::as_object_mut) {
            changed |= change(owner);
        }
    }
    changed.then(|| message.to_string())
}

#[cfg(test)]
mod tests;
