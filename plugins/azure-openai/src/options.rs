//! What an operator may set, and what follows from it: path and credential.

use plugin_sdk::{Credential, Failure, failure};
use serde::Deserialize;
use serde_json::json;

/// The options.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    api_version: Option<String>,
    auth: Auth,
    max_tokens_field: Option<String>,
}

/// What the provider's keys are.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Auth {
    #[default]
    Key,
    Bearer,
}

impl Options {
    /// Reads what the host has checked against [`SCHEMA`].
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).map_err(|error| failure::adapter(format!("options: {error}")))
    }

    /// Those that OpenAI's translation understands.
    pub(crate) fn for_chat(&self) -> String {
        match &self.max_tokens_field {
            Some(name) => json!({ "max_tokens_field": name }).to_string(),
            None => "{}".to_owned(),
        }
    }

    /// A dated version is one of the classic API, where the deployment stands in the path; `preview` and `latest` are
    /// words of the v1 API, which needs none.
    pub(crate) fn path(&self, deployment: &str, endpoint: &str) -> String {
        match self.api_version.as_deref() {
            None => format!("/openai/v1/{endpoint}"),
            Some(version) if version.starts_with(|letter: char| letter.is_ascii_digit()) => {
                let deployment = encoded(deployment);
                format!("/openai/deployments/{deployment}/{endpoint}?api-version={}", encoded(version))
            }
            Some(version) => format!("/openai/v1/{endpoint}?api-version={}", encoded(version)),
        }
    }

    /// A resource's key, or a token of Entra ID.
    pub(crate) fn credential(&self) -> Credential {
        match self.auth {
            Auth::Key => Credential::Header("api-key".to_owned()),
            Auth::Bearer => Credential::Bearer,
        }
    }
}

/// Percent-encoding of one segment of a path.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// JSON Schema of the options.
pub(crate) const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "api_version": {
      "description": "A dated version (`2025-04-01-preview`) selects the classic API with deployments in the path; `preview` or `latest` is sent to the v1 API. Default: the v1 API without a version.",
      "type": "string",
      "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?|preview|latest)$"
    },
    "auth": {
      "description": "What the provider's keys are: keys of the resource, or tokens of Entra ID.",
      "enum": ["key", "bearer"],
      "default": "key"
    },
    "max_tokens_field": {
      "description": "The deployment's name for the output cap. Models before o1 under old API versions know only `max_tokens`.",
      "enum": ["max_completion_tokens", "max_tokens"],
      "default": "max_completion_tokens"
    }
  }
}"#;
