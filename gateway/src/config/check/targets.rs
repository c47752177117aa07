//! Checks of `[plugins]`, `[models]` and `[prices]`.

use super::Check;
use crate::config::tree::Route;
use crate::config::{ModelPattern, Params, Source, TargetName};
use crate::domain::{ByteSize, Timespan};

impl Check<'_> {
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
            for (index, target) in model.targets.iter().enumerate() {
                let both = target.terms.can.iter().any(|ability| target.terms.cannot.contains(ability));
                if both {
                    let message = format!("a target of model `{name}` both can and cannot do the same");
                    self.report(&route.key("targets").index(index).key("cannot"), message, "in both", None);
                }
            }
            if !model.targets.is_empty() && model.targets.iter().all(|target| target.weight == 0) {
                let message = format!("model `{name}` has no target with a weight above zero");
                self.report(&route.key("targets"), message, "all out of service", None);
            }
        }
    }

    /// `[routing] auto`
    pub(super) fn auto(&mut self) {
        let list = Route::keys(&["routing", "auto"]);
        if !self.config.routing.auto.is_empty() && self.names.models.iter().any(|name| name == "auto") {
            let message = "there is a model `auto`, and `[routing] auto` would never be asked";
            self.report(&list, message, "never asked", Some("give the model another name".to_owned()));
        }
        for (index, name) in self.config.routing.auto.iter().enumerate() {
            let known: Vec<&str> = self.names.models.iter().map(String::as_str).collect();
            let fits = |known: &&str| known.parse::<ModelPattern>().is_ok_and(|known| known.matches(name));
            if !known.iter().any(|known| fits(known)) {
                let message = format!("`auto` names the model `{name}`, which is not configured");
                self.unknown_name(&list.index(index), message, "no such model", name, &known);
            }
        }
    }

    pub(super) fn params(&mut self, params: &Params, route: &Route) {
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
