//! Checks of `[keys]`, `[teams]` and budgets.

use std::collections::HashMap;

use super::Check;
use super::providers::is_header_text;
use crate::config::tree::Route;
use crate::config::{Budget, Key, ModelPattern};
use crate::domain::period::is_time_zone;
use crate::domain::{Micros, Secret};

/// Shortest secret of a virtual key.
const SHORTEST_SECRET: usize = 16;

impl<'a> Check<'a> {
    pub(super) fn keys(&mut self) {
        let mut seen: HashMap<&'a Secret, &'a str> = HashMap::new();
        for (name, key) in &self.config.keys {
            let route = Route::keys(&["keys", name]);
            self.secret(name, key);
            if !key.secret.expose().is_empty()
                && let Some(other) = seen.insert(&key.secret, name)
            {
                let message = format!("key `{name}` has the same secret as key `{other}`");
                self.report(&route.key("secret"), message, "the same", None);
            }
            if let Some(team) = key.team.as_ref().filter(|team| !self.names.teams.contains(team)) {
                let known: Vec<&str> = self.names.teams.iter().map(String::as_str).collect();
                let message = format!("key `{name}` belongs to team `{team}`, which is not configured");
                self.unknown_name(&route.key("team"), message, "no such team", team, &known);
            }
            for (index, pattern) in key.models.iter().flatten().enumerate() {
                self.model_of_key(name, pattern, &route.key("models").index(index));
            }
        }
    }

    fn secret(&mut self, name: &str, key: &Key) {
        let route = Route::keys(&["keys", name, "secret"]);
        let secret = key.secret.expose();
        let make = || Some("`causeway keys create` makes good ones".to_owned());
        if secret.is_empty() {
            self.report(&route, format!("the secret of key `{name}` is empty"), "empty", make());
        } else if !is_header_text(secret) {
            let message =
                format!("the secret of key `{name}` holds white space or a character no header may carry");
            self.report(&route, message, "not a key", make());
        } else if secret.len() < SHORTEST_SECRET {
            let message = format!("the secret of key `{name}` has fewer than {SHORTEST_SECRET} characters");
            self.report(&route, message, "too short", make());
        }
    }

    /// A key's entry must let it ask for something: a configured name, one that a configured pattern covers,
    /// or a pattern that covers a configured name.
    fn model_of_key(&mut self, key: &str, pattern: &ModelPattern, route: &Route) {
        let known: Vec<&str> = self.names.models.iter().map(String::as_str).collect();
        let covered = |name: &&str| {
            *name == pattern.as_str()
                || pattern.matches(name)
                || name.parse::<ModelPattern>().is_ok_and(|model| model.matches(pattern.as_str()))
        };
        if pattern.as_str() == "*" || known.iter().any(covered) || self.is_addressed(pattern.as_str()) {
            return;
        }
        let message = format!("key `{key}` may ask for model `{pattern}`, which is not configured");
        self.unknown_name(route, message, "no such model", pattern.as_str(), &known);
    }

    /// Names that are no models may mean something all the same.
    fn is_addressed(&self, name: &str) -> bool {
        let routing = &self.config.routing;
        let provider = name.split_once('/').map_or("", |(provider, _)| provider);
        let addressed = routing.addressing && self.names.providers.iter().any(|known| known == provider);
        addressed || routing.default_provider.is_some()
    }

    pub(super) fn budgets(&mut self) {
        for (name, key) in &self.config.keys {
            self.budget(&Route::keys(&["keys", name, "budget"]), key.budget.as_ref());
        }
        for (name, team) in &self.config.teams {
            self.budget(&Route::keys(&["teams", name, "budget"]), team.budget.as_ref());
        }
        for (name, model) in &self.config.models {
            self.budget(&Route::keys(&["models", name, "budget"]), model.budget.as_ref());
        }
        self.budget(&Route::keys(&["limits", "budget"]), self.config.limits.budget.as_ref());
    }

    fn budget(&mut self, route: &Route, budget: Option<&'a Budget>) {
        let Some(budget) = budget else { return };
        if budget.usd == Micros::default() && budget.raises.is_empty() {
            let help = Some("leave the budget out for no limit".to_owned());
            let message = format!("`{route}` is zero: nothing would ever pass");
            self.report(&route.key("usd"), message, "zero", help);
        }
        if let Some(zone) = budget.zone.as_deref().filter(|zone| !is_time_zone(zone)) {
            let help = Some("write the name of an IANA time zone, as in \"Europe/Berlin\"".to_owned());
            self.report(&route.key("zone"), format!("there is no time zone `{zone}`"), "not known", help);
        }
        let covers = |model: &str| self.config.model_named(model).is_some() || self.is_addressed(model);
        if let Some(model) = budget.downgrade.as_deref().filter(|model| !covers(model)) {
            let known: Vec<&str> = self.names.models.iter().map(String::as_str).collect();
            let message = format!("`{route}` goes down to model `{model}`, which is not configured");
            self.unknown_name(&route.key("downgrade"), message, "no such model", model, &known);
        }
    }
}
