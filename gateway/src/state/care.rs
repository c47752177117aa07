//! How a model's targets are looked after, out of its own words and the defaults.

use std::time::Duration;

use crate::config::health::{self, CoolDown};
use crate::config::{self, ModelDefaults};
use crate::route::{Breaker, Care, Degrade, Rests};

/// What holds for a model.
pub(super) fn of(model: &config::Model, defaults: &ModelDefaults) -> Care {
    let breaker = |settings: health::Breaker| Breaker {
        failures: settings.failures,
        window: settings.window.map(Duration::from),
        open: settings.open.into(),
        longest: settings.longest.into(),
        probes: settings.probes,
        successes: settings.successes,
    };
    let degrade = |settings: health::Degrade| Degrade {
        window: settings.window.into(),
        samples: settings.samples,
        rate: settings.rate,
    };
    let CoolDown { missing, rate, longest_rate, longest_overload } =
        model.cool_down.unwrap_or(defaults.cool_down);
    Care {
        breaker: model.breaker.unwrap_or(defaults.breaker).settings().map(breaker),
        degrade: model.degrade.unwrap_or(defaults.degrade).settings().map(degrade),
        rests: Rests {
            missing: missing.into(),
            rate: rate.into(),
            longest_rate: longest_rate.into(),
            longest_overload: longest_overload.into(),
        },
        keyless: true,
    }
}
