//! What the list of models tells: from the configuration, the price list and the adapters' manifests.

use super::terms::Known;
use crate::config::{self, Config, Destination, TargetName};
use crate::domain::{Abilities, Ability, ModelFacts, ModelPrice};

/// The facts of one model: what holds whichever of its targets answers, also those of the models among them.
pub(super) fn of(known: &Known<'_>, model: &config::Model) -> ModelFacts {
    let targets = leaves(known.config, model);
    let unsaid = config::Terms::default();
    let can = |leaf: &Leaf<'_>| known.terms(&leaf.to.provider, leaf.terms.unwrap_or(&unsaid)).can;
    let every = targets.iter().map(can).reduce(Abilities::and).unwrap_or_default();
    let kinds = |table: &[(&'static str, Ability)]| {
        let found = table.iter().filter(|(_, ability)| every.has(*ability)).map(|(word, _)| *word);
        std::iter::once("text").chain(found).collect()
    };
    ModelFacts {
        context: model.context,
        max_output: model.max_output,
        input: kinds(&[
            ("image", Ability::Images),
            ("file", Ability::Documents),
            ("audio", Ability::AudioInput),
        ]),
        output: kinds(&[("audio", Ability::AudioOutput)]),
        price: price(known, &targets),
    }
}

/// A provider's model that requests of a model can come to.
struct Leaf<'a> {
    to: TargetName,
    price: Option<&'a config::Price>,
    terms: Option<&'a config::Terms>,
}

/// All of them, also those of the models among its targets.
fn leaves<'a>(config: &'a Config, model: &'a config::Model) -> Vec<Leaf<'a>> {
    let (mut found, mut seen, mut open) = (Vec::new(), Vec::new(), vec![model]);
    while let Some(model) = open.pop() {
        let own =
            |target: &'a config::Target| (target.destination(), target.price.as_ref(), Some(&target.terms));
        let others = model.fallback.iter().map(|to| (to.clone(), None, None));
        for (to, price, terms) in model.targets.iter().map(own).chain(others) {
            match to {
                Destination::Provider(to) => found.push(Leaf { to, price, terms }),
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
fn price(known: &Known<'_>, targets: &[Leaf<'_>]) -> Option<ModelPrice> {
    let prices = targets.iter().map(|leaf| match leaf.price {
        Some(own) => Some(known.price(own).dearest()),
        None => known.prices.price(&leaf.to.provider, &leaf.to.model).map(|listed| listed.dearest()),
    });
    prices.reduce(|one, other| Some(one?.ceiling(other?))).flatten()
}
