//! What is known of keys and people, in memory, and what a request may do that comes with one of the keys.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::allowed::Allowed;
use super::records::{KeyRecord, SignUpRecord, TeamRecord, TierPlan, TierRecord, UserRecord};
use crate::config::ModelPattern;
use crate::domain::{
    AddressRange, Allowance, Bounds, CalendarUnit, Micros, Pattern, Period, Scope, VirtualKey,
};

/// What the configuration says of keys and people. It is read only.
#[derive(Clone, Debug, Default)]
pub struct InFile {
    /// Its keys, without their secrets.
    pub keys: BTreeMap<String, KeyRecord>,
    /// Its teams.
    pub teams: BTreeMap<String, TeamRecord>,
    /// Strangers may sign up.
    pub sign_up: bool,
}

/// Everything in memory.
#[derive(Default)]
pub(super) struct Known {
    pub(super) in_file: InFile,
    pub(super) keys: BTreeMap<String, KeyRecord>,
    pub(super) users: BTreeMap<String, UserRecord>,
    pub(super) teams: BTreeMap<String, TeamRecord>,
    pub(super) tiers: BTreeMap<String, TierRecord>,
    pub(super) sign_ups: BTreeMap<String, SignUpRecord>,
    /// What each user's top-ups come to.
    pub(super) topped_up: BTreeMap<String, i64>,
    /// When each key was used last, Unix time.
    pub(super) used: BTreeMap<String, Arc<AtomicU64>>,
    by_hash: HashMap<[u8; 16], Held>,
}

/// A secret that lets somebody in.
pub(super) struct Held {
    pub(super) hash: blake3::Hash,
    pub(super) key: Arc<VirtualKey>,
    pub(super) used: Arc<AtomicU64>,
}

impl Known {
    /// Nothing but what the configuration says.
    pub(super) fn of(in_file: InFile) -> Self {
        Self { in_file, ..Self::default() }
    }

    /// The secret with this hash, compared in constant time.
    pub(super) fn held(&self, hash: &blake3::Hash) -> Option<&Held> {
        self.by_hash.get(&beginning(hash)).filter(|held| held.hash == *hash)
    }

    /// A team of the file or the store.
    pub(super) fn team(&self, name: &str) -> Option<&TeamRecord> {
        self.in_file.teams.get(name).or_else(|| self.teams.get(name))
    }

    /// A user by address, whatever its capital letters.
    pub(super) fn user_at(&self, email: &str) -> Option<&UserRecord> {
        self.users.values().find(|user| user.email.eq_ignore_ascii_case(email))
    }

    /// A user by id or address.
    pub(super) fn user_named(&self, name: &str) -> Option<&UserRecord> {
        self.users.get(name).or_else(|| self.user_at(name))
    }

    /// Takes the place of what was known of a key.
    pub(super) fn put_key(&mut self, record: KeyRecord) {
        self.forget_secrets(&record.name);
        self.used.entry(record.name.clone()).or_default();
        let held = self.secrets_of(&record);
        self.take(held);
        self.keys.insert(record.name.clone(), record);
    }

    /// What the secrets of the keys let in that fit, worked out anew. It may take a while where there are many; readers
    /// are not held up by it.
    pub(super) fn compiled_where(&self, fits: impl Fn(&Self, &KeyRecord) -> bool) -> Vec<Held> {
        let fitting = self.keys.values().filter(|key| fits(self, key));
        fitting.flat_map(|key| self.secrets_of(key)).collect()
    }

    /// Lets secrets count as they were worked out.
    pub(super) fn take(&mut self, held: Vec<Held>) {
        for held in held {
            self.by_hash.insert(beginning(&held.hash), held);
        }
    }

    fn forget_secrets(&mut self, name: &str) {
        let Some(before) = self.keys.get(name) else { return };
        for secret in &before.secrets {
            if let Ok(hash) = blake3::Hash::from_hex(&secret.hash) {
                self.by_hash.remove(&beginning(&hash));
            }
        }
    }

    fn secrets_of(&self, record: &KeyRecord) -> Vec<Held> {
        if record.revoked.is_some() {
            return Vec::new();
        }
        let key = self.compiled(record);
        let used = self.used.get(&record.name).map(Arc::clone).unwrap_or_default();
        let mut held = Vec::with_capacity(record.secrets.len());
        for secret in &record.secrets {
            let Ok(hash) = blake3::Hash::from_hex(&secret.hash) else {
                tracing::error!(key = record.name, "the hash of a secret is none; nobody gets in with it");
                continue;
            };
            // A secret that was replaced ends when its overlap does, or with the key.
            let ends_first =
                secret.until.filter(|until| record.expires.is_none_or(|expires| *until < expires));
            let key = match ends_first {
                None => Arc::clone(&key),
                Some(_) => {
                    Arc::new(VirtualKey { expires: ends_first, replaced: true, ..VirtualKey::clone(&key) })
                }
            };
            held.push(Held { hash, key, used: Arc::clone(&used) });
        }
        held
    }

    /// What a request with this key may do: never more than its user, their tier and its team.
    pub(super) fn compiled(&self, record: &KeyRecord) -> Arc<VirtualKey> {
        let owner = record.owner.as_deref().map(|id| self.users.get(id));
        let team = record.team.as_deref().map(|name| self.team(name));
        let closed = self.closed(record);
        let owner = owner.flatten();
        let team = team.flatten();
        let tier = owner.and_then(|user| self.tiers.get(user.tier.as_deref()?));
        let own = bounds_of_key(record);
        let of_user = owner.map(|user| self.bounds_of(user));
        let of_team = team.map(bounds_of_team);
        let lists = [
            owner.and_then(|user| user.models.as_deref()),
            tier.and_then(|tier| tier.models.as_deref()),
            team.and_then(|team| team.models.as_deref()),
        ];
        let addresses = [Some(&record.addresses), owner.map(|user| &user.addresses)];
        let filled = |list: Option<&Vec<AddressRange>>| {
            list.filter(|list| !list.is_empty()).map(|list| list.as_slice().into())
        };
        Arc::new(VirtualKey {
            team: record.team.as_deref().map(Arc::from),
            user: record.owner.as_deref().map(Arc::from),
            bounds: [Some(own), of_user, of_team].into_iter().flatten().filter(Bounds::is_any).collect(),
            models: record.models.as_deref().map(|models| patterns(models).collect()),
            within: lists.into_iter().flatten().map(|list| patterns(list).collect()).collect(),
            addresses: addresses.into_iter().filter_map(filled).collect(),
            expires: record.expires,
            closed: closed.map(Arc::from),
            preferences: record.preferences,
            tags: record.tags.clone(),
            ..VirtualKey::named(&record.name)
        })
    }

    /// Why no request is taken with a key, for the client.
    pub(super) fn closed(&self, record: &KeyRecord) -> Option<String> {
        if record.disabled {
            return Some("the api key is disabled".to_owned());
        }
        if let Some(team) = &record.team
            && self.team(team).is_none()
        {
            return Some(format!("the team `{team}` of the api key is gone"));
        }
        let user = match record.owner.as_deref().map(|name| self.user_named(name)) {
            None => return None,
            Some(None) => return Some("the user of the api key is gone".to_owned()),
            Some(Some(user)) => user,
        };
        if user.disabled {
            return Some("the user of the api key is disabled".to_owned());
        }
        if let Some(tier) = user.tier.as_ref().filter(|tier| !self.tiers.contains_key(*tier)) {
            return Some(format!("the tier `{tier}` of the api key's user is gone"));
        }
        let left = record.team.as_ref().filter(|team| !user.teams.contains(team))?;
        Some(format!("the user of the api key has left the team `{left}`"))
    }

    /// A key of the configuration, held to its user as those of the store are to theirs.
    pub(super) fn held_to_owner(&self, key: &VirtualKey, owner: &str) -> VirtualKey {
        let Some(user) = self.user_named(owner) else {
            let closed = key.closed.clone().or_else(|| Some("the user of the api key is gone".into()));
            return VirtualKey { closed, ..key.clone() };
        };
        let record = KeyRecord { owner: Some(user.id.clone()), ..KeyRecord::named(&key.id) };
        let owned = self.compiled(&record);
        VirtualKey {
            user: owned.user.clone(),
            bounds: key.bounds.iter().chain(owned.bounds.iter()).cloned().collect(),
            within: key.within.iter().chain(&owned.within).cloned().collect(),
            addresses: key.addresses.iter().chain(&owned.addresses).cloned().collect(),
            closed: key.closed.clone().or_else(|| owned.closed.clone()),
            ..key.clone()
        }
    }

    /// How much a user may ask and spend: what is theirs, and what their tier gives.
    pub(super) fn bounds_of(&self, user: &UserRecord) -> Bounds {
        let tier = user.tier.as_deref().and_then(|name| self.tiers.get(name));
        let (requests, tokens, concurrent) = user.allowed.over(tier.map(|tier| &tier.allowed));
        let mut money: Vec<Allowance> = user.allowed.money().collect();
        let of_tier = |name: &str, limit: i64, period: Period| Allowance {
            name: name.into(),
            limit: Micros(limit.max(0)),
            raises: user.allowed.raises(),
            period,
            warn_at: Vec::new(),
            downgrade: None,
        };
        match tier.map(|tier| &tier.plan) {
            Some(TierPlan::PayAsYouGo { floor_micros }) => {
                let paid = self.topped_up.get(&user.id).copied().unwrap_or(0);
                money.push(of_tier("balance", paid.saturating_sub(*floor_micros), Period::Total));
            }
            Some(TierPlan::Subscription { allowance_micros, time_zone }) => {
                let month = Period::Calendar(CalendarUnit::Month, time_zone.as_deref().map(Arc::from));
                money.push(of_tier("subscription", *allowance_micros, month));
            }
            Some(TierPlan::Unlimited) | None => {}
        }
        Bounds { scope: Scope::User(user.id.as_str().into()), requests, tokens, concurrent, money }
    }

    /// What a user may spend and ask, for comparing a key's wishes with: their own and their tier's.
    pub(super) fn limits_of(&self, user: &UserRecord) -> Allowed {
        let tier = user.tier.as_deref().and_then(|name| self.tiers.get(name));
        let (requests, tokens, concurrent) = user.allowed.over(tier.map(|tier| &tier.allowed));
        Allowed { requests, tokens, concurrent, budgets: user.allowed.budgets.clone(), credits: Vec::new() }
    }
}

pub(super) fn bounds_of_key(key: &KeyRecord) -> Bounds {
    key.allowed.bounds(Scope::Key(key.name.as_str().into()))
}

pub(super) fn bounds_of_team(team: &TeamRecord) -> Bounds {
    team.allowed.bounds(Scope::Team(team.name.as_str().into()))
}

fn patterns(models: &[ModelPattern]) -> impl Iterator<Item = Pattern> {
    models.iter().map(|model| model.pattern().clone())
}

/// What a hash is found by.
fn beginning(hash: &blake3::Hash) -> [u8; 16] {
    let [beginning @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = hash.as_bytes();
    *beginning
}
