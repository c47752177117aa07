//! `[models.*] targets`: where a model's requests may go, and which of them first.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::TargetName;
use super::moment::Moment;
use super::price::Price;
use super::terms::{Ability, Terms};
use super::text::{Text, text_values};
use crate::domain::{ByteSize, Condition};

/// Where requests may go. Written `"provider/model"`, `"model"`, or with more to say about it
/// `{ to = "provider/model", weight = 70 }` or `{ model = "model", tier = 1 }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// A provider's model, or a public model whose name holds no slash.
    pub to: Option<Destination>,
    /// A public model by its name, instead of `to`.
    pub model: Option<String>,
    /// Its share, relative to the weights beside it; 0 takes it out of service. Default 1.
    pub weight: u16,
    /// Its priority group; the lowest goes first.
    pub tier: u16,
    /// Labels of the operator's.
    pub tags: Vec<String>,
    /// What it costs.
    pub price: Option<Price>,
    /// It rests until then.
    pub pause_until: Option<Moment>,
    /// Requests at the same time.
    pub concurrent: Option<u32>,
    /// On which terms it is asked.
    pub terms: Terms,
}

impl Target {
    /// A target with every other value at its default.
    pub fn to(to: Destination) -> Self {
        Self {
            to: Some(to),
            model: None,
            weight: 1,
            tier: 0,
            tags: Vec::new(),
            price: None,
            pause_until: None,
            concurrent: None,
            terms: Terms::default(),
        }
    }

    /// Where it goes. A checked configuration says that in one of the two ways.
    pub fn destination(&self) -> Destination {
        match (&self.model, &self.to) {
            (Some(model), _) => Destination::Model(model.clone()),
            (None, Some(to)) => to.clone(),
            (None, None) => Destination::Model(String::new()),
        }
    }
}

#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Target")]
enum TargetForm {
    /// With weight 1, in tier 0.
    Short(Destination),
    /// With more to say about it.
    Long(Box<LongTarget>),
}

/// A target and what there is to say about it.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WeightedTarget")]
struct LongTarget {
    /// Where it goes: a provider's model, or a public model whose name holds no slash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Destination>,
    /// Instead of `to`: another model of this file, by its public name. Its targets and its balance are used; retry,
    /// parameters and timeouts stay those of the model that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Its share, relative to the weights beside it, 0 to 1000; 0 takes it out of service.
    #[serde(default = "one")]
    #[schemars(range(max = 1000))]
    weight: u16,
    /// Its priority group, 0 to 1000: only when every target of a lower tier has failed or rests is this one asked. Inside
    /// of a tier, `balance` decides.
    #[serde(default)]
    #[schemars(range(max = 1000))]
    tier: u16,
    /// Labels of your choice, which an explanation shows and a request's `provider.only`, `ignore` and `order` may name.
    #[serde(default)]
    tags: Vec<String>,
    /// US dollars per million tokens, instead of the entry in `[prices]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
    /// Until this moment it is not asked, as in 2026-12-24T18:00:00Z; then it comes back by itself. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pause_until: Option<Moment>,
    /// Requests at the same time, from whichever models: over it the next target is asked at once, and its provider's
    /// `queue` is for it, too. Of a target that stands more than once the lowest counts. Default: no cap of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    concurrent: Option<u32>,
    /// It is asked only when this holds, as a model's `when`. Default: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    when: Option<Condition>,
    /// What it can do although its provider is not known to: "tools", "images", "documents", "audio-input",
    /// "audio-output", "json-object", "json-schema", "reasoning".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    can: Vec<Ability>,
    /// What it cannot do although its provider can.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cannot: Vec<Ability>,
    /// Prompt and answer together, in tokens: it is not asked what surely is longer. Default: the model's `context`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    context: Option<u64>,
    /// The largest body it takes. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_body: Option<ByteSize>,
}

fn one() -> u16 {
    1
}

impl From<TargetForm> for Target {
    fn from(form: TargetForm) -> Self {
        match form {
            TargetForm::Short(to) => Self::to(to),
            TargetForm::Long(long) => {
                let long = *long;
                let LongTarget { to, model, weight, tier, tags, price, pause_until, .. } = long;
                let LongTarget { concurrent, when, can, cannot, context, max_body, .. } = long;
                let terms = Terms { when, can, cannot, context, max_body };
                Self { to, model, weight, tier, tags, price, pause_until, concurrent, terms }
            }
        }
    }
}

impl From<Target> for TargetForm {
    fn from(target: Target) -> Self {
        match &target.to {
            Some(to) if target == Target::to(to.clone()) => Self::Short(to.clone()),
            _ => {
                let Target { to, model, weight, tier, tags, price, pause_until, concurrent, terms } = target;
                let Terms { when, can, cannot, context, max_body } = terms;
                Self::Long(Box::new(LongTarget {
                    to,
                    model,
                    weight,
                    tier,
                    tags,
                    price,
                    pause_until,
                    concurrent,
                    when,
                    can,
                    cannot,
                    context,
                    max_body,
                }))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TargetForm::deserialize(deserializer).map(Self::from)
    }
}

impl Serialize for Target {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        TargetForm::from(self.clone()).serialize(serializer)
    }
}

impl JsonSchema for Target {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        TargetForm::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        TargetForm::json_schema(generator)
    }
}

/// A provider's model, or another public model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// `provider/model`.
    Provider(TargetName),
    /// A public model; its targets are used.
    Model(String),
}

impl Destination {
    /// The provider's model, if it is one.
    pub fn target(&self) -> Option<&TargetName> {
        match self {
            Self::Provider(target) => Some(target),
            Self::Model(_) => None,
        }
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            return text.parse().map(Self::Provider);
        }
        if text.is_empty() || text.contains('*') || text.chars().any(char::is_whitespace) {
            return Err(format!("`{text}` is neither a target (`/` is missing) nor the name of a model"));
        }
        Ok(Self::Model(text.to_owned()))
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider(target) => target.fmt(formatter),
            Self::Model(name) => formatter.write_str(name),
        }
    }
}

impl Text for Destination {
    const KIND: &'static str = "destination";
    const PATTERN: &'static str = r"^([^/*\s]+/(\*|[^*\s]+)|[^/*\s]+)$";
    const WRITTEN: &'static str = "a provider and its own model name, as in \"openai/gpt-5\" (\"openai/*\" passes the asked name on), or \
         the public name of another model, as in \"fast\"";
}

text_values!(Destination);
