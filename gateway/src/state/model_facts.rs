//! What the list of models tells: from the configuration, the price list and the adapters' manifests.

use std::collections::HashMap;
use std::sync::Arc;

use super::Provider;
use crate::config::{self, Config, Destination, TargetName};
use crate::domain::{ModelFacts, ModelPrice};

/// The facts of one model: what holds whichever of its targets answers, also those of the models among them.
pub(super) fn of(
    config: &Config,
    providers: &HashMap<Arc<str>, Arc<Provider>>,
    model: &config::Model,
) -> ModelFacts {
    let targets = leaves(config, model);
    let every = |capability: &str| {
        targets.iter().all(|(target, _)| {
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
        price: price(config, &targets),
    }
}

/// Every provider's model that requests of a model can come to, with its own price.
fn leaves<'a>(config: &'a Config, model: &'a config::Model) -> Vec<(TargetName, Option<&'a config::Price>)> {
    let (mut found, mut seen, mut open) = (Vec::new(), Vec::new(), vec![model]);
    while let Some(model) = open.pop() {
        let targets = model.targets.iter().map(|target| (target.destination(), target.price.as_ref()));
        let fallback = model.fallback.iter().map(|to| (to.clone(), None));
        for (to, price) in targets.chain(fallback) {
            match to {
                Destination::Provider(target) => found.push((target, price)),
                Destination::Model(name) if seen.contains(&name) => {}
                Destination::Model(name) => {
                    open.extend(config.model_named(&name).map(|(_, model)| model));
                    seen.push(name);
                }
            }
        }
    }
    found
}

/// The ceiling over all targets; unknown when one of them is.
fn price(config: &Config, targets: &[(TargetName, Option<&config::Price>)]) -> Option<ModelPrice> {
    let prices = targets.iter().map(|(target, own)| {
        let listed = own.or_else(|| config.prices.get(&target.to_string()))?;
        Some(listed.compiled().dearest())
    });
    prices.reduce(|one, other| Some(one?.ceiling(other?))).flatten()
}
