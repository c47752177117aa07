//! Opaque state of other vendors, in the places where a client brings state back unread.
//!
//! A client knows only its own vendor's fields. State of that vendor stands there as it is; state of others is marked,
//! so that it finds its owner again when the conversation comes back, and is never taken for that vendor's.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What stands before state of others.
pub(super) const MARK: &str = "causeway:";
const BOUND: &str = "causeway:bound:";

/// Whose a piece of state is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State<'a> {
    /// Of the vendor named first.
    Foreign(Cow<'a, str>, Cow<'a, str>),
    /// It bears no mark.
    Unmarked(Cow<'a, str>),
    /// There is none.
    Nothing,
}

/// Marks state of `vendor`; nothing stays nothing.
pub(super) fn mark(vendor: &str, state: &str) -> String {
    if state.is_empty() { String::new() } else { format!("{MARK}{vendor}:{state}") }
}

/// Finds out whose state it is.
pub(super) fn unmark(state: Cow<'_, str>) -> State<'_> {
    if state.is_empty() {
        return State::Nothing;
    }
    match state.strip_prefix(MARK).and_then(|rest| rest.split_once(':')) {
        Some((vendor, own)) => State::Foreign(Cow::Owned(vendor.to_owned()), Cow::Owned(own.to_owned())),
        None => State::Unmarked(state),
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
struct Bound<'a> {
    to: Owner,
    #[serde(borrow)]
    extra_content: &'a RawValue,
}

/// `extra_content` as a piece of state.
pub(super) fn bind(to: Owner, extra_content: &RawValue) -> String {
    let bound = serde_json::to_string(&Bound { to, extra_content }).unwrap_or_default();
    format!("{BOUND}{bound}")
}

/// Reads back what [`bind`] wrote.
pub(super) fn unbind(state: &str) -> Option<(Owner, Box<RawValue>)> {
    let bound: Bound<'_> = serde_json::from_str(state.strip_prefix(BOUND)?).ok()?;
    Some((bound.to, bound.extra_content.to_owned()))
}
