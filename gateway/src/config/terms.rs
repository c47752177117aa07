//! What is said of targets' abilities, in one word each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{Text, text_values};
use crate::domain::{self, Abilities, Condition};

/// What a target that lacks something is to a request that asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Capabilities {
    /// It is asked last.
    #[default]
    Prefer,
    /// It is not asked.
    Strict,
}

/// Something a request may ask of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ability {
    /// Calling functions.
    Tools,
    /// Looking at pictures.
    Images,
    /// Reading files.
    Documents,
    /// Listening.
    AudioInput,
    /// Speaking.
    AudioOutput,
    /// Answering with a JSON object.
    JsonObject,
    /// Answering by a JSON schema.
    JsonSchema,
    /// Thinking first.
    Reasoning,
}

impl From<Ability> for domain::Ability {
    fn from(ability: Ability) -> Self {
        match ability {
            Ability::Tools => Self::Tools,
            Ability::Images => Self::Images,
            Ability::Documents => Self::Documents,
            Ability::AudioInput => Self::AudioInput,
            Ability::AudioOutput => Self::AudioOutput,
            Ability::JsonObject => Self::JsonObject,
            Ability::JsonSchema => Self::JsonSchema,
            Ability::Reasoning => Self::Reasoning,
        }
    }
}

/// As a set.
pub fn abilities(listed: &[Ability]) -> Abilities {
    listed.iter().map(|ability| domain::Ability::from(*ability)).collect()
}

/// A target's terms, as the file has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// It is asked only when this holds.
    pub when: Option<Condition>,
    /// What it can do besides.
    pub can: Vec<Ability>,
    /// What it cannot do.
    pub cannot: Vec<Ability>,
    /// Prompt and answer together, in tokens.
    pub context: Option<u64>,
    /// Largest body.
    pub max_body: Option<domain::ByteSize>,
}

impl Text for Condition {
    const KIND: &'static str = "condition";
    const PATTERN: &'static str = r"\S";
    const WRITTEN: &'static str =
        "an expression in CEL, as in 'tokens > 100000 && \"gold\" in key.tags' (gateway/ROUTING.md)";
}

text_values!(Condition);
