//! The files of a journal: their names, their locks, whose they are.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

/// The files this process writes.
pub(super) struct Own {
    folder: PathBuf,
    /// Those the reader has not taken over yet.
    fresh: Mutex<Vec<Arc<Segment>>>,
}

/// One file, held by its lock for as long as it is needed.
pub(super) struct Segment {
    pub(super) path: PathBuf,
    /// Kept open for its lock.
    pub(super) file: File,
    /// So many bytes of it are whole entries.
    pub(super) written: AtomicU64,
    /// Nothing more is written to it.
    pub(super) closed: std::sync::atomic::AtomicBool,
}

impl Segment {
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Own {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), fresh: Mutex::default() }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Begins a file under a name nobody has.
    pub(super) fn begin(&self) -> io::Result<Arc<Segment>> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut epoch = since.as_millis();
        loop {
            let path = self.folder.join(format!("usage-{}-{epoch:013}.log", std::process::id()));
            match OpenOptions::new().append(true).read(true).create_new(true).open(&path) {
                Ok(file) => {
                    file.try_lock().map_err(io::Error::from)?;
                    let segment =
                        Arc::new(Segment { path, file, written: AtomicU64::new(0), closed: false.into() });
                    self.fresh.lock().push(Arc::clone(&segment));
                    return Ok(segment);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => epoch += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// What was begun since this was asked last.
    pub(super) fn fresh(&self) -> Vec<Arc<Segment>> {
        std::mem::take(&mut *self.fresh.lock())
    }
}

/// Files in a folder that nobody writes any more, oldest first; they are ours from now on. `known` are ours already.
pub(super) fn abandoned(folder: &Path, known: &dyn Fn(&Path) -> bool) -> Vec<Arc<Segment>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(String, PathBuf)> =
        entries.filter_map(|entry| Some((epoch_of(entry.file_name().to_str()?)?, entry.path()))).collect();
    found.sort();
    let mut taken = Vec::new();
    for (_, path) in found {
        if known(&path) {
            continue;
        }
        match take(&path) {
            Ok(segment) => taken.extend(segment),
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "a file of the journal cannot be opened");
            }
        }
    }
    taken
}

/// A file whose process has ended; none: it has not.
fn take(path: &Path) -> io::Result<Option<Arc<Segment>>> {
    let file = File::open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let written = file.metadata()?.len();
    let (written, closed) = (AtomicU64::new(written), true.into());
    Ok(Some(Arc::new(Segment { path: path.to_owned(), file, written, closed })))
}

/// The time in a file's name, which puts files in order.
pub(super) fn epoch_of(name: &str) -> Option<String> {
    let (process, epoch) = name.strip_prefix("usage-")?.strip_suffix(".log")?.split_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(process) && digits(epoch)).then(|| epoch.to_owned())
}

impl Segment {
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }
}
