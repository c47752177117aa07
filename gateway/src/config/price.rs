//! `[prices]`: what the built-in price table lacks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::Micros;

/// US dollars per million tokens of one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
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
}
