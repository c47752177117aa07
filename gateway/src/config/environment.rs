//! The configuration of a machine without a file: whatever provider keys its environment holds.

use super::model::{Balance, Model, Retry, Sticky, Target, TargetName};
use super::server::TimeoutOverrides;
use super::{Config, Environment, Provider};
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
    for (name, variables, patterns) in KNOWN {
        let Some(key) =
            variables.iter().find_map(|variable| environment(variable).filter(|key| !key.is_empty()))
        else {
            continue;
        };
        config
            .providers
            .insert(name.to_owned(), Provider { keys: vec![Secret::new(key.trim())], ..Provider::default() });
        config.models.extend(patterns.iter().map(|pattern| ((*pattern).to_owned(), passed_on(name))));
    }
    config
}

fn passed_on(provider: &str) -> Model {
    let to = TargetName { provider: provider.to_owned(), model: "*".to_owned() };
    Model {
        targets: vec![Target { to, weight: 1 }],
        fallback: Vec::new(),
        retry: Retry::default(),
        balance: Balance::default(),
        sticky: Sticky::default(),
        timeouts: TimeoutOverrides::default(),
    }
}
