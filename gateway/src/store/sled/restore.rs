//! A snapshot in the place of a store. What was there is set aside, never deleted.

use std::fs::{self, File};
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::super::records::Writer;
use super::super::snapshot::{self, sync_folder};
use super::super::{Batch, Clock, Kept, Mark, Space, StoreError, lines};
use super::manifest::Manifest;
use super::open::{self, Opened, Place};
use super::{holder, told};
use crate::domain::date::rfc3339;

/// So many records are written together.
const TOGETHER: usize = 256;

/// What was done.
#[derive(Debug)]
pub struct Restored {
    /// The file that was read.
    pub from: PathBuf,
    /// When it was made, where it says so.
    pub made: Option<String>,
    /// How many records are in the store now.
    pub records: u64,
    /// Records that have expired since.
    pub expired: u64,
    /// Where the store is that was there before.
    pub aside: Option<PathBuf>,
    /// Newer snapshots that could not be used, and why.
    pub skipped: Vec<String>,
}

/// Sets the store aside and puts a file in its place: the one that is named, or the newest snapshot that is whole.
/// A file is a snapshot or an export.
///
/// # Errors
/// When another process uses the store, no file can be used, or the new store cannot be written; the old one is still
/// in its place then.
pub fn restore(place: &Place, from: Option<&Path>, clock: &Clock) -> Result<Restored, StoreError> {
    let _alone = lock(place)?;
    let (from, mark, made, skipped) = chosen(place, from)?;
    let known = place.expected().ok().flatten();
    let epoch = mark.epoch.max(known.as_ref().map_or(0, |known| known.epoch));
    let store = match (mark.store.is_empty(), known) {
        (false, _) => mark.store,
        (true, Some(known)) => known.store,
        (true, None) => ulid::Ulid::generate().to_string(),
    };
    let new = Place {
        accept: true,
        born: Some(Mark { store, epoch, sequence: mark.sequence }),
        ..Place::at(place.beside("new"))
    };
    clear(&new);
    let filled = fill(&new, &from, clock);
    let (records, expired, mark) = filled.inspect_err(|_| clear(&new))?;
    let aside = set_aside(place, clock() / 1000)?;
    fs::rename(&new.files, &place.files).map_err(|error| told(&error, &place.files))?;
    clear(&new);
    Manifest::begin(&place.beside("manifest"), &mark)?;
    sync_folder(&place.files).map_err(|error| told(&error, &place.files))?;
    Ok(Restored { from, made, records, expired, aside, skipped })
}

/// The lock sled would take. Without files there is nothing to lock.
fn lock(place: &Place) -> Result<Option<File>, StoreError> {
    let Ok(file) = File::open(place.files.join("db")) else { return Ok(None) };
    let name = place.beside("holder");
    let locked = || flock(&file, FlockOperation::NonBlockingLockExclusive).ok();
    match holder::when_let_go(&name, locked) {
        Some(()) => Ok(Some(file)),
        None => {
            let holder = holder::named(&name);
            let path = place.files.display();
            Err(StoreError::Failed(format!(
                "{path}: another process uses this store: {holder}; end it first"
            )))
        }
    }
}

/// The process that uses the store, in words; nothing: nobody does.
pub fn held_by(place: &Place) -> Option<String> {
    lock(place).is_err().then(|| holder::named(&place.beside("holder")))
}

type Chosen = (PathBuf, Mark, Option<String>, Vec<String>);

fn chosen(place: &Place, from: Option<&Path>) -> Result<Chosen, StoreError> {
    let mut skipped = Vec::new();
    if let Some(from) = from {
        let (mark, made) = verified(from)?;
        return Ok((from.to_owned(), mark, made, skipped));
    }
    let folder = place.snapshots.as_deref();
    for path in folder.map(snapshot::all).unwrap_or_default() {
        match verified(&path) {
            Ok((mark, made)) => return Ok((path, mark, made, skipped)),
            Err(error) => skipped.push(error.to_string()),
        }
    }
    let folder =
        folder.map_or_else(|| "no folder of snapshots".to_owned(), |path| path.display().to_string());
    let also = if skipped.is_empty() { String::new() } else { format!(" ({})", skipped.join("; ")) };
    Err(StoreError::Failed(format!("{folder}: there is no snapshot that can be used{also}")))
}

/// Whether a file is whole; whose it is.
fn verified(path: &Path) -> Result<(Mark, Option<String>), StoreError> {
    if is_lines(path)? {
        each(path, |_| Ok(()))?;
        return Ok((Mark::default(), None));
    }
    let summary = snapshot::verify(path)?;
    Ok((summary.header.mark.clone(), Some(summary.header.made())))
}

fn is_lines(path: &Path) -> Result<bool, StoreError> {
    let mut first = [0];
    let read = File::open(path).and_then(|mut file| file.read(&mut first));
    read.map_err(|error| told(&error, path))?;
    Ok(first == *b"{")
}

fn each(path: &Path, take: impl FnMut(Kept) -> Result<(), StoreError>) -> Result<(), StoreError> {
    if !is_lines(path)? {
        return snapshot::read(path, take).map(|_| ());
    }
    let file = File::open(path).map_err(|error| told(&error, path))?;
    lines::read(BufReader::new(file), take).map(|_| ())
}

fn fill(new: &Place, from: &Path, clock: &Clock) -> Result<(u64, u64, Mark), StoreError> {
    let Opened { disk, mark, manifest } = open::open(new)?;
    drop(manifest);
    let mut writer = Writer::new(disk.clone(), clock.clone(), Space::limit)?;
    let (mut records, mut expired) = (0, 0);
    let (mut batch, mut waiting) = (Batch::default(), 0);
    let now = clock();
    each(from, |kept| {
        let life = kept.expires.map(|expires| Duration::from_millis(expires.saturating_sub(now)));
        if life.is_some_and(|life| life.is_zero()) {
            expired += 1;
            return Ok(());
        }
        if kept.key.space().is_none_or(Space::is_own) {
            return Ok(());
        }
        records += 1;
        waiting += 1;
        batch = std::mem::take(&mut batch).put(kept.key, kept.value, life);
        if waiting < TOGETHER {
            return Ok(());
        }
        waiting = 0;
        writer.write(std::mem::take(&mut batch))
    })?;
    writer.write(batch)?;
    disk.flush()?;
    Ok((records, expired, mark))
}

/// Removes what is left of a store that was being made.
fn clear(new: &Place) {
    let _ = fs::remove_dir_all(&new.files);
    for beside in ["manifest", "holder"] {
        let _ = fs::remove_file(new.beside(beside));
    }
}

fn set_aside(place: &Place, seconds: u64) -> Result<Option<PathBuf>, StoreError> {
    if fs::symlink_metadata(&place.files).is_err() {
        return Ok(None);
    }
    let moment: String = rfc3339(seconds).chars().filter(|letter| !matches!(letter, '-' | ':')).collect();
    let mut aside = place.beside(&format!("corrupt-{moment}"));
    let mut number = 1;
    while aside.exists() {
        number += 1;
        aside = place.beside(&format!("corrupt-{moment}-{number}"));
    }
    fs::rename(&place.files, &aside).map_err(|error| told(&error, &place.files))?;
    Ok(Some(aside))
}
