//! What an operator may set about a server.

use plugin_sdk::{Failure, failure};
use serde::Deserialize;
use serde_json::Value;

/// The options.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    pub(crate) keep_alive: Option<Value>,
    pub(crate) num_ctx: Option<u64>,
    pub(crate) think_levels: Option<bool>,
}

impl Options {
    /// Reads what the host has checked against [`SCHEMA`].
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|error| failure::adapter(format!("options: {error}")))
    }
}

/// JSON Schema of the options.
pub(crate) const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "keep_alive": {
      "description": "How long the model stays in memory after a request: a duration (\"30m\"), seconds, 0 to unload it at once, -1 to keep it. Absent: the server decides (5 minutes).",
      "type": ["string", "integer"]
    },
    "num_ctx": {
      "description": "Context length in tokens. Absent: the server decides, and a prompt that does not fit is cut without a word.",
      "type": "integer",
      "minimum": 1
    },
    "think_levels": {
      "description": "Whether the models take levels of thinking (low, medium, high) or only on and off. Absent: by name; gpt-oss takes levels.",
      "type": "boolean"
    }
  }
}"#;
