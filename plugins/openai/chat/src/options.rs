//! What an operator may set: how far a server that speaks OpenAI's API differs from OpenAI.

use plugin_sdk::{Failure, failure};
use serde::Deserialize;

/// The options.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    pub(crate) max_tokens_field: MaxTokensField,
    keep: Vec<Extension>,
}

/// The name of the output cap.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MaxTokensField {
    #[default]
    MaxCompletionTokens,
    MaxTokens,
}

impl MaxTokensField {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MaxCompletionTokens => "max_completion_tokens",
            Self::MaxTokens => "max_tokens",
        }
    }
}

/// A field of canonical chat that OpenAI does not know but others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Extension {
    /// vLLM, SGLang, Ollama, OpenRouter.
    TopK,
    /// OpenRouter.
    Reasoning,
    /// OpenRouter.
    CacheControl,
    /// Google's OpenAI-compatible endpoint.
    ExtraContent,
    /// DeepSeek, Mistral.
    Prefix,
    /// DeepSeek, Moonshot, z.ai.
    ReasoningContent,
    /// OpenRouter.
    ReasoningDetails,
}

impl Options {
    /// Reads what the host has checked against [`SCHEMA`].
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|error| failure::adapter(format!("options: {error}")))
    }

    /// The server understands it.
    pub(crate) fn keeps(&self, extension: Extension) -> bool {
        self.keep.contains(&extension)
    }
}

/// JSON Schema of the options.
pub(crate) const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "max_tokens_field": {
      "description": "The server's name for the output cap. Older servers know only `max_tokens`.",
      "enum": ["max_completion_tokens", "max_tokens"],
      "default": "max_completion_tokens"
    },
    "keep": {
      "description": "Fields OpenAI does not know but this server does; they are sent as they are instead of being reported as lost.",
      "type": "array",
      "uniqueItems": true,
      "items": {
        "enum": ["top_k", "reasoning", "cache_control", "extra_content", "prefix", "reasoning_content", "reasoning_details"]
      },
      "default": []
    }
  }
}"#;
