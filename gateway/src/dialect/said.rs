//! Canonical answers and chunks as the younger dialects read them: one shape for both, because a delta is a message
//! that grows.

use serde_json::value::RawValue;

use super::object::{Name, Object};
use crate::error::GatewayError;

/// A `chat.completion` or a `chat.completion.chunk`.
#[derive(serde::Deserialize)]
pub(super) struct Answered<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) choices: Vec<Choice<'a>>,
    #[serde(borrow, default)]
    pub(super) usage: Option<Tokens<'a>>,
}

/// One choice; these dialects show only the first.
#[derive(serde::Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(default)]
    pub(super) index: u64,
    #[serde(borrow, default, alias = "delta")]
    pub(super) message: Said<'a>,
    #[serde(borrow, default)]
    pub(super) logprobs: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) native_finish_reason: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) stop_sequence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) vendor: Option<Object<'a>>,
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

impl<'a> Detail<'a> {
    /// The text shown: reasoning or its summary.
    pub(super) fn shown(&self) -> Option<&'a RawValue> {
        self.text.or(self.summary)
    }
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

/// An annotation: OpenAI's, or a vendor's own.
#[derive(serde::Deserialize)]
pub(super) struct Annotation<'a> {
    #[serde(borrow, default)]
    pub(super) vendor: Option<Name<'a>>,
    #[serde(borrow, default)]
    pub(super) value: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) url_citation: Option<UrlCitation<'a>>,
}

/// What OpenAI cites.
#[derive(serde::Deserialize)]
pub(super) struct UrlCitation<'a> {
    #[serde(borrow, default)]
    pub(super) url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) title: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) start_index: Option<u64>,
    #[serde(default)]
    pub(super) end_index: Option<u64>,
}

/// Canonical `usage`.
#[derive(serde::Deserialize, Default)]
pub(super) struct Tokens<'a> {
    #[serde(default)]
    pub(super) prompt_tokens: Option<u64>,
    #[serde(default)]
    pub(super) completion_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(borrow, default)]
    pub(super) vendor: Option<Object<'a>>,
}

/// What of the prompt went through the cache.
#[derive(Clone, Copy, Debug, serde::Deserialize, Default)]
pub(super) struct PromptDetails {
    #[serde(default)]
    pub(super) cached_tokens: Option<u64>,
    #[serde(default)]
    pub(super) cache_write_tokens: Option<u64>,
    #[serde(default)]
    pub(super) cache_write_long_tokens: Option<u64>,
}

impl Tokens<'_> {
    /// What of the prompt went through the cache.
    pub(super) fn cache(&self) -> PromptDetails {
        self.prompt_tokens_details.unwrap_or_default()
    }
}

impl<'a> Answered<'a> {
    /// Reads a whole answer or a chunk.
    pub(super) fn read(canonical: &'a [u8]) -> Result<Self, GatewayError> {
        serde_json::from_slice(canonical)
            .map_err(|error| GatewayError::plugin("the adapter's answer is not canonical").context(error))
    }
}

/// The text of an optional name, empty when it is not there.
pub(super) fn word<'n>(name: &'n Option<Name<'_>>) -> &'n str {
    name.as_ref().map_or("", |name| name.0.as_ref())
}

/// A raw string that says something.
pub(super) fn spoken(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get().len() > 2 && raw.get().starts_with('"'))
}

/// One vendor's own fields in a `vendor` object.
pub(super) fn own<'a>(vendor: &Option<Object<'a>>, name: &str) -> Object<'a> {
    let own = vendor.as_ref().and_then(|vendor| vendor.get(name));
    own.and_then(|own| serde_json::from_str(own.get()).ok()).unwrap_or_default()
}

/// Writes a value; what is serialised in a dialect has no way to fail.
pub(super) fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
