//! The prices of one configuration.

use std::collections::HashMap;
use std::sync::Arc;

use super::Price;
use super::names::shorter;

/// A vendor's prices by its own model names.
pub type Listed = HashMap<String, Arc<Price>>;

/// What each provider's models cost.
#[derive(Clone, Debug, Default)]
pub struct PriceBook {
    providers: HashMap<Arc<str>, Shelf>,
}

#[derive(Clone, Debug, Default)]
struct Shelf {
    /// The operator's word; `*`: for all that have none of their own.
    own: Listed,
    /// The vendor's list.
    listed: Option<Arc<Listed>>,
}

impl PriceBook {
    /// A book of these prices alone, by provider and its own model name.
    pub fn of(prices: impl IntoIterator<Item = (Arc<str>, String, Price)>) -> Self {
        let mut book = Self::default();
        for (provider, model, price) in prices {
            book.set(&provider, &model, price);
        }
        book
    }

    /// The operator's word on one model; `*`: on all that have no price of their own.
    pub fn set(&mut self, provider: &Arc<str>, model: &str, price: Price) {
        let shelf = self.providers.entry(Arc::clone(provider)).or_default();
        shelf.own.insert(model.to_owned(), Arc::new(price));
    }

    /// A vendor's list, for what the operator says nothing of.
    pub fn list(&mut self, provider: &Arc<str>, listed: Arc<Listed>) {
        self.providers.entry(Arc::clone(provider)).or_default().listed = Some(listed);
    }

    /// What one provider's model costs; `None`: nobody knows.
    pub fn price(&self, provider: &str, model: &str) -> Option<&Arc<Price>> {
        let shelf = self.providers.get(provider)?;
        let own = by_name(&shelf.own, model).or_else(|| shelf.own.get("*"));
        own.or_else(|| by_name(shelf.listed.as_deref()?, model))
    }
}

/// Under its own name, else under the longest of its shorter ones.
fn by_name<'l>(listed: &'l Listed, model: &str) -> Option<&'l Arc<Price>> {
    if listed.is_empty() {
        return None;
    }
    listed.get(model).or_else(|| shorter(model).into_iter().find_map(|name| listed.get(name)))
}

#[cfg(test)]
mod tests;
