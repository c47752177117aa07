//! A configuration with very many models, keys or provider keys: what growth costs.

use std::fmt::Write as _;

use serde::Deserialize;

/// How many there are besides those that are asked.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Crowd {
    models: usize,
    keys: usize,
    provider_keys: usize,
}

impl Crowd {
    /// Puts them where a template says `@keys@` and `@more@`.
    pub(crate) fn fill(self, text: &str) -> String {
        let mut more = String::new();
        for number in 0..self.models {
            let _ = writeln!(more, "[models.crowd-{number:05}]\ntargets = [\"openai/gpt-4o-mini\"]");
        }
        for number in 0..self.keys {
            let _ = writeln!(more, "[keys.crowd-{number:06}]\nsecret = \"sk-crowd-{number:06}-0123456789\"");
        }
        let keys: Vec<String> =
            (0..self.provider_keys.max(1)).map(|number| format!("\"sk-upstream-{number:04}\"")).collect();
        text.replace("@keys@", &keys.join(", ")).replace("@more@", &more)
    }
}
