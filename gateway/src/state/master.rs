//! The master key and the store it belongs to: the store remembers which key sealed its root.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::seal::{Closed, Keys, MasterKey};
use crate::store::{Batch, Class, Key, Space, Store, StoreError, Swap};

/// The record of the root.
#[derive(Serialize, Deserialize)]
struct Root {
    /// The name of the key it is sealed with; in the box, too, and here for the reader.
    key: String,
    sealed: String,
}

/// Why a store and a master key do not go together.
#[derive(Debug)]
pub enum Mismatch {
    /// The store's secrets are sealed with another key.
    OtherKey {
        /// The one that is needed.
        needed: String,
        /// Those that were given.
        given: Vec<String>,
    },
    /// The record of the root is not what was written.
    Broken(String),
    /// The store.
    Store(StoreError),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKey { needed, given } => write!(
                formatter,
                "the secrets of this store were sealed with the master key `{needed}`, and what was given is `{}`; \
                 give that key as `[store] master_key`, or among `old_master_keys`",
                given.join("`, `")
            ),
            Self::Broken(why) => {
                write!(formatter, "the store's record of its master key cannot be read: {why}")
            }
            Self::Store(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for Mismatch {}

impl From<StoreError> for Mismatch {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn place() -> Key {
    Space::Secret.key(&["root"])
}

/// The master key of a store. A store that has none yet gets a root; of several nodes that give it one, one does.
///
/// # Errors
/// When the keys are not the ones the store was sealed with.
pub async fn master_of(store: &dyn Store, keys: Keys) -> Result<MasterKey, Mismatch> {
    let broken = |why: &dyn fmt::Display| Mismatch::Broken(why.to_string());
    for _ in 0..2 {
        if let Some(bytes) = store.get(place()).await? {
            let root: Root = serde_json::from_slice(&bytes).map_err(|error| broken(&error))?;
            let sealed = STANDARD.decode(&root.sealed).map_err(|error| broken(&error))?;
            let given = keys.ids().map(|id| id.to_string()).collect();
            return MasterKey::with_sealed_root(keys, &sealed).map_err(|closed| match closed {
                Closed::UnknownKey(needed) => Mismatch::OtherKey { needed: needed.to_string(), given },
                other => broken(&other),
            });
        }
        let master = MasterKey::with_new_root(keys.clone()).map_err(|error| broken(&error))?;
        let value = record(&master).map_err(|why| broken(&why))?;
        let swap = Swap { key: place(), expected: None, value: value.into(), life: None };
        if store.swap(swap, Class::Durable).await? {
            return Ok(master);
        }
    }
    Err(broken(&"it comes and goes"))
}

/// Seals the root with the current key.
///
/// # Errors
/// When it could not be written.
pub(super) async fn keep_root(store: &dyn Store, master: &MasterKey) -> Result<(), Mismatch> {
    let value = record(master).map_err(Mismatch::Broken)?;
    Ok(store.write(Batch::default().put(place(), value, None), Class::Durable).await?)
}

fn record(master: &MasterKey) -> Result<Vec<u8>, String> {
    let sealed = master.sealed_root().map_err(|error| error.to_string())?;
    let root = Root { key: master.keys().current().id().to_string(), sealed: STANDARD.encode(sealed) };
    serde_json::to_vec(&root).map_err(|error| error.to_string())
}
