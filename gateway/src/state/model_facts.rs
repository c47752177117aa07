//! What the list of models tells: from the configuration, the price list and the adapters' manifests.

use super::terms::Known;
use crate::config::{self, Config};
use crate::domain::{Abilities, Ability, ModelFacts, ModelPrice};

/// The facts of one model: what holds whichever of its targets answers.
pub(super) fn of(known: &Known<'_>, model: &config::Model) -> ModelFacts {
    let unsaid = config::Terms::default();
    let own = model.targets.iter().map(|target| known.terms(&target.to.provider, &target.terms).can);
    let others = model.fallback.iter().map(|target| known.terms(&target.provider, &unsaid).can);
    let every = own.chain(others).reduce(Abilities::and).unwrap_or_default();
    let kinds = |table: &[(&'static str, Ability)]| {
        let found = table.iter().filter(|(_, ability)| every.has(*ability)).map(|(word, _)| *word);
        std::iter::once("text").chain(found).collect()
    };
    let targets = model.targets.iter().map(|target| &target.to).chain(&model.fallback);
    ModelFacts {
        context: model.context,
        max_output: model.max_output,
        input: kinds(&[
            ("image", Ability::Images),
            ("file", Ability::Documents),
            ("audio", Ability::AudioInput),
        ]),
        output: kinds(&[("audio", Ability::AudioOutput)]),
        price: price(known.config, targets),
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
