//! `[prices]`: what the built-in price table lacks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{self, Micros, ModelPrice};

/// US dollars per million tokens of one target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Prompt tokens.
    pub input: Micros,
    /// Generated tokens, reasoning included.
    pub output: Micros,
    /// Prompt tokens read from the provider's cache. Default: as `input`.
    #[serde(default)]
    pub cache_read: Option<Micros>,
    /// Prompt tokens written to the provider's cache. Default: as `input`.
    #[serde(default)]
    pub cache_write: Option<Micros>,
    /// US dollars for each request, beside its tokens. Default: 0.
    #[serde(default)]
    pub request: Option<Micros>,
    /// Other prices for long prompts: they hold for the whole request. The highest entry that the prompt exceeds counts.
    #[serde(default)]
    pub above: Vec<PriceAbove>,
}

/// US dollars per million tokens of a request whose prompt is long.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceAbove {
    /// It counts for prompts of more tokens than this.
    pub tokens: u64,
    /// Prompt tokens.
    pub input: Micros,
    /// Generated tokens, reasoning included.
    pub output: Micros,
    /// Prompt tokens read from the provider's cache. Default: as `input`.
    #[serde(default)]
    pub cache_read: Option<Micros>,
    /// Prompt tokens written to the provider's cache. Default: as `input`.
    #[serde(default)]
    pub cache_write: Option<Micros>,
}

impl Price {
    /// As the rest of the program reckons with it.
    pub fn compiled(&self) -> domain::Price {
        let base = ModelPrice {
            input: self.input,
            output: self.output,
            cache_read: self.cache_read,
            cache_write: self.cache_write,
        };
        let above = self.above.iter().map(|above| {
            let price = ModelPrice {
                input: above.input,
                output: above.output,
                cache_read: above.cache_read,
                cache_write: above.cache_write,
            };
            (above.tokens, price)
        });
        domain::Price::new(base, self.request.unwrap_or_default(), above.collect())
    }
}
