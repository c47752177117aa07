//! Where models stand at Vertex AI, by the operator's options.

use plugin_sdk::{Failure, failure};
use serde::Deserialize;

/// The options; `{location}` in the default URL is filled in by the host, which leaves it out for `global`.
pub(crate) const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["project"],
  "properties": {
    "project": {
      "type": "string",
      "pattern": "^[a-z0-9][a-z0-9.:-]*$",
      "description": "The Google Cloud project that is billed."
    },
    "location": {
      "type": "string",
      "pattern": "^[a-z0-9-]+$",
      "default": "global",
      "x-in-url": { "global": "", "*": "*-" },
      "description": "A region (`europe-west4`), or `global`."
    },
    "betas": {
      "type": "array",
      "items": { "type": "string" },
      "description": "`anthropic-beta` values for Claude that are sent always, and let through when a client sends them."
    }
  }
}"#;

/// The options.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    project: String,
    #[serde(default = "global")]
    location: String,
    #[serde(default)]
    pub(crate) betas: Vec<String>,
}

fn global() -> String {
    "global".to_owned()
}

impl Place {
    /// Reads what the host has checked against [`SCHEMA`].
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).map_err(|error| failure::adapter(format!("options: {error}")))
    }

    /// `…/publishers/google/models/gemini-2.5-pro:generateContent`; `call` is `{model}:{method}`, encoded.
    pub(crate) fn path(&self, publisher: &str, call: &str) -> String {
        let Self { project, location, .. } = self;
        format!("/v1/projects/{project}/locations/{location}/publishers/{publisher}/models/{call}")
    }
}
