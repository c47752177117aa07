//! `[models.*.reuse]` and `[routing.idempotency]`: answers that serve more than one request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{ByteSize, Timespan};

/// Answers of one model that are kept and given again to requests that are the same to the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reuse {
    /// How long an answer is given again.
    pub ttl: Timespan,
    /// The largest answer that is kept or shared while it comes.
    pub max_answer: ByteSize,
    /// Who may get the answer to whose request: "key" (each virtual key its own), "team" (the keys of one team), "all".
    pub scope: Scope,
}

impl Default for Reuse {
    fn default() -> Self {
        Self { ttl: Timespan::seconds(600), max_answer: ByteSize::mebibytes(1), scope: Scope::Key }
    }
}

/// Who shares answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Nobody but the same virtual key.
    #[default]
    Key,
    /// The keys of one team; a key without a team is alone.
    Team,
    /// Everybody.
    All,
}

/// What an `Idempotency-Key` is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Idempotency {
    /// false: the header means nothing here.
    pub enabled: bool,
    /// How long the answer to a key is kept.
    pub ttl: Timespan,
    /// The largest answer that is kept; a larger one is asked for again.
    pub max_answer: ByteSize,
}

impl Default for Idempotency {
    fn default() -> Self {
        Self { enabled: true, ttl: Timespan::seconds(24 * 60 * 60), max_answer: ByteSize::mebibytes(4) }
    }
}
