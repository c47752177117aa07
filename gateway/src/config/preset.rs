//! Vendors known by name: `config/presets.toml`, embedded, and what a provider takes from it.
//!
//! A preset fills in what a provider does not say itself, once, when the file is read; nothing else knows of presets.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::plugin::BUNDLED;
use super::provider::{Credential, Provider};
use super::terms::Ability;
use super::{Config, Environment};
use crate::domain::Secret;

/// The built-in list.
const TEXT: &str = include_str!("../../../config/presets.toml");

/// A unit test reads it; a list that cannot be read would be an empty one.
static LIST: LazyLock<BTreeMap<String, Preset>> = LazyLock::new(|| toml::from_str(TEXT).unwrap_or_default());

/// One vendor that speaks an API some adapter speaks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// As the vendor writes it.
    pub name: String,
    /// Where it is; what is in braces is the operator's to fill in.
    pub url: String,
    /// The adapter.
    #[serde(default = "openai")]
    pub plugin: String,
    /// The environment variables its key is usually found in; the first is the vendor's own. None: it wants no key.
    #[serde(default)]
    pub env: Vec<String>,
    /// Never taken from the environment unasked: the variable usually means something else.
    #[serde(default)]
    pub asked: bool,
    /// How the key is sent, where it is not as the adapter says.
    #[serde(default)]
    pub credential: Option<Credential>,
    /// Headers it wants.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What it can do although the adapter does not say so.
    #[serde(default)]
    pub can: Vec<Ability>,
    /// What it cannot do although the adapter can.
    #[serde(default)]
    pub cannot: Vec<Ability>,
    /// The adapter's options.
    #[serde(default)]
    pub options: BTreeMap<String, serde_json::Value>,
    /// The vendor's page these facts are from.
    pub source: String,
    /// One line for the operator.
    pub note: String,
}

fn openai() -> String {
    "openai".to_owned()
}

impl Preset {
    /// The variable that usually holds its key.
    pub fn variable(&self) -> Option<&str> {
        self.env.first().map(String::as_str)
    }
}

/// The built-in list, by name.
pub fn list() -> &'static BTreeMap<String, Preset> {
    &LIST
}

/// All names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    LIST.keys().map(String::as_str)
}

/// The preset of a provider: the one it names, or the one of its own name when it names no plugin and none is called so.
/// The error is the name of a preset that there is not.
pub(crate) fn of<'p>(
    config: &Config,
    name: &str,
    provider: &'p Provider,
) -> Result<Option<&'static Preset>, &'p str> {
    if let Some(named) = &provider.preset {
        return LIST.get(named).map(Some).ok_or(named);
    }
    let taken = provider.plugin.is_some() || BUNDLED.contains(&name) || config.plugins.contains_key(name);
    Ok(LIST.get(name).filter(|_| !taken))
}

/// Fills every provider's gaps; says which keys a preset filled, and which preset.
pub(crate) fn apply(config: &mut Config) -> Vec<(String, String)> {
    let found: Vec<(String, &'static Preset)> = config
        .providers
        .iter()
        .filter_map(|(name, provider)| Some((name.clone(), of(config, name, provider).ok()??)))
        .collect();
    let mut filled = Vec::new();
    for (name, preset) in found {
        let Some(provider) = config.providers.get_mut(&name) else { continue };
        let named = provider.preset.clone().unwrap_or_else(|| name.clone());
        for key in fill(provider, preset) {
            filled.push((format!("providers.{}.{key}", super::tree::key_text(&name)), named.clone()));
        }
        provider.preset = Some(named);
    }
    filled
}

fn fill(provider: &mut Provider, preset: &Preset) -> Vec<String> {
    let mut filled = Vec::new();
    if provider.plugin.is_none() {
        provider.plugin = Some(preset.plugin.clone());
        filled.push("plugin".to_owned());
    }
    if provider.url.is_none() && !preset.url.contains('{') {
        provider.url = Some(preset.url.clone());
        filled.push("url".to_owned());
    }
    if provider.credential.is_none() && preset.credential.is_some() {
        provider.credential.clone_from(&preset.credential);
        filled.push("credential".to_owned());
    }
    // What the operator says of an ability goes before the list's word of the same.
    let said: Vec<Ability> = provider.can.iter().chain(&provider.cannot).copied().collect();
    let gaps =
        |listed: &[Ability]| listed.iter().copied().filter(|one| !said.contains(one)).collect::<Vec<_>>();
    for (own, listed, name) in
        [(&mut provider.can, &preset.can, "can"), (&mut provider.cannot, &preset.cannot, "cannot")]
    {
        let gaps = gaps(listed);
        if !gaps.is_empty() {
            own.extend(gaps);
            filled.push(name.to_owned());
        }
    }
    for (name, value) in &preset.headers {
        if !provider.headers.keys().any(|own| own.eq_ignore_ascii_case(name)) {
            provider.headers.insert(name.clone(), Secret::new(value.clone()));
            filled.push(format!("headers.{}", super::tree::key_text(name)));
        }
    }
    for (name, value) in &preset.options {
        if !provider.options.contains_key(name) {
            provider.options.insert(name.clone(), value.clone());
            filled.push(format!("options.{}", super::tree::key_text(name)));
        }
    }
    filled
}

/// Vendors whose key is in the environment: name and variable.
pub(crate) fn in_environment(
    environment: Environment<'_>,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let set = move |variable: &&String| environment(variable).is_some_and(|key| !key.trim().is_empty());
    let known = LIST.iter().filter(|(_, preset)| !preset.asked && !preset.url.contains('{'));
    known.filter_map(move |(name, preset)| Some((name.as_str(), preset.env.iter().find(set)?.as_str())))
}

#[cfg(test)]
mod tests;
