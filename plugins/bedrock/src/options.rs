//! What an operator may set.

use plugin_sdk::{Credential, Failure, Sigv4, failure};
use serde::{Deserialize, Serialize};

/// The options.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    region: String,
    auth: Auth,
    pub(crate) guardrail: Option<Guardrail>,
}

/// What the provider's keys are.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Auth {
    #[default]
    Sigv4,
    Bearer,
}

/// A guardrail for every request; written as Bedrock's `guardrailConfig`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guardrail {
    #[serde(rename(serialize = "guardrailIdentifier"))]
    id: String,
    #[serde(rename(serialize = "guardrailVersion"))]
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    /// Only streams have it.
    #[serde(default, rename(serialize = "streamProcessingMode"), skip_serializing_if = "Option::is_none")]
    stream_mode: Option<String>,
}

impl Guardrail {
    /// As a whole answer or a stream takes it.
    pub(crate) fn for_request(&self, streaming: bool) -> Self {
        Self { stream_mode: self.stream_mode.clone().filter(|_| streaming), ..self.clone() }
    }
}

impl Options {
    /// Reads what the host has checked against [`SCHEMA`].
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).map_err(|error| failure::adapter(format!("options: {error}")))
    }

    /// The host finds an empty region by itself.
    pub(crate) fn credential(&self) -> Credential {
        match self.auth {
            Auth::Sigv4 => {
                Credential::Sigv4(Sigv4 { service: "bedrock".into(), region: self.region.clone() })
            }
            Auth::Bearer => Credential::Bearer,
        }
    }
}

/// JSON Schema of the options. `x-passage` tells the host what they mean for bytes that pass through untouched: whose
/// credential they go out with, and that none do where every request needs a guardrail.
pub(crate) const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "region": {
      "description": "The AWS region to sign for. Default: the one in the url's host (`bedrock-runtime.<region>.amazonaws.com`).",
      "type": "string"
    },
    "auth": {
      "description": "What the provider's keys are: `ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]` for signed requests, or API keys of Bedrock.",
      "enum": ["sigv4", "bearer"],
      "default": "sigv4",
      "x-passage": "credential"
    },
    "guardrail": {
      "description": "A guardrail for every request.",
      "x-passage": "never",
      "type": "object",
      "additionalProperties": false,
      "required": ["id", "version"],
      "properties": {
        "id": { "type": "string" },
        "version": { "description": "A number, or `DRAFT`.", "type": "string" },
        "trace": { "enum": ["enabled", "disabled", "enabled_full"] },
        "stream_mode": { "description": "Whether a stream waits for the guardrail.", "enum": ["sync", "async"] }
      }
    }
  }
}"#;
