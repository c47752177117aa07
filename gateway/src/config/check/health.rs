//! Checks of `breaker`, `degrade`, `cool_down` and `probe`.

use super::Check;
use crate::config::health::{Breaker, CoolDown, Degrade, Probe, Switch};
use crate::config::tree::Route;
use crate::domain::Timespan;

/// What a target's rest is cut at, whoever says how long.
const LONGEST: Timespan = Timespan::seconds(7 * 24 * 3600);

impl Check<'_> {
    /// What `[defaults.model]` and each model say.
    pub(super) fn health(&mut self) {
        let defaults = self.config.defaults.model;
        let route = Route::keys(&["defaults", "model"]);
        self.care(Some(defaults.breaker), Some(defaults.degrade), &route);
        self.cool_down(&defaults.cool_down, &route);
        for (name, model) in &self.config.models {
            let route = Route::keys(&["models", name]);
            self.care(model.breaker, model.degrade, &route);
            if let Some(cool_down) = &model.cool_down {
                self.cool_down(cool_down, &route);
            }
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
            self.not_too_long(longest, &route.key("longest"));
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

    fn cool_down(&mut self, cool_down: &CoolDown, route: &Route) {
        let CoolDown { missing, rate, longest_rate, longest_overload } = *cool_down;
        for (name, time) in [
            ("missing", missing),
            ("rate", rate),
            ("longest_rate", longest_rate),
            ("longest_overload", longest_overload),
        ] {
            self.not_too_long(time, &route.key("cool_down").key(name));
        }
    }

    fn not_too_long(&mut self, time: Timespan, route: &Route) {
        if time > LONGEST {
            let message = format!("no target rests longer than {LONGEST}");
            self.report(route, message, "too long", None);
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
