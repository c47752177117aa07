//! Room on the disk: how much there is, and the ballast, a file that is given up when there is none.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Watches the disk of a store.
#[derive(Debug)]
pub(super) struct Room {
    path: PathBuf,
    ballast: u64,
    least: u64,
}

impl Room {
    /// `ballast` and `least` are capped at a sixteenth and an eighth of the disk.
    pub(super) fn new(path: PathBuf, ballast: u64, least: u64) -> Self {
        let size = usage(&path).map_or(u64::MAX, |(_, size)| size);
        Self { path, ballast: ballast.min(size / 16), least: least.min(size / 8) }
    }

    /// Whether there is less than there must be.
    pub(super) fn is_low(&self) -> bool {
        self.free().is_some_and(|free| free < self.least)
    }

    /// Whether there is enough again for the ballast and some work: more than the least, or it would end at once.
    pub(super) fn is_back(&self) -> bool {
        self.free().is_none_or(|free| free >= self.wanted())
    }

    fn wanted(&self) -> u64 {
        let missing = if self.path.exists() { 0 } else { self.ballast };
        self.least + self.least / 8 + missing + (self.ballast / 4).max(1 << 20)
    }

    /// Takes the room of the ballast, if it is not taken.
    pub(super) fn fill(&self) -> std::io::Result<()> {
        let there = fs::metadata(&self.path).is_ok_and(|found| found.len() >= self.ballast);
        if self.ballast == 0 || there {
            return Ok(());
        }
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&self.path)?;
        let taken = fallocate(&file, FallocateFlags::empty(), 0, self.ballast);
        taken.map_err(|error| {
            self.give_up();
            error.into()
        })
    }

    /// Gives the room of the ballast back.
    pub(super) fn give_up(&self) {
        let _ = fs::remove_file(&self.path);
    }

    /// For the operator.
    pub(super) fn shown(&self) -> String {
        let free = self.free().map_or_else(|| "?".to_owned(), |free| (free >> 20).to_string());
        format!("{free} MiB of the disk are free, and writing goes on at {} MiB", (self.wanted() >> 20) + 1)
    }

    fn free(&self) -> Option<u64> {
        usage(&self.path).map(|(free, _)| free)
    }
}

/// Bytes that we may still take, and the size of the disk.
fn usage(path: &std::path::Path) -> Option<(u64, u64)> {
    let found = statvfs(path.parent()?).ok()?;
    Some((found.f_bavail.saturating_mul(found.f_frsize), found.f_blocks.saturating_mul(found.f_frsize)))
}
