//! The master key of who gives none: a file in the store's folder, made on first start, for its owner's eyes only.
//!
//! One key per line, the current one first.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::Keys;
use crate::domain::Secret;

/// Its name.
const NAME: &str = "master.key";
/// A longer file is none of ours.
const MOST_BYTES: u64 = 64 * 1024;

/// Where the file of a folder is.
pub fn path_in(folder: &Path) -> PathBuf {
    folder.join(NAME)
}

/// Reads the keys of a folder, if it has any.
///
/// # Errors
/// When the file may be read by others, or holds no keys; nothing of it is repeated.
pub fn read(folder: &Path) -> Result<Option<Keys>, String> {
    let path = path_in(folder);
    let told = |why: &dyn std::fmt::Display| format!("the master key in {}: {why}", path.display());
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(&error)),
    };
    let about = file.metadata().map_err(|error| told(&error))?;
    if !about.is_file() {
        return Err(told(&"it is not a file"));
    }
    if about.mode() & 0o077 != 0 {
        let mode = about.mode() & 0o777;
        return Err(told(&format!("others may read or change it (mode {mode:04o}); `chmod 600` it")));
    }
    let mut text = String::new();
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(|error| told(&error))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut lines = lines.map(Secret::new);
    let current = lines.next().ok_or_else(|| told(&"it is empty"))?;
    let older: Vec<Secret> = lines.collect();
    Keys::read(&current, &older).map(Some).map_err(|why| told(&format!("a line of it {why}")))
}

/// Reads the keys of a folder, or makes one there. Of two processes that make one at the same time, one makes it.
///
/// # Errors
/// As [`read`]; also when it cannot be written.
pub fn read_or_make(folder: &Path) -> Result<Keys, String> {
    if let Some(keys) = read(folder)? {
        return Ok(keys);
    }
    let path = path_in(folder);
    let told = |why: &dyn std::fmt::Display| format!("the master key in {}: {why}", path.display());
    let keys = Keys::random().map_err(|error| told(&error))?;
    let draft = write_draft(folder, &keys).map_err(|error| told(&error))?;
    // A link fails where a file stands already; a name is never there half written.
    let linked = std::fs::hard_link(&draft, &path);
    std::fs::remove_file(&draft).map_err(|error| told(&error))?;
    match linked {
        Ok(()) => sync(folder).map_err(|error| told(&error))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(told(&error)),
    }
    read(folder)?.ok_or_else(|| told(&"it is gone again"))
}

/// Puts these keys in the place of the folder's.
///
/// # Errors
/// When they cannot be written; the file is then as it was.
pub fn replace(folder: &Path, keys: &Keys) -> Result<(), String> {
    let path = path_in(folder);
    let replaced = write_draft(folder, keys)
        .and_then(|draft| std::fs::rename(&draft, &path))
        .and_then(|()| sync(folder));
    replaced.map_err(|error| format!("the master key in {}: {error}", path.display()))
}

/// A file of another name that holds the keys, on the disk.
fn write_draft(folder: &Path, keys: &Keys) -> io::Result<PathBuf> {
    let draft = folder.join(format!(".{NAME}-{}", std::process::id()));
    let _ = std::fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(
        b"# causeway: what seals the secrets of the store; the current key first. Keep a copy elsewhere.\n",
    )?;
    for key in keys.all() {
        writeln!(file, "{}", key.written().expose())?;
    }
    file.sync_all()?;
    Ok(draft)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
