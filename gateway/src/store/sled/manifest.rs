//! What the store must at least be, kept beside it: so that a folder that is empty, older or another one is noticed.
//!
//! It is written after every flush, before anybody is answered, and never waits for the device: what it names is there
//! already. Two places are written in turn, so that a write that was cut off leaves the one before.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::super::{Mark, StoreError};

/// The length of one place: no device tears a sector.
const PLACE: usize = 512;
const PLACES: [u64; 2] = [0, PLACE as u64];
const SUM: usize = 16;

/// The file, open for writing.
pub(super) struct Manifest {
    file: File,
    turn: usize,
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// There is none.
    Nothing,
    /// Nothing in it can be read.
    Damaged,
    /// The store was at least here.
    At(Mark),
}

/// Reads the manifest of a store.
pub(super) fn read(path: &Path) -> Result<Found, StoreError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(StoreError::Failed(format!("{}: {error}", path.display()))),
    };
    let newest = bytes.chunks(PLACE).filter_map(parse).max_by_key(|mark| (mark.epoch, mark.sequence));
    Ok(newest.map_or(Found::Damaged, Found::At))
}

fn parse(place: &[u8]) -> Option<Mark> {
    let line = place.split(|byte| *byte == b'\n').next()?;
    let (sum, json) = line.split_at_checked(SUM)?;
    if sum != sum_of(json).as_bytes() {
        return None;
    }
    serde_json::from_slice(json).ok()
}

fn sum_of(json: &[u8]) -> String {
    blake3::hash(json).to_hex().chars().take(SUM).collect()
}

impl Manifest {
    /// Opens it for writing, and writes both places.
    pub(super) fn begin(path: &Path, mark: &Mark) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| super::told(&error, path);
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).mode(0o600).open(path).map_err(failed)?;
        let mut manifest = Self { file, turn: 0 };
        manifest.write(mark).map_err(failed)?;
        manifest.write(mark).map_err(failed)?;
        manifest.file.sync_all().map_err(failed)?;
        Ok(manifest)
    }

    /// The store is here now.
    pub(super) fn write(&mut self, mark: &Mark) -> std::io::Result<()> {
        let json = serde_json::to_vec(mark)?;
        let mut place = sum_of(&json).into_bytes();
        place.extend_from_slice(&json);
        place.push(b'\n');
        place.resize(PLACE, b' ');
        self.turn = (self.turn + 1) % PLACES.len();
        self.file.write_all_at(&place, PLACES.get(self.turn).copied().unwrap_or_default())
    }
}
