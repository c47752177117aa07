//! Checks of `[providers]`, `[plugins]`, `[models]` and `[prices]`.

use std::collections::HashSet;

use super::Check;
use crate::config::plugin::BUNDLED;
use crate::config::tree::Route;
use crate::config::{ModelPattern, Params, Source, TargetName};
use crate::domain::{ByteSize, Timespan};

impl Check<'_> {
    pub(super) fn providers(&mut self) {
        for (name, provider) in &self.config.providers {
            let route = Route::keys(&["providers", name]);
            if name.is_empty()
                || name.contains(|letter: char| letter == '/' || letter == '*' || letter.is_whitespace())
            {
                let help = Some("targets are written `provider/model`".to_owned());
                let message = format!("`{name}` cannot be the name of a provider");
                self.report_key(&route, message, "holds `/`, `*`, white space or nothing", help);
            }
            self.params(&provider.params, &route.key("params"));
            let mut seen = HashSet::new();
            for (index, key) in provider.keys.iter().enumerate() {
                let route = route.key("keys").index(index);
                if key.expose().is_empty() {
                    let message = format!("a key of provider `{name}` is empty");
                    self.report(
                        &route,
                        message,
                        "empty",
                        Some("leave `keys` out for a server without keys".to_owned()),
                    );
                } else if !is_header_text(key.expose()) {
                    let message = format!(
                        "a key of provider `{name}` holds white space or a character no header may carry"
                    );
                    self.report(&route, message, "not a key", None);
                } else if !seen.insert(key) {
                    self.report(&route, format!("provider `{name}` has the same key twice"), "again", None);
                }
            }
            self.plugin_of(name, provider.plugin_name(name));
        }
    }

    fn plugin_of(&mut self, provider: &str, plugin: &str) {
        // A folder's files are not known here; whoever loads them says which one is missing.
        if self.config.server.plugins_dir.is_some() || BUNDLED.contains(&plugin) {
            return;
        }
        let known: Vec<&str> = self.names.plugins.iter().map(String::as_str).chain(BUNDLED).collect();
        if known.contains(&plugin) {
            return;
        }
        let route = Route::keys(&["providers", provider]);
        if self.config.providers.get(provider).is_some_and(|provider| provider.plugin.is_some()) {
            let message = format!(
                "provider `{provider}` uses plugin `{plugin}`, which is neither bundled nor configured"
            );
            self.unknown_name(&route.key("plugin"), message, "no such plugin", plugin, &known);
        } else if !self.dropped.contains(&route.key("plugin")) {
            let message =
                format!("provider `{provider}` names no plugin, and there is none called `{provider}`");
            let help =
                Some("set `plugin`; `plugin = \"openai\"` fits every OpenAI-compatible server".to_owned());
            self.report_key(&route, message, "without `plugin`", help);
        }
    }

    pub(super) fn plugins(&mut self) {
        for (name, plugin) in &self.config.plugins {
            let route = Route::keys(&["plugins", name]);
            let remote = !matches!(plugin.source, Source::File(_));
            if remote && plugin.digest.is_none() && !self.dropped.contains(&route.key("digest")) {
                let message = format!("plugin `{name}` comes from the network and has no digest");
                let help =
                    Some("add `digest = \"sha256:…\"`, so that nobody can exchange the file".to_owned());
                self.report(&route.key("source"), message, "without `digest`", help);
            }
            if plugin.memory < ByteSize::mebibytes(1) {
                let message = format!("plugin `{name}` would not start with less than 1MiB of memory");
                self.report(&route.key("memory"), message, "too little", None);
            }
            if plugin.budget == Timespan::default() {
                let message = format!("plugin `{name}` has no time at all");
                self.report(&route.key("budget"), message, "zero", None);
            }
        }
    }

    pub(super) fn models(&mut self) {
        for (name, model) in &self.config.models {
            let route = Route::keys(&["models", name]);
            if let Err(message) = name.parse::<ModelPattern>() {
                self.report_key(&route, message, "not a name", None);
            }
            self.params(&model.params, &route.key("params"));
            for (index, target) in model.targets.iter().enumerate() {
                let short = route.key("targets").index(index);
                let long = short.key("to");
                let written = self.root.place_of(&long) != self.root.place_of(&short);
                self.target(name, &target.to, if written { &long } else { &short });
            }
            for (index, target) in model.fallback.iter().enumerate() {
                self.target(name, target, &route.key("fallback").index(index));
            }
            if !model.targets.is_empty() && model.targets.iter().all(|target| target.weight == 0) {
                let message = format!("model `{name}` has no target with a weight above zero");
                self.report(&route.key("targets"), message, "all out of service", None);
            }
        }
    }

    fn params(&mut self, params: &Params, route: &Route) {
        if let Some((place, path, why)) = params.problem() {
            let help = Some(
                "fields have the names of OpenAI's chat API, inner ones `reasoning.max_tokens`".to_owned(),
            );
            self.report(&route.key(place).key(path), format!("`{path}` {why}"), "in these rules", help);
        }
    }

    fn target(&mut self, model: &str, target: &TargetName, route: &Route) {
        let known: Vec<&str> = self.names.providers.iter().map(String::as_str).collect();
        // Without any provider one message is enough.
        if known.is_empty() || known.contains(&target.provider.as_str()) {
            return;
        }
        let message =
            format!("model `{model}` points at provider `{}`, which is not configured", target.provider);
        self.unknown_name(route, message, "no such provider", &target.provider, &known);
    }

    pub(super) fn prices(&mut self) {
        for name in self.config.prices.keys() {
            let route = Route::keys(&["prices", name]);
            match name.parse::<TargetName>() {
                Err(message) => self.report_key(&route, message, "not a target", None),
                Ok(target) if !self.names.providers.contains(&target.provider) => {
                    let known: Vec<&str> = self.names.providers.iter().map(String::as_str).collect();
                    let message =
                        format!("a price for provider `{}`, which is not configured", target.provider);
                    let help = crate::config::suggest::did_you_mean(&target.provider, known, "configured:");
                    self.report_key(&route, message, "no such provider", help);
                }
                Ok(_) => {}
            }
        }
    }
}

/// True when it can stand in a header: visible ASCII without spaces.
pub(super) fn is_header_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}
