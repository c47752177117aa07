//! What the operator may set, and the headers that follow from it.

use plugin_sdk::{Failure, Header, Route, json};

use crate::{BETA_HEADER, VERSION, VERSION_HEADER};

/// JSON Schema of the options.
pub(crate) const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "version": {
      "type": "string",
      "description": "The anthropic-version header. Default: 2023-06-01. A version that a client sends wins."
    },
    "beta": {
      "type": "array",
      "items": { "type": "string" },
      "description": "Beta features for every request, beside those the client asks for (anthropic-beta)."
    },
    "default_max_tokens": {
      "type": "integer",
      "minimum": 1,
      "description": "Output cap for clients that set none; Anthropic demands one. Default: by model, 4096 to 32000."
    }
  }
}"#;

/// The operator's options.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    beta: Vec<String>,
    #[serde(default)]
    pub(crate) default_max_tokens: Option<u64>,
}

impl Options {
    /// Reads what the host has checked against [`SCHEMA`].
    pub(crate) fn parse(options: &str) -> Result<Self, Failure> {
        json::request(options.as_bytes())
    }

    /// The headers of a request. The client's betas are joined with the operator's.
    pub(crate) fn headers(&self, route: &Route) -> Vec<Header> {
        let of_client = |name: &str| {
            let own = route.headers.iter().filter(move |header| header.name == name);
            own.map(|header| header.value.as_str()).collect::<Vec<_>>()
        };
        let version = of_client(VERSION_HEADER).first().map(|version| (*version).to_owned());
        let version = version.or_else(|| self.version.clone()).unwrap_or_else(|| VERSION.to_owned());
        let mut headers = vec![
            Header { name: "content-type".into(), value: "application/json".into() },
            Header { name: VERSION_HEADER.into(), value: version },
        ];
        let mut betas: Vec<&str> = Vec::new();
        let asked = of_client(BETA_HEADER);
        let all = asked.iter().flat_map(|list| list.split(',')).chain(self.beta.iter().map(String::as_str));
        for beta in all.map(str::trim).filter(|beta| !beta.is_empty()) {
            if !betas.contains(&beta) {
                betas.push(beta);
            }
        }
        if !betas.is_empty() {
            headers.push(Header { name: BETA_HEADER.into(), value: betas.join(",") });
        }
        headers
    }
}
