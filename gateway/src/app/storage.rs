//! Opens the store as the configuration says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Backend, Config, Store as Settings};
use crate::store::{self, Journal, Memory, Sled, Store};

/// An open store, and where it is, in words for the operator.
pub(super) struct Opened {
    pub(super) store: Arc<dyn Store>,
    pub(super) place: String,
    /// What must outlive a crash before the store has it.
    pub(super) journal: Journal,
}

/// The folder of the state: the one that is named, else the usual one where it is there.
pub(super) fn folder(config: &Config) -> Option<PathBuf> {
    let usual = || Some(PathBuf::from(Settings::USUAL)).filter(|usual| usual.is_dir());
    config.store.path.clone().or_else(usual)
}

/// Opens the store.
///
/// Without a file nobody asked for anything to be kept, so nothing is written. A folder that was named must be usable;
/// the usual one is used where it is there and may be written.
///
/// # Errors
/// One line that says what is wrong with the folder.
pub(super) fn open(config: &Config, demo: bool) -> Result<Opened, String> {
    let named = config.store.path.is_some();
    let folder = match config.store.backend {
        Backend::Sled if named || !demo => folder(config).filter(|folder| named || is_writable(folder)),
        Backend::Sled | Backend::Memory | Backend::Redis => None,
    };
    let Some(folder) = folder else {
        if config.store.backend == Backend::Sled && !demo {
            tracing::warn!("state is kept in memory and forgotten at the end; `[store] path` keeps it");
        }
        let place = "in memory, forgotten at the end".to_owned();
        let journal = Journal::in_memory();
        return Ok(Opened { store: Arc::new(Memory::new(store::clock())), place, journal });
    };
    let files = folder.join("sled");
    let opened = Sled::open(&files, store::clock()).map_err(|error| format!("store.path: {error}"))?;
    let beside = folder.join("journal");
    let journal =
        Journal::open(&beside).map_err(|error| format!("store.path: {}: {error}", beside.display()))?;
    Ok(Opened { store: Arc::new(opened), place: files.display().to_string(), journal })
}

/// Whether a file can be made there. The only way to know is to try.
fn is_writable(folder: &Path) -> bool {
    let probe = folder.join(format!(".writable-{}", std::process::id()));
    let made = std::fs::File::create_new(&probe).is_ok();
    made && std::fs::remove_file(&probe).is_ok()
}
