//! A new master key: everything sealed is sealed anew, one record after the other, while requests go on.
//!
//! Every box names its key, so it does not matter where it was interrupted: the next run finds what is left.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::records::{key_place, setting_place};
use super::{SettingError, Settings, Shelf};
use crate::seal::{KeyId, Keys, MasterKey, file};
use crate::state::master::{Mismatch, keep_root};
use crate::store::{Class, Key, Swap};

/// Where the master key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// From the configuration: the operator makes a new one.
    Configured,
    /// From the file in this folder: we do.
    Folder(PathBuf),
    /// From nowhere: it ends with the process.
    ThisRun,
}

/// What a rotation came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// The key that seals now.
    pub key: String,
    /// Records that were sealed anew.
    pub sealed_anew: usize,
    /// The keys that are of no more use.
    pub retired: Vec<String>,
}

/// A record as it was, and as it shall be.
struct Renewed {
    place: Key,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Settings {
    /// Seals everything with the newest key; makes one, where the gateway keeps its own and there is none newer.
    ///
    /// # Errors
    /// When it was interrupted; what is left is done the next time.
    pub async fn rotate(self: &Arc<Self>) -> Result<Rotated, SettingError> {
        let _editing = self.editing.lock().await;
        self.read_again().await?;
        let master = self.newest_key()?;
        let renewed = renewed(&self.shelf.load(), &master).map_err(SettingError::Impossible)?;
        let count = renewed.len();
        for Renewed { place, before, after } in renewed {
            let swap = Swap { key: place, expected: Some(before.into()), value: after.into(), life: None };
            if !self.store.swap(swap, Class::Durable).await? {
                return Err(SettingError::Impossible(
                    "another node changed a setting meanwhile; ask again, the rest is done then".to_owned(),
                ));
            }
        }
        keep_root(self.store.as_ref(), &master).await.map_err(|mismatch| match mismatch {
            Mismatch::Store(error) => SettingError::Store(error),
            other => SettingError::Impossible(other.to_string()),
        })?;
        self.shelf.store(Arc::new(super::read(self.store.as_ref()).await?));
        let current = master.keys().current().id();
        let retired: Vec<String> =
            master.keys().ids().filter(|id| *id != current).map(|id| id.to_string()).collect();
        if let KeySource::Folder(folder) = &self.source {
            let alone = master.keys().clone().without_older();
            file::replace(folder, &alone).map_err(SettingError::Impossible)?;
            self.master.store(Arc::new(master.with_keys(alone)));
        }
        tracing::info!(key = %current, sealed_anew = count, "the secrets of the store are sealed with the newest master key");
        Ok(Rotated { key: current.to_string(), sealed_anew: count, retired })
    }

    /// How many records wait for [`Settings::rotate`], sealed with a key of before.
    pub fn sealed_before(&self) -> usize {
        renewed(&self.shelf.load(), &self.master.load()).map_or(0, |renewed| renewed.len())
    }

    /// The master key with the newest key in front.
    fn newest_key(&self) -> Result<Arc<MasterKey>, SettingError> {
        let master = self.master.load_full();
        // Somebody began already.
        if master.keys().ids().count() > 1 {
            return Ok(master);
        }
        let next = |keys: &Keys| {
            keys.clone().with_new().map_err(|error| SettingError::Impossible(error.to_string()))
        };
        let keys = match &self.source {
            KeySource::Configured => {
                let id: KeyId = master.keys().current().id();
                let why = format!(
                    "the master key comes from the configuration and is `{id}` alone: put a new one into `[store] \
                     master_key`, this one into `old_master_keys`, start again, and then rotate"
                );
                return Err(SettingError::Impossible(why));
            }
            KeySource::Folder(folder) => {
                let keys = next(master.keys())?;
                // Before anything is sealed with it.
                file::replace(folder, &keys).map_err(SettingError::Impossible)?;
                keys
            }
            KeySource::ThisRun => next(master.keys())?,
        };
        let master = Arc::new(master.with_keys(keys));
        self.master.store(Arc::clone(&master));
        Ok(master)
    }
}

/// Every record that an older key sealed.
fn renewed(shelf: &Shelf, master: &MasterKey) -> Result<Vec<Renewed>, String> {
    let mut all = Vec::new();
    for ((section, name), record) in &shelf.settings {
        let mut next = record.clone();
        let path = crate::config::stored::path_of(*section, name);
        if next.renew(*section, name, master).map_err(|why| format!("{path}: {why}"))? {
            all.push(changed(setting_place(*section, name), record, &next)?);
        }
    }
    for ((provider, id), record) in &shelf.keys {
        let mut next = record.clone();
        let told = |why: String| format!("key {id} of provider `{provider}`: {why}");
        if next.renew(provider, id, master).map_err(told)? {
            all.push(changed(key_place(provider, id), record, &next)?);
        }
    }
    Ok(all)
}

fn changed<T: serde::Serialize>(place: Key, before: &T, after: &T) -> Result<Renewed, String> {
    let bytes = |value: &T| serde_json::to_vec(value).map_err(|error| error.to_string());
    Ok(Renewed { place, before: bytes(before)?, after: bytes(after)? })
}
