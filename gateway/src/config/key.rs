//! `[keys.*]`, `[teams.*]` and `[defaults.key]`: who may ask, and how much.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::health::ModelDefaults;
use super::limits::{Budget, Windows};
use super::model::ModelPattern;
use super::moment::Moment;
use super::text::secret;
use crate::domain::{AddressRange, Rate, Secret};

/// What holds for whatever does not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// For every key that does not say otherwise.
    pub key: KeyDefaults,
    /// For every model that does not say otherwise.
    pub model: ModelDefaults,
}

/// What holds for every key that does not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyDefaults {
    /// How much a key may ask; each one it does not name itself. Default: no limit.
    pub limits: Windows,
    /// What is stored of its requests.
    pub log: LogPolicy,
}

/// A virtual key: a key we issue.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What the client sends, at least 16 characters. Kept as a hash only. `causeway keys create` makes keys without a file.
    #[serde(deserialize_with = "secret::read", serialize_with = "secret::mask")]
    #[schemars(with = "secret::SecretText", example = "${CAUSEWAY_KEY_WEB}")]
    pub secret: Secret,
    /// The team whose budget it shares, one of `[teams.*]`. Default: none.
    #[serde(default)]
    pub team: Option<String>,
    /// Whose it is, by id or address: a user of the store, whose tier, limits and balance count too. Default: nobody's.
    #[serde(default)]
    #[schemars(example = "anna@example.com")]
    pub user: Option<String>,
    /// The models it may ask for, by name or pattern. Default: all.
    #[serde(default)]
    pub models: Option<Vec<ModelPattern>>,
    /// Words about it, for the conditions of models and targets: `when = '"gold" in key.tags'`.
    #[serde(default)]
    #[schemars(example = ["gold"])]
    pub tags: Vec<String>,
    /// Its requests may say which targets they want: the body's `provider` object and `models` list are read and taken out.
    /// Otherwise they are fields like any other, which a provider that knows them gets.
    #[serde(default)]
    pub preferences: bool,
    /// When it ends; later requests get 401. Default: never.
    #[serde(default)]
    #[schemars(example = "2026-12-24T18:00:00Z")]
    pub expires: Option<Moment>,
    /// Its requests get 401, for now. Default: false.
    #[serde(default)]
    pub disabled: bool,
    /// Where its requests may come from, by address or range, as in "10.0.0.0/8"; others get 403. Behind proxies,
    /// `server.trusted_proxies` must name them. Default: anywhere.
    #[serde(default)]
    #[schemars(example = ["10.0.0.0/8"])]
    pub addresses: Vec<AddressRange>,
    /// How much it may ask. What is not given comes from `[defaults.key]`.
    #[serde(default)]
    pub limits: Windows,
    /// How much it may spend. Default: no limit.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// What is stored of its requests. Default: as `[defaults.key]` says.
    #[serde(default)]
    pub log: Option<LogPolicy>,
}

/// Keys that share a budget.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Team {
    /// How much its keys may spend together. Default: no limit.
    pub budget: Option<Budget>,
    /// How much its keys may ask together. Default: no limit.
    pub limits: Windows,
}

/// How much a provider may be asked. What is not given is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests per window.
    pub requests: Option<Rate>,
    /// Tokens per window, prompt and answer together.
    pub tokens: Option<Rate>,
    /// Requests at the same time.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub concurrent: Option<u32>,
}

/// What is stored of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogPolicy {
    /// Nothing but what is charged.
    Off,
    /// Who, when, which model and target, how long, how many tokens; no text.
    #[default]
    Metadata,
    /// Prompts and answers too.
    Full,
}
