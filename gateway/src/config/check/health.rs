//! Checks of `breaker`, `degrade`, `cool_down` and `probe`.

use super::Check;
use crate::config::health::{Breaker, Degrade, Probe, Switch};
use crate::config::tree::Route;
use crate::domain::Timespan;

impl Check<'_> {
    /// What `[defaults.model]` and each model say.
    pub(super) fn health(&mut self) {
        let defaults = self.config.defaults.model;
        let route = Route::keys(&["defaults", "model"]);
        self.care(Some(defaults.breaker), Some(defaults.degrade), &route);
        for (name, model) in &self.config.models {
            self.care(model.breaker, model.degrade, &Route::keys(&["models", name]));
        }
        for (name, provider) in &self.config.providers {
            if let Some(probe) = &provider.probe {
                self.probe(probe, &Route::keys(&["providers", name, "probe"]));
            }
        }
    }

    fn care(&mut self, breaker: Option<Switch<Breaker>>, degrade: Option<Switch<Degrade>>, route: &Route) {
        let breaker = breaker.and_then(Switch::settings);
        if let Some(Breaker { open, longest, window, .. }) = breaker {
            let route = route.key("breaker");
            if open == Timespan::default() {
                self.report(
                    &route.key("open"),
                    "a circuit that opens must be open for a while",
                    "zero",
                    None,
                );
            }
            if longest < open {
                let message = format!(
                    "the longest time a circuit is open ({longest}) is shorter than the first ({open})"
                );
                self.report(&route.key("longest"), message, "shorter than `open`", None);
            }
            if window == Some(Timespan::default()) {
                let help = Some("leave it out when failures count however far apart they are".to_owned());
                self.report(&route.key("window"), "no two failures lie within no time", "zero", help);
            }
        }
        if let Some(Degrade { window, .. }) = degrade.and_then(Switch::settings)
            && !(Timespan::seconds(10)..=Timespan::seconds(3600)).contains(&window)
        {
            let message = "the window of `degrade` must be from 10s to 1h";
            self.report(&route.key("degrade").key("window"), message, "out of range", None);
        }
    }

    fn probe(&mut self, probe: &Probe, route: &Route) {
        if probe.every < Timespan::seconds(1) {
            self.report(&route.key("every"), "a target is probed once a second at most", "too often", None);
        }
        if probe.timeout == Timespan::default() {
            self.report(&route.key("timeout"), "nothing answers in no time", "zero", None);
        }
        if probe.model.as_deref() == Some("") {
            self.report(&route.key("model"), "the model to probe has no name", "empty", None);
        }
    }
}
