//! Public model name or pattern → its targets.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::hedge::Hedge;
use super::retry::Retry;
use crate::balance::{Balance, Memory};
use crate::config::{Cache, Empty, Lossy, Reuse, Sticky, TimeoutOverrides};
use crate::domain::{ModelFacts, Pattern, Rules, Target};

/// One configured model.
pub struct Model {
    /// Its name or pattern, as configured; a metric's label.
    pub name: Arc<str>,
    /// Shared as `balance` says.
    pub targets: Vec<Target>,
    /// The strategy that orders them.
    pub balance: &'static dyn Balance,
    /// What it keeps between requests.
    pub memory: Mutex<Memory>,
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
