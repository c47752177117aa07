//! `[routing]`: what holds for the requests of all models, and what names mean that stand for none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reuse::Idempotency;
use crate::domain::ByteSize;

/// What holds for the requests of all models, and what names mean that stand for none.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Routing {
    /// What the model `auto` stands for: the first of these public models that the key may use and that can do what the
    /// request asks, by conditions, abilities and context. Default: there is no such model.
    #[schemars(example = ["fast", "vision", "smart"])]
    pub auto: Vec<String>,
    /// Headers of your clients that name a conversation, for models with `sticky`; they go before those that are known
    /// (ROUTING.md lists them).
    pub session_headers: Vec<String>,
    /// Clients may ask for `provider/model`, any model of any provider of this file, without an entry in `[models]`. A
    /// key's `models` still rule: write `"openai/*"` there. Off, because it opens every model to every key without such
    /// a list.
    pub addressing: bool,
    /// Where a name goes that is no model and addresses no provider: this provider is asked for the model of that name.
    /// A name between `<` and `>` is never read as an address: `<meta-llama/llama-4>`. Default: such a name is an error.
    pub default_provider: Option<String>,
    /// How much memory the answers kept by all models' `reuse` may take together; the least recently used goes first.
    pub reuse_size: ByteSize,
    /// Requests with an `Idempotency-Key` header: asked again, they get the answer of the first time.
    pub idempotency: Idempotency,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            auto: Vec::new(),
            session_headers: Vec::new(),
            addressing: false,
            default_provider: None,
            reuse_size: ByteSize::mebibytes(256),
            idempotency: Idempotency::default(),
        }
    }
}
