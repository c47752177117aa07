//! How much a key of the file may ask: its own limits and budget, and those of its team.

use std::sync::Arc;

use crate::config::{self, Config};
use crate::domain::{Allowance, Bounds, CalendarUnit, Period, Scope};

/// Everything that holds for requests with this key, but for what holds for everybody.
pub(super) fn of_key(config: &Config, name: &str, key: &config::Key) -> Arc<[Bounds]> {
    let own = key.limits.over(config.defaults.key.limits);
    let own = bounds(Scope::Key(name.into()), own, key.budget.as_ref());
    let team = key.team.as_deref().and_then(|name| {
        let team = config.teams.get(name)?;
        Some(bounds(Scope::Team(name.into()), team.limits, team.budget.as_ref()))
    });
    [own].into_iter().chain(team).filter(Bounds::is_any).collect()
}

fn bounds(scope: Scope, limits: config::Limits, budget: Option<&config::Budget>) -> Bounds {
    Bounds {
        scope,
        requests: limits.requests.into_iter().collect(),
        tokens: limits.tokens.into_iter().collect(),
        concurrent: limits.concurrent,
        money: budget.map(allowance).into_iter().collect(),
    }
}

fn allowance(budget: &config::Budget) -> Allowance {
    let calendar = |unit| Period::Calendar(unit, None);
    Allowance {
        name: "budget".into(),
        limit: budget.usd,
        period: match budget.per {
            config::Period::Hour => calendar(CalendarUnit::Hour),
            config::Period::Day => calendar(CalendarUnit::Day),
            config::Period::Week => calendar(CalendarUnit::Week),
            config::Period::Month => calendar(CalendarUnit::Month),
            config::Period::Total => Period::Total,
        },
        warn_at: budget.warn_at.clone(),
        downgrade: None,
        raises: Vec::new(),
    }
}
