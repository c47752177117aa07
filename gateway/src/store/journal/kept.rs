//! Files whose entries are all in the store. They stay for as long as a snapshot may be put back that does not have them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use super::super::snapshot;
use super::segment::epoch_of;

/// How often it is looked which snapshots there are, in milliseconds.
const LOOKED_EVERY: u64 = 60_000;
/// Without a snapshot the first one may be on its way; it takes no longer than this, in seconds.
const ON_ITS_WAY: u64 = 600;

/// How long files stay whose entries are in the store.
#[derive(Clone, Debug)]
pub struct Retention {
    /// The folder of the snapshots: what the oldest one of them does not have is kept.
    pub snapshots: PathBuf,
    /// At most so many bytes, and a sixteenth of the disk; the oldest go first.
    pub most: u64,
}

/// The files that are kept.
#[derive(Default)]
pub(super) struct Shelf {
    /// By time and name, so the oldest come first.
    files: BTreeMap<(String, String), Finished>,
    bytes: u64,
    /// When it was looked for snapshots, in milliseconds, and of when the oldest one is, in seconds.
    looked: Option<(u64, Option<u64>)>,
    warned: bool,
}

struct Finished {
    bytes: u64,
    /// Since when all of it is in the store, Unix time in milliseconds.
    at: u64,
}

impl Shelf {
    pub(super) fn has(&self, name: &str) -> bool {
        let epoch = epoch_of(name);
        epoch.is_some_and(|epoch| self.files.contains_key(&(epoch, name.to_owned())))
    }

    /// Takes a file over.
    pub(super) fn take(&mut self, name: String, bytes: u64, at: u64) {
        let epoch = epoch_of(&name).unwrap_or_default();
        self.bytes = self.bytes.saturating_add(bytes);
        self.files.insert((epoch, name), Finished { bytes, at });
        // What was seen of snapshots may be older than this file.
        self.looked = None;
    }

    /// Removes what every snapshot has, and the oldest where all together are too large. Returns their names.
    pub(super) fn release(&mut self, folder: &Path, retention: &Retention, now: u64) -> Vec<String> {
        if self.files.is_empty() {
            return Vec::new();
        }
        let oldest = match self.looked {
            Some((at, oldest)) if now.saturating_sub(at) < LOOKED_EVERY => oldest,
            _ => {
                let oldest = snapshot::oldest(&retention.snapshots);
                self.looked = Some((now, oldest));
                oldest
            }
        };
        let oldest = oldest.unwrap_or((now / 1000).saturating_sub(ON_ITS_WAY)).saturating_mul(1000);
        let most = retention.most.min(disk(folder) / 16);
        let mut gone = Vec::new();
        for (key, file) in &self.files {
            let superfluous = file.at < oldest;
            if !superfluous && self.bytes <= most {
                continue;
            }
            let removed = std::fs::remove_file(folder.join(&key.1));
            if let Err(error) = removed.or_else(but_gone) {
                tracing::error!(file = key.1, %error, "a file of the journal cannot be removed");
                break;
            }
            if !superfluous && !std::mem::replace(&mut self.warned, true) {
                tracing::warn!(
                    file = key.1,
                    most,
                    "the usage journal since the oldest snapshot is larger than `store.snapshots.journal` allows: \
                     who restores that snapshot misses rows of the ledger"
                );
            }
            self.bytes = self.bytes.saturating_sub(file.bytes);
            gone.push(key.clone());
        }
        self.files.retain(|key, _| !gone.contains(key));
        gone.into_iter().map(|(_, name)| name).collect()
    }
}

fn but_gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// How large the disk is.
fn disk(folder: &Path) -> u64 {
    statvfs(folder).map_or(u64::MAX, |disk| disk.f_blocks.saturating_mul(disk.f_frsize))
}
