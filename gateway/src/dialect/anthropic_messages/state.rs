//! Opaque state of other vendors, in the two places where an Anthropic client brings state back unread:
//! the `signature` of a thinking block and the `data` of a redacted one.
//!
//! State of Anthropic's own stands there as it is. State of others is marked, so that it finds its owner again
//! when the conversation comes back, and is never taken for Anthropic's.
//!
//! State of a message that is nothing but text is not carried: it would need a block of its own beside the text, and
//! clients take the first or the last block of an answer for its text. The one vendor that has such state, Google,
//! does not demand it back (ai.google.dev/gemini-api/docs/thought-signatures, "Non-functionCall parts").

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The vendor whose state needs no mark.
pub(super) const VENDOR: &str = "anthropic";

const MARK: &str = "causeway:";
const BOUND: &str = "causeway:bound:";

/// What a `signature` or `data` holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State<'a> {
    /// State of the vendor named first.
    Of(Cow<'a, str>, Cow<'a, str>),
    /// Nothing: the reasoning is plain text.
    Nothing,
}

/// Marks state of `vendor`.
pub(super) fn mark<'a>(vendor: &str, state: Cow<'a, str>) -> Cow<'a, str> {
    if vendor == VENDOR || state.is_empty() { state } else { Cow::Owned(format!("{MARK}{vendor}:{state}")) }
}

/// Finds out whose state it is.
pub(super) fn unmark(state: Cow<'_, str>) -> State<'_> {
    if state.is_empty() {
        return State::Nothing;
    }
    let foreign = state.strip_prefix(MARK).and_then(|rest| rest.split_once(':'));
    match foreign {
        Some((vendor, own)) => State::Of(Cow::Owned(vendor.to_owned()), Cow::Owned(own.to_owned())),
        None => State::Of(Cow::Borrowed(VENDOR), state),
    }
}

/// What `extra_content` is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Owner {
    /// The tool call with this id.
    Call(String),
    /// The content part at this place.
    Content(usize),
    /// The whole message.
    Message,
}

/// `extra_content` on its way through a client, which knows no such field.
#[derive(Serialize, Deserialize)]
pub(super) struct Bound<'a> {
    pub(super) to: Owner,
    #[serde(borrow)]
    extra_content: &'a RawValue,
}

/// The `data` of a redacted block that carries `extra_content`.
pub(super) fn bind(to: Owner, extra_content: &RawValue) -> String {
    let bound = serde_json::to_string(&Bound { to, extra_content }).unwrap_or_default();
    format!("{BOUND}{bound}")
}

/// Reads back what [`bind`] wrote.
pub(super) fn unbind(data: &str) -> Option<(Owner, Box<RawValue>)> {
    let bound: Bound<'_> = serde_json::from_str(data.strip_prefix(BOUND)?).ok()?;
    Some((bound.to, bound.extra_content.to_owned()))
}
