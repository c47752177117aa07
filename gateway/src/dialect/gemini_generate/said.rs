//! Canonical answers and chunks as this dialect reads them. Everything may be absent or `null`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::wire::{Google, Object, Text};

/// A `chat.completion` or a `chat.completion.chunk`.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Said<'a> {
    pub(super) id: Option<Text<'a>>,
    pub(super) model: Option<Text<'a>>,
    #[serde(default)]
    pub(super) choices: Vec<Choice<'a>>,
    pub(super) usage: Option<Usage<'a>>,
}

/// One choice, or a piece of one.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Choice<'a> {
    #[serde(default)]
    pub(super) index: u64,
    #[serde(alias = "delta")]
    pub(super) message: Option<Message<'a>>,
    pub(super) finish_reason: Option<Text<'a>>,
    pub(super) native_finish_reason: Option<Text<'a>>,
    pub(super) logprobs: Option<Logprobs<'a>>,
    pub(super) vendor: Option<Vendors<'a>>,
}

/// `vendor`; what other vendors say has no place in Gemini's answer.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Vendors<'a> {
    pub(super) gemini: Option<Object<'a>>,
}

/// What the model said, whole or in part.
#[derive(Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Message<'a> {
    /// A string or a list of parts.
    pub(super) content: Option<&'a RawValue>,
    /// Only in chunks.
    pub(super) content_parts: Option<Vec<Block<'a>>>,
    pub(super) refusal: Option<Text<'a>>,
    pub(super) reasoning_content: Option<Text<'a>>,
    pub(super) reasoning_details: Option<Vec<Detail<'a>>>,
    pub(super) tool_calls: Option<Vec<ToolCall<'a>>>,
    pub(super) annotations: Option<Vec<Annotation<'a>>>,
    pub(super) extra_content: Option<Extra<'a>>,
    pub(super) order: Option<Vec<Text<'a>>>,
}

/// One content part.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Block<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Option<Text<'a>>,
    pub(super) text: Option<Text<'a>>,
    pub(super) refusal: Option<Text<'a>>,
    pub(super) image_url: Option<Link<'a>>,
    pub(super) input_audio: Option<Audio<'a>>,
    pub(super) file: Option<File<'a>>,
    pub(super) vendor: Option<Text<'a>>,
    pub(super) value: Option<&'a RawValue>,
    pub(super) extra_content: Option<Extra<'a>>,
}

/// Where an image is.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Link<'a> {
    pub(super) url: Text<'a>,
}

/// Sound.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Audio<'a> {
    pub(super) data: Text<'a>,
    pub(super) format: Text<'a>,
}

/// A document.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct File<'a> {
    pub(super) file_data: Option<Text<'a>>,
    pub(super) file_url: Option<Text<'a>>,
    pub(super) mime_type: Option<Text<'a>>,
}

/// Opaque state of Google's.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Extra<'a> {
    pub(super) google: Option<Google<'a>>,
}

/// Reasoning, or a piece of it.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Detail<'a> {
    pub(super) index: Option<u64>,
    pub(super) text: Option<Text<'a>>,
    pub(super) summary: Option<Text<'a>>,
    pub(super) signature: Option<Text<'a>>,
    pub(super) data: Option<Text<'a>>,
    pub(super) format: Option<Text<'a>>,
}

/// A call, or a piece of one.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct ToolCall<'a> {
    #[serde(default)]
    pub(super) index: u64,
    pub(super) id: Option<Text<'a>>,
    pub(super) function: Option<Function<'a>>,
    pub(super) extra_content: Option<Extra<'a>>,
}

/// Name and arguments.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Function<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) arguments: Option<Text<'a>>,
}

/// A citation; only links have a place in Gemini's answer.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Annotation<'a> {
    pub(super) url_citation: Option<UrlCitation<'a>>,
}

/// A cited link.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct UrlCitation<'a> {
    pub(super) url: Option<Text<'a>>,
    pub(super) title: Option<Text<'a>>,
    pub(super) start_index: Option<u64>,
    pub(super) end_index: Option<u64>,
}

/// Token probabilities.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Logprobs<'a> {
    pub(super) content: Option<Vec<Token<'a>>>,
}

/// One token and its rivals.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Token<'a> {
    pub(super) token: Text<'a>,
    pub(super) logprob: f64,
    pub(super) top_logprobs: Option<Vec<Token<'a>>>,
}

/// Tokens.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Usage<'a> {
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
    pub(super) total_tokens: Option<u64>,
    pub(super) prompt_tokens_details: Option<PromptDetails>,
    pub(super) completion_tokens_details: Option<CompletionDetails>,
    pub(super) vendor: Option<Vendors<'a>>,
}

/// Of the prompt's tokens.
#[derive(Deserialize)]
pub(super) struct PromptDetails {
    pub(super) cached_tokens: Option<u64>,
}

/// Of the answer's tokens.
#[derive(Deserialize)]
pub(super) struct CompletionDetails {
    pub(super) reasoning_tokens: Option<u64>,
}
