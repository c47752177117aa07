//! What the store holds of settings: entries whose secrets were taken out and sealed, and provider keys.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::{Section, Stored, StoredEntry, TypedKey};
use crate::domain::Secret;
use crate::seal::{self, MasterKey, NoRandomness, Purpose};
use crate::store::{Key, Space};

/// What stands where a secret was taken out. Sent back, it means the one that is kept.
pub const MASK: &str = "***";

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingRecord {
    /// Counts up with every change; 1 is the first.
    pub version: u64,
    /// What the file would say, with [`MASK`] in the place of each secret.
    pub value: Value,
    /// The sealed secrets by their place in `value`, as JSON pointers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Where they may be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// When it was changed last, Unix time.
    pub changed: u64,
    /// By whom, for the reader.
    #[serde(default)]
    pub by: String,
}

/// One provider key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Where it may be sent.
    pub origin: String,
    /// The operator's word on it.
    #[serde(default)]
    pub note: Option<String>,
    /// When it was typed in, Unix time.
    pub made: u64,
    /// By whom, for the reader.
    #[serde(default)]
    pub by: String,
    /// The key, sealed.
    pub sealed: String,
}

/// Everything, as the store has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shelf {
    /// Entries by section and name.
    pub settings: BTreeMap<(Section, String), SettingRecord>,
    /// Keys by provider and id.
    pub keys: BTreeMap<(String, String), KeyRecord>,
}

/// What keys of provider keys begin with in [`Space::Secret`].
pub(super) const PROVIDER_KEY: &str = "provider-key";

pub(super) fn setting_place(section: Section, name: &str) -> Key {
    Space::Setting.key(&[section.name(), name])
}

pub(super) fn key_place(provider: &str, id: &str) -> Key {
    Space::Secret.key(&[PROVIDER_KEY, provider, id])
}

impl Shelf {
    /// The ids of a provider's keys.
    pub fn key_ids(&self, provider: &str) -> Vec<String> {
        let own = self.keys.keys().filter(|(of, _)| of == provider);
        own.map(|(_, id)| id.clone()).collect()
    }

    /// With every secret open, as the configuration takes it. What does not open stays out and is told.
    pub fn opened(&self, master: &MasterKey) -> (Stored, Vec<String>) {
        let mut stored = Stored::default();
        let mut told = Vec::new();
        for ((section, name), record) in &self.settings {
            match record.opened(*section, name, master) {
                Ok(value) => stored.entries.push(StoredEntry {
                    section: *section,
                    name: name.clone(),
                    value,
                    origin: record.origin.clone(),
                }),
                Err(why) => told.push(format!("{section}.{name} of the admin API cannot be used: {why}")),
            }
        }
        for ((provider, id), record) in &self.keys {
            match record.opened(provider, id, master) {
                Ok(secret) => stored.keys.entry(provider.clone()).or_default().push(TypedKey {
                    id: id.clone(),
                    secret,
                    note: record.note.clone(),
                    origin: Some(record.origin.clone()),
                }),
                Err(why) => told.push(format!("key {id} of provider `{provider}` cannot be used: {why}")),
            }
        }
        (stored, told)
    }
}

impl SettingRecord {
    fn opened(&self, section: Section, name: &str, master: &MasterKey) -> Result<Value, String> {
        let mut value = self.value.clone();
        for pointer in self.secrets.keys() {
            let secret = self.secret(section, name, pointer, master)?;
            let place = value.pointer_mut(pointer).ok_or_else(|| format!("`{pointer}` is not there"))?;
            *place = Value::String(secret.expose().to_owned());
        }
        Ok(value)
    }

    pub(super) fn secret(
        &self,
        section: Section,
        name: &str,
        pointer: &str,
        master: &MasterKey,
    ) -> Result<Secret, String> {
        let sealed = self.secrets.get(pointer).map(String::as_str).unwrap_or_default();
        let sealed = STANDARD.decode(sealed).map_err(|error| error.to_string())?;
        let origin = self.origin.as_deref().unwrap_or_default();
        let about = ["setting", section.name(), name, pointer, origin];
        master.open(Purpose::Setting, &about, &sealed).map_err(|closed| closed.to_string())
    }

    /// Seals the secrets of an entry for one origin.
    pub(super) fn sealed(
        &mut self,
        (section, name): (Section, &str),
        secrets: &BTreeMap<String, Secret>,
        origin: Option<&str>,
        master: &MasterKey,
    ) -> Result<(), NoRandomness> {
        self.origin = origin.filter(|_| !secrets.is_empty()).map(str::to_owned);
        self.secrets.clear();
        for (pointer, secret) in secrets {
            let about =
                ["setting", section.name(), name, pointer, self.origin.as_deref().unwrap_or_default()];
            let sealed = master.seal(Purpose::Setting, &about, secret)?;
            self.secrets.insert(pointer.clone(), STANDARD.encode(sealed));
        }
        Ok(())
    }

    /// Seals with the current key what an older one sealed; false: there is nothing to do.
    pub(super) fn renew(&mut self, section: Section, name: &str, master: &MasterKey) -> Result<bool, String> {
        let current = master.keys().current().id();
        let is_old = |sealed: &String| closed_with(sealed).is_none_or(|id| id != current);
        if !self.secrets.values().any(is_old) {
            return Ok(false);
        }
        let mut open = BTreeMap::new();
        for pointer in self.secrets.keys() {
            open.insert(pointer.clone(), self.secret(section, name, pointer, master)?);
        }
        let origin = self.origin.clone();
        self.sealed((section, name), &open, origin.as_deref(), master).map_err(|error| error.to_string())?;
        Ok(true)
    }
}

impl KeyRecord {
    /// The key, if it stands where it belongs.
    pub(super) fn opened(&self, provider: &str, id: &str, master: &MasterKey) -> Result<Secret, String> {
        let sealed = STANDARD.decode(&self.sealed).map_err(|error| error.to_string())?;
        let about = [PROVIDER_KEY, provider, id, &self.origin];
        master.open(Purpose::ProviderKey, &about, &sealed).map_err(|closed| closed.to_string())
    }

    /// A key, sealed for one provider at one origin.
    pub(super) fn sealed(
        (provider, key): (&str, &TypedKey),
        origin: &str,
        (made, by): (u64, &str),
        master: &MasterKey,
    ) -> Result<Self, NoRandomness> {
        let about = [PROVIDER_KEY, provider, &key.id, origin];
        let sealed = master.seal(Purpose::ProviderKey, &about, &key.secret)?;
        Ok(Self {
            origin: origin.to_owned(),
            note: key.note.clone(),
            made,
            by: by.to_owned(),
            sealed: STANDARD.encode(sealed),
        })
    }

    /// Seals it with the current key, if an older one did; false: there is nothing to do.
    pub(super) fn renew(&mut self, provider: &str, id: &str, master: &MasterKey) -> Result<bool, String> {
        if closed_with(&self.sealed) == Some(master.keys().current().id()) {
            return Ok(false);
        }
        let secret = self.opened(provider, id, master)?;
        let key = TypedKey { id: id.to_owned(), secret, note: self.note.clone(), origin: None };
        let made = (self.made, self.by.clone());
        *self = Self::sealed((provider, &key), &self.origin, (made.0, &made.1), master)
            .map_err(|error| error.to_string())?;
        Ok(true)
    }
}

fn closed_with(sealed: &str) -> Option<seal::KeyId> {
    seal::closed_with(&STANDARD.decode(sealed).ok()?).ok()
}

/// Takes the secrets out of an entry: what stood there, by place; [`MASK`] stands there now. Some of them may be the
/// mask itself, which was sent back.
pub(super) fn take_secrets(section: Section, value: &mut Value) -> BTreeMap<String, Secret> {
    let mut taken = BTreeMap::new();
    if section != Section::Providers {
        return taken;
    }
    let mut pointers = Vec::new();
    if let Some(headers) = value.get("headers").and_then(Value::as_object) {
        pointers.extend(
            headers.keys().map(|name| format!("/headers/{}", name.replace('~', "~0").replace('/', "~1"))),
        );
    }
    pointers.push("/credential/client_secret".to_owned());
    for pointer in pointers {
        if let Some(Value::String(text)) = value.pointer_mut(&pointer) {
            taken.insert(pointer, Secret::new(std::mem::replace(text, MASK.to_owned())));
        }
    }
    taken
}
