//! Canonical answers and chunks as Ollama's dialects read them. Everything may be absent or `null`.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialect::object::Name;
use crate::error::GatewayError;

/// Reads a canonical answer or chunk.
pub(super) fn read(canonical: &[u8]) -> Result<Said<'_>, GatewayError> {
    serde_json::from_slice(canonical).map_err(|error| nonsense(&error))
}

/// The adapter's fault.
pub(super) fn nonsense(error: &dyn std::fmt::Display) -> GatewayError {
    GatewayError::plugin("the adapter's answer is not canonical chat").context(error)
}

/// A `chat.completion` or a `chat.completion.chunk`.
#[derive(Deserialize)]
pub(super) struct Said<'a> {
    #[serde(borrow)]
    pub(super) choices: Vec<Choice<'a>>,
    pub(super) usage: Option<Usage>,
}

/// One choice, or a piece of one.
#[derive(Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(default)]
    pub(super) index: u64,
    #[serde(alias = "delta", borrow)]
    pub(super) message: Option<Message<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Option<Name<'a>>,
    #[serde(borrow)]
    pub(super) logprobs: Option<Logprobs<'a>>,
}

/// What the model said, whole or in part.
#[derive(Default, Deserialize)]
pub(super) struct Message<'a> {
    /// A string or a list of parts.
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    /// Only in chunks.
    #[serde(borrow)]
    pub(super) content_parts: Option<Vec<Part<'a>>>,
    #[serde(borrow)]
    pub(super) refusal: Option<Name<'a>>,
    #[serde(borrow)]
    pub(super) reasoning_content: Option<Name<'a>>,
    #[serde(borrow)]
    pub(super) reasoning_details: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(borrow)]
    pub(super) extra_content: Option<&'a RawValue>,
}

/// One content part.
#[derive(Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    pub(super) text: Option<Name<'a>>,
    #[serde(borrow)]
    pub(super) refusal: Option<Name<'a>>,
    #[serde(borrow)]
    pub(super) image_url: Option<Link<'a>>,
}

/// Where an image is.
#[derive(Deserialize)]
pub(super) struct Link<'a> {
    #[serde(borrow)]
    pub(super) url: Name<'a>,
}

/// A call, or a piece of one.
#[derive(Deserialize)]
pub(super) struct ToolCall<'a> {
    #[serde(default)]
    pub(super) index: u64,
    #[serde(borrow)]
    pub(super) id: Option<Name<'a>>,
    #[serde(borrow)]
    pub(super) function: Option<Function<'a>>,
    #[serde(borrow)]
    pub(super) extra_content: Option<&'a RawValue>,
}

/// Name and arguments.
#[derive(Deserialize)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Name<'a>>,
    #[serde(borrow)]
    pub(super) arguments: Option<Name<'a>>,
}

/// Token probabilities; Ollama's entries are OpenAI's.
#[derive(Deserialize)]
pub(super) struct Logprobs<'a> {
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
}

/// Tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Usage {
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
}
