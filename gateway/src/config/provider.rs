//! `[providers.*]`: who answers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::key::Limits;
use super::params::Params;
use super::server::TimeoutOverrides;
use super::text::secret;
use crate::domain::Secret;

/// One account at a vendor, or one server of your own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Provider {
    /// The adapter that translates for it: a bundled one or one of `[plugins.*]`. Default: the provider's own name.
    pub plugin: Option<String>,
    /// Where it is, `http` or `https`, with a path prefix where the vendor has one. Default: the plugin's own URL.
    #[schemars(extend("x-kind" = "url"))]
    pub url: Option<String>,
    /// The vendor's keys, used in turn; a key that meets 401 or 429 rests alone. None for a server without keys.
    #[serde(deserialize_with = "secret::read_list", serialize_with = "secret::mask_list")]
    #[schemars(with = "Vec<secret::SecretText>", example = ["${OPENAI_API_KEY}"])]
    pub keys: Vec<Secret>,
    /// The plugin's own settings, checked against the plugin's schema. Never put a secret here: plugins see it.
    pub options: BTreeMap<String, serde_json::Value>,
    /// What requests to this provider may say, changed before they are sent and after the model's own rules.
    pub params: Params,
    /// What this account may be asked at most; over it the next target is tried.
    pub limits: Limits,
    /// Instead of `[server.timeouts]`, for this provider.
    pub timeouts: TimeoutOverrides,
}

impl Provider {
    /// The name of its plugin, given the provider's own name.
    pub fn plugin_name<'a>(&'a self, own_name: &'a str) -> &'a str {
        self.plugin.as_deref().unwrap_or(own_name)
    }
}
