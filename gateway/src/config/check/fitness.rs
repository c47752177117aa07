//! Checks of what targets can and cannot do, and of `[routing] auto`.

use super::Check;
use crate::config::ModelPattern;
use crate::config::tree::Route;

impl Check<'_> {
    pub(super) fn abilities(&mut self) {
        for (name, model) in &self.config.models {
            for (index, target) in model.targets.iter().enumerate() {
                if target.terms.can.iter().any(|ability| target.terms.cannot.contains(ability)) {
                    let route = Route::keys(&["models", name]).key("targets").index(index).key("cannot");
                    let message = format!("a target of model `{name}` both can and cannot do the same");
                    self.report(&route, message, "in `can` too", None);
                }
            }
        }
        for (name, provider) in &self.config.providers {
            if provider.can.iter().any(|ability| provider.cannot.contains(ability)) {
                let message = format!("provider `{name}` both can and cannot do the same");
                let route = Route::keys(&["providers", name]).key("cannot");
                self.report(&route, message, "in `can` too", None);
            }
        }
    }

    pub(super) fn auto(&mut self) {
        let list = Route::keys(&["routing", "auto"]);
        let known: Vec<&str> = self.names.models.iter().map(String::as_str).collect();
        if !self.config.routing.auto.is_empty() && known.contains(&"auto") {
            let message = "there is a model `auto` beside what `auto` stands for";
            self.report(&list, message, "never asked", Some("give the model another name".to_owned()));
        }
        for (index, name) in self.config.routing.auto.iter().enumerate() {
            let fits = |known: &&str| known.parse::<ModelPattern>().is_ok_and(|known| known.matches(name));
            if !known.iter().any(fits) {
                let message = format!("`auto` names the model `{name}`, which is not configured");
                self.unknown_name(&list.index(index), message, "no such model", name, &known);
            }
        }
    }
}
