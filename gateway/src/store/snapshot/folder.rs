//! The folder of the snapshots: their names, the newest, and which of them are kept.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::Mark;
use super::Header;
use crate::domain::date::rfc3339;

const ENDING: &str = ".snapshot";
const DAY: u64 = 24 * 60 * 60;

/// How long snapshots are kept.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// All of them so long.
    pub all: Duration,
    /// The last one of each day so long.
    pub daily: Duration,
}

/// The name of a snapshot: its moment and its mark, so that names are in order of time.
pub fn name(seconds: u64, mark: &Mark) -> String {
    let moment: String = rfc3339(seconds).chars().filter(|letter| !matches!(letter, '-' | ':')).collect();
    format!("{moment}-{}-{}{ENDING}", mark.epoch, mark.sequence)
}

/// All snapshots in a folder, the newest first.
pub fn all(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with(ENDING)))
        .collect();
    found.sort();
    found.reverse();
    found
}

/// The newest one that can be read, by its head.
pub fn newest(folder: &Path) -> Option<(PathBuf, Header)> {
    all(folder).into_iter().find_map(|path| super::header(&path).ok().map(|header| (path, header)))
}

/// Of when the oldest one is that can be read, in seconds since 1970.
pub fn oldest(folder: &Path) -> Option<u64> {
    all(folder).iter().filter_map(|path| super::header(path).ok()).map(|header| header.seconds).min()
}

/// Removes what need not be kept, and says how many. The newest stays, however old.
///
/// # Errors
/// When one cannot be removed.
pub fn prune(folder: &Path, keep: Keep, now: u64) -> io::Result<usize> {
    let mut removed = 0;
    let mut day = None;
    for (at, path) in all(folder).into_iter().enumerate() {
        // What cannot be read is not ours to remove.
        let Ok(header) = super::header(&path) else { continue };
        let age = Duration::from_secs(now.saturating_sub(header.seconds));
        let first_of_day = day.replace(header.seconds / DAY) != Some(header.seconds / DAY);
        if at == 0 || age <= keep.all || (age <= keep.daily && first_of_day) {
            continue;
        }
        fs::remove_file(&path)?;
        removed += 1;
    }
    Ok(removed)
}

/// Brings a new name to the device.
///
/// # Errors
/// As the system says.
pub fn sync_folder(of: &Path) -> io::Result<()> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
