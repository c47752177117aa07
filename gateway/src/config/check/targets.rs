//! Checks of `[plugins]`, `[models]` and `[prices]`. Where a model's requests may go is checked in `destinations`.

use super::Check;
use crate::config::tree::Route;
use crate::config::{Model, ModelPattern, Params, Price, Source, TargetName};
use crate::domain::{ByteSize, Micros, Timespan};

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
                let route = route.key("targets").index(index);
                self.cap_of(target, &route);
                if let Some(price) = &target.price {
                    self.price(price, &route.key("price"));
                }
                self.target(name, target, &route);
            }
            for (index, to) in model.fallback.iter().enumerate() {
                self.destination(name, to, &route.key("fallback").index(index));
            }
            self.hedge(name, model, &route);
            let on = [
                ("content-policy", &model.fallback_on.content_policy),
                ("context-length", &model.fallback_on.context_length),
            ];
            for (reason, targets) in on {
                for (index, to) in targets.iter().enumerate() {
                    self.destination(name, to, &route.key("fallback_on").key(reason).index(index));
                }
            }
            self.somebody_serves(name, model, &route.key("targets"));
        }
        self.circles();
    }

    fn hedge(&mut self, name: &str, model: &Model, route: &Route) {
        let Some(hedge) = &model.hedge else { return };
        if hedge.after.fixed().is_some_and(|after| after.is_zero()) {
            let message = format!("model `{name}` would ask two targets at once");
            let help = Some("write how long the first has, as in \"800ms\"".to_owned());
            self.report(&route.key("hedge").key("after"), message, "zero", help);
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

    pub(super) fn prices(&mut self) {
        for (name, price) in &self.config.prices {
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
            self.price(price, &route);
        }
    }

    pub(super) fn price(&mut self, price: &Price, route: &Route) {
        for (above, key, amount) in price.amounts() {
            if amount < Micros(0) {
                let route = above.map_or(route.clone(), |index| route.key("above").index(index)).key(key);
                self.report(&route, format!("a price of {amount}"), "below zero", None);
            }
        }
        let mut steps: Vec<u64> = price.above.iter().map(|above| above.tokens).collect();
        steps.sort_unstable();
        if steps.windows(2).any(|pair| pair.first() == pair.last()) {
            let message = "two prices for prompts of the same length".to_owned();
            self.report(&route.key("above"), message, "twice", None);
        }
        let Some(currency) = &price.currency else { return };
        if !self.config.currencies.contains_key(currency) {
            let known: Vec<&str> = self.config.currencies.keys().map(String::as_str).collect();
            let message = format!("a price in `{currency}`, which is not in `[currencies]`");
            let help = crate::config::suggest::did_you_mean(currency, known, "there are:");
            self.report(&route.key("currency"), message, "no such currency", help);
        }
    }

    pub(super) fn currencies(&mut self) {
        for (name, rate) in &self.config.currencies {
            if *rate <= Micros(0) {
                let route = Route::keys(&["currencies", name]);
                let message = format!("one {name} would be {rate} US dollars");
                self.report(&route, message, "not above zero", None);
            }
        }
    }
}
