//! Checks of `[providers]`: names, presets, plugins, keys.

use std::collections::HashSet;

use super::Check;
use crate::config::Provider;
use crate::config::plugin::BUNDLED;
use crate::config::preset::{self, Preset};
use crate::config::price_list;
use crate::config::suggest::{did_you_mean, nearest};
use crate::config::tree::Route;
use crate::domain::ServiceAccount;

impl<'a> Check<'a> {
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
            self.keys_of(name, provider, &route);
            if let Some((path, why)) = provider.key_limits.problem() {
                let route = path.iter().fold(route.key("key_limits"), |route, step| route.key(step));
                self.report(&route, format!("key_limits of provider `{name}`: {why}"), "not a limit", None);
            }
            self.credential_of(name, provider, &route);
            self.headers_of(name, provider, &route);
            self.network_of(name, provider, &route);
            self.triggers_of(name, provider, &route);
            self.prices_of(name, provider, &route);
            match preset::of(self.config, name, provider) {
                Ok(Some(preset)) => self.preset_of(name, provider, preset, &route),
                Ok(None) => self.plugin_of(name, provider.plugin_name(name)),
                Err(unknown) => {
                    let help = did_you_mean(unknown, preset::names(), "there are");
                    let message =
                        format!("provider `{name}` is built on preset `{unknown}`, which there is not");
                    self.report(&route.key("preset"), message, "no such preset", help);
                }
            }
        }
    }

    fn triggers_of(&mut self, name: &str, provider: &Provider, route: &Route) {
        for (index, text) in provider.error_triggers.iter().enumerate() {
            if text.chars().filter(|letter| !letter.is_whitespace()).count() < 4 {
                let message =
                    format!("an error trigger of provider `{name}` is found in nearly every answer");
                let help = Some("write four letters at least, better a whole sentence".to_owned());
                self.report(&route.key("error_triggers").index(index), message, "too short", help);
            }
        }
    }

    fn prices_of(&mut self, name: &str, provider: &Provider, route: &Route) {
        let Some(vendor) = &provider.prices else { return };
        if vendor != price_list::NONE && !price_list::list().contains_key(vendor) {
            let message = format!("provider `{name}` has the prices of `{vendor}`, of which there are none");
            let known = price_list::list().keys().map(String::as_str).chain([price_list::NONE]);
            let help = did_you_mean(vendor, known, "there are");
            self.report(&route.key("prices"), message, "no such vendor", help);
        }
    }

    fn keys_of(&mut self, name: &str, provider: &Provider, route: &Route) {
        let mut seen = HashSet::new();
        for (index, key) in provider.keys.iter().enumerate() {
            let route = route.key("keys").index(index);
            if key.expose().is_empty() {
                let message = format!("a key of provider `{name}` is empty");
                let help = "leave `keys` out for a server without keys".to_owned();
                self.report(&route, message, "empty", Some(help));
            } else if ServiceAccount::is_written_in(key.expose()) {
                if let Err(why) = ServiceAccount::parse(key.expose()) {
                    let message = format!("a key of provider `{name}` is a key file and {why}");
                    self.report(&route, message, "not a service account", None);
                }
            } else if !is_header_text(key.expose()) {
                let message = format!(
                    "a key of provider `{name}` holds white space or a character no header may carry"
                );
                self.report(&route, message, "not a key", None);
            }
            if !key.expose().is_empty() && !seen.insert(key) {
                self.report(&route, format!("provider `{name}` has the same key twice"), "again", None);
            }
        }
    }

    /// What a preset leaves open must be said, and a vendor wants a key.
    fn preset_of(&mut self, name: &str, provider: &Provider, preset: &Preset, route: &Route) {
        let own = |key: &str| self.dropped.contains(&route.key(key));
        if provider.url.is_none() && preset.url.contains('{') && !own("url") {
            let message = format!("provider `{name}` needs a `url` of your own");
            let help = Some(format!("as in `url = \"{}\"`, with what is in braces filled in", preset.url));
            self.report_key(route, message, "without `url`", help);
        }
        let silent = provider.keys.is_empty()
            && provider.keys_file.is_none()
            && provider.credential.is_none()
            && provider.headers.is_empty()
            && !provider.kept.made;
        let elsewhere = provider.url.is_some() && !preset.url.contains('{');
        if silent
            && !elsewhere
            && !own("keys")
            && let Some(variable) = preset.variable()
        {
            let message = format!("provider `{name}` has no key, and {} wants one", preset.name);
            let help = Some(format!("`keys = [\"${{{variable}}}\"]`"));
            self.report_key(route, message, "without `keys`", help);
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
        } else if !self.dropped.contains(&route.key("plugin")) && !self.dropped.contains(&route.key("preset"))
        {
            let message =
                format!("provider `{provider}` names no plugin, and there is none called `{provider}`");
            let help = match nearest(provider, preset::names().chain(BUNDLED)) {
                Some(near) => format!("did you mean `{near}`? Else set `preset` or `plugin`"),
                None => "set `preset` for a vendor of the built-in list, or `plugin`; `plugin = \"openai\"` fits every \
                         OpenAI-compatible server"
                    .to_owned(),
            };
            self.report_key(&route, message, "without `plugin`", Some(help));
        }
    }
}

/// True when it can stand in a header: visible ASCII without spaces.
pub(super) fn is_header_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}
