//! `breaker`, `degrade` and `cool_down` of a model, `probe` of a provider: when a target is not asked, and when again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::Timespan;

/// Settings that can be switched off: `false`, `true` (all of them at their defaults), or a table.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Switch<T> {
    /// false: off; true: on, with every setting at its default.
    Word(bool),
    /// On, with these settings.
    Settings(T),
}

impl<T: Copy + Default> Switch<T> {
    /// The settings, when it is on.
    pub fn settings(self) -> Option<T> {
        match self {
            Self::Word(false) => None,
            Self::Word(true) => Some(T::default()),
            Self::Settings(settings) => Some(settings),
        }
    }
}

impl<T: Default> Default for Switch<T> {
    fn default() -> Self {
        Self::Settings(T::default())
    }
}

/// What holds for every model that does not say otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelDefaults {
    /// When a target that fails is left alone for a while; false: never.
    pub breaker: Switch<Breaker>,
    /// When a target that fails often goes behind the others; false: never.
    pub degrade: Switch<Degrade>,
    /// How long a target rests that said no.
    pub cool_down: CoolDown,
}

/// A circuit breaker: closed (asked like any other), open (not asked), half open (some requests try it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Breaker {
    /// Failures in a row that open it: timeouts, broken connections, 5xx, nonsense. A success between begins anew.
    #[schemars(range(min = 1, max = 1000))]
    pub failures: u32,
    /// All of them must lie within this time. Default: however long it took.
    #[schemars(example = "1m")]
    pub window: Option<Timespan>,
    /// How long it is open at first.
    pub open: Timespan,
    /// How long it is open at most: each failed probe doubles the time.
    pub longest: Timespan,
    /// When it is half open: how many requests at a time try the target.
    #[schemars(range(min = 1, max = 1000))]
    pub probes: u32,
    /// How many of them must succeed to close it.
    #[schemars(range(min = 1, max = 1000))]
    pub successes: u32,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failures: 5,
            window: None,
            open: Timespan::seconds(30),
            longest: Timespan::seconds(600),
            probes: 1,
            successes: 1,
        }
    }
}

/// When a target goes behind those that do better.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Degrade {
    /// How far back attempts count, 10s to 1h.
    pub window: Timespan,
    /// With fewer attempts nothing is concluded.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub samples: u32,
    /// The share of failures, 0.01 to 1, from which on a target is degraded.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub rate: f64,
}

impl Default for Degrade {
    fn default() -> Self {
        Self { window: Timespan::seconds(600), samples: 20, rate: 0.5 }
    }
}

/// How long a target rests that said no. What a provider says itself (Retry-After) goes first, up to a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CoolDown {
    /// After 404: the provider does not know the model. "0s": it does not rest.
    pub missing: Timespan,
    /// After 429 without a word about when, from a provider without keys; where there are keys, one of them rests
    /// instead. "0s": it does not rest, so that `retry` may ask it again soon.
    pub rate: Timespan,
    /// The longest rest after 429.
    pub longest_rate: Timespan,
    /// The longest rest after 503 with Retry-After.
    pub longest_overload: Timespan,
}

impl Default for CoolDown {
    fn default() -> Self {
        Self {
            missing: Timespan::seconds(300),
            rate: Timespan::seconds(0),
            longest_rate: Timespan::seconds(3600),
            longest_overload: Timespan::seconds(60),
        }
    }
}

/// A question of the gateway itself, one token long, that shows whether a target is back. It costs that token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Probe {
    /// How often a target is asked, at least 1s; a tenth more or less, so that many gateways do not ask at once.
    pub every: Timespan,
    /// The model that is asked instead of the target's own, for all targets of this provider. An answer then lets the
    /// next request through as a probe. Default: each target's own model, and an answer closes the circuit.
    #[schemars(example = "gpt-5-nano")]
    pub model: Option<String>,
    /// How long the answer may take.
    pub timeout: Timespan,
    /// "resting": only targets whose circuit is open; "always": also those that are well, so that a dead one is known
    /// before a client meets it.
    pub when: ProbeWhen,
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            every: Timespan::seconds(30),
            model: None,
            timeout: Timespan::seconds(10),
            when: ProbeWhen::Resting,
        }
    }
}

/// Which targets are probed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeWhen {
    /// Those that failed.
    #[default]
    Resting,
    /// All that are configured by name.
    Always,
}
