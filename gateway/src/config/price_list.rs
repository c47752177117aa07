//! The built-in price list: `config/prices.toml`, embedded, and which of its vendors a provider is.
//!
//! A vendor's prices hold for a provider at the vendor's own address, or for one that names the vendor in `prices`. A server
//! of one's own that offers a model of the same name has no price here.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::price::Price;
use super::provider::Provider;
use crate::domain::{Listed, Pattern};

/// The built-in list.
const TEXT: &str = include_str!("../../../config/prices.toml");

/// A unit test reads it; a list that cannot be read would be an empty one.
static LIST: LazyLock<BTreeMap<String, Vendor>> = LazyLock::new(|| toml::from_str(TEXT).unwrap_or_default());

/// Compiled once, by vendor.
static COMPILED: LazyLock<BTreeMap<&'static str, Arc<Listed>>> =
    LazyLock::new(|| LIST.iter().map(|(name, vendor)| (name.as_str(), Arc::new(compile(vendor)))).collect());

/// The word of a provider that has none of these prices.
pub const NONE: &str = "none";

/// One vendor's prices.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// The vendor's page these prices are from.
    pub source: String,
    /// The day on which they were so.
    pub date: String,
    /// Where it is; one `*` stands for any text. None: only providers that say so are it.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Vendors whose prices hold here, too, for models that are not listed.
    #[serde(default)]
    pub like: Vec<String>,
    /// By its own model names, without what `domain::price` removes from a name.
    #[serde(default)]
    pub models: BTreeMap<String, Entry>,
}

/// The price of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it costs.
    pub price: Price,
    /// Other names of it.
    pub names: Vec<String>,
    /// Its own page, where it is not the vendor's.
    pub source: Option<String>,
    /// Its own day.
    pub date: Option<String>,
}

impl<'de> Deserialize<'de> for Entry {
    /// Not flattened: an unknown key is to be an error here, too.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = toml::Table::deserialize(deserializer)?;
        let mut text = |key: &str| match table.remove(key) {
            None => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(serde::de::Error::custom(format!("`{key}` is not a text"))),
        };
        let (source, date) = (text("source")?, text("date")?);
        let names = table.remove("names").map(toml::Value::try_into).transpose();
        let names = names.map_err(serde::de::Error::custom)?.unwrap_or_default();
        let price = Price::deserialize(table).map_err(serde::de::Error::custom)?;
        Ok(Self { price, names, source, date })
    }
}

/// The built-in list, by vendor.
pub fn list() -> &'static BTreeMap<String, Vendor> {
    &LIST
}

/// A vendor's prices, ready to be reckoned with.
pub fn compiled(vendor: &str) -> Option<Arc<Listed>> {
    COMPILED.get(vendor).cloned()
}

/// The vendor whose prices hold for a provider.
pub fn vendor_of(name: &str, provider: &Provider) -> Option<&'static str> {
    let vendor = |name: &str| LIST.get_key_value(name).map(|(name, vendor)| (name.as_str(), vendor));
    if let Some(said) = &provider.prices {
        return vendor(said).map(|(name, _)| name);
    }
    let named = provider.preset.as_deref().and_then(vendor).or_else(|| vendor(provider.plugin_name(name)));
    let (name, listed) = named?;
    // Without a URL it is the adapter's own.
    let at_home = match &provider.url {
        None => !listed.hosts.is_empty(),
        Some(url) => host(url).is_some_and(|host| listed.hosts.iter().any(|own| is_at(own, &host))),
    };
    at_home.then_some(name)
}

fn host(url: &str) -> Option<String> {
    url.parse::<http::Uri>().ok()?.host().map(str::to_ascii_lowercase)
}

/// One `*` stands for any text.
fn is_at(own: &str, host: &str) -> bool {
    Pattern::new(own).matches(host)
}

fn compile(vendor: &Vendor) -> Listed {
    let mut listed = Listed::new();
    let others = vendor.like.iter().rev().filter_map(|other| LIST.get(other));
    for vendor in others.chain([vendor]) {
        for (model, entry) in &vendor.models {
            let date = entry.date.as_ref().unwrap_or(&vendor.date);
            let price = Arc::new(entry.price.compiled(&BTreeMap::new(), &format!("builtin {date}")));
            for model in entry.names.iter().chain([model]) {
                listed.insert(model.clone(), Arc::clone(&price));
            }
        }
    }
    listed
}

#[cfg(test)]
mod tests;
