//! Canonical answers and chunks as read: one shape for both, because a delta is a message that grows.

use serde_json::value::RawValue;

use super::object::Name;
use super::tokens::Told;

/// A `chat.completion` or a `chat.completion.chunk`.
#[derive(serde::Deserialize)]
pub(super) struct Answered<'a> {
    #[serde(borrow, default)]
    pub(super) model: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) choices: Vec<Choice<'a>>,
    #[serde(default)]
    pub(super) usage: Option<Told>,
    #[serde(borrow, default)]
    pub(super) service_tier: Option<&'a RawValue>,
}

/// One choice; this API has only one.
#[derive(serde::Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(default)]
    pub(super) index: u64,
    #[serde(borrow, default, alias = "delta")]
    pub(super) message: Said<'a>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) logprobs: Option<Logprobs<'a>>,
}

/// Probabilities of the tokens of the text.
#[derive(serde::Deserialize)]
pub(super) struct Logprobs<'a> {
    #[serde(borrow, default)]
    pub(super) content: Option<Vec<&'a RawValue>>,
}

/// What the model said, or said next.
#[derive(serde::Deserialize, Default)]
pub(super) struct Said<'a> {
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) refusal: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) reasoning_content: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) reasoning_details: Option<Vec<Detail<'a>>>,
    #[serde(borrow, default)]
    pub(super) tool_calls: Option<Vec<Call<'a>>>,
    #[serde(borrow, default)]
    pub(super) content_parts: Option<Vec<Part<'a>>>,
    #[serde(borrow, default)]
    pub(super) annotations: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    pub(super) extra_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) order: Option<Vec<Name<'a>>>,
}

/// An entry of `reasoning_details`, or a piece of one.
#[derive(serde::Deserialize, Default)]
pub(super) struct Detail<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Option<Name<'a>>,
    #[serde(default)]
    pub(super) index: Option<usize>,
    #[serde(borrow, default)]
    pub(super) id: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) text: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) summary: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) signature: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) data: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) format: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) vendor: Option<&'a RawValue>,
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
}

/// Name and arguments.
#[derive(serde::Deserialize, Default)]
pub(super) struct Function<'a> {
    #[serde(borrow, default)]
    pub(super) name: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<Name<'a>>,
}

/// A content part.
#[derive(serde::Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    pub(super) r#type: Name<'a>,
    #[serde(borrow, default)]
    pub(super) text: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) refusal: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) image_url: Option<ImageUrl<'a>>,
    /// The vendor's name; on parts of other types an object, which is not looked at.
    #[serde(borrow, default)]
    pub(super) vendor: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) value: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) citations: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) extra_content: Option<&'a RawValue>,
}

/// An image the model made.
#[derive(serde::Deserialize)]
pub(super) struct ImageUrl<'a> {
    #[serde(borrow)]
    pub(super) url: Name<'a>,
}

/// The text of an optional name, empty when it is not there.
pub(super) fn word<'n>(name: &'n Option<Name<'_>>) -> &'n str {
    name.as_ref().map_or("", |name| name.0.as_ref())
}
