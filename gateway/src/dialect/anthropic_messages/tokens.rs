//! Tokens in both spellings: canonical usage as Anthropic's, and Anthropic's as the gateway's.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::answered::Vendor;
use crate::domain::Usage;

/// Canonical `usage`, as read.
#[derive(serde::Deserialize, Default)]
pub(super) struct Tokens<'a> {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
    #[serde(borrow, default)]
    vendor: Option<Vendor<'a>>,
}

#[derive(serde::Deserialize, Default)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
    #[serde(default)]
    cache_write_long_tokens: Option<u64>,
}

#[derive(serde::Deserialize, Default)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

/// Anthropic's spelling of it. Clients compute with these fields, so those they know are always there.
impl Serialize for Tokens<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none = PromptDetails::default();
        let prompt = self.prompt_tokens_details.as_ref().unwrap_or(&none);
        let read = prompt.cached_tokens.unwrap_or(0);
        let written = prompt.cache_write_tokens.unwrap_or(0);
        let fresh = self.prompt_tokens.unwrap_or(0).saturating_sub(read).saturating_sub(written);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("input_tokens", &fresh)?;
        map.serialize_entry("cache_creation_input_tokens", &written)?;
        map.serialize_entry("cache_read_input_tokens", &read)?;
        if let Some(long) = prompt.cache_write_long_tokens {
            let lifetimes = Lifetimes { short: written.saturating_sub(long), long };
            map.serialize_entry("cache_creation", &lifetimes)?;
        }
        map.serialize_entry("output_tokens", &self.completion_tokens.unwrap_or(0))?;
        if let Some(thinking) = self.completion_tokens_details.as_ref().and_then(|own| own.reasoning_tokens) {
            map.serialize_entry("output_tokens_details", &Thinking { thinking_tokens: thinking })?;
        }
        if let Some(own) = self.vendor.as_ref().and_then(|vendor| vendor.anthropic.as_ref()) {
            for (name, value) in &own.0 {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

#[derive(serde::Serialize)]
struct Lifetimes {
    #[serde(rename = "ephemeral_5m_input_tokens")]
    short: u64,
    #[serde(rename = "ephemeral_1h_input_tokens")]
    long: u64,
}

#[derive(serde::Serialize)]
struct Thinking {
    thinking_tokens: u64,
}

/// Anthropic's own `usage`, as it passes through.
#[derive(serde::Deserialize, Default)]
pub(super) struct Passing {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation: Option<Written>,
    #[serde(default)]
    output_tokens_details: Option<Thought>,
    #[serde(default)]
    iterations: Option<Vec<Iteration>>,
}

#[derive(serde::Deserialize, Default)]
struct Written {
    #[serde(default)]
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(serde::Deserialize, Default)]
struct Thought {
    #[serde(default)]
    thinking_tokens: Option<u64>,
}

/// A step inside one answer. Those that are not messages (compaction, advice) are billed and not in the totals.
#[derive(serde::Deserialize)]
struct Iteration {
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
}

impl Iteration {
    fn is_beside(&self) -> bool {
        self.r#type.as_deref().is_some_and(|kind| kind != "message")
    }

    fn prompt(&self) -> u64 {
        [self.input_tokens, self.cache_read_input_tokens, self.cache_creation_input_tokens]
            .into_iter()
            .flatten()
            .fold(0, u64::saturating_add)
    }
}

impl Passing {
    /// Takes over what this report says. A later report may tell `input_tokens` again without the cache fields,
    /// so the sum is made with those told before.
    pub(super) fn update(&self, usage: &mut Usage) {
        let read = self.cache_read_input_tokens.or(usage.cache_read);
        let written = self.cache_creation_input_tokens.or(usage.cache_write);
        let beside = || self.iterations.iter().flatten().filter(|step| step.is_beside());
        let prompt = beside().map(Iteration::prompt).fold(0, u64::saturating_add);
        let answered = beside().filter_map(|step| step.output_tokens).fold(0, u64::saturating_add);
        let input = self.input_tokens.map(|fresh| {
            fresh
                .saturating_add(read.unwrap_or(0))
                .saturating_add(written.unwrap_or(0))
                .saturating_add(prompt)
        });
        usage.update(Usage {
            input,
            output: self.output_tokens.map(|output| output.saturating_add(answered)),
            cache_read: read,
            cache_write: written,
            cache_write_long: self.cache_creation.as_ref().and_then(|own| own.ephemeral_1h_input_tokens),
            reasoning: self.output_tokens_details.as_ref().and_then(|own| own.thinking_tokens),
            ..Usage::default()
        });
    }
}
