//! Canonical answers and chunks as read: one shape for both, because a delta is a message that grows.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::object::{Name, Object};
use super::tokens::Tokens;

/// A `chat.completion` or a `chat.completion.chunk`.
#[derive(serde::Deserialize)]
pub(super) struct Answered<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) model: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) choices: Vec<Choice<'a>>,
    #[serde(borrow, default)]
    pub(super) usage: Option<Tokens<'a>>,
}

/// One choice; this dialect shows only the first.
#[derive(serde::Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(default)]
    pub(super) index: u64,
    #[serde(borrow, default, alias = "delta")]
    pub(super) message: Said<'a>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) native_finish_reason: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) stop_sequence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) vendor: Option<Vendor<'a>>,
}

/// What the model said, or said next.
#[derive(serde::Deserialize, Default)]
pub(super) struct Said<'a> {
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) reasoning_details: Option<Vec<Detail<'a>>>,
    #[serde(borrow, default)]
    pub(super) tool_calls: Option<Vec<Call<'a>>>,
    #[serde(borrow, default)]
    pub(super) content_parts: Option<Vec<Part<'a>>>,
    #[serde(borrow, default)]
    pub(super) annotations: Option<Vec<Annotation<'a>>>,
    #[serde(borrow, default)]
    pub(super) extra_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) order: Option<Vec<Name<'a>>>,
}

/// An entry of `reasoning_details`, or a piece of one.
#[derive(serde::Deserialize, Default)]
pub(super) struct Detail<'a> {
    #[serde(default)]
    pub(super) index: Option<usize>,
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) summary: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) signature: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) data: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) format: Option<Name<'a>>,
}

/// A tool call, or a piece of one.
#[derive(serde::Deserialize)]
pub(super) struct Call<'a> {
    #[serde(default)]
    pub(super) index: Option<usize>,
    #[serde(borrow, default)]
    pub(super) id: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) function: Function<'a>,
    #[serde(borrow, default)]
    pub(super) extra_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) vendor: Option<Vendor<'a>>,
}

/// Name and arguments.
#[derive(serde::Deserialize, Default)]
pub(super) struct Function<'a> {
    #[serde(borrow, default)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
}

/// A content part.
#[derive(serde::Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    pub(super) r#type: Name<'a>,
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) image_url: Option<ImageUrl<'a>>,
    /// The vendor's name; on parts of other types an object, which is not looked at.
    #[serde(borrow, default)]
    pub(super) vendor: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) value: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) citations: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    pub(super) extra_content: Option<&'a RawValue>,
}

/// An image the model made.
#[derive(serde::Deserialize)]
pub(super) struct ImageUrl<'a> {
    #[serde(borrow)]
    pub(super) url: Name<'a>,
}

/// An annotation; only Anthropic's own have a place in its blocks.
#[derive(serde::Deserialize)]
pub(super) struct Annotation<'a> {
    #[serde(borrow, default)]
    pub(super) vendor: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) value: Option<&'a RawValue>,
}

impl<'a> Annotation<'a> {
    /// The citation, when it is one of Anthropic's.
    pub(super) fn citation(&self) -> Option<&'a RawValue> {
        let vendor = self.vendor.as_ref()?;
        self.value.filter(|_| vendor.0 == super::state::VENDOR)
    }
}

/// The `vendor` object: of it only our own part concerns us.
#[derive(serde::Deserialize)]
pub(super) struct Vendor<'a> {
    #[serde(borrow, default)]
    pub(super) anthropic: Option<Object<'a>>,
}

/// The text of an optional name, empty when it is not there.
pub(super) fn word<'n>(name: &'n Option<Name<'_>>) -> &'n str {
    name.as_ref().map_or("", |name| name.0.as_ref())
}

/// A raw string that says something.
pub(super) fn spoken(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get().len() > 2 && raw.get().starts_with('"'))
}

impl<'a> Detail<'a> {
    /// The text shown: reasoning or its summary.
    pub(super) fn shown(&self) -> Option<&'a RawValue> {
        self.text.or(self.summary)
    }

    /// Marks `state` as this entry's vendor's.
    pub(super) fn mark(&self, state: &Name<'a>) -> Cow<'a, str> {
        super::state::mark(word(&self.format), state.0.clone())
    }
}
