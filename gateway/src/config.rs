//! The whole configuration file as one struct, and how it is read.
//!
//! [`load`] reads a file, puts `${VAR}` into its strings, applies overrides and checks everything; what it returns
//! cannot fail later. Each section is a file beside this one, and a field's doc comment is its manual entry: the
//! JSON schema, `config/causeway.toml` and the checks are all made from the same structs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::Micros;

mod annotate;
mod balance;
mod check;
mod conform;
mod environment;
mod hedge;
mod interpolate;
mod load;
mod mask;
mod notes;
mod overrides;
mod problem;
mod retry;
mod schema;
mod show;
mod statuses;
mod suggest;
mod text;
mod threads;
mod tree;

pub mod admin;
pub mod health;
pub mod key;
pub mod keys_file;
pub mod limits;
pub mod model;
pub mod moment;
pub mod network;
pub mod observe;
pub mod oidc;
pub mod params;
pub mod people;
pub mod plugin;
pub mod preset;
pub mod price;
pub mod price_list;
pub mod provider;
pub mod provider_keys;
pub mod reuse;
pub mod routing;
pub mod server;
pub mod store;
pub mod stored;
pub mod target;
pub mod terms;
pub mod usage;

pub use admin::Admin;
pub use annotate::annotated;
pub use environment::from_environment;
pub use health::{ModelDefaults, Probe, ProbeWhen, Switch};
pub use key::{Defaults, Key, KeyDefaults, Limits, LogPolicy, Team};
pub use keys_file::look_at_keys_files;
pub use limits::{Budget, Everybody, Period, Raise, Rates, UnknownPrice, Windows};
pub use load::{find, load, load_over, parse};
pub use model::{
    Balance, Cache, Destination, Hedge, HedgeAfter, HedgeAlso, Lossy, Model, ModelPattern, Retry,
    RetryCondition, Sticky, Target, TargetName,
};
pub use network::{ProviderTls, Queue, TlsVersion};
pub use observe::{Level, Log, LogFormat, Otel, Requests};
pub use oidc::{AdminRole, Oidc};
pub use overrides::overrides_in;
pub use params::Params;
pub use people::People;
pub use plugin::{Digest, Plugin, Source};
pub use preset::Preset;
pub use price::{Price, PriceAbove};
pub use problem::{ConfigError, Problem};
pub use provider::{Credential, CredentialWay, Provider};
pub use provider_keys::{KeyChoice, KeyLimits, KeyRest, ModelKeyLimits};
pub use retry::{Empty, FallbackOn};
pub use reuse::{Idempotency, Reuse, Scope};
pub use routing::Routing;
pub use schema::{schema, schema_text};
pub use server::{Headers, ListenAddress, Server, Threads, TimeoutOverrides, Timeouts, Tls};
pub use show::effective;
pub use statuses::Statuses;
pub use store::{Backend, Lease, OnLoss, OnLossByScope, Snapshots, Store};
pub use stored::{Kept, Section, Stored, StoredEntry, TypedKey};
pub use terms::{Ability, Capabilities, Terms, abilities};
pub use usage::Usage;

/// Looks one environment variable up.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Causeway's configuration.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The format of this file. `causeway config migrate` rewrites older files.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// Where clients come in, and how long anything may take.
    pub server: Server,
    /// The dashboard, the admin API, /metrics, /healthz and /readyz.
    pub admin: Admin,
    /// Keys made in the dashboard, spend, the request log, conversation state.
    pub store: Store,
    /// Who answers: one account at a vendor, or one server of your own, by a name you choose.
    pub providers: BTreeMap<String, Provider>,
    /// What clients ask for, and where it goes, by public name. One `*` in a name stands for any text;
    /// a full name goes before patterns, a longer pattern before a shorter one.
    pub models: BTreeMap<String, Model>,
    /// What holds for the requests of all models, and what names mean that stand for none.
    pub routing: Routing,
    /// How much all keys may ask and spend together, and how much is reserved under a budget.
    pub limits: Everybody,
    /// What holds for whatever does not say otherwise.
    pub defaults: Defaults,
    /// Who may ask, and how much: one virtual key, by a name you choose.
    pub keys: BTreeMap<String, Key>,
    /// Keys that share a budget, by a name you choose.
    pub teams: BTreeMap<String, Team>,
    /// Keys and people that are kept in the store.
    pub people: People,
    /// Adapters beyond the bundled ones, by the name that a provider's `plugin` uses.
    pub plugins: BTreeMap<String, Plugin>,
    /// The operator's log.
    pub log: Log,
    /// The dashboard's request explorer.
    pub requests: Requests,
    /// Traces to an OpenTelemetry collector.
    pub otel: Otel,
    /// What was used and what it cost.
    pub usage: Usage,
    /// US dollars per million tokens, by target: what the built-in table lacks or has otherwise. `openai/*` is for all
    /// models of a provider that have no price of their own here.
    pub prices: BTreeMap<String, Price>,
    /// US dollars for one of another currency, by a name that prices use: `eur = 1.08`.
    #[schemars(extend("x-section" = true))]
    pub currencies: BTreeMap<String, Micros>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: 1,
            server: Server::default(),
            admin: Admin::default(),
            store: Store::default(),
            providers: BTreeMap::new(),
            models: BTreeMap::new(),
            routing: Routing::default(),
            limits: Everybody::default(),
            defaults: Defaults::default(),
            keys: BTreeMap::new(),
            teams: BTreeMap::new(),
            people: People::default(),
            plugins: BTreeMap::new(),
            log: Log::default(),
            requests: Requests::default(),
            otel: Otel::default(),
            usage: Usage::default(),
            prices: BTreeMap::new(),
            currencies: BTreeMap::new(),
        }
    }
}

impl Config {
    /// The model that a name stands for, and its own name: the one of that name, else the closest pattern.
    pub fn model_named(&self, name: &str) -> Option<(&str, &Model)> {
        if let Some((name, model)) = self.models.get_key_value(name) {
            return Some((name, model));
        }
        let fit = |(known, _): &(&String, &Model)| {
            known.parse::<ModelPattern>().is_ok_and(|pattern| pattern.matches(name))
        };
        let weight = |name: &str| name.bytes().filter(|byte| *byte != b'*').count();
        let found = self.models.iter().filter(fit).min_by_key(|(known, _)| std::cmp::Reverse(weight(known)));
        found.map(|(name, model)| (name.as_str(), model))
    }
}

/// A configuration that passed every check.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file it came from.
    pub path: Option<PathBuf>,
    /// What the operator should know, one short line each: parts of the file this version does not act on yet.
    pub notes: Vec<String>,
    /// Where each value comes from (`line 12`, `override`), by its path; what is not in here is a default.
    pub origins: BTreeMap<String, String>,
    /// Entries of the admin API that stand in the file, too, and are not used therefore: `providers.acme`.
    pub shadowed: Vec<String>,
}

#[cfg(test)]
mod tests;
