//! Public model name or pattern → its targets.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::health::Care;
use super::hedge::Hedge;
use super::retry::Retry;
use super::variant;
use crate::balance::{Balance, Memory};
use crate::config::{Cache, Capabilities, Empty, Lossy, Reuse, Sticky, TimeoutOverrides};
use crate::domain::{Condition, Destination, ModelFacts, Pattern, Price, PriceBook, Rules, Target};

/// One configured model.
pub struct Model {
    /// Its name or pattern, as configured; a metric's label.
    pub name: Arc<str>,
    /// Shared as `balance` says.
    pub targets: Vec<Target>,
    /// The strategy that orders them.
    pub balance: &'static dyn Balance,
    /// What it keeps between requests.
    pub memory: Mutex<Memories>,
    /// What stays on one target.
    pub sticky: Sticky,
    /// When a second target is asked beside a slow one.
    pub hedge: Option<Hedge>,
    /// In order, once every target has failed.
    pub fallback: Vec<Target>,
    /// In order, for a content that was refused.
    pub on_content_policy: Vec<Target>,
    /// In order, for a prompt that was too long.
    pub on_context_length: Vec<Target>,
    /// What to do about failures.
    pub retry: Retry,
    /// How its targets are looked after.
    pub care: Care,
    /// An answer without content is an answer.
    pub empty: Empty,
    /// How long a stream may be silent; zero: for ever.
    pub keep_alive: Duration,
    /// What a loss in translation means.
    pub lossy: Lossy,
    /// Who marks what shall be kept in a prompt cache.
    pub cache: Cache,
    /// Which answers are kept and given again.
    pub reuse: Option<Reuse>,
    /// Requests that are the same share one call.
    pub single_flight: bool,
    /// What its requests may say.
    pub rules: Rules,
    /// How long its attempts may take, where it says otherwise than the provider.
    pub timeouts: TimeoutOverrides,
    /// What lists tell about it.
    pub facts: ModelFacts,
    /// It may only be asked for when this holds.
    pub when: Option<Condition>,
    /// What a target that lacks something is to a request that asks for it.
    pub capabilities: Capabilities,
}

/// What a strategy keeps for one model: for each tier once for the requests that begin there, and once for those that have
/// something in front of it. Turns that nobody takes must not count as taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memories(Vec<(u32, [Memory; 2])>);

impl Memories {
    /// The memory of one tier.
    pub(super) fn of(&mut self, tier: u32, front: bool) -> &mut Memory {
        let at = self.0.iter().position(|(known, _)| *known == tier).unwrap_or_else(|| {
            self.0.push((tier, Default::default()));
            self.0.len() - 1
        });
        let (_, [first, behind]) = &mut self.0[at];
        if front { first } else { behind }
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Model").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All models of one configuration.
#[derive(Debug, Default)]
pub struct Table {
    named: HashMap<String, Arc<Model>>,
    /// The pattern with the most fixed characters first.
    patterns: Vec<(Pattern, Arc<Model>)>,
    /// What the model `auto` stands for, in order of preference.
    pub(super) auto: Vec<String>,
    /// Every provider as a model, when clients may address it.
    addressed: HashMap<Arc<str>, Arc<Model>>,
    /// Who gets names that stand for nothing else.
    default: Option<(Arc<str>, Arc<Model>)>,
    /// By provider and its own model name.
    prices: Arc<PriceBook>,
}

/// What a name means.
#[derive(Clone, Debug)]
pub struct Reading<'t> {
    /// The model it stands for.
    pub model: &'t Arc<Model>,
    /// The name that a key must be allowed.
    pub name: Cow<'t, str>,
    /// What `*` in the model's targets stands for.
    pub sent: Cow<'t, str>,
    /// The effort of reasoning in the name.
    pub effort: Option<&'static str>,
}

impl Table {
    /// Sorts models into names and patterns.
    pub fn new(models: impl IntoIterator<Item = Model>) -> Self {
        let mut table = Self::default();
        for model in models {
            let model = Arc::new(model);
            let pattern = Pattern::new(model.name.as_ref());
            if pattern.is_name() {
                table.named.insert(model.name.to_string(), model);
            } else {
                table.patterns.push((pattern, model));
            }
        }
        table
            .patterns
            .sort_by(|(one, _), (other, _)| other.weight().cmp(&one.weight()).then_with(|| one.cmp(other)));
        table
    }

    /// The same with a list of models that `auto` stands for.
    #[must_use]
    pub fn with_auto(self, auto: Vec<String>) -> Self {
        Self { auto, ..self }
    }

    /// Lets clients address these providers; each comes as a model that passes any name on.
    #[must_use]
    pub fn addressing(mut self, providers: impl IntoIterator<Item = (Arc<str>, Model)>) -> Self {
        self.addressed = providers.into_iter().map(|(name, model)| (name, Arc::new(model))).collect();
        self
    }

    /// Sends names that stand for nothing else to this provider, which comes as a model that passes any name on.
    #[must_use]
    pub fn or_else(mut self, provider: Option<(Arc<str>, Model)>) -> Self {
        self.default = provider.map(|(name, model)| (name, Arc::new(model)));
        self
    }

    /// Knows these prices.
    #[must_use]
    pub fn priced(mut self, prices: impl Into<Arc<PriceBook>>) -> Self {
        self.prices = prices.into();
        self
    }

    /// What one provider's model costs.
    pub(super) fn price(&self, provider: &str, model: &str) -> Option<&Arc<Price>> {
        self.prices.price(provider, model)
    }

    /// The targets that a model's requests can come to, also those of the models among them.
    pub fn leaves<'t>(&'t self, model: &'t Model) -> Vec<&'t Target> {
        self.leaves_of(model, |model| model.targets.iter().chain(&model.fallback))
            .map(|(target, _)| target)
            .collect()
    }

    /// The same without fallbacks, each with the model it belongs to, as far as they are in service.
    pub(super) fn serving<'t>(&'t self, model: &'t Model) -> impl Iterator<Item = (&'t Target, &'t Model)> {
        self.leaves_of(model, |model| model.targets.iter().chain(&[])).filter(|(target, _)| target.weight > 0)
    }

    fn leaves_of<'t, I: Iterator<Item = &'t Target>>(
        &'t self,
        model: &'t Model,
        targets: impl Fn(&'t Model) -> I,
    ) -> impl Iterator<Item = (&'t Target, &'t Model)> {
        let (mut found, mut seen, mut open) = (Vec::new(), Vec::new(), vec![model]);
        while let Some(model) = open.pop() {
            for target in targets(model) {
                match &target.to {
                    Destination::Provider { .. } => found.push((target, model)),
                    Destination::Model(name) if target.weight == 0 || seen.contains(&name) => {}
                    Destination::Model(name) => {
                        seen.push(name);
                        open.extend(self.inner(name).map(AsRef::as_ref));
                    }
                }
            }
        }
        found.into_iter()
    }

    /// A model named among the targets of another one.
    pub(super) fn inner(&self, name: &str) -> Option<&Arc<Model>> {
        let pattern = || self.patterns.iter().find(|(_, model)| model.name.as_ref() == name);
        self.named.get(name).or_else(|| pattern().map(|(_, model)| model)).or_else(|| self.find(name))
    }

    /// What a name means: a model as configured, else a model with an effort, else a pattern, else a provider's model by
    /// its address, else what the pattern `*` or the default provider makes of it.
    pub(super) fn read<'a>(&'a self, asked: &'a str) -> Option<Reading<'a>> {
        let plain =
            |model, name: &'a str| Reading { model, name: name.into(), sent: name.into(), effort: None };
        if let Some(model) = self.named(asked) {
            return Some(plain(model, asked));
        }
        if let Some(variant) = variant::split(asked) {
            let named = self.named(variant.model).map(|model| plain(model, variant.model));
            let found =
                named.or_else(|| variant.with_patterns.then(|| self.stretched(variant.model)).flatten());
            if let Some(reading) = found {
                return Some(Reading { effort: Some(variant.effort), ..reading });
            }
        }
        self.stretched(asked)
    }

    /// What a name means that is no model's own.
    fn stretched<'a>(&'a self, asked: &'a str) -> Option<Reading<'a>> {
        let plain =
            |model, name: &'a str| Reading { model, name: name.into(), sent: name.into(), effort: None };
        // Between brackets it is a name, whatever it looks like.
        let literal = asked.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        let name = literal.unwrap_or(asked);
        if let Some(model) = literal.and_then(|name| self.named(name)) {
            return Some(plain(model, name));
        }
        let mut fitting = self.patterns.iter().filter(|(pattern, _)| pattern.matches(name));
        let found = fitting.next();
        if let Some((_, model)) = found.filter(|(pattern, _)| pattern.weight() > 0) {
            return Some(plain(model, name));
        }
        let address = name.split_once('/').filter(|(_, model)| !model.is_empty());
        let addressed = address.and_then(|(provider, _)| self.addressed.get(provider));
        if let Some(model) = addressed.filter(|_| literal.is_none()) {
            return Some(plain(model, name));
        }
        if let Some((_, model)) = found {
            return Some(plain(model, name));
        }
        let (provider, model) = self.default.as_ref()?;
        // What a key is allowed to address is not what stands between brackets.
        let allowed = if addressed.is_some() { asked } else { name };
        let sent = format!("{provider}/{name}").into();
        Some(Reading { model, name: allowed.into(), sent, effort: None })
    }

    /// The model with exactly this name.
    pub(super) fn named(&self, asked: &str) -> Option<&Arc<Model>> {
        self.named.get(asked)
    }

    /// The model for a name: the name itself, else the closest pattern.
    pub fn find(&self, asked: &str) -> Option<&Arc<Model>> {
        self.named.get(asked).or_else(|| {
            self.patterns.iter().find(|(pattern, _)| pattern.matches(asked)).map(|(_, model)| model)
        })
    }

    /// Every target that is configured, fallbacks too, each once: provider and model, in which `*` stands for any name.
    pub fn targets(&self) -> Vec<(Arc<str>, String)> {
        let models = self.named.values().chain(self.patterns.iter().map(|(_, model)| model));
        let targets = models.flat_map(|model| model.targets.iter().chain(&model.fallback));
        // A model among them is configured by itself.
        let mut targets: Vec<_> = targets
            .filter_map(|target| match &target.to {
                Destination::Provider { provider, model } => Some((Arc::clone(provider), model.clone())),
                Destination::Model(_) => None,
            })
            .collect();
        targets.sort();
        targets.dedup();
        targets
    }

    /// All names that are not patterns, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.named.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// At most three names that look like the one asked for.
    pub(super) fn close_to(&self, asked: &str, allowed: impl Fn(&str) -> bool) -> Vec<String> {
        let mut scored: Vec<_> = self
            .named
            .keys()
            .filter(|name| allowed(name))
            .map(|name| (strsim::jaro_winkler(name, asked), name))
            .filter(|(score, _)| *score > 0.75)
            .collect();
        scored.sort_by(|(one, a), (other, b)| other.total_cmp(one).then_with(|| a.cmp(b)));
        scored.into_iter().take(3).map(|(_, name)| name.clone()).collect()
    }
}
