//! Gemini's answer as this dialect writes it.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::said;
use super::wire::{Leftover as _, Object};
use crate::dialect::AnswerFacts;

/// `GenerateContentResponse`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reply<'a, C, U: ?Sized> {
    #[serde(skip_serializing_if = "<[C]>::is_empty")]
    pub(super) candidates: &'a [C],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prompt_feedback: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage_metadata: Option<&'a U>,
    pub(super) model_version: &'a str,
    pub(super) response_id: &'a str,
}

/// Id and model, which every frame repeats.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) model: String,
    pub(super) id: String,
}

impl Names {
    /// The provider's own where it gave them.
    pub(super) fn new(facts: &AnswerFacts, said: &said::Said<'_>) -> Self {
        let or = |given: &Option<super::wire::Text<'_>>, other: &str| match given {
            Some(given) if !given.is_empty() => given.as_str().to_owned(),
            _ => other.to_owned(),
        };
        Self { model: or(&said.model, &facts.model), id: or(&said.id, &facts.request_id) }
    }
}

/// One candidate.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    #[serde(skip_serializing_if = "Content::is_empty")]
    pub(super) content: Content<'a>,
    #[serde(flatten)]
    pub(super) end: Option<End<'a>>,
    pub(super) index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs_result: Option<LogprobsResult<'a>>,
}

/// Its parts.
#[derive(Serialize)]
pub(super) struct Content<'a> {
    pub(super) parts: Vec<Piece<'a>>,
    pub(super) role: &'static str,
}

impl Content<'_> {
    fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// How it ended.
pub(super) struct End<'a> {
    pub(super) reason: Cow<'a, str>,
    pub(super) message: Option<String>,
    pub(super) citations: Vec<Citation>,
    /// Fields of Gemini's own.
    pub(super) vendor: Object<'a>,
}

impl Serialize for End<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Citations<'e> {
            citation_sources: &'e [Citation],
        }
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("finishReason", &self.reason)?;
        if let Some(message) = &self.message {
            fields.serialize_entry("finishMessage", message)?;
        }
        if !self.citations.is_empty() {
            fields.serialize_entry("citationMetadata", &Citations { citation_sources: &self.citations })?;
        }
        self.vendor.write_fields(&mut fields)?;
        fields.end()
    }
}

/// A cited link.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Citation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
}

/// One part: made here, or Gemini's own on its way back.
#[derive(Serialize)]
#[serde(untagged)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every piece is a made one; a box would be one more allocation"
)]
pub(super) enum Piece<'a> {
    Own(&'a RawValue),
    Made(Made<'a>),
}

/// A part made of canonical content.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Made<'a> {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) thought: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inline_data: Option<Blob<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<FileData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<FunctionCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thought_signature: Option<Cow<'a, str>>,
    /// Marks of Gemini's own on their way back.
    #[serde(flatten)]
    pub(super) marks: Option<Object<'a>>,
}

/// Bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob<'a> {
    pub(super) mime_type: Cow<'a, str>,
    pub(super) data: Cow<'a, str>,
}

/// A link.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Option<Cow<'a, str>>,
    pub(super) file_uri: Cow<'a, str>,
}

/// A whole call.
#[derive(Serialize)]
pub(super) struct FunctionCall<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) id: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
    pub(super) args: Box<RawValue>,
}

/// Token probabilities.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogprobsResult<'a> {
    chosen_candidates: Vec<Token<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    top_candidates: Vec<Tokens<'a>>,
}

#[derive(Serialize)]
struct Tokens<'a> {
    candidates: Vec<Token<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Token<'a> {
    token: Cow<'a, str>,
    log_probability: f64,
}

impl<'a> LogprobsResult<'a> {
    pub(super) fn new(logprobs: Option<said::Logprobs<'a>>) -> Option<Self> {
        let mut result = Self { chosen_candidates: Vec::new(), top_candidates: Vec::new() };
        for mut said in logprobs?.content? {
            if let Some(rivals) = said.top_logprobs.take().filter(|rivals| !rivals.is_empty()) {
                result.top_candidates.push(Tokens { candidates: rivals.into_iter().map(token).collect() });
            }
            result.chosen_candidates.push(token(said));
        }
        (!result.chosen_candidates.is_empty()).then_some(result)
    }
}

fn token(said: said::Token<'_>) -> Token<'_> {
    Token { token: said.token.0, log_probability: said.logprob }
}

/// Tokens: Gemini counts thoughts beside the answer and a tool's prompt beside the prompt.
pub(super) struct UsageMetadata<'a> {
    prompt: u64,
    candidates: u64,
    thoughts: Option<u64>,
    cached: Option<u64>,
    total: u64,
    vendor: Object<'a>,
}

impl<'a> UsageMetadata<'a> {
    pub(super) fn new(usage: said::Usage<'a>) -> Self {
        let mut vendor = usage.vendor.and_then(|vendor| vendor.gemini).unwrap_or_default();
        vendor.rest.retain(|(name, _)| !OWN_COUNTS.contains(&name.as_str()));
        let tool_use = vendor.rest.iter().find(|(name, _)| name.as_str() == "toolUsePromptTokenCount");
        let tool_use = tool_use.and_then(|(_, count)| count.get().parse::<u64>().ok()).unwrap_or(0);
        let (prompt, completion) = (usage.prompt_tokens.unwrap_or(0), usage.completion_tokens.unwrap_or(0));
        let thoughts = usage.completion_tokens_details.and_then(|details| details.reasoning_tokens);
        Self {
            prompt: prompt.saturating_sub(tool_use),
            candidates: completion.saturating_sub(thoughts.unwrap_or(0)),
            thoughts: thoughts.filter(|count| *count > 0),
            cached: usage
                .prompt_tokens_details
                .and_then(|details| details.cached_tokens)
                .filter(|count| *count > 0),
            total: usage.total_tokens.unwrap_or_else(|| prompt.saturating_add(completion)),
            vendor,
        }
    }
}

/// Counts that are written from the canonical ones.
const OWN_COUNTS: [&str; 5] = [
    "promptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
    "totalTokenCount",
];

impl Serialize for UsageMetadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("promptTokenCount", &self.prompt)?;
        fields.serialize_entry("candidatesTokenCount", &self.candidates)?;
        if let Some(thoughts) = self.thoughts {
            fields.serialize_entry("thoughtsTokenCount", &thoughts)?;
        }
        if let Some(cached) = self.cached {
            fields.serialize_entry("cachedContentTokenCount", &cached)?;
        }
        fields.serialize_entry("totalTokenCount", &self.total)?;
        self.vendor.write_fields(&mut fields)?;
        fields.end()
    }
}
