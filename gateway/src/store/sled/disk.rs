//! The open database: what of sled we use, and what its errors mean.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::super::StoreError;
use super::super::records::{Entry, Raw, Tree};
use super::frozen::Frozen;
use super::quiet;

/// sled's own cache of pages.
const CACHE: u64 = 64 << 20;

/// The database and its file.
#[derive(Clone)]
pub(super) struct Disk {
    db: sled::Db,
    file: Arc<File>,
    /// sled had an error of the system's. It remembers that for ever: only opening it again helps.
    broken: Arc<AtomicBool>,
    frozen: Arc<Mutex<Option<Frozen>>>,
}

/// Why a folder was not opened.
pub(super) enum Unopened {
    /// Another process has it.
    Held,
    /// There is no room, not even to open it.
    Full,
    /// The system says no.
    System(String),
    /// What is in it is not what sled wrote.
    Damaged(String),
}

impl Disk {
    /// Opens the files in a folder, or makes them. sled 0.34 panics where its files are cut off.
    pub(super) fn open(files: &Path) -> Result<Self, Unopened> {
        let configured =
            sled::Config::new().path(files).cache_capacity(CACHE).flush_every_ms(None).use_compression(false);
        let opened = quiet::guarded(|| configured.open()).map_err(Unopened::Damaged)?;
        let db = opened.map_err(|error| match &error {
            sled::Error::Io(io) if io.to_string().contains("could not acquire lock") => Unopened::Held,
            sled::Error::Io(io) => match io.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Unopened::Full,
                ErrorKind::PermissionDenied | ErrorKind::NotFound | ErrorKind::ReadOnlyFilesystem => {
                    Unopened::System(io.to_string())
                }
                _ => Unopened::Damaged(io.to_string()),
            },
            _ => Unopened::Damaged(error.to_string()),
        })?;
        let file = File::open(files.join("db")).map_err(|error| Unopened::System(format!("db: {error}")))?;
        Ok(Self { db, file: Arc::new(file), broken: Arc::default(), frozen: Arc::default() })
    }

    /// Everything applied before is on the device afterwards.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.told(self.db.flush())?;
        self.file.sync_data().map_err(|error| {
            self.broken.store(true, Ordering::Release);
            of_system(&error)
        })
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// A panic inside sled leaves it in a state nobody knows.
    pub(super) fn break_down(&self) {
        self.broken.store(true, Ordering::Release);
    }

    pub(super) fn frozen(&self) -> &Mutex<Option<Frozen>> {
        &self.frozen
    }

    /// Entries as they stand, behind `after`, in order or against it.
    pub(super) fn entries(
        &self,
        (from, to): (&[u8], &[u8]),
        backwards: bool,
    ) -> impl Iterator<Item = Result<Entry, StoreError>> {
        let mut range = self.db.range(from.to_vec()..to.to_vec());
        std::iter::from_fn(move || {
            let next = if backwards { range.next_back() } else { range.next() };
            Some(next?.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(|error| meaning(&error)))
        })
    }

    fn told<T>(&self, done: Result<T, sled::Error>) -> Result<T, StoreError> {
        done.map_err(|error| {
            if !matches!(error, sled::Error::Corruption { .. }) {
                self.break_down();
            }
            meaning(&error)
        })
    }
}

fn of_system(error: &std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Failed(error.to_string()),
    }
}

fn meaning(error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { at, .. } => StoreError::Corrupted {
            key: at.map_or_else(|| "?".to_owned(), |at| format!("{at:?}")),
            what: "the engine found its own checksum wrong at this place of its file",
        },
        sled::Error::Io(error) => of_system(error),
        error => StoreError::Failed(error.to_string()),
    }
}

impl Tree for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.told(self.db.get(key))?.map(|value| value.to_vec()))
    }

    fn apply(&self, changes: Raw) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut frozen = self.frozen.lock();
        if let Some(frozen) = &mut *frozen {
            for key in changes.keys() {
                frozen.keep(key, || Ok(self.told(self.db.get(key))?.map(|value| value.to_vec())))?;
            }
        }
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.told(self.db.apply_batch(batch))
    }

    fn range(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        // The first key behind another one is that key with a zero.
        let from = after.map_or_else(|| prefix.to_vec(), |after| [after, b"\0"].concat());
        let mut found = Vec::new();
        for entry in self.db.range(from..).take(limit) {
            let (key, value) = self.told(entry)?;
            if !key.starts_with(prefix) {
                break;
            }
            found.push((key.to_vec(), value.to_vec()));
        }
        Ok(found)
    }
}

/// Lets go of the files. sled flushes once more, and may panic over it.
pub(super) fn drop_quietly(something: impl Sized) {
    let _ = quiet::guarded(move || drop(something));
}
