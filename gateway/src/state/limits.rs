//! Limits that hold whoever asks, and how much is reserved under a budget.

use std::collections::HashMap;
use std::sync::Arc;

use super::bounds;
use crate::config::{self, Config, UnknownPrice};
use crate::domain::{Bounds, Scope};

/// What holds whoever asks.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For everything together.
    pub everybody: Option<Bounds>,
    /// For single models, by name.
    pub models: HashMap<Arc<str>, Bounds>,
    /// A request whose price is not known is let through although there is a budget, and nothing is reserved for it.
    pub unpriced: bool,
    /// Under a budget, how many tokens an answer may have that nobody else limits.
    pub output: u64,
    /// Under a budget, how many it may have at least.
    pub least_output: u64,
}

impl Limits {
    pub(super) fn of(config: &Config) -> Self {
        let limits = &config.limits;
        let everybody = bounds::allowed(&limits.windows(), limits.budget.as_ref()).bounds(Scope::Global);
        let model = |(name, model): (&String, &config::Model)| {
            let scope = Scope::Model(name.as_str().into());
            let bounds = bounds::allowed(&model.limits, model.budget.as_ref()).bounds(scope);
            bounds.is_any().then(|| (Arc::from(name.as_str()), bounds))
        };
        Self {
            everybody: Some(everybody).filter(Bounds::is_any),
            models: config.models.iter().filter_map(model).collect(),
            unpriced: limits.unknown_price == UnknownPrice::Allow,
            output: limits.max_output,
            least_output: limits.least_output,
        }
    }

    /// What holds for a model whoever asks, and for everything together.
    pub fn of_model(&self, model: &str) -> impl Iterator<Item = &Bounds> {
        self.everybody.iter().chain(self.models.get(model))
    }
}
