//! Tokens in both spellings: canonical usage as Bedrock's, and Bedrock's as the gateway's.
//!
//! Bedrock's `inputTokens` leave out what went through the cache; `totalTokens` do not.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::answer::own_fields;
use crate::dialect::said::Tokens;
use crate::domain::Usage;

/// Canonical usage in Bedrock's spelling. Clients compute with these fields, so those they know are always there.
pub(super) struct Told<'a>(pub(super) Option<&'a Tokens<'a>>);

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none = Tokens::default();
        let tokens = self.0.unwrap_or(&none);
        let cache = tokens.cache();
        let (prompt, answer) = (tokens.prompt_tokens.unwrap_or(0), tokens.completion_tokens.unwrap_or(0));
        let cached = [cache.cached_tokens, cache.cache_write_tokens].into_iter().flatten();
        let fresh = cached.fold(prompt, u64::saturating_sub);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("inputTokens", &fresh)?;
        map.serialize_entry("outputTokens", &answer)?;
        map.serialize_entry("totalTokens", &prompt.saturating_add(answer))?;
        if let Some(read) = cache.cached_tokens {
            map.serialize_entry("cacheReadInputTokens", &read)?;
        }
        if let Some(written) = cache.cache_write_tokens {
            map.serialize_entry("cacheWriteInputTokens", &written)?;
        }
        if let Some(long) = cache.cache_write_long_tokens {
            let short = cache.cache_write_tokens.unwrap_or(0).saturating_sub(long);
            let kept = [("1h", long), ("5m", short)];
            let kept: Vec<_> =
                kept.iter().map(|(ttl, input_tokens)| Kept { ttl, input_tokens: *input_tokens }).collect();
            map.serialize_entry("cacheDetails", &kept)?;
        }
        for (name, value) in &own_fields(&tokens.vendor).0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// What was written to the cache, and how long it is kept.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept<'t> {
    ttl: &'t str,
    input_tokens: u64,
}

/// Bedrock's own `usage`, as it passes through. Each cache field has two names; the older one stands beside it.
#[derive(serde::Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Counted {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_read_input_token_count: Option<u64>,
    cache_write_input_tokens: Option<u64>,
    cache_write_input_token_count: Option<u64>,
    cache_details: Option<Vec<Detail>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    #[serde(default)]
    ttl: String,
    #[serde(default)]
    input_tokens: u64,
}

impl Counted {
    /// The same as the gateway counts.
    pub(super) fn usage(&self) -> Usage {
        let cache_read = self.cache_read_input_tokens.or(self.cache_read_input_token_count);
        let cache_write = self.cache_write_input_tokens.or(self.cache_write_input_token_count);
        let cached = [cache_read, cache_write].into_iter().flatten();
        let long = |details: &Vec<Detail>| {
            let long = details.iter().filter(|detail| detail.ttl == "1h");
            long.map(|detail| detail.input_tokens).fold(0, u64::saturating_add)
        };
        Usage {
            input: self.input_tokens.map(|fresh| cached.fold(fresh, u64::saturating_add)),
            output: self.output_tokens,
            cache_read,
            cache_write,
            cache_write_long: self.cache_details.as_ref().map(long),
            ..Usage::default()
        }
    }
}
