//! `[routing]`: what holds for the requests of all models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What holds for the requests of all models.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Routing {
    /// What the model `auto` stands for: the first of these public models that the key may use and that can do what the
    /// request asks, by conditions, abilities and context. Default: there is no such model.
    #[schemars(example = ["fast", "vision", "smart"])]
    pub auto: Vec<String>,
    /// Headers of your clients that name a conversation, for models with `sticky`; they go before those that are known
    /// (ROUTING.md lists them).
    pub session_headers: Vec<String>,
}
