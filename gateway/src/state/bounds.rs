//! How much may be asked and spent, as the configuration says it: by a key and its team, of a model, by everybody.

use std::sync::Arc;

use crate::config::{self, Config};
use crate::domain::{Allowance, Bounds, CalendarUnit, Period, Raise, Scope};

/// Everything that holds for requests with this key, but for what holds for everybody.
pub(super) fn of_key(config: &Config, name: &str, key: &config::Key) -> Arc<[Bounds]> {
    let own = key.limits.over(&config.defaults.key.limits);
    let own = of(Scope::Key(name.into()), &own, key.budget.as_ref());
    let team = key.team.as_deref().and_then(|name| {
        let team = config.teams.get(name)?;
        Some(of(Scope::Team(name.into()), &team.limits, team.budget.as_ref()))
    });
    [own].into_iter().chain(team).filter(Bounds::is_any).collect()
}

/// What these windows and this budget allow.
pub(super) fn of(scope: Scope, windows: &config::Windows, budget: Option<&config::Budget>) -> Bounds {
    let list =
        |rates: &Option<config::Rates>| rates.as_ref().map(|rates| rates.0.clone()).unwrap_or_default();
    Bounds {
        scope,
        requests: list(&windows.requests),
        tokens: list(&windows.tokens),
        concurrent: windows.concurrent,
        money: budget.map(allowance).into_iter().collect(),
    }
}

fn allowance(budget: &config::Budget) -> Allowance {
    let calendar = |unit| Period::Calendar(unit, budget.zone.as_deref().map(Arc::from));
    let raise = |raise: &config::Raise| Raise {
        micros: raise.usd,
        from: raise.from.as_ref().map_or(0, |moment| moment.seconds),
        until: raise.until.as_ref().map(|moment| moment.seconds),
    };
    Allowance {
        // As `people` calls it: a team of the file has one counter, for keys of the file and for those made at run time.
        name: format!("budget-{}", super::in_file::per(budget)).into(),
        limit: budget.usd,
        period: match budget.per {
            config::Period::Hour => calendar(CalendarUnit::Hour),
            config::Period::Day => calendar(CalendarUnit::Day),
            config::Period::Week => calendar(CalendarUnit::Week),
            config::Period::Month => calendar(CalendarUnit::Month),
            config::Period::Total => Period::Total,
            config::Period::Rolling(time) => Period::Rolling(time.get()),
        },
        warn_at: budget.warn_at.clone(),
        downgrade: budget.downgrade.as_deref().map(Arc::from),
        raises: budget.raises.iter().map(raise).collect(),
    }
}
