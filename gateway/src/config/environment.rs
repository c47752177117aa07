//! The configuration of a machine without a file: whatever provider keys its environment holds.

use super::model::{Destination, Model, Target, TargetName};
use super::{Config, Environment, Provider, preset};
use crate::domain::Secret;

/// Provider, the variables that may hold its key, and the model names it is known for.
const KNOWN: [(&str, &[&str], &[&str]); 3] = [
    (
        "openai",
        &["OPENAI_API_KEY"],
        &["gpt-*", "chatgpt-*", "o1*", "o3*", "o4*", "codex-*", "text-embedding-*", "openai/*"],
    ),
    ("anthropic", &["ANTHROPIC_API_KEY"], &["claude-*", "anthropic/*"]),
    ("gemini", &["GEMINI_API_KEY", "GOOGLE_API_KEY"], &["gemini-*", "gemma-*", "gemini/*"]),
];

/// Every provider whose key is set, with its usual model names passed on, on loopback only.
pub fn from_environment(environment: Environment<'_>) -> Config {
    let mut config = Config::default();
    for (name, variable, patterns) in found(environment) {
        let key = environment(variable).unwrap_or_default();
        let provider = Provider { keys: vec![Secret::new(key.trim())], ..Provider::default() };
        config.providers.insert(name.to_owned(), provider);
        config.models.extend(patterns.iter().map(|pattern| ((*pattern).to_owned(), passed_on(name))));
    }
    for (name, variable) in preset::in_environment(environment) {
        let key = environment(variable).unwrap_or_default();
        let provider = Provider { keys: vec![Secret::new(key.trim())], ..Provider::default() };
        config.providers.insert(name.to_owned(), provider);
        config.models.insert(format!("{name}/*"), passed_on(name));
    }
    preset::apply(&mut config);
    config
}

/// The same as a file would say it, for overrides to be put on.
pub(crate) fn environment_text(environment: Environment<'_>) -> String {
    let mut text = String::new();
    for (name, variable, patterns) in found(environment) {
        text.push_str(&format!("[providers.{name}]\nkeys = [\"${{{variable}}}\"]\n"));
        for pattern in patterns {
            text.push_str(&format!("[models.\"{pattern}\"]\ntargets = [\"{name}/*\"]\n"));
        }
    }
    for (name, variable) in preset::in_environment(environment) {
        text.push_str(&format!("[providers.{name}]\nkeys = [\"${{{variable}}}\"]\n"));
        text.push_str(&format!("[models.\"{name}/*\"]\ntargets = [\"{name}/*\"]\n"));
    }
    text
}

/// Provider, the variable that holds its key, its model names.
type Found = (&'static str, &'static str, &'static [&'static str]);

fn found(environment: Environment<'_>) -> impl Iterator<Item = Found> {
    KNOWN.into_iter().filter_map(move |(name, variables, patterns)| {
        let set = |variable: &&&str| environment(variable).is_some_and(|key| !key.trim().is_empty());
        variables.iter().find(set).map(|variable| (name, *variable, patterns))
    })
}

fn passed_on(provider: &str) -> Model {
    let target = TargetName { provider: provider.to_owned(), model: "*".to_owned() };
    Model::to(Target::to(Destination::Provider(target)))
}
