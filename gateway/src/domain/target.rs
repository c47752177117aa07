//! Where requests of a model may go: a provider's model or another public model, and what holds for it there.

use std::sync::Arc;

use super::price::Price;
use super::terms::Terms;

/// One place a request can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where.
    pub to: Destination,
    /// Its share among the targets of a model; 0: drained.
    pub weight: u32,
    /// Its priority group; the lowest goes first.
    pub tier: u32,
    /// Labels of the operator's.
    pub tags: Vec<Arc<str>>,
    /// What it costs; `None`: nobody knows.
    pub price: Option<Arc<Price>>,
    /// Unix seconds until which it rests.
    pub pause_until: Option<u64>,
    /// On which terms it is asked.
    pub terms: Terms,
}

/// A provider's model, or another public model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A model at a provider.
    Provider {
        /// The provider's name in the configuration.
        provider: Arc<str>,
        /// The provider's own model name; `*` in it is replaced by the name that was asked for.
        model: String,
    },
    /// A public model, by its name.
    Model(Arc<str>),
}

impl Target {
    /// A target with every other value at its default.
    pub fn to(to: Destination) -> Self {
        Self {
            to,
            weight: 1,
            tier: 0,
            tags: Vec::new(),
            price: None,
            pause_until: None,
            terms: Terms::default(),
        }
    }

    /// The same for a provider's model.
    pub fn at(provider: &str, model: &str) -> Self {
        Self::to(Destination::Provider { provider: provider.into(), model: model.to_owned() })
    }

    /// The provider, if it is a provider's model.
    pub fn provider(&self) -> Option<&Arc<str>> {
        match &self.to {
            Destination::Provider { provider, .. } => Some(provider),
            Destination::Model(_) => None,
        }
    }
}

/// The name to send upstream when `asked` was asked for. A leading `provider/` was addressing, not name.
pub fn model_for(provider: &str, model: &str, asked: &str) -> String {
    if !model.contains('*') {
        return model.to_owned();
    }
    let addressed = asked.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/'));
    model.replacen('*', addressed.unwrap_or(asked), 1)
}

#[cfg(test)]
mod tests;
