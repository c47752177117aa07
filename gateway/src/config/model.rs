//! `[models.*]`: what clients ask for, and where it goes.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::balance::Balance;
use super::health::{Breaker, CoolDown, Degrade, Switch};
pub use super::hedge::{Hedge, HedgeAfter, HedgeAlso};
use super::limits::{Budget, Windows};
use super::params::Params;
use super::retry::{Empty, FallbackOn, failover, keep_alive};
pub use super::retry::{Retry, RetryCondition};
use super::reuse::Reuse;
use super::server::TimeoutOverrides;
use super::statuses::Statuses;
pub use super::target::{Destination, Target};
use super::terms::Capabilities;
use super::text::{Text, text_values};
use crate::domain::{Condition, Pattern, Timespan};

/// One public model name, or a pattern of names.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What is behind it, at least one: providers' models, or other models of this file by their public name.
    #[schemars(length(min = 1))]
    pub targets: Vec<Target>,
    /// Targets, or models by their public name, to try in this order, once every target above has failed. Default: none.
    #[serde(default)]
    pub fallback: Vec<Destination>,
    /// Where a request goes that a target refused for a reason of its own: tried in this order, once each, as soon as
    /// a target says so. `context-length`: the prompt is longer than that target takes; without a list, targets of this
    /// model with a larger `context` are asked. `content-policy`: the target will not answer that. Default: none, and
    /// the refusal is the answer.
    #[serde(default)]
    pub fallback_on: FallbackOn,
    /// When to try again, and how often.
    #[serde(default)]
    pub retry: Retry,
    /// It may only be asked for when this holds: an expression in CEL over model, headers, key, length, tools, pictures
    /// and time, as in 'tokens < 20000 || "gold" in key.tags' (gateway/ROUTING.md lists them). Else 403. Default: always.
    #[serde(default)]
    #[schemars(example = "tokens < 20000 || \"gold\" in key.tags")]
    pub when: Option<Condition>,
    /// What a target is to a request that asks for something it lacks (tools, pictures, files, sound, JSON, thinking):
    /// "prefer" asks it last, "strict" not at all, and 400 names what is lacking when none is left.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// The statuses of a provider at which the next target is asked. A failure without a status counts as 502, a timeout
    /// as 504, an error in a good answer as what it says. Without 400, 413 and 422 what is the client's own fault stays
    /// with the client; a prompt too long and a content refused always count as 400.
    #[serde(default = "failover")]
    pub failover: Statuses,
    /// What an answer without any content is: no text, no call, no refusal, and no reason for that. "retry": a failure
    /// (502) of the target, while nothing was sent. "pass": an answer.
    #[serde(default)]
    pub empty: Empty,
    /// After so much silence a stream (of server-sent events) gets a sign of life: a comment, or a ping where the client
    /// knows one. Before the first event too, although no target has answered: other targets are still asked behind it,
    /// but the status is then sent, and a failure is told as an event. "0s": never.
    #[serde(default = "keep_alive")]
    pub keep_alive: Timespan,
    /// How requests are spread over the targets.
    #[serde(default)]
    pub balance: Balance,
    /// "session": one conversation stays on one target, so that its prompt cache keeps hitting; headers and fields that
    /// name a session tell which one it is. "prefix": where none does, the system prompt and the first message of the
    /// user do. `balance` orders the targets of requests that belong to no known conversation.
    #[serde(default)]
    pub sticky: Sticky,
    /// A second attempt at the next target, where the first is slower than it usually is. Default: none.
    #[serde(default)]
    pub hedge: Option<Hedge>,
    /// What happens when a target cannot carry something the request says: "allow" (named in `x-causeway-lossy`, the
    /// log and a metric), "warn" (a warning in the log besides), "strict" (no such target is asked; when none is left,
    /// 400 naming the field). Strict minds what could change the answer, not marks for a prompt cache (`cache_control`,
    /// `prompt_cache_key` and its like) and labels (`user`, `safety_identifier`, `metadata`).
    #[serde(default)]
    pub lossy: Lossy,
    /// "auto": where a provider caches only what is marked (Anthropic, Bedrock), requests of 4 KiB of text and more get
    /// marks behind the tools, the system prompt and the last message of a conversation, unless the client set some.
    #[serde(default)]
    pub cache: Cache,
    /// Keeps answers, and gives them to requests that are the same to the last byte. Default: none is kept.
    #[serde(default)]
    pub reuse: Option<Reuse>,
    /// Requests that are the same and come while the first of them is being answered share its one call upstream; who
    /// shares with whom is `reuse.scope`, or "key".
    #[serde(default)]
    pub single_flight: bool,
    /// What requests may say, changed before they are sent.
    #[serde(default)]
    pub params: Params,
    /// Instead of the provider's timeouts, for this model.
    #[serde(default)]
    pub timeouts: TimeoutOverrides,
    /// When a target that fails is left alone for a while; false: never. Default: as `[defaults.model]` says.
    #[serde(default)]
    pub breaker: Option<Switch<Breaker>>,
    /// When a target that fails often goes behind the others; false: never. Default: as `[defaults.model]` says.
    #[serde(default)]
    pub degrade: Option<Switch<Degrade>>,
    /// How long a target rests that said no. Default: as `[defaults.model]` says.
    #[serde(default)]
    pub cool_down: Option<CoolDown>,
    /// Prompt and answer together, in tokens, as `/v1/models` tells it. Targets without a `context` of their own are not
    /// asked what surely is longer. Default: not told.
    #[serde(default)]
    #[schemars(example = 200_000)]
    pub context: Option<u64>,
    /// The longest answer, in tokens, as `/v1/models` tells it. Default: not told.
    #[serde(default)]
    #[schemars(example = 64_000)]
    pub max_output: Option<u64>,
    /// How much everybody together may ask of it.
    #[serde(default)]
    pub limits: Windows,
    /// How much everybody together may spend on it. Default: no limit.
    #[serde(default)]
    pub budget: Option<Budget>,
}

impl Model {
    /// A model with one target and every other value at its default.
    pub fn to(target: Target) -> Self {
        Self {
            targets: vec![target],
            fallback: Vec::new(),
            fallback_on: FallbackOn::default(),
            retry: Retry::default(),
            when: None,
            capabilities: Capabilities::default(),
            failover: failover(),
            empty: Empty::default(),
            keep_alive: keep_alive(),
            balance: Balance::default(),
            sticky: Sticky::default(),
            hedge: None,
            lossy: Lossy::default(),
            cache: Cache::default(),
            reuse: None,
            single_flight: false,
            params: Params::default(),
            timeouts: TimeoutOverrides::default(),
            breaker: None,
            degrade: None,
            cool_down: None,
            context: None,
            max_output: None,
            limits: Windows::default(),
            budget: None,
        }
    }
}

/// What a loss in translation means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Lossy {
    /// It is reported.
    #[default]
    Allow,
    /// It is reported, and the log warns.
    Warn,
    /// It is an error before anything is sent.
    Strict,
}

/// Who marks what a provider shall keep in its prompt cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    /// The client alone.
    #[default]
    Off,
    /// The gateway, where the client did not.
    Auto,
}

/// What stays on one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sticky {
    /// Nothing.
    #[default]
    Off,
    /// A conversation that names itself.
    Session,
    /// A conversation, known by how it begins where it does not name itself.
    Prefix,
}

/// `provider/model`. The model is `*` when the name the client asked for is passed on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TargetName {
    /// The provider's name in `[providers.*]`.
    pub provider: String,
    /// That provider's own model name, which may hold slashes; `*` passes the asked name on.
    pub model: String,
}

impl FromStr for TargetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((provider, model)) = text.split_once('/') else {
            return Err(format!("`{text}` is not a target: `/` is missing"));
        };
        if provider.is_empty() || model.is_empty() {
            return Err(format!("`{text}` is not a target: a name is missing beside `/`"));
        }
        if model != "*" && model.contains('*') || provider.contains('*') {
            return Err(format!(
                "`{text}` is not a target: `*` stands for the whole model name or not at all"
            ));
        }
        if text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(format!("`{text}` is not a target: it holds white space"));
        }
        Ok(Self { provider: provider.to_owned(), model: model.to_owned() })
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.provider, self.model)
    }
}

impl Text for TargetName {
    const KIND: &'static str = "target";
    const PATTERN: &'static str = r"^[^/*\s]+/(\*|[^*\s]+)$";
    const WRITTEN: &'static str =
        "a provider and its own model name, as in \"openai/gpt-5\"; \"openai/*\" passes the asked name on";
}

/// A model name, in which one `*` stands for any text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelPattern(Pattern);

impl ModelPattern {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What routing matches names against.
    pub fn pattern(&self) -> &Pattern {
        &self.0
    }

    /// True when this name fits.
    pub fn matches(&self, name: &str) -> bool {
        self.0.matches(name)
    }
}

impl FromStr for ModelPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a model name must not be empty".to_owned());
        }
        if text.matches('*').count() > 1 {
            return Err(format!("`{text}` is not a model name or pattern: it holds more than one `*`"));
        }
        if text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(format!("`{text}` is not a model name or pattern: it holds white space"));
        }
        Ok(Self(Pattern::new(text)))
    }
}

impl fmt::Display for ModelPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str())
    }
}

impl Text for ModelPattern {
    const KIND: &'static str = "model-pattern";
    const PATTERN: &'static str = r"^[^*\s]*\*?[^*\s]*$";
    const WRITTEN: &'static str = "a model name, in which one `*` stands for any text, as in \"claude-*\"";
}

text_values!(TargetName, ModelPattern);
