//! Checks of where a model's requests may go, and of `[routing]`.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderName;

use super::Check;
use crate::config::suggest::did_you_mean;
use crate::config::tree::Route;
use crate::config::{Destination, Model, Target, TargetName};

/// So many models may stand one inside of the other.
const DEEPEST: usize = 8;

impl Check<'_> {
    pub(super) fn target(&mut self, model: &str, target: &Target, short: &Route) {
        let place = |key: &str| {
            let long = short.key(key);
            let written = self.root.place_of(&long) != self.root.place_of(short);
            if written { long } else { short.clone() }
        };
        let (to, named) = (place("to"), place("model"));
        match (&target.to, &target.model) {
            (Some(_), Some(_)) => {
                let message = format!("a target of model `{model}` says both `to` and `model`");
                self.report(&named, message, "one of the two", None);
            }
            (None, None) => {
                let dropped = ["to", "model"].map(|key| self.dropped.contains(&short.key(key)));
                if dropped == [false, false] {
                    let help = Some("as in `{ to = \"openai/gpt-5\" }` or `{ model = \"fast\" }`".to_owned());
                    let message = format!("a target of model `{model}` does not say where it goes");
                    self.report(short, message, "without `to`", help);
                }
            }
            (Some(destination), None) => self.destination(model, destination, &to),
            (None, Some(_)) => self.destination(model, &target.destination(), &named),
        }
    }

    pub(super) fn destination(&mut self, model: &str, to: &Destination, route: &Route) {
        match to {
            Destination::Provider(target) => self.provider_of(model, target, route),
            Destination::Model(name) => {
                let known: Vec<&str> = self.names.models.iter().map(String::as_str).collect();
                if known.contains(&name.as_str()) || self.config.model_named(name).is_some() {
                    return;
                }
                let message = format!("model `{model}` points at model `{name}`, which is not configured");
                let help = match self.names.providers.contains(name) {
                    true => Some(format!("a provider's model is written `{name}/its-name`")),
                    false => did_you_mean(name, known, "configured:"),
                };
                self.report(route, message, "no such model", help);
            }
        }
    }

    fn provider_of(&mut self, model: &str, target: &TargetName, route: &Route) {
        let known: Vec<&str> = self.names.providers.iter().map(String::as_str).collect();
        // Without any provider one message is enough.
        if known.is_empty() || known.contains(&target.provider.as_str()) {
            return;
        }
        let message =
            format!("model `{model}` points at provider `{}`, which is not configured", target.provider);
        let whole = target.to_string();
        if self.names.models.contains(&whole) {
            let help = Some(format!("the model `{whole}` is written `{{ model = \"{whole}\" }}` here"));
            return self.report(route, message, "no such provider", help);
        }
        self.unknown_name(route, message, "no such provider", &target.provider, &known);
    }

    /// Somebody must be left who may be asked, now or later.
    pub(super) fn somebody_serves(&mut self, name: &str, model: &Model, route: &Route) {
        if model.targets.is_empty() {
            return;
        }
        if model.targets.iter().all(|target| target.weight == 0) {
            let message = format!("model `{name}` has no target with a weight above zero");
            return self.report(route, message, "all out of service", None);
        }
        // Who is paused until a time nobody here will see is out of service.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let for_ever = now.saturating_add(100 * 365 * 86_400);
        let paused =
            |target: &Target| target.pause_until.as_ref().is_some_and(|until| until.seconds > for_ever);
        if model.targets.iter().all(|target| target.weight == 0 || paused(target)) {
            let message = format!("every target of model `{name}` is paused for more than a hundred years");
            self.report(
                route,
                message,
                "all paused for ever",
                Some("a weight of 0 drains a target".to_owned()),
            );
        }
    }

    /// A model must not lead back to itself, nor too deep.
    pub(super) fn circles(&mut self) {
        let config = self.config;
        let mut told = BTreeSet::new();
        for name in config.models.keys() {
            let Some(chain) = self.chain_from(name, |chain, next| chain.first() == Some(next)) else {
                continue;
            };
            let members: BTreeSet<String> = chain.iter().cloned().collect();
            if told.insert(members) {
                let message = format!("model `{name}` leads back to itself: {}", shown(&chain));
                self.report(&Route::keys(&["models", name, "targets"]), message, "a circle", None);
            }
        }
        // Whatever leads into a circle leads too deep as well; that is told already.
        for name in config.models.keys().filter(|_| told.is_empty()) {
            if let Some(chain) = self.chain_from(name, |chain, _| chain.len() > DEEPEST) {
                let message =
                    format!("model `{name}` leads through more than {DEEPEST} models: {}", shown(&chain));
                self.report(&Route::keys(&["models", name, "targets"]), message, "too deep", None);
                return;
            }
        }
    }

    /// The first chain of models from this one on that, with one more, is what is looked for.
    fn chain_from(&self, start: &str, found: impl Fn(&[String], &String) -> bool) -> Option<Vec<String>> {
        let mut open = vec![vec![start.to_owned()]];
        let mut seen = BTreeSet::new();
        while let Some(chain) = open.pop() {
            for next in self.models_in(chain.last()?) {
                let is_found = found(&chain, &next);
                let mut longer = chain.clone();
                longer.push(next.clone());
                if is_found {
                    return Some(longer);
                }
                if longer.len() <= self.config.models.len() && seen.insert((longer.len(), next)) {
                    open.push(longer);
                }
            }
        }
        None
    }

    /// The models a model points at, by the names they are configured under.
    fn models_in(&self, name: &str) -> Vec<String> {
        let Some(model) = self.config.models.get(name) else { return Vec::new() };
        let destinations =
            model.targets.iter().map(Target::destination).chain(model.fallback.iter().cloned());
        let nested = destinations.filter_map(|to| match to {
            Destination::Model(name) => self.config.model_named(&name).map(|(name, _)| name.to_owned()),
            Destination::Provider(_) => None,
        });
        nested.collect()
    }

    pub(super) fn routing(&mut self) {
        let routing = &self.config.routing;
        let route = Route::keys(&["routing", "session_headers"]);
        for (index, name) in routing.session_headers.iter().enumerate() {
            if HeaderName::try_from(name.as_str()).is_err() {
                let message = format!("`{name}` cannot be the name of a header");
                self.report(&route.index(index), message, "not a header", None);
            }
        }
        let Some(provider) = &routing.default_provider else { return };
        let route = Route::keys(&["routing", "default_provider"]);
        if !self.names.providers.contains(provider) {
            let known: Vec<&str> = self.names.providers.iter().map(String::as_str).collect();
            let message = format!("the default provider `{provider}` is not configured");
            return self.unknown_name(&route, message, "no such provider", provider, &known);
        }
        if self.config.models.contains_key("*") {
            let message = "the model `*` takes every name, so the default provider is never asked";
            self.report(&route, message, "never used", Some("leave one of the two out".to_owned()));
        }
    }
}

fn shown(chain: &[String]) -> String {
    let names: Vec<_> = chain.iter().map(|name| format!("`{name}`")).collect();
    names.join(" → ")
}
