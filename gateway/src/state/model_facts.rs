//! What the list of models tells: from the configuration, the price list and the adapters' manifests.

use std::collections::HashMap;
use std::sync::Arc;

use super::Provider;
use crate::config::{self, Config};
use crate::domain::{ModelFacts, ModelPrice};

/// The facts of one model: what holds whichever of its targets answers.
pub(super) fn of(
    config: &Config,
    providers: &HashMap<Arc<str>, Arc<Provider>>,
    model: &config::Model,
) -> ModelFacts {
    let targets = || model.targets.iter().map(|target| &target.to).chain(&model.fallback);
    let every = |capability: &str| {
        targets().all(|target| {
            let provider = providers.get(target.provider.as_str());
            provider.is_some_and(|provider| {
                provider.adapter.manifest().capabilities.iter().any(|word| word == capability)
            })
        })
    };
    let kinds = |table: &[(&'static str, &str)]| {
        let found = table.iter().filter(|(_, capability)| every(capability)).map(|(word, _)| *word);
        std::iter::once("text").chain(found).collect()
    };
    ModelFacts {
        context: model.context,
        max_output: model.max_output,
        input: kinds(&[("image", "images"), ("file", "documents"), ("audio", "audio-input")]),
        output: kinds(&[("audio", "audio-output")]),
        price: price(config, targets()),
    }
}

/// The ceiling over all targets; unknown when one of them is.
fn price<'a>(config: &Config, targets: impl Iterator<Item = &'a config::TargetName>) -> Option<ModelPrice> {
    let prices = targets.map(|target| {
        let listed = config.prices.get(&format!("{}/{}", target.provider, target.model))?;
        Some(ModelPrice {
            input: listed.input,
            output: listed.output,
            cache_read: listed.cache_read,
            cache_write: listed.cache_write,
        })
    });
    prices.reduce(|one, other| Some(one?.ceiling(other?))).flatten()
}
