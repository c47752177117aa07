//! Terms of targets: what the configuration says, over what providers and their adapters say.

use std::collections::HashMap;
use std::sync::Arc;

use super::Provider;
use crate::config::{self, Config, Destination};
use crate::domain::{Abilities, Ability, ByteSize, Offers, Price, PriceBook, Terms};

/// What is known of providers.
pub(super) struct Known<'a> {
    pub(super) config: &'a Config,
    pub(super) providers: &'a HashMap<Arc<str>, Arc<Provider>>,
    pub(super) prices: &'a Arc<PriceBook>,
}

impl Known<'_> {
    /// A price that stands with a target.
    pub(super) fn price(&self, own: &config::Price) -> Price {
        own.compiled(&self.config.currencies, super::prices::FILE)
    }

    /// The terms of a target. What a model among targets can do, its own targets say.
    pub(super) fn terms_of(&self, to: &Destination, own: &config::Terms) -> Terms {
        match to {
            Destination::Provider(to) => self.terms(&to.provider, own),
            Destination::Model(_) => {
                let terms = self.terms("", own);
                Terms { can: Abilities::ALL.without(terms.cannot), ..terms }
            }
        }
    }

    /// The terms of a target at `provider`, for which the file says `own`.
    pub(super) fn terms(&self, provider: &str, own: &config::Terms) -> Terms {
        let said = self.config.providers.get(provider);
        let (can, cannot) = said.map_or((&[][..], &[][..]), |said| (&said.can[..], &said.cannot[..]));
        let built = self.providers.get(provider);
        let declared: Abilities = built.map_or_else(Abilities::default, |built| {
            let words = &built.adapter.manifest().capabilities;
            words.iter().filter_map(|word| Ability::of(word)).collect()
        });
        let (able, unable) = (config::abilities(&own.can), config::abilities(&own.cannot));
        // The nearer word goes before.
        let cannot = config::abilities(cannot).without(able).with(unable);
        Terms {
            when: own.when.clone(),
            can: declared.with(config::abilities(can)).with(able).without(cannot),
            cannot,
            offers: built.map(|built| Arc::clone(&built.offers)).unwrap_or_default(),
            context: own.context,
            max_body: own.max_body.map(ByteSize::get),
        }
    }
}

/// What a provider offers, whichever of its models is asked.
pub(super) fn offers(dialects: impl Iterator<Item = String>, operations: &[String]) -> Offers {
    Offers { dialects: dialects.collect(), operations: operations.to_vec() }
}
