//! `[providers.*]`: who answers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::health::Probe;
use super::key::Limits;
use super::network::{ProviderTls, Queue, show_proxy};
use super::params::Params;
use super::provider_keys::{KeyChoice, KeyLimits, KeyRest};
use super::server::TimeoutOverrides;
use super::statuses::Statuses;
use super::stored::Kept;
use super::terms::Ability;
use super::text::secret;
use crate::domain::Secret;

/// One account at a vendor, or one server of your own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Provider {
    /// The vendor whose settings these are built on, by its name in the built-in list: `groq`, `deepseek`, `vllm` …
    /// Default: the provider's own name, where the list has it.
    pub preset: Option<String>,
    /// The adapter that translates for it: a bundled one or one of `[plugins.*]`. Default: the preset's, else the provider's own name.
    pub plugin: Option<String>,
    /// Where it is, `http` or `https`, with a path prefix where the vendor has one; or the whole address of its
    /// chat completions. Default: the preset's or the plugin's own URL.
    #[schemars(extend("x-kind" = "url"))]
    pub url: Option<String>,
    /// The vendor's keys, used in turn; a key that meets 401, 402 or 429 rests alone. None for a server without keys.
    /// For Google Cloud a key is a service account's whole key file, for AWS `ID:SECRET`.
    #[serde(deserialize_with = "secret::read_list", serialize_with = "secret::mask_list")]
    #[schemars(with = "Vec<secret::SecretText>", example = ["${OPENAI_API_KEY}"])]
    pub keys: Vec<Secret>,
    /// A file with more keys, one per line, a note behind ` #`; read again when it changes. `causeway providers keys import`
    /// writes it.
    #[schemars(with = "Option<String>")]
    pub keys_file: Option<PathBuf>,
    /// How the next key is chosen.
    pub key_choice: KeyChoice,
    /// How long a key rests that was refused, has used up its quota or is over a rate limit.
    pub key_rest: KeyRest,
    /// What each key may be asked at most: `{ requests = ["10/min", "500/day"], tokens = ["100k/min"], models = { "gpt-4o*" =
    /// { requests = ["3/min"] } } }`. Default: no limit.
    pub key_limits: KeyLimits,
    /// How the keys are sent, where it is not as the preset or the plugin says: `{ kind = "bearer" }`, `{ header = "x-api-key" }`,
    /// `{ query = "key" }`, `{ kind = "none" }`; or a token of Microsoft Entra ID instead: `{ kind = "azure-ad", tenant = "…",
    /// client_id = "…", client_secret = "${AZURE_SECRET}", scope = "https://cognitiveservices.azure.com/.default",
    /// authority = "https://login.microsoftonline.com" }`, the last two being defaults.
    #[schemars(example = serde_json::json!({ "header": "x-api-key" }))]
    pub credential: Option<Credential>,
    /// Headers for every request to it, beside the plugin's own and instead of the client's. They are never shown.
    #[serde(serialize_with = "secret::mask_map", deserialize_with = "secret::read_map")]
    #[schemars(with = "BTreeMap<String, secret::SecretText>")]
    pub headers: BTreeMap<String, Secret>,
    /// The plugin's own settings, checked against the plugin's schema. Never put a secret here: plugins see it.
    pub options: BTreeMap<String, serde_json::Value>,
    /// What it can do although its plugin does not say so, for all its models: "tools", "images", "documents",
    /// "audio-input", "audio-output", "json-object", "json-schema", "reasoning". A target's own words go before.
    pub can: Vec<Ability>,
    /// What it cannot do although its plugin can. Default: the preset's.
    pub cannot: Vec<Ability>,
    /// What requests to this provider may say, changed before they are sent and after the model's own rules.
    pub params: Params,
    /// Texts that make a failure of an answer with a good status: one of them stands in its body, or in what its stream says
    /// before the first content is over. Case and white space do not count. Default: none.
    #[schemars(example = ["service temporarily unavailable"])]
    pub error_triggers: Vec<String>,
    /// The statuses that are the fault of the key that was sent, so that it rests and another one is used. Default: where
    /// the vendor says so, as with 401 and 403.
    #[schemars(example = "401,403")]
    pub blame_key: Option<Statuses>,
    /// What this account may be asked at most; over it the next target is tried.
    pub limits: Limits,
    /// Asks targets of this provider that failed whether they are back, without a client. Default: the next request finds out.
    pub probe: Option<Probe>,
    /// The vendor whose built-in prices hold for it, by the name of a preset or plugin, or "none". Default: its own vendor's,
    /// if its URL is the vendor's own; a server of your own has no built-in prices.
    pub prices: Option<String>,
    /// Who waits when `limits.concurrent` requests run and no other target has room. Default: nobody, the request is refused.
    pub queue: Option<Queue>,
    /// Instead of `[server.timeouts]`, for this provider.
    pub timeouts: TimeoutOverrides,
    /// The way to it, instead of `[server] proxy`: a proxy's URL, as in "http://user:${PASSWORD}@host:3128" (or `https`,
    /// `socks5`, or `socks5h`, which looks the provider's name up itself), "environment" or "direct". The user and the
    /// password in it are never shown.
    #[serde(deserialize_with = "secret::read_optional", serialize_with = "show_proxy")]
    #[schemars(with = "Option<secret::SecretText>", example = "socks5h://10.0.0.9:1080")]
    pub proxy: Option<Secret>,
    /// TLS towards it, where the system's authorities and no certificate of one's own are not enough. Relative paths start
    /// at the folder of this file. The files are read again when this one is.
    pub tls: Option<ProviderTls>,
    /// Speak HTTP/2 where the provider does: many requests share one connection.
    pub http2: bool,
    /// What no file says: whether it was made through the admin API, and keys typed in.
    #[serde(skip)]
    #[schemars(skip)]
    pub kept: Kept,
}

impl Provider {
    /// The name of its plugin, given the provider's own name.
    pub fn plugin_name<'a>(&'a self, own_name: &'a str) -> &'a str {
        self.plugin.as_deref().unwrap_or(own_name)
    }
}

/// How a provider's keys are sent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Credential {
    /// The way. Default: what the other keys here say.
    pub kind: Option<CredentialWay>,
    /// The header that carries the bare key.
    pub header: Option<String>,
    /// The query parameter that carries the key.
    pub query: Option<String>,
    /// Id or domain of the directory (`azure-ad`).
    pub tenant: Option<String>,
    /// Id of the client in the directory (`azure-ad`).
    pub client_id: Option<String>,
    /// The client's secret (`azure-ad`).
    #[serde(deserialize_with = "secret::read_optional", serialize_with = "secret::mask_optional")]
    #[schemars(with = "secret::SecretText", example = "${AZURE_CLIENT_SECRET}")]
    pub client_secret: Option<Secret>,
    /// What the token is for (`azure-ad`). Default: `https://cognitiveservices.azure.com/.default`.
    pub scope: Option<String>,
    /// The directory's server (`azure-ad`). Default: `https://login.microsoftonline.com`.
    #[schemars(extend("x-kind" = "url"))]
    pub authority: Option<String>,
}

/// The ways to send a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialWay {
    /// `authorization: Bearer <key>`.
    Bearer,
    /// The header named in `header`.
    Header,
    /// The query parameter named in `query`.
    Query,
    /// A token of Microsoft Entra ID, for `client_id` and `client_secret`; `keys` are not used.
    AzureAd,
    /// Nothing is sent.
    None,
}

impl Credential {
    /// The way, said or meant.
    pub fn way(&self) -> Option<CredentialWay> {
        let meant = [
            (self.header.is_some(), CredentialWay::Header),
            (self.query.is_some(), CredentialWay::Query),
            (self.client_id.is_some() || self.tenant.is_some(), CredentialWay::AzureAd),
        ];
        self.kind.or_else(|| meant.into_iter().find_map(|(said, way)| said.then_some(way)))
    }
}
