//! Gemini's own answers on their way through: usage and how they end, read on the side.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{self, Reported};
use crate::dialect::word::{self, Word};
use crate::dialect::{Passing, nothing};
use crate::domain::Usage;
use crate::error::{GatewayError, Kind};

static PARTS: Word = Word::new("\"parts\"");
/// What an event that may end the stream holds.
static ENDS: [Word; 3] =
    [Word::new("\"finishReason\""), Word::new("\"blockReason\""), Word::new("\"error\"")];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    prompt_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    tool_use_prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    prompt_tokens_details: Option<Vec<Modality>>,
    candidates_tokens_details: Option<Vec<Modality>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Modality {
    #[serde(default)]
    modality: String,
    token_count: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'e> {
    error: Option<Reported>,
    #[serde(borrow)]
    candidates: Option<Vec<Candidate<'e>>>,
    #[serde(borrow)]
    prompt_feedback: Option<Feedback<'e>>,
}

/// An error that does not have Google's shape.
#[derive(Deserialize)]
struct Other {
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'e> {
    #[serde(borrow)]
    finish_reason: Option<Cow<'e, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback<'e> {
    #[serde(borrow)]
    block_reason: Option<Cow<'e, str>>,
}

/// The last report of usage in a body. Inside a string the closing quote would be escaped, so the name is found without parsing.
pub(super) fn usage(body: &[u8]) -> Option<Usage> {
    const NAME: &[u8] = b"\"usageMetadata\"";
    let start = memmem::rfind(body, NAME)? + NAME.len();
    let rest = body.get(start..)?.trim_ascii_start().strip_prefix(b":")?;
    let metadata = serde_json::Deserializer::from_slice(rest).into_iter::<Metadata>().next()?.ok()?;
    Some(metadata.usage())
}

/// What one event is. Only events that may end the stream are parsed.
pub(super) fn event(data: &[u8], usage_so_far: &mut Usage) -> Passing {
    if let Some(usage) = usage(data) {
        usage_so_far.update(usage);
    }
    if word::any(&ENDS, data) {
        match serde_json::from_slice::<Event<'_>>(data) {
            Ok(Event { error: Some(reported), .. }) => return Passing::Failed(error::reported(reported)),
            Ok(event) if event.ends() => return Passing::End,
            Ok(_) => {}
            Err(_) => {
                if let Ok(Other { error: Some(_) }) = serde_json::from_slice(data) {
                    return Passing::Failed(GatewayError::upstream(Kind::Provider, "the provider failed"));
                }
            }
        }
    }
    let says = PARTS.is_in(data) && !nothing::in_answer(data);
    if says { Passing::Content } else { Passing::Quiet }
}

impl Event<'_> {
    fn ends(&self) -> bool {
        let said = |reason: &Option<Cow<'_, str>>| {
            reason.as_deref().is_some_and(|word| !word.is_empty() && !word.ends_with("_UNSPECIFIED"))
        };
        self.candidates.iter().flatten().any(|candidate| said(&candidate.finish_reason))
            || self.prompt_feedback.as_ref().is_some_and(|feedback| said(&feedback.block_reason))
    }
}

impl Metadata {
    fn usage(&self) -> Usage {
        let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
        };
        Usage {
            input: sum(self.prompt_token_count, self.tool_use_prompt_token_count),
            output: sum(self.candidates_token_count, self.thoughts_token_count),
            cache_read: self.cached_content_token_count,
            reasoning: self.thoughts_token_count,
            audio_input: tokens(self.prompt_tokens_details.as_deref(), "AUDIO"),
            audio_output: tokens(self.candidates_tokens_details.as_deref(), "AUDIO"),
            image_input: tokens(self.prompt_tokens_details.as_deref(), "IMAGE"),
            image_output: tokens(self.candidates_tokens_details.as_deref(), "IMAGE"),
            estimated: false,
            ..Usage::default()
        }
    }
}

fn tokens(details: Option<&[Modality]>, modality: &str) -> Option<u64> {
    details?.iter().find(|detail| detail.modality == modality)?.token_count
}
