//! One change: looked at, built, stored, in force.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::records::{KeyRecord, MASK, SettingRecord, Shelf, key_place, setting_place, take_secrets};
use super::{Fault, SettingError, Settings, epoch, unix_now};
use crate::config::stored::path_of;
use crate::config::{Section, Stored, StoredEntry, TypedKey};
use crate::domain::Secret;
use crate::seal::MasterKey;
use crate::state::Snapshot;
use crate::store::{Batch, Class};
use crate::upstream::keys::key_id;

/// Longest name of an entry.
const LONGEST_NAME: usize = 200;
/// What a provider may not say through the API: it would read files of this machine, or go around the guard.
const FILE_ONLY: [(&str, &str); 4] = [
    ("keys_file", "it names a file of the gateway's machine"),
    ("tls", "it names files of the gateway's machine, or turns checks off"),
    ("proxy", "a proxy is another way into the network"),
    ("keys", "keys are sent beside the settings, as `keys`"),
];

/// A provider key as it is typed in.
#[derive(Clone, Debug)]
pub struct GivenKey {
    /// The key.
    pub secret: Secret,
    /// The operator's word on it.
    pub note: Option<String>,
}

/// What shall change.
#[derive(Debug)]
pub enum Edit {
    /// An entry is made or replaced.
    Put {
        /// Where.
        section: Section,
        /// Its name.
        name: String,
        /// What the file would say.
        value: Value,
        /// Keys of a provider; they are added to those it has.
        keys: Vec<GivenKey>,
        /// The version the caller saw: 0 for a new one. None: whatever is there.
        expected: Option<u64>,
    },
    /// An entry goes, with its keys.
    Delete {
        /// Where.
        section: Section,
        /// Its name.
        name: String,
        /// The version the caller saw.
        expected: Option<u64>,
    },
    /// Keys are added to a provider, of the file or not.
    AddKeys {
        /// Whose.
        provider: String,
        /// The keys.
        keys: Vec<GivenKey>,
    },
    /// A typed-in key goes.
    DeleteKey {
        /// Whose.
        provider: String,
        /// Its id.
        id: String,
    },
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The entry's version; 0: it is gone, or there was none.
    pub version: u64,
    /// The keys that were added, by id.
    pub added: Vec<String>,
    /// The keys that went because the provider is elsewhere now, by id. They must be typed in again.
    pub dropped: Vec<String>,
}

/// A change that is being built.
struct Draft {
    by: String,
    shelf: Shelf,
    stored: Stored,
    batch: Batch,
    /// The entry that is sealed when its origin is known, with its secrets.
    entry: Option<(Section, String, BTreeMap<String, Secret>)>,
    /// Keys that are sealed when the origin of their provider is known.
    new_keys: Vec<(String, TypedKey)>,
    /// Secrets that were not sent, but meant by their mask.
    filled: Vec<String>,
    /// Where they were meant for.
    bound_to: Option<String>,
    /// The provider whose keys go when it is not where they were meant for.
    moved: Option<String>,
    changed: Changed,
}

impl Settings {
    /// Changes something. `by` is for the reader.
    ///
    /// # Errors
    /// Nothing has changed then, and this is why.
    pub async fn change(self: &Arc<Self>, edit: Edit, by: &str) -> Result<Changed, SettingError> {
        let _editing = self.editing.lock().await;
        self.read_again().await?;
        let shelf = self.shelf.load_full();
        let (stored, _) = shelf.opened(&self.master.load());
        let mut draft = Draft {
            by: by.to_owned(),
            shelf: Shelf::clone(&shelf),
            stored,
            batch: Batch::default(),
            entry: None,
            new_keys: Vec::new(),
            filled: Vec::new(),
            bound_to: None,
            moved: None,
            changed: Changed::default(),
        };
        self.apply(edit, &mut draft)?;
        let (settings, runtime) = (Arc::clone(self), tokio::runtime::Handle::current());
        let (done, answer) = std::sync::mpsc::sync_channel(1);
        let stored = draft.stored.clone();
        let mut draft = Some(draft);
        self.renew(stored, move |snapshot| {
            let Some(draft) = draft.take() else { return Ok(()) };
            let changed = runtime.block_on(settings.keep(draft, snapshot))?;
            let _ = done.send(changed);
            Ok(())
        })
        .await?;
        answer.recv().map_err(|_| SettingError::Impossible("the change was not made".to_owned()))
    }

    /// Puts the change into the draft, as far as it can be done before it is built.
    fn apply(&self, edit: Edit, draft: &mut Draft) -> Result<(), SettingError> {
        if self.in_force()?.config.admin.readonly {
            return Err(SettingError::ReadOnly);
        }
        match edit {
            Edit::Put { section, name, value, keys, expected } => {
                self.may_change(section, &name, expected, draft)?;
                draft.put(section, name, value, &self.master.load())?;
                match draft.moved.clone() {
                    Some(provider) => draft.add_keys(&provider, keys),
                    None if keys.is_empty() => Ok(()),
                    None => Err(invalid("only a provider has keys")),
                }
            }
            Edit::Delete { section, name, expected } => {
                self.may_change(section, &name, expected, draft)?;
                draft.delete(section, &name)
            }
            Edit::AddKeys { provider, keys } => {
                if !self.in_force()?.config.providers.contains_key(&provider) {
                    return Err(SettingError::NotFound(path_of(Section::Providers, &provider)));
                }
                draft.add_keys(&provider, keys)
            }
            Edit::DeleteKey { provider, id } => draft.delete_key(&provider, &id),
        }
    }

    /// Whether an entry is ours, and the one the caller saw.
    fn may_change(
        &self,
        section: Section,
        name: &str,
        expected: Option<u64>,
        draft: &Draft,
    ) -> Result<(), SettingError> {
        let in_force = self.in_force()?;
        let path = path_of(section, name);
        let own = draft.shelf.settings.get(&(section, name.to_owned()));
        if own.is_none() && section.holds(&in_force.config, name) || in_force.shadowed.contains(&path) {
            return Err(SettingError::InFile { path, file: in_force.file });
        }
        let version = own.map_or(0, |record| record.version);
        match expected {
            Some(expected) if expected != version => Err(SettingError::Changed { version }),
            _ => Ok(()),
        }
    }

    /// Seals for where things are now, and stores.
    async fn keep(&self, mut draft: Draft, snapshot: &Snapshot) -> Result<Changed, SettingError> {
        let master = self.master.load_full();
        if let Some(provider) = draft.moved.take() {
            draft.drop_moved(&provider, snapshot).await?;
        }
        draft.seal(snapshot, &master)?;
        let Draft { shelf, batch, changed, .. } = draft;
        self.store.write(batch, Class::Durable).await?;
        let count = self.store.increment(epoch(), 1, None).await;
        self.shelf.store(Arc::new(shelf));
        match count {
            Ok(count) => {
                // Only if nobody else has changed something since; else it is read again.
                let now = self.store.get(epoch()).await.unwrap_or_default();
                let before = counted(self.seen.load().as_ref().as_ref());
                if counted(now.as_ref()) == Some(count) && before.is_some_and(|before| before + 1 == count) {
                    self.seen.store(Arc::new(now));
                }
            }
            Err(error) => {
                tracing::error!(%error, "other nodes will see a changed setting only at the next change")
            }
        }
        Ok(changed)
    }
}

/// A counter as a store keeps it: eight bytes, or digits. One that is not there is zero.
fn counted(bytes: Option<&Bytes>) -> Option<i64> {
    let Some(bytes) = bytes else { return Some(0) };
    let whole = <[u8; 8]>::try_from(bytes.as_ref()).map(i64::from_be_bytes);
    let digits = || std::str::from_utf8(bytes).ok()?.parse().ok();
    digits().or(whole.ok())
}

fn invalid(message: impl Into<String>) -> SettingError {
    SettingError::Invalid(vec![Fault::new(message)])
}

fn origin_of(provider: &str, snapshot: &Snapshot) -> Option<String> {
    snapshot.providers.get(provider).map(|provider| provider.upstream.url.origin())
}

impl Draft {
    fn put(
        &mut self,
        section: Section,
        name: String,
        mut value: Value,
        master: &MasterKey,
    ) -> Result<(), SettingError> {
        let plain = name.len() <= LONGEST_NAME && !name.chars().any(char::is_control);
        if name.is_empty() || !plain {
            return Err(invalid(format!("a name has 1 to {LONGEST_NAME} bytes and no control characters")));
        }
        let Some(members) = value.as_object() else {
            return Err(invalid("the settings must be an object"));
        };
        if section == Section::Providers {
            let refused =
                FILE_ONLY.iter().filter(|(key, _)| members.get(*key).is_some_and(|said| !said.is_null()));
            let faults: Vec<Fault> = refused
                .map(|(key, why)| Fault::new(format!("`{key}` can be set in the file only: {why}")))
                .collect();
            if !faults.is_empty() {
                return Err(SettingError::Invalid(faults));
            }
            self.moved = Some(name.clone());
        }
        let before = self.shelf.settings.get(&(section, name.clone())).cloned();
        self.bound_to = before.as_ref().and_then(|record| record.origin.clone());
        let mut secrets = take_secrets(section, &mut value);
        self.fill_masked(section, &name, &mut secrets, master)?;
        let mut open = value.clone();
        for (pointer, secret) in &secrets {
            if let Some(place) = open.pointer_mut(pointer) {
                *place = Value::String(secret.expose().to_owned());
            }
        }
        self.stored.entries.retain(|entry| (entry.section, &entry.name) != (section, &name));
        self.stored.entries.push(StoredEntry { section, name: name.clone(), value: open, origin: None });
        let version = before.map_or(0, |record| record.version) + 1;
        let record = SettingRecord {
            version,
            value,
            secrets: BTreeMap::new(),
            origin: None,
            changed: unix_now(),
            by: self.by.clone(),
        };
        self.changed.version = version;
        self.shelf.settings.insert((section, name.clone()), record);
        self.entry = Some((section, name, secrets));
        Ok(())
    }

    /// A mask that was sent back stands for the secret that is kept.
    fn fill_masked(
        &mut self,
        section: Section,
        name: &str,
        secrets: &mut BTreeMap<String, Secret>,
        master: &MasterKey,
    ) -> Result<(), SettingError> {
        for (pointer, secret) in secrets.iter_mut().filter(|(_, secret)| secret.expose() == MASK) {
            let before = self.shelf.settings.get(&(section, name.to_owned()));
            let kept = before.map(|record| record.secret(section, name, pointer, master));
            match kept {
                Some(Ok(kept)) => {
                    *secret = kept;
                    self.filled.push(pointer.clone());
                }
                _ => return Err(invalid(format!("`{pointer}` is `{MASK}`, and nothing is kept there"))),
            }
        }
        Ok(())
    }

    fn delete(&mut self, section: Section, name: &str) -> Result<(), SettingError> {
        let gone = self.shelf.settings.remove(&(section, name.to_owned()));
        gone.ok_or_else(|| SettingError::NotFound(path_of(section, name)))?;
        self.stored.entries.retain(|entry| (entry.section, entry.name.as_str()) != (section, name));
        self.delete_from_store(setting_place(section, name));
        if section == Section::Providers {
            for id in self.shelf.key_ids(name) {
                self.delete_key(name, &id)?;
            }
        }
        Ok(())
    }

    fn delete_from_store(&mut self, place: crate::store::Key) {
        self.batch = std::mem::take(&mut self.batch).delete(place);
    }

    fn add_keys(&mut self, provider: &str, keys: Vec<GivenKey>) -> Result<(), SettingError> {
        for GivenKey { secret, note } in keys {
            let line = match &note {
                Some(note) => format!("{}  # {note}", secret.expose()),
                None => secret.expose().to_owned(),
            };
            // The same rules as in a file of keys.
            match crate::config::keys_file::KeyLine::read(&line) {
                Ok(Some(read)) if read.secret == secret => {}
                Ok(_) => return Err(invalid("a key is empty, or holds a character no header may carry")),
                Err(why) => return Err(invalid(format!("a key {why}"))),
            }
            let key = TypedKey { id: key_id(&secret), secret, note, origin: None };
            let known = self.stored.keys.entry(provider.to_owned()).or_default();
            known.retain(|other| other.id != key.id);
            known.push(key.clone());
            self.changed.added.push(key.id.clone());
            self.new_keys.push((provider.to_owned(), key));
        }
        Ok(())
    }

    fn delete_key(&mut self, provider: &str, id: &str) -> Result<(), SettingError> {
        let gone = self.shelf.keys.remove(&(provider.to_owned(), id.to_owned()));
        gone.ok_or_else(|| {
            SettingError::NotFound(format!("{}.keys.{id}", path_of(Section::Providers, provider)))
        })?;
        if let Some(keys) = self.stored.keys.get_mut(provider) {
            keys.retain(|key| key.id != id);
        }
        self.delete_from_store(key_place(provider, id));
        Ok(())
    }

    /// Looks where the provider is now. Keys that were meant for elsewhere go, and so may the settings' own secrets.
    async fn drop_moved(&mut self, name: &str, snapshot: &Snapshot) -> Result<(), SettingError> {
        let Some(provider) = snapshot.providers.get(name) else { return Ok(()) };
        provider.upstream.look_at_address().await.map_err(|error| invalid(error.context))?;
        let origin = provider.upstream.url.origin();
        if self.bound_to.as_ref().is_some_and(|bound| *bound != origin) && !self.filled.is_empty() {
            let fault = |pointer: &String| {
                Fault::new(format!(
                    "the provider is elsewhere now ({origin}): `{pointer}` must be sent again"
                ))
            };
            return Err(SettingError::Invalid(self.filled.iter().map(fault).collect()));
        }
        let gone: Vec<String> = self
            .shelf
            .keys
            .iter()
            .filter(|((of, _), record)| of == name && record.origin != origin)
            .map(|((_, id), _)| id.clone())
            .collect();
        for id in gone {
            // One that was typed in again comes back below.
            self.delete_key(name, &id)?;
            if !self.new_keys.iter().any(|(_, key)| key.id == id) {
                self.changed.dropped.push(id);
            }
        }
        Ok(())
    }

    fn seal(&mut self, snapshot: &Snapshot, master: &MasterKey) -> Result<(), SettingError> {
        let impossible = |why: &dyn std::fmt::Display| SettingError::Impossible(why.to_string());
        if let Some((section, name, secrets)) = self.entry.take() {
            let origin = origin_of(&name, snapshot).filter(|_| section == Section::Providers);
            let key = (section, name);
            if let Some(record) = self.shelf.settings.get_mut(&key) {
                record
                    .sealed((key.0, &key.1), &secrets, origin.as_deref(), master)
                    .map_err(|error| impossible(&error))?;
                let bytes = serde_json::to_vec(record).map_err(|error| impossible(&error))?;
                self.batch = std::mem::take(&mut self.batch).put(setting_place(key.0, &key.1), bytes, None);
            }
        }
        for (provider, key) in std::mem::take(&mut self.new_keys) {
            let origin = origin_of(&provider, snapshot)
                .ok_or_else(|| SettingError::NotFound(path_of(Section::Providers, &provider)))?;
            let record = KeyRecord::sealed((&provider, &key), &origin, (unix_now(), &self.by), master)
                .map_err(|error| impossible(&error))?;
            let bytes = serde_json::to_vec(&record).map_err(|error| impossible(&error))?;
            self.batch = std::mem::take(&mut self.batch).put(key_place(&provider, &key.id), bytes, None);
            self.shelf.keys.insert((provider, key.id), record);
        }
        Ok(())
    }
}
