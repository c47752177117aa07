//! `usage`: written from canonical chat's, read from OpenAI's own.

use serde::{Deserialize, Serialize};

use crate::domain::Usage;

/// Canonical `usage`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_tokens_details: Option<Prompt>,
    completion_tokens_details: Option<Completion>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Prompt {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Completion {
    reasoning_tokens: Option<u64>,
}

/// `usage` of this API. The SDKs' types want every number.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Tokens {
    input_tokens: u64,
    input_tokens_details: Input,
    output_tokens: u64,
    output_tokens_details: Output,
    total_tokens: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Input {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Output {
    reasoning_tokens: u64,
}

impl From<Told> for Tokens {
    fn from(told: Told) -> Self {
        let prompt = told.prompt_tokens_details.unwrap_or_default();
        let completion = told.completion_tokens_details.unwrap_or_default();
        let input_tokens = told.prompt_tokens.unwrap_or(0);
        let output_tokens = told.completion_tokens.unwrap_or(0);
        Self {
            input_tokens,
            input_tokens_details: Input {
                cached_tokens: prompt.cached_tokens.unwrap_or(0),
                cache_write_tokens: prompt.cache_write_tokens.unwrap_or(0),
            },
            output_tokens,
            output_tokens_details: Output { reasoning_tokens: completion.reasoning_tokens.unwrap_or(0) },
            total_tokens: told.total_tokens.unwrap_or_else(|| input_tokens.saturating_add(output_tokens)),
        }
    }
}

/// `usage` in OpenAI's own answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Passing {
    input_tokens: Option<u64>,
    input_tokens_details: Option<PassingInput>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<Completion>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PassingInput {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

impl From<Passing> for Usage {
    fn from(passing: Passing) -> Self {
        let input = passing.input_tokens_details.unwrap_or_default();
        Self {
            input: passing.input_tokens,
            output: passing.output_tokens,
            cache_read: input.cached_tokens,
            cache_write: input.cache_write_tokens,
            reasoning: passing.output_tokens_details.and_then(|details| details.reasoning_tokens),
            ..Self::default()
        }
    }
}
