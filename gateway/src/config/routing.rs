//! `[routing]`: what holds for the requests of all models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What holds for the requests of all models.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Routing {
    /// Headers of your clients that name a conversation, for models with `sticky`; they go before those that are known
    /// (ROUTING.md lists them).
    pub session_headers: Vec<String>,
}
