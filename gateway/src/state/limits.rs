//! Limits that hold whoever asks, and how much is reserved under a budget.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::Config;
use crate::domain::Bounds;

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
    pub(super) fn of(_config: &Config) -> Self {
        Self { everybody: None, models: HashMap::new(), unpriced: false, output: 16_384, least_output: 256 }
    }

    /// What holds for a model whoever asks, and for everything together.
    pub fn of_model(&self, model: &str) -> impl Iterator<Item = &Bounds> {
        self.everybody.iter().chain(self.models.get(model))
    }
}
