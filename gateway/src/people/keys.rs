//! Virtual keys: made, looked at, changed, given a new secret, taken back.

use serde::Deserialize;
use utoipa::ToSchema;

use super::fields::{self, BudgetInput, LimitsInput, given};
use super::known::Known;
use super::records::{KeyRecord, SecretRecord};
use super::{People, Refusal};
use crate::config::{LogPolicy, ModelPattern, moment::Moment};
use crate::domain::{AddressRange, Secret, Timespan};
use crate::store::{Key, Space};

mod rights;
mod view;

pub(super) use self::view::exposed;
use self::view::view;
pub use self::view::{IssuedKey, KeyView, SecretView};

/// So many letters of a secret are kept to know it again.
const PREFIX: usize = 8;
/// Longest time in which two secrets of a key may be used.
const LONGEST_OVERLAP: u64 = 90 * 24 * 60 * 60;

/// Who makes or changes a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Maker {
    /// An operator or a user who administers, by a name for the reader. They may make keys for anybody.
    Operator(String),
    /// A user for themselves, by id. They see and change their own keys only, and give them no more than they have.
    Member(String),
}

impl Maker {
    /// For the reader.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Operator(name) | Self::Member(name) => name,
        }
    }
}

/// A key to be made.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewKey {
    /// Its name, for good.
    #[schema(required, min_length = 1)]
    pub name: String,
    /// What it is for.
    pub note: String,
    /// Whose it is, by id. A member's is their own.
    pub owner: Option<String>,
    /// The team whose budget it shares; one of its owner's.
    pub team: Option<String>,
    /// Words for the conditions of models and targets. Operators only.
    pub tags: Vec<String>,
    /// When it ends. None: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Moment>,
    /// The models it may ask for, by name or pattern. None: all that its owner may.
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Option<Vec<ModelPattern>>,
    /// Where its requests may come from. Empty: anywhere.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<AddressRange>,
    /// Its requests may say which targets they want. Operators only.
    pub preferences: bool,
    /// What is stored of its requests. None: as the configuration says. Operators only.
    #[schema(value_type = Option<String>, pattern = "^(off|metadata|full)$")]
    pub log: Option<LogPolicy>,
    /// How much it may ask.
    pub limits: LimitsInput,
    /// How much it may spend.
    pub budgets: Vec<BudgetInput>,
}

/// What shall be different about a key. A field that is not there stays; one that is `null` is emptied.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangedKey {
    /// What it is for.
    pub note: Option<String>,
    /// It is not taken for now.
    pub disabled: Option<bool>,
    /// Whose it is, by id. Operators only.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub owner: Option<Option<String>>,
    /// The team whose budget it shares.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub team: Option<Option<String>>,
    /// Words for conditions. Operators only.
    pub tags: Option<Vec<String>>,
    /// When it ends.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Option<Moment>>,
    /// The models it may ask for.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Option<Option<Vec<ModelPattern>>>,
    /// Where its requests may come from.
    #[schema(value_type = Option<Vec<String>>)]
    pub addresses: Option<Vec<AddressRange>>,
    /// Its requests may say which targets they want. Operators only.
    pub preferences: Option<bool>,
    /// What is stored of its requests. Operators only.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, pattern = "^(off|metadata|full)$")]
    pub log: Option<Option<LogPolicy>>,
    /// How much it may ask: all of it anew.
    pub limits: Option<LimitsInput>,
    /// How much it may spend: all of it anew.
    pub budgets: Option<Vec<BudgetInput>>,
}

/// A new secret for a key.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rotation {
    /// How long the secret before it may still be used, as in `24h`. None: not at all.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{1,3}(s|m|h|d)$")]
    pub overlap: Option<Timespan>,
}

impl People {
    /// Makes a key. `secret` is a new one, 256 random bits.
    ///
    /// # Errors
    /// When a field is wrong, the name is taken, or the maker may not.
    pub async fn create_key(&self, maker: &Maker, new: NewKey, secret: Secret) -> Result<IssuedKey, Refusal> {
        let _one = self.changing.lock().await;
        let draft = self.draft_key(maker, &new, &secret)?;
        let key = self.add_key(draft).await?;
        Ok(IssuedKey { secret, key })
    }

    /// A key as it would be, if it may be so.
    pub(super) fn draft_key(
        &self,
        maker: &Maker,
        new: &NewKey,
        secret: &Secret,
    ) -> Result<KeyRecord, Refusal> {
        let record = self.drafted(maker, new, secret, self.now())?;
        let known = self.known.read();
        rights::check(&known, maker, &record)?;
        not_taken(&known, &record.name)?;
        Ok(record)
    }

    /// Writes a key that is new. The caller holds the lock of changes.
    pub(super) async fn add_key(&self, record: KeyRecord) -> Result<KeyView, Refusal> {
        self.shelf.put(at(&record.name), None, &record).await.map_err(|refusal| match refusal {
            Refusal::Conflict(_) => taken(&record.name),
            other => other,
        })?;
        Ok(self.adopt_key(record, self.now()).await)
    }

    /// All keys that somebody may see, in order of name; those of the configuration among them for operators.
    pub fn keys(&self, maker: &Maker) -> Vec<KeyView> {
        let (known, now) = (self.known.read(), self.now());
        let own = known.keys.values().filter(|key| may_see(maker, key));
        let mut views: Vec<_> = own.map(|key| view(&known, key, now, "store")).collect();
        if matches!(maker, Maker::Operator(_)) {
            views.extend(known.in_file.keys.values().map(|key| view(&known, key, now, "file")));
        }
        views.sort_by(|one, other| one.name.cmp(&other.name));
        views
    }

    /// One key.
    ///
    /// # Errors
    /// When there is none of that name, or it is somebody else's.
    pub fn key(&self, maker: &Maker, name: &str) -> Result<KeyView, Refusal> {
        let (known, now) = (self.known.read(), self.now());
        if let Some(key) = known.keys.get(name).filter(|key| may_see(maker, key)) {
            return Ok(view(&known, key, now, "store"));
        }
        let in_file = known.in_file.keys.get(name).filter(|_| matches!(maker, Maker::Operator(_)));
        in_file.map(|key| view(&known, key, now, "file")).ok_or_else(|| missing(name))
    }

    /// Changes a key. It counts from the next request on.
    ///
    /// # Errors
    /// When a field is wrong, there is no such key, it is revoked or in the file, or the maker may not.
    pub async fn change_key(
        &self,
        maker: &Maker,
        name: &str,
        change: ChangedKey,
    ) -> Result<KeyView, Refusal> {
        self.with_key(maker, name, |known, record, _| {
            let before = record.clone();
            change.put_into(record)?;
            rights::check_change(known, maker, &before, record)
        })
        .await
    }

    /// Gives a key a new secret. The one before may be used as long as is said, and those before that no longer than
    /// they might already.
    ///
    /// # Errors
    /// As [`People::change_key`].
    pub async fn rotate_key(
        &self,
        maker: &Maker,
        name: &str,
        rotation: Rotation,
        secret: Secret,
    ) -> Result<IssuedKey, Refusal> {
        let overlap = rotation.overlap.map_or(0, |overlap| std::time::Duration::from(overlap).as_secs());
        if overlap > LONGEST_OVERLAP {
            return Err(Refusal::invalid("overlap", "it is longer than 90 days"));
        }
        let fresh = |now| self.written(&secret, now);
        let key = self.with_key(maker, name, |_, record, now| {
            let ends = now.saturating_add(overlap);
            for before in &mut record.secrets {
                before.until = Some(before.until.map_or(ends, |until| until.min(ends)));
            }
            record.secrets.retain(|before| before.until.is_some_and(|until| until > now));
            record.secrets.insert(0, fresh(now));
            Ok(())
        });
        let key = key.await?;
        Ok(IssuedKey { secret, key })
    }

    /// Takes a key back for good. Its name stays taken: the ledger goes by it.
    ///
    /// # Errors
    /// As [`People::change_key`].
    pub async fn revoke_key(&self, maker: &Maker, name: &str) -> Result<KeyView, Refusal> {
        self.with_key(maker, name, |_, record, now| {
            record.revoked = Some(now);
            record.secrets.clear();
            Ok(())
        })
        .await
    }

    /// Reads a key, changes it, writes it, and lets it count.
    async fn with_key(
        &self,
        maker: &Maker,
        name: &str,
        change: impl FnOnce(&Known, &mut KeyRecord, u64) -> Result<(), Refusal>,
    ) -> Result<KeyView, Refusal> {
        let _one = self.changing.lock().await;
        let now = self.now();
        let found = self.shelf.get::<KeyRecord>(at(name)).await?;
        let Some((seen, mut record)) = found.filter(|(_, key)| may_see(maker, key)) else {
            let in_file = self.known.read().in_file.keys.contains_key(name);
            return Err(if in_file && matches!(maker, Maker::Operator(_)) {
                read_only(name)
            } else {
                missing(name)
            });
        };
        if record.revoked.is_some() {
            return Err(Refusal::Conflict(format!("the key `{name}` is revoked")));
        }
        change(&self.known.read(), &mut record, now)?;
        self.shelf.put(at(name), Some(seen), &record).await?;
        Ok(self.adopt_key(record, now).await)
    }

    /// Lets a key that was written count, here and elsewhere.
    async fn adopt_key(&self, record: KeyRecord, now: u64) -> KeyView {
        self.put_key(record.clone());
        let view = view(&self.known.read(), &record, now, "store");
        self.tell().await;
        view
    }

    fn drafted(&self, maker: &Maker, new: &NewKey, secret: &Secret, now: u64) -> Result<KeyRecord, Refusal> {
        let mut record = KeyRecord {
            name: fields::name("name", &new.name)?,
            note: fields::text("note", &new.note)?,
            created: now,
            maker: maker.as_str().to_owned(),
            by_owner: matches!(maker, Maker::Member(_)),
            owner: new.owner.clone(),
            team: new.team.clone(),
            tags: fields::tags("tags", &new.tags)?,
            expires: new.expires.as_ref().map(|moment| moment.seconds),
            models: models("models", new.models.as_ref())?,
            addresses: new.addresses.clone(),
            preferences: new.preferences,
            log: new.log,
            secrets: vec![self.written(secret, now)],
            ..KeyRecord::named(&new.name)
        };
        fields::few("addresses", &new.addresses)?;
        if record.expires.is_some_and(|expires| expires <= now) {
            return Err(Refusal::invalid("expires", "it lies in the past"));
        }
        if let Maker::Member(user) = maker {
            record.owner.get_or_insert_with(|| user.clone());
        }
        new.limits.put_into(&mut record.allowed)?;
        BudgetInput::put_into(&new.budgets, &mut record.allowed)?;
        Ok(record)
    }

    fn written(&self, secret: &Secret, now: u64) -> SecretRecord {
        SecretRecord {
            hash: self.hash(secret.expose()).to_hex().to_string(),
            prefix: secret.expose().chars().take(PREFIX).collect(),
            created: now,
            until: None,
        }
    }
}

impl ChangedKey {
    fn put_into(self, record: &mut KeyRecord) -> Result<(), Refusal> {
        if let Some(note) = self.note {
            record.note = fields::text("note", &note)?;
        }
        if let Some(tags) = self.tags {
            record.tags = fields::tags("tags", &tags)?;
        }
        if let Some(wanted) = self.models {
            record.models = models("models", wanted.as_ref())?;
        }
        if let Some(addresses) = self.addresses {
            fields::few("addresses", &addresses)?;
            record.addresses = addresses;
        }
        if let Some(limits) = self.limits {
            limits.put_into(&mut record.allowed)?;
        }
        if let Some(budgets) = self.budgets {
            BudgetInput::put_into(&budgets, &mut record.allowed)?;
        }
        if let Some(expires) = self.expires {
            record.expires = expires.map(|moment| moment.seconds);
        }
        record.disabled = self.disabled.unwrap_or(record.disabled);
        record.owner = self.owner.unwrap_or_else(|| record.owner.take());
        record.team = self.team.unwrap_or_else(|| record.team.take());
        record.preferences = self.preferences.unwrap_or(record.preferences);
        record.log = self.log.unwrap_or(record.log);
        Ok(())
    }
}

fn models(path: &str, models: Option<&Vec<ModelPattern>>) -> Result<Option<Vec<ModelPattern>>, Refusal> {
    let Some(models) = models else { return Ok(None) };
    fields::few(path, models)?;
    Ok(Some(models.clone()))
}

pub(super) fn at(name: &str) -> Key {
    Space::VirtualKey.key(&[name])
}

fn may_see(maker: &Maker, key: &KeyRecord) -> bool {
    match maker {
        Maker::Operator(_) => true,
        Maker::Member(user) => key.owner.as_ref() == Some(user),
    }
}

fn not_taken(known: &Known, name: &str) -> Result<(), Refusal> {
    if known.in_file.keys.contains_key(name) {
        return Err(Refusal::Conflict(format!("there is a key `{name}` in the configuration file")));
    }
    if known.keys.contains_key(name) { Err(taken(name)) } else { Ok(()) }
}

fn taken(name: &str) -> Refusal {
    Refusal::Conflict(format!("there is a key `{name}` already, or there was: names are not given twice"))
}

fn read_only(name: &str) -> Refusal {
    Refusal::Conflict(format!("the key `{name}` stands in the configuration file; change it there"))
}

fn missing(name: &str) -> Refusal {
    Refusal::NotFound(format!("there is no key `{name}`"))
}
