//! How much may be asked and spent, as the configuration says it: written down as that of a key or team of the store is, so
//! that the limits make the same of both.

use std::sync::Arc;

use crate::config::{self, Config};
use crate::domain::{Bounds, CalendarUnit, Scope};
use crate::people::{Allowed, Budget, Credit, Per};

/// Everything that holds for requests with this key, but for what holds for everybody.
pub(super) fn of_key(config: &Config, name: &str, key: &config::Key) -> Arc<[Bounds]> {
    let own = allowed_by_key(config, key).bounds(Scope::Key(name.into()));
    let team = key.team.as_deref().and_then(|name| {
        let team = config.teams.get(name)?;
        Some(allowed(&team.limits, team.budget.as_ref()).bounds(Scope::Team(name.into())))
    });
    [own].into_iter().chain(team).filter(Bounds::is_any).collect()
}

/// What a key of the file allows by itself.
pub(super) fn allowed_by_key(config: &Config, key: &config::Key) -> Allowed {
    allowed(&key.limits.over(&config.defaults.key.limits), key.budget.as_ref())
}

/// What these windows and this budget allow.
pub(super) fn allowed(windows: &config::Windows, budget: Option<&config::Budget>) -> Allowed {
    let list =
        |rates: &Option<config::Rates>| rates.as_ref().map(|rates| rates.0.clone()).unwrap_or_default();
    let raises = budget.map(|budget| budget.raises.as_slice()).unwrap_or_default();
    Allowed {
        requests: list(&windows.requests),
        tokens: list(&windows.tokens),
        concurrent: windows.concurrent,
        budgets: budget.map(written).into_iter().collect(),
        credits: raises.iter().enumerate().map(credit).collect(),
    }
}

fn written(budget: &config::Budget) -> Budget {
    Budget {
        limit_micros: budget.usd.get(),
        per: match budget.per {
            config::Period::Hour => Per::Calendar(CalendarUnit::Hour),
            config::Period::Day => Per::Calendar(CalendarUnit::Day),
            config::Period::Week => Per::Calendar(CalendarUnit::Week),
            config::Period::Month => Per::Calendar(CalendarUnit::Month),
            config::Period::Total => Per::Total,
            config::Period::Rolling(time) => Per::Rolling(time),
        },
        time_zone: budget.zone.clone(),
        warn_at: budget.warn_at.clone(),
        downgrade: budget.downgrade.clone(),
    }
}

/// A raise of the file is a credit that nobody can end over the admin API.
fn credit((number, raise): (usize, &config::Raise)) -> Credit {
    Credit {
        id: format!("raise-{}", number + 1),
        amount_micros: raise.usd.get(),
        from: raise.from.as_ref().map_or(0, |moment| moment.seconds),
        until: raise.until.as_ref().map(|moment| moment.seconds),
        reason: String::new(),
        by: "file".to_owned(),
    }
}
