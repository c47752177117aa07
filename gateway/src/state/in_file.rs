//! What the configuration says of keys and people, for those who manage the others.

use std::collections::BTreeMap;

use crate::config::{self, Config};
use crate::domain::{CalendarUnit, VirtualKey};
use crate::people::{Allowed, Budget, InFile, KeyRecord, Per, TeamRecord};

/// The keys and teams of a configuration. `extra` are keys that stand in no file.
pub fn in_file<'a>(config: &Config, extra: impl IntoIterator<Item = &'a VirtualKey>) -> InFile {
    let mut keys: BTreeMap<_, _> =
        config.keys.iter().map(|(name, own)| (name.clone(), key(config, name, own))).collect();
    for extra in extra {
        keys.insert(extra.id.to_string(), KeyRecord::named(&extra.id));
    }
    let team = |(name, team): (&String, &config::Team)| {
        let allowed = allowed(&team.limits, team.budget.as_ref());
        (name.clone(), TeamRecord { allowed, ..TeamRecord::named(name) })
    };
    InFile { keys, teams: config.teams.iter().map(team).collect(), sign_up: config.people.sign_up }
}

fn key(config: &Config, name: &str, key: &config::Key) -> KeyRecord {
    KeyRecord {
        owner: key.user.clone(),
        team: key.team.clone(),
        tags: key.tags.clone(),
        expires: key.expires.as_ref().map(|moment| moment.seconds),
        disabled: key.disabled,
        models: key.models.clone(),
        addresses: key.addresses.clone(),
        preferences: key.preferences,
        log: key.log,
        allowed: allowed(&key.limits.over(&config.defaults.key.limits), key.budget.as_ref()),
        ..KeyRecord::named(name)
    }
}

/// The period of a budget.
pub(super) fn per(budget: &config::Budget) -> Per {
    match budget.per {
        config::Period::Hour => Per::Calendar(CalendarUnit::Hour),
        config::Period::Day => Per::Calendar(CalendarUnit::Day),
        config::Period::Week => Per::Calendar(CalendarUnit::Week),
        config::Period::Month => Per::Calendar(CalendarUnit::Month),
        config::Period::Total => Per::Total,
        config::Period::Rolling(time) => Per::Rolling(time),
    }
}

fn allowed(limits: &config::Windows, budget: Option<&config::Budget>) -> Allowed {
    let budget = budget.map(|budget| Budget {
        limit_micros: budget.usd.get(),
        per: per(budget),
        time_zone: budget.zone.clone(),
        warn_at: budget.warn_at.clone(),
        downgrade: budget.downgrade.clone(),
    });
    let list =
        |rates: &Option<config::Rates>| rates.as_ref().map(|rates| rates.0.clone()).unwrap_or_default();
    Allowed {
        requests: list(&limits.requests),
        tokens: list(&limits.tokens),
        concurrent: limits.concurrent,
        budgets: budget.into_iter().collect(),
        credits: Vec::new(),
    }
}
