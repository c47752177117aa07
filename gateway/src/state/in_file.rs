//! What the configuration says of keys and people, for those who manage the others.

use std::collections::BTreeMap;

use super::bounds;
use crate::config::{self, Config};
use crate::domain::VirtualKey;
use crate::people::{InFile, KeyRecord, TeamRecord};

/// The keys and teams of a configuration. `extra` are keys that stand in no file.
pub fn in_file<'a>(config: &Config, extra: impl IntoIterator<Item = &'a VirtualKey>) -> InFile {
    let mut keys: BTreeMap<_, _> =
        config.keys.iter().map(|(name, own)| (name.clone(), key(config, name, own))).collect();
    for extra in extra {
        keys.insert(extra.id.to_string(), KeyRecord::named(&extra.id));
    }
    let team = |(name, team): (&String, &config::Team)| {
        let allowed = bounds::allowed(&team.limits, team.budget.as_ref());
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
        allowed: bounds::allowed_by_key(config, key),
        ..KeyRecord::named(name)
    }
}
