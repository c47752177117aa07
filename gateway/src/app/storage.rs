//! Opens the store as the configuration says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::account::{Importer, Ledger};
use crate::config::{Backend, Config, Store as Settings};
use crate::domain::id;
use crate::observe::Observer;
use crate::store::journal::Retention;
use crate::store::{self, Address, Journal, Memory, Place, Redis, Shared, Sled, Store, StoreError};

/// The file in which a node remembers the identity of the store it shares with others.
const IDENTITY: &str = "shared-store";

/// An open store, and where it is, in words for the operator.
pub(super) struct Opened {
    pub(super) store: Arc<dyn Store>,
    pub(super) place: String,
    /// Of a store on disk: the folder of the state.
    pub(super) folder: Option<PathBuf>,
    /// Of a store on disk: where its snapshots go.
    pub(super) snapshots: Option<PathBuf>,
    /// Of a store that many nodes share: the counters of limits and budgets on the same server.
    pub(super) shared: Option<Shared>,
}

/// Everything that belongs to the store in this folder.
pub(super) fn place(config: &Config, folder: &Path) -> Place {
    let settings = &config.store;
    let snapshots = settings.snapshots.folder.clone().unwrap_or_else(|| folder.join("snapshots"));
    Place {
        snapshots: Some(snapshots),
        ballast: settings.ballast.0,
        least_free: settings.least_free.0,
        ..Place::at(folder.join("sled"))
    }
}

/// The store on disk that a configuration means, for commands that look after it.
///
/// # Errors
/// When it means none.
pub fn place_of(config: &Config) -> Result<Place, String> {
    if config.store.backend != Backend::Sled {
        return Err("`[store] backend` is not \"sled\": there are no files to look at".to_owned());
    }
    let folder = folder(config).ok_or("there is no folder of a store: `[store] path` names it")?;
    Ok(place(config, &folder))
}

/// The folder of the state: the one that is named, else the usual one where it is there.
pub(super) fn folder(config: &Config) -> Option<PathBuf> {
    let usual = || Some(PathBuf::from(Settings::USUAL)).filter(|usual| usual.is_dir());
    config.store.path.clone().or_else(usual)
}

/// Opens the store of a configuration, for commands that write to it.
///
/// # Errors
/// When there is none, or it cannot be opened.
pub fn open_store(config: &Config) -> Result<Arc<dyn Store>, String> {
    if config.store.backend == Backend::Sled && folder(config).is_none() {
        return Err("there is no folder of a store: `[store] path` names it".to_owned());
    }
    open(config, false, false).map(|opened| opened.store)
}

/// Opens the store.
///
/// Without a file nobody asked for anything to be kept, so nothing is written. A folder that was named must be usable;
/// the usual one is used where it is there and may be written.
///
/// `recover`: a store that is damaged is set aside, and the last snapshot comes into its place.
///
/// # Errors
/// One line that says what is wrong with the folder.
pub(super) fn open(config: &Config, demo: bool, recover: bool) -> Result<Opened, String> {
    if config.store.backend == Backend::Redis {
        return open_server(&config.store, recover);
    }
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
        return Ok(Opened {
            store: Arc::new(Memory::new(store::clock())),
            place,
            folder: None,
            snapshots: None,
            shared: None,
        });
    };
    let place = place(config, &folder);
    let opened = match Sled::open_at(&place, store::clock()) {
        Err(StoreError::Damaged(why)) if recover => recovered(&place, &why),
        opened => opened,
    };
    let opened = opened.map_err(|error| format!("store.path: {error}"))?;
    Ok(Opened {
        store: Arc::new(opened),
        place: place.files.display().to_string(),
        folder: Some(folder),
        snapshots: place.snapshots,
        shared: None,
    })
}

fn recovered(place: &Place, why: &str) -> Result<Sled, StoreError> {
    tracing::error!(why, "the store is damaged; the last snapshot comes into its place");
    let restored = store::sled::restore(place, None, &store::clock())?;
    let aside = restored.aside.map(|aside| aside.display().to_string());
    tracing::warn!(
        snapshot = %restored.from.display(),
        made = restored.made,
        records = restored.records,
        aside,
        "the store was restored; what came after the snapshot is missing"
    );
    Sled::open_at(place, store::clock())
}

/// The ledger in this store. Its journal stands beside the store, or where a folder is named although the store is a
/// server; else it is in memory.
///
/// # Errors
/// One line that says what is wrong with the folder.
pub(super) fn ledger(
    config: &Config,
    folder: Option<&Path>,
    (store, observer): (&Arc<dyn Store>, &Arc<Observer>),
) -> Result<Arc<Ledger>, String> {
    let shared = config.store.backend == Backend::Redis;
    let named = config.store.path.as_deref().filter(|_| shared);
    let journal = match folder.or(named) {
        None => Journal::in_memory(),
        Some(folder) => {
            let beside = folder.join("journal");
            Journal::open(&beside).map_err(|error| format!("store.path: {}: {error}", beside.display()))?
        }
    };
    let ledger = Ledger::new(journal, Arc::clone(store), Arc::clone(observer));
    let ledger = ledger.keeping(Some(config.usage.keep.get())).replayable(retention(config, folder));
    Ok(Arc::new(if shared { ledger.as_node(id::own()) } else { ledger }))
}

/// How long files of the journal are kept: as long as there are snapshots that lack what is in them.
fn retention(config: &Config, folder: Option<&Path>) -> Option<Retention> {
    let most = config.store.snapshots.journal.get();
    let folder = folder.filter(|_| config.store.backend == Backend::Sled && most > 0)?;
    Some(Retention { snapshots: place(config, folder).snapshots?, most })
}

/// Books what the journal holds and the store lacks, for a store on disk that nobody uses. Returns how many rows that
/// were.
///
/// # Errors
/// When the store cannot be opened or does not take them; nothing is lost then.
pub async fn replay(config: &Config) -> Result<usize, String> {
    let Opened { store, folder, .. } = open(config, false, false)?;
    let observer = Arc::new(Observer::new().map_err(|error| error.to_string())?);
    let ledger = ledger(config, folder.as_deref(), (&store, &observer))?;
    let replayed = Importer::new(Arc::clone(&ledger)).run(store::clock()()).await;
    ledger.journal().close();
    let closed = store.close().await;
    let rows = replayed.map_err(|error| error.to_string())?;
    closed.map(|()| rows).map_err(|error| error.to_string())
}

/// Connects to the server that many nodes share. The folder, if one is named, is for what belongs to this node.
fn open_server(settings: &Settings, recover: bool) -> Result<Opened, String> {
    let url = settings.url.as_ref().map(|url| url.expose()).unwrap_or_default();
    let address = Address {
        url: url.to_owned(),
        prefix: settings.prefix.clone(),
        connect: settings.connect_timeout.get(),
        timeout: settings.timeout.get(),
    };
    let opened = Redis::open(address).map_err(|error| format!("store.url: {error}"))?;
    let (place, folder, shared) = (opened.place(), settings.path.clone(), Some(opened.holds()));
    if let Some(folder) = &folder {
        remember(&folder.join(IDENTITY), &opened, recover)?;
    }
    Ok(Opened { store: Arc::new(opened), place, folder, snapshots: None, shared })
}

/// Which store this node knows; another one in its place is refused, an empty one too.
fn remember(file: &Path, store: &Redis, recover: bool) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("store.path: {}: {error}", file.display());
    let identity = store.identity();
    match std::fs::read_to_string(file) {
        Ok(known) if known.trim() == identity => return Ok(()),
        Ok(known) if !recover => {
            return Err(format!(
                "store.url: {} is not the store that this node knows: it was emptied or is another one (`{identity}`, \
                 not `{}`); restore it, or say that it is meant with `causeway serve --recover`",
                store.place(),
                known.trim()
            ));
        }
        Ok(_) => tracing::warn!(%identity, "another store than before is used, as it was told to be"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(wrong(error)),
    }
    let written = file.with_extension("new");
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    std::fs::write(&written, &identity).and_then(|()| std::fs::rename(&written, file)).map_err(wrong)
}

/// Whether a file can be made there. The only way to know is to try.
fn is_writable(folder: &Path) -> bool {
    let probe = folder.join(format!(".writable-{}", std::process::id()));
    let made = std::fs::File::create_new(&probe).is_ok();
    made && std::fs::remove_file(&probe).is_ok()
}
