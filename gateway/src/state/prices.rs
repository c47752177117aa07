//! What providers' models cost: the operator's word, else the built-in list.

use std::sync::Arc;

use crate::config::{Config, price_list};
use crate::domain::PriceBook;

/// Where prices of the configuration are from.
pub(super) const FILE: &str = "file";

/// The prices of one configuration.
pub(super) fn book(config: &Config) -> PriceBook {
    let mut book = PriceBook::default();
    for (name, provider) in &config.providers {
        if let Some(listed) = price_list::vendor_of(name, provider).and_then(price_list::compiled) {
            book.list(&Arc::from(name.as_str()), listed);
        }
    }
    for (name, price) in &config.prices {
        if let Some((provider, model)) = name.split_once('/') {
            book.set(&Arc::from(provider), model, price.compiled(&config.currencies, FILE));
        }
    }
    book
}
