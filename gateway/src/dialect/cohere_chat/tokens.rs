//! Tokens in both spellings: canonical usage as Cohere's, and Cohere's as the gateway's.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::VENDOR;
use crate::dialect::said::{Tokens, own};
use crate::domain::Usage;

/// Canonical usage in Cohere's spelling. What was billed is told by Cohere alone; elsewhere all tokens are billed.
pub(super) struct Told<'a>(pub(super) &'a Tokens<'a>);

#[derive(serde::Serialize)]
struct Sides {
    input_tokens: u64,
    output_tokens: u64,
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tokens = self.0;
        let sides = Sides {
            input_tokens: tokens.prompt_tokens.unwrap_or(0),
            output_tokens: tokens.completion_tokens.unwrap_or(0),
        };
        let own = own(&tokens.vendor, VENDOR);
        let mut map = serializer.serialize_map(None)?;
        if own.get("billed_units").is_none() {
            map.serialize_entry("billed_units", &sides)?;
        }
        map.serialize_entry("tokens", &sides)?;
        if let Some(cached) = tokens.cache().cached_tokens {
            map.serialize_entry("cached_tokens", &cached)?;
        }
        for (name, value) in &own.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Cohere's own `usage`, as it passes through; counts are written as floating point.
#[derive(serde::Deserialize, Default)]
#[serde(default)]
pub(super) struct Counted {
    tokens: Option<Side>,
    billed_units: Option<Side>,
    cached_tokens: Option<f64>,
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Side {
    input_tokens: Option<f64>,
    output_tokens: Option<f64>,
}

impl Counted {
    /// The same as the gateway counts.
    pub(super) fn usage(&self) -> Usage {
        let of = |side: fn(&Side) -> Option<f64>| {
            let told = self.tokens.as_ref().and_then(side);
            told.or_else(|| self.billed_units.as_ref().and_then(side)).and_then(whole)
        };
        Usage {
            input: of(|side| side.input_tokens),
            output: of(|side| side.output_tokens),
            cache_read: self.cached_tokens.and_then(whole),
            ..Usage::default()
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of tokens, checked to be one"
)]
fn whole(count: f64) -> Option<u64> {
    (0.0..9e15).contains(&count).then_some(count as u64)
}
