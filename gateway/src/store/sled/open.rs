//! Opening a store: everything that can be wrong with a folder, each told in one line that says what to do.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::super::keyspace::Space;
use super::super::record::Record;
use super::super::records::{self, Tree as _};
use super::super::snapshot;
use super::super::{Mark, StoreError};
use super::disk::{Disk, Unopened};
use super::holder;
use super::manifest::{self, Found, Manifest};

/// The layout of keys, kept at `meta/format`.
const FORMAT: &[u8] = b"1";

/// Where a store is, and what belongs to it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder of the engine's files.
    pub files: PathBuf,
    /// The folder of the snapshots.
    pub snapshots: Option<PathBuf>,
    /// How large the file is that is given up when the disk is full; 0: none.
    pub ballast: u64,
    /// With less room than this on the disk nothing is written; 0: write until it is full.
    pub least_free: u64,
    /// Take the store as it is, whatever the manifest beside it says.
    pub accept: bool,
    /// It is a copy to be read: it keeps the mark it has.
    pub still: bool,
    /// What a store that is made here goes on from.
    pub born: Option<Mark>,
}

impl Place {
    /// A folder alone: without snapshots, without ballast.
    pub fn at(files: impl Into<PathBuf>) -> Self {
        let files = files.into();
        Self { files, snapshots: None, ballast: 0, least_free: 0, accept: false, still: false, born: None }
    }

    /// A file beside the folder: `sled.manifest`.
    pub(super) fn beside(&self, what: &str) -> PathBuf {
        let mut name = self.files.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{what}"));
        self.files.with_file_name(name)
    }

    /// The greatest mark anybody wrote down of this store.
    pub(super) fn expected(&self) -> Result<Option<Mark>, StoreError> {
        let manifest = match manifest::read(&self.beside("manifest"))? {
            Found::At(mark) => Some(mark),
            Found::Nothing => None,
            Found::Damaged if self.accept => None,
            Found::Damaged => {
                let path = self.beside("manifest");
                return Err(StoreError::Damaged(format!(
                    "{}: this file is damaged, so nobody knows whether the store beside it is whole; `causeway \
                     store check --accept` looks at every record and writes it anew",
                    path.display()
                )));
            }
        };
        let saved = self.snapshots.as_deref().and_then(snapshot::newest).map(|(_, header)| header.mark);
        Ok(match (manifest, saved) {
            // A snapshot of another store says nothing about this one.
            (Some(manifest), Some(saved)) if manifest.store == saved.store => Some(manifest.max(saved)),
            (None, saved) => saved,
            (manifest, _) => manifest,
        })
    }

    pub(super) fn damaged(&self, what: &str) -> StoreError {
        let remedy = match self.snapshots.as_deref().and_then(snapshot::newest) {
            Some((path, header)) => format!(
                "`causeway store restore` (or `causeway serve --recover`) sets it aside and brings back the snapshot \
                 of {} ({})",
                header.made(),
                path.display()
            ),
            None => "`causeway store salvage` reads out of it what can be read, and `causeway store restore --from \
                     <file>` brings back a backup; there is no snapshot"
                .to_owned(),
        };
        StoreError::Damaged(format!("{}: {what}; nothing was deleted: {remedy}", self.files.display()))
    }
}

/// A store that is open, and how far it is.
pub(super) struct Opened {
    pub(super) disk: Disk,
    pub(super) mark: Mark,
    pub(super) manifest: Manifest,
}

/// The engine, also when whoever had it is just letting go of it.
fn opened(place: &Place) -> Result<Disk, Unopened> {
    let attempt = || match Disk::open(&place.files) {
        Err(Unopened::Held) => None,
        result => Some(result),
    };
    holder::when_let_go(&place.beside("holder"), attempt).unwrap_or(Err(Unopened::Held))
}

/// Opens it, or says in one line why not. Nothing is ever deleted here.
pub(super) fn open(place: &Place) -> Result<Opened, StoreError> {
    look_at(&place.files)?;
    let expected = place.expected()?;
    let database = place.files.join("db");
    let is_there = fs::metadata(&database).is_ok_and(|found| found.len() > 0);
    if expected.is_some() && !is_there && !place.accept {
        return Err(place.damaged("the store is empty, and it was not before"));
    }
    make(&place.files)?;
    let disk = opened(place).map_err(|why| match why {
        Unopened::Held => {
            let holder = holder::named(&place.beside("holder"));
            let told = format!(
                "{}: another process uses this store: {holder}; every process needs a folder of its own",
                place.files.display()
            );
            StoreError::Failed(told)
        }
        Unopened::Full => StoreError::Full,
        Unopened::System(text) => {
            StoreError::Failed(format!("{}: cannot open the store: {text}", place.files.display()))
        }
        Unopened::Damaged(text) => place.damaged(&format!("the store cannot be opened: {text}")),
    })?;
    let found = look_inside(place, &disk)?;
    if let Some(expected) = expected.as_ref().filter(|_| !place.accept) {
        compare(place, expected, found.as_ref())?;
    }
    let mut mark = found
        .or_else(|| place.born.clone())
        .unwrap_or_else(|| Mark { store: ulid::Ulid::generate().to_string(), ..Mark::default() });
    if !place.still {
        // Whatever was accepted is later than what was expected.
        mark.epoch = 1 + expected.map_or(mark.epoch, |expected| expected.epoch.max(mark.epoch));
        begin(&disk, &mark)?;
    }
    let manifest = Manifest::begin(&place.beside("manifest"), &mark)?;
    holder::sign(&place.beside("holder"));
    Ok(Opened { disk, mark, manifest })
}

/// The folder as the system sees it.
fn look_at(files: &Path) -> Result<(), StoreError> {
    let failed = |what: &str| Err(StoreError::Failed(format!("{}: {what}", files.display())));
    // Of the link, not of what it leads to.
    let found = match fs::symlink_metadata(files) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return failed(&error.to_string()),
    };
    if found.is_symlink() {
        return failed("this is a symbolic link, and the store needs a folder; name the folder itself");
    }
    if !found.is_dir() {
        return failed("this is a file, and the store needs a folder");
    }
    let own = rustix::process::geteuid();
    if !own.is_root() && found.uid() != own.as_raw() {
        return failed(&format!(
            "this folder belongs to user {}, and this process is user {}",
            found.uid(),
            own.as_raw()
        ));
    }
    // The permissions say much; whether a file can be made, only the attempt does.
    let probe = files.join(format!(".writable-{}", std::process::id()));
    match fs::File::create(&probe).and_then(|_| fs::remove_file(&probe)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::StorageFull => Ok(()),
        Err(error) => failed(&format!("this folder cannot be written: {error}")),
    }
}

fn make(files: &Path) -> Result<(), StoreError> {
    // Nobody else has business in there.
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(files);
    made.map_err(|error| StoreError::Failed(format!("{}: cannot make the folder: {error}", files.display())))
}

/// The format and the mark inside.
fn look_inside(place: &Place, disk: &Disk) -> Result<Option<Mark>, StoreError> {
    let unreadable =
        |error: StoreError| place.damaged(&format!("what it says about itself cannot be read: {error}"));
    let format = records::get(disk, 0, &Space::Meta.key(&["format"])).map_err(unreadable)?;
    if format.is_some_and(|format| format.value.as_ref() != FORMAT) {
        return Err(StoreError::Failed(format!(
            "{}: a newer version of this program wrote this store, and this one does not read it",
            place.files.display()
        )));
    }
    let unreadable =
        |error: StoreError| place.damaged(&format!("what it says about itself cannot be read: {error}"));
    let Some(record) = records::get(disk, 0, &mark_key()).map_err(unreadable)? else { return Ok(None) };
    let mark = serde_json::from_slice(&record.value);
    mark.map(Some).map_err(|error| place.damaged(&format!("its mark cannot be read: {error}")))
}

fn compare(place: &Place, expected: &Mark, found: Option<&Mark>) -> Result<(), StoreError> {
    let Some(found) = found else {
        return Err(place.damaged("the store is empty, and it was not before"));
    };
    if found.store != expected.store {
        return Err(place.damaged("this is another store than the one that was here before"));
    }
    if found < expected {
        return Err(place.damaged(&format!(
            "the store is older than it was: it is at {}.{}, and was at {}.{}",
            found.epoch, found.sequence, expected.epoch, expected.sequence
        )));
    }
    Ok(())
}

fn begin(disk: &Disk, mark: &Mark) -> Result<(), StoreError> {
    let format = Space::Meta.key(&["format"]);
    let value = Record { expires: None, value: FORMAT.into() }.encode(&format.0);
    let (key, marked) = mark_record(mark)?;
    disk.apply([(format.0, Some(value)), (key, Some(marked))].into())?;
    disk.flush()
}

fn mark_key() -> super::super::Key {
    Space::Meta.key(&["mark"])
}

/// The mark as it stands in the store.
pub(super) fn mark_record(mark: &Mark) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
    let key = mark_key();
    let json = serde_json::to_vec(mark).map_err(|error| StoreError::Failed(error.to_string()))?;
    let bytes = Record { expires: None, value: json.into() }.encode(&key.0);
    Ok((key.0, bytes))
}
