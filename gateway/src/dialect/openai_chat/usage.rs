//! `usage` of OpenAI and of those who count differently under the same names.

use serde::Deserialize;

use crate::domain::Usage;

/// Where usage may stand in a body or an event.
#[derive(Deserialize)]
struct Body {
    usage: Option<Report>,
    x_groq: Option<Groq>,
}

/// Groq's place for usage when `stream_options` was not sent.
#[derive(Deserialize)]
struct Groq {
    usage: Option<Report>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Report {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek's name for cached tokens.
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    cache_write_long_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    image_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    image_tokens: Option<u64>,
}

/// Usage in a whole answer or in one event.
pub(super) fn of_body(body: &[u8]) -> Option<Usage> {
    let body: Body = serde_json::from_slice(body).ok()?;
    let report = body.usage.or_else(|| body.x_groq?.usage)?;
    Some(report.into())
}

impl From<Report> for Usage {
    fn from(report: Report) -> Self {
        let prompt = report.prompt_tokens_details.unwrap_or_default();
        let completion = report.completion_tokens_details.unwrap_or_default();
        let output = match (report.completion_tokens, report.prompt_tokens, completion.reasoning_tokens) {
            // xAI leaves reasoning out of `completion_tokens`; its total gives it away.
            (Some(output), Some(input), Some(reasoning))
                if reasoning > 0
                    && report.total_tokens.is_some()
                    && report.total_tokens == sum(&[input, output, reasoning]) =>
            {
                sum(&[output, reasoning])
            }
            (output, _, _) => output,
        };
        Self {
            input: report.prompt_tokens,
            output,
            cache_read: prompt.cached_tokens.or(report.prompt_cache_hit_tokens),
            cache_write: prompt.cache_write_tokens,
            cache_write_long: prompt.cache_write_long_tokens,
            reasoning: completion.reasoning_tokens,
            audio_input: prompt.audio_tokens,
            audio_output: completion.audio_tokens,
            image_input: prompt.image_tokens,
            image_output: completion.image_tokens,
            ..Self::default()
        }
    }
}

/// Numbers of a stranger: the sum may not fit.
fn sum(tokens: &[u64]) -> Option<u64> {
    tokens.iter().try_fold(0_u64, |sum, more| sum.checked_add(*more))
}
