//! `[routing]`: what holds for the requests of all models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reuse::Idempotency;
use crate::domain::ByteSize;

/// What holds for the requests of all models.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Routing {
    /// Headers of your clients that name a conversation, for models with `sticky`; they go before those that are known
    /// (ROUTING.md lists them).
    pub session_headers: Vec<String>,
    /// How much memory the answers kept by all models' `reuse` may take together; the least recently used goes first.
    pub reuse_size: ByteSize,
    /// Requests with an `Idempotency-Key` header: asked again, they get the answer of the first time.
    pub idempotency: Idempotency,
}

impl Default for Routing {
    fn default() -> Self {
        let reuse_size = ByteSize::mebibytes(256);
        Self { session_headers: Vec::new(), reuse_size, idempotency: Idempotency::default() }
    }
}
