//! Settings made through the admin API: providers, models, prices, and provider keys typed in.
//!
//! A change is built first, together with everything else there is; what does not build is not stored. Then it is
//! stored, durably, and then it is in force. Other nodes see it by a counter that they look at ([`Settings::catch_up`]).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use bytes::Bytes;

use super::Snapshot;
use crate::config::{Config, ConfigError, Section, Stored};
use crate::seal::MasterKey;
use crate::store::{Scan, Space, Store, StoreError};

mod change;
mod export;
mod records;
mod rotate;

pub use change::{Changed, Edit, GivenKey};
pub use records::{KeyRecord, MASK, SettingRecord, Shelf};
pub use rotate::{KeySource, Rotated};

/// Entries in one page of a scan.
const PAGE: usize = 500;

/// Puts a configuration in force; the composition root does.
pub trait Renewal: Send + Sync {
    /// Builds everything with these settings. When it builds, calls `keep`, and when that is done, puts it in force.
    /// Blocking.
    ///
    /// # Errors
    /// What does not build, or what `keep` says; nothing has changed then.
    fn renew(
        &self,
        stored: &Stored,
        keep: &mut dyn FnMut(&Snapshot) -> Result<(), SettingError>,
    ) -> Result<(), SettingError>;

    /// The configuration in force, and where a name stands that is the file's: the file's own name.
    fn in_force(&self) -> InForce;
}

/// What is in force.
#[derive(Clone, Debug)]
pub struct InForce {
    /// All of it.
    pub config: Config,
    /// The file it comes from, for the reader.
    pub file: String,
    /// Entries of the admin API that the file has, too, and that are not used therefore: `providers.acme`.
    pub shadowed: Vec<String>,
}

/// Why a setting is not changed.
#[derive(Debug)]
pub enum SettingError {
    /// `[admin] readonly`.
    ReadOnly,
    /// It stands in the file, which goes first.
    InFile {
        /// `providers.acme`.
        path: String,
        /// The file.
        file: String,
    },
    /// There is none of this name.
    NotFound(String),
    /// It is not the version that the caller saw.
    Changed {
        /// The version there is; 0: none.
        version: u64,
    },
    /// It does not make sense.
    Invalid(Vec<Fault>),
    /// It could not be stored, or read.
    Store(StoreError),
    /// The gateway cannot.
    Impossible(String),
}

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In words; never a secret.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Fault {
    /// Without a word on what to do.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadOnly => {
                formatter.write_str("`[admin] readonly` is set: the file is the only way to change anything")
            }
            Self::InFile { path, file } => {
                write!(formatter, "`{path}` stands in {file} and can be changed there only")
            }
            Self::NotFound(path) => {
                write!(formatter, "there is no `{path}` that was made through the admin API")
            }
            Self::Changed { version: 0 } => formatter.write_str("it is gone meanwhile"),
            Self::Changed { version } => {
                write!(formatter, "it was changed meanwhile: its version is {version}")
            }
            Self::Invalid(faults) => {
                for (index, fault) in faults.iter().enumerate() {
                    formatter.write_str(if index > 0 { "; " } else { "" })?;
                    formatter.write_str(&fault.message)?;
                    if let Some(help) = &fault.help {
                        write!(formatter, " ({help})")?;
                    }
                }
                Ok(())
            }
            Self::Store(error) => error.fmt(formatter),
            Self::Impossible(why) => formatter.write_str(why),
        }
    }
}

impl std::error::Error for SettingError {}

impl From<StoreError> for SettingError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ConfigError> for SettingError {
    fn from(error: ConfigError) -> Self {
        let fault = |problem: crate::config::Problem| Fault { message: problem.message, help: problem.help };
        Self::Invalid(error.problems.into_iter().map(fault).collect())
    }
}

/// All settings that were made through the admin API.
pub struct Settings {
    store: Arc<dyn Store>,
    master: ArcSwap<MasterKey>,
    source: KeySource,
    shelf: ArcSwap<Shelf>,
    /// The counter as it was when the shelf was read.
    seen: ArcSwap<Option<Bytes>>,
    /// One change at a time.
    editing: tokio::sync::Mutex<()>,
    renewal: OnceLock<Arc<dyn Renewal>>,
}

impl Settings {
    /// Reads what the store holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn open(
        store: Arc<dyn Store>,
        master: Arc<MasterKey>,
        source: KeySource,
    ) -> Result<Self, StoreError> {
        let seen = store.get(epoch()).await?;
        let shelf = read(store.as_ref()).await?;
        Ok(Self {
            store,
            master: ArcSwap::new(master),
            source,
            shelf: ArcSwap::from_pointee(shelf),
            seen: ArcSwap::from_pointee(seen),
            editing: tokio::sync::Mutex::default(),
            renewal: OnceLock::new(),
        })
    }

    /// Tells who puts changes in force; the first one counts.
    pub fn renewed_by(&self, renewal: Arc<dyn Renewal>) {
        let _ = self.renewal.set(renewal);
    }

    /// Everything with its secrets open, for the configuration. What does not open is left out and said in the log.
    pub fn stored(&self) -> Stored {
        let (stored, told) = self.shelf.load().opened(&self.master.load());
        told.iter().for_each(|why| tracing::error!("{why}"));
        stored
    }

    /// Everything, sealed.
    pub fn shelf(&self) -> Arc<Shelf> {
        self.shelf.load_full()
    }

    /// The master key in use.
    pub fn master(&self) -> Arc<MasterKey> {
        self.master.load_full()
    }

    /// Reads again when another node has changed something, and puts it in force; true: it did.
    ///
    /// # Errors
    /// When the store cannot be read, or what is there does not build.
    pub async fn catch_up(self: &Arc<Self>) -> Result<bool, SettingError> {
        let now = self.store.get(epoch()).await?;
        if now == **self.seen.load() {
            return Ok(false);
        }
        let _editing = self.editing.lock().await;
        self.read_again().await?;
        let stored = self.stored();
        self.renew(stored, |_| Ok(())).await?;
        Ok(true)
    }

    /// Reads what the store holds, if it is not what is here.
    async fn read_again(&self) -> Result<(), SettingError> {
        let now = self.store.get(epoch()).await?;
        if now != **self.seen.load() {
            self.shelf.store(Arc::new(read(self.store.as_ref()).await?));
            self.seen.store(Arc::new(now));
        }
        Ok(())
    }

    async fn renew(
        self: &Arc<Self>,
        stored: Stored,
        mut keep: impl FnMut(&Snapshot) -> Result<(), SettingError> + Send + 'static,
    ) -> Result<(), SettingError> {
        let renewal = self.renewal.get().map(Arc::clone);
        let renewal =
            renewal.ok_or_else(|| SettingError::Impossible("nothing can be put in force".to_owned()))?;
        // Compiling an adapter takes a tenth of a second.
        let renewed = tokio::task::spawn_blocking(move || renewal.renew(&stored, &mut keep)).await;
        renewed.unwrap_or_else(|error| Err(SettingError::Impossible(error.to_string())))
    }

    fn in_force(&self) -> Result<InForce, SettingError> {
        let renewal = self.renewal.get();
        let in_force = renewal.map(|renewal| renewal.in_force());
        in_force.ok_or_else(|| SettingError::Impossible("nothing is in force yet".to_owned()))
    }
}

/// Counts changes, so that other nodes see that there is one.
fn epoch() -> crate::store::Key {
    Space::Epoch.key(&["settings"])
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Everything there is, page by page.
async fn read(store: &dyn Store) -> Result<Shelf, StoreError> {
    let mut shelf = Shelf::default();
    for (parts, value) in all(store, Space::Setting.key(&[])).await? {
        let [section, name] = parts.as_slice() else { continue };
        let record = serde_json::from_slice::<SettingRecord>(&value);
        match (Section::named(section), record) {
            (Some(section), Ok(record)) => drop(shelf.settings.insert((section, name.clone()), record)),
            // A newer program may know more sections.
            _ => tracing::warn!(section, name, "a setting of the store is not understood and not used"),
        }
    }
    for (parts, value) in all(store, Space::Secret.key(&[records::PROVIDER_KEY])).await? {
        let [_, provider, id] = parts.as_slice() else { continue };
        match serde_json::from_slice::<KeyRecord>(&value) {
            Ok(record) => drop(shelf.keys.insert((provider.clone(), id.clone()), record)),
            Err(_) => {
                tracing::warn!(provider, id, "a provider key of the store is not understood and not used")
            }
        }
    }
    Ok(shelf)
}

/// The parts of every key with this beginning, and its value.
async fn all(
    store: &dyn Store,
    prefix: crate::store::Key,
) -> Result<BTreeMap<Vec<String>, Bytes>, StoreError> {
    let mut found = BTreeMap::new();
    let mut after = None;
    loop {
        let page = store.scan(Scan { prefix: prefix.clone(), after, limit: PAGE }).await?;
        for (key, value) in page.entries {
            let parts = key.parts().unwrap_or_default().into_iter().map(str::to_owned).collect();
            found.insert(parts, value);
        }
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}
