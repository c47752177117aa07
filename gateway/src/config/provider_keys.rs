//! `[providers.*]` on keys: how the next one is chosen, how long one rests, what each may be asked.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Rate, Timespan};

/// How the next key is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyChoice {
    /// One after the other.
    #[default]
    RoundRobin,
    /// By chance.
    Random,
    /// The first of the list that does not rest.
    Fixed,
    /// By its success of late; every key is tried now and then.
    Smart,
}

/// How long a key rests.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyRest {
    /// So many refusals (401) in a row rest a key. A success in between starts the count again.
    #[schemars(range(min = 1, max = 100))]
    pub after: u32,
    /// After 403 a key rests at that model alone; so many of them in a row rest it for all models.
    #[schemars(range(min = 1, max = 100))]
    pub forbidden_after: u32,
    /// The first rest of a refused key; each further one is twice as long.
    pub first: Timespan,
    /// The longest rest of a refused key.
    pub longest: Timespan,
    /// The rest after 402, where the provider does not say how long; what it says counts up to a day.
    pub quota: Timespan,
    /// The rest at one model after 429, where the provider does not say how long; what it says counts up to an hour.
    /// A provider's only key then does not rest at all.
    pub rate: Timespan,
}

impl Default for KeyRest {
    fn default() -> Self {
        Self {
            after: 1,
            forbidden_after: 3,
            first: Timespan::seconds(60),
            longest: Timespan::seconds(3600),
            quota: Timespan::seconds(6 * 3600),
            rate: Timespan::seconds(30),
        }
    }
}

/// What each key may be asked at most, as the vendor limits it. A key over a limit is passed over until there is room.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyLimits {
    /// Requests per window, each of them.
    pub requests: Vec<Rate>,
    /// Tokens per window, prompt and answer together, each of them; counted when an answer is complete.
    pub tokens: Vec<Rate>,
    /// Other limits for some models, by the provider's own model name or its beginning before a `*`; the name goes before
    /// beginnings, a longer one before a shorter. Models under one of these are counted together.
    pub models: BTreeMap<String, ModelKeyLimits>,
}

/// What each key may be asked at most at some models.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelKeyLimits {
    /// Requests per window, each of them.
    pub requests: Vec<Rate>,
    /// Tokens per window, each of them.
    pub tokens: Vec<Rate>,
}

/// The largest count of a key's limit.
pub(crate) const MOST: u64 = 4_000_000_000;

impl KeyLimits {
    /// The first thing that is wrong, and the path of it below `key_limits`.
    pub(crate) fn problem(&self) -> Option<(Vec<&str>, String)> {
        let own = std::iter::once((None, &self.requests, &self.tokens));
        let models = self.models.iter();
        let models = models.map(|(name, limits)| (Some(name.as_str()), &limits.requests, &limits.tokens));
        for (name, requests, tokens) in own.chain(models) {
            let path = |part| match name {
                Some(name) => vec!["models", name, part],
                None => vec![part],
            };
            if let Some(name) = name
                && (name.is_empty() || name.trim_end_matches('*').contains('*') || name.ends_with("**"))
            {
                return Some((
                    vec!["models", name],
                    format!("`{name}` is no name of a model and no beginning of names"),
                ));
            }
            for (part, rates) in [("requests", requests), ("tokens", tokens)] {
                if let Some(rate) = rates.iter().find(|rate| rate.count > MOST) {
                    return Some((path(part), format!("`{rate}` is more than can be counted")));
                }
            }
        }
        None
    }
}
