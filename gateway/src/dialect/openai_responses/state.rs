//! Opaque state in the one place where a client of this API brings state back unread: a reasoning item's
//! `encrypted_content`.
//!
//! State of OpenAI's own stands there as it is. Everything else is sealed: marked, with its owner beside it, so that it
//! finds its owner again when the conversation comes back and is never taken for OpenAI's.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The vendor whose state needs no mark.
pub(super) const OWNER: &str = "openai";

/// What is sealed begins with this.
pub(super) const MARK: &str = "causeway:";

/// What is sealed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sealed {
    /// An entry of `reasoning_details`, but for its text, which stands in the item's summary.
    Detail(Detail),
    /// State bound to something beside the item.
    Bound(Bound),
    /// A content part that this API has no item for.
    Part(Part),
    /// A summary that stands for a conversation.
    Summary(String),
}

/// An entry of `reasoning_details` without its text.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Detail {
    /// `reasoning.text`, …
    pub(super) r#type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<Box<RawValue>>,
}

/// `extra_content` and citations on their way through a client, which knows no such fields.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Bound {
    pub(super) to: Owner,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) citations: Option<Box<RawValue>>,
}

/// What state is bound to.
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

/// A `vendor` part.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) vendor: String,
    pub(super) value: Box<RawValue>,
}

/// What an `encrypted_content` holds.
pub(super) enum State {
    Ours(Sealed),
    /// OpenAI's, or nothing we could read.
    Theirs,
    /// It has our mark and is broken.
    Broken,
}

/// The `encrypted_content` that carries `sealed`.
pub(super) fn seal(sealed: &Sealed) -> String {
    if let Sealed::Detail(Detail {
        format: Some(format), data: Some(data), signature: None, id: None, ..
    }) = sealed
        && format == OWNER
    {
        return data.clone();
    }
    format!("{MARK}{}", serde_json::to_string(sealed).unwrap_or_default())
}

/// Reads back what [`seal`] wrote.
pub(super) fn unseal(content: &str) -> State {
    let Some(sealed) = content.strip_prefix(MARK) else { return State::Theirs };
    serde_json::from_str(sealed).map_or(State::Broken, State::Ours)
}

impl Detail {
    /// Whether there is nothing but text to it.
    pub(super) fn is_plain(&self) -> bool {
        let Self { format, signature, data, id, vendor, r#type: _ } = self;
        format.is_none() && signature.is_none() && data.is_none() && id.is_none() && vendor.is_none()
    }
}
