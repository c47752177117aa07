//! Every record that can still be read, range by range: one bad page costs its own keys and not all behind it.
//!
//! It works on a copy: the files themselves are not touched, and a gateway may be using them.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;

use super::super::keyspace::{Key, Space};
use super::super::record::{NEWEST, Record};
use super::super::records::{Entry, tally};
use super::super::{Kept, StoreError};
use super::disk::{Disk, Unopened, drop_quietly};
use super::frozen::end_of;
use super::open::Place;
use super::{quiet, told};

/// The length of sled's segments: a file that was cut off within one is filled up with zeros.
const SEGMENT: u64 = 512 << 10;
/// So many keys of corrupted records are named.
const NAMED: usize = 100;

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// By space.
    pub spaces: BTreeMap<&'static str, Count>,
    /// Keys whose record is not what was written, the first hundred.
    pub corrupted: Vec<String>,
    /// Ranges of keys that cannot be reached.
    pub lost: Vec<Lost>,
    /// What had to be done to the copy before it could be opened.
    pub mended: Option<&'static str>,
}

/// What is in a space.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Count {
    /// Records that can be read.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of these, the ones that have expired.
    pub expired: u64,
    /// Records that are not what was written.
    pub corrupted: u64,
    /// Records of a newer version of the program.
    pub newer: u64,
    /// Records that were written and not removed, and are not there.
    pub missing: u64,
}

/// A range of keys that cannot be reached; how many there were, nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The space.
    pub space: &'static str,
    /// The last key before it; nothing: the space begins here.
    pub after: Option<String>,
    /// The first key behind it; nothing: the space ends here.
    pub before: Option<String>,
    /// What the engine said.
    pub why: String,
}

impl Report {
    /// Whether everything could be read.
    pub fn is_whole(&self) -> bool {
        self.lost.is_empty()
            && self.mended.is_none()
            && self
                .spaces
                .values()
                .all(|count| count.corrupted == 0 && count.newer == 0 && count.missing == 0)
    }

    /// How many records can be read.
    pub fn records(&self) -> u64 {
        self.spaces.values().map(|count| count.records).sum()
    }
}

/// Reads a copy of the store; `take` gets everything that is alive. `mend`: try what may help when it does not open.
///
/// # Errors
/// When it cannot be copied, or the copy cannot be opened.
pub fn salvage(
    place: &Place,
    (now, mend): (u64, bool),
    take: &mut dyn FnMut(Kept) -> Result<(), StoreError>,
) -> Result<Report, StoreError> {
    let mut last = String::new();
    for mended in [None, Some(Mending::Index), Some(Mending::Length)] {
        if mended.is_some() && !mend {
            break;
        }
        let copy = Copy::of(place)?;
        if let Some(mending) = mended {
            mending.apply(&copy.0.files).map_err(|error| told(&error, &copy.0.files))?;
        }
        match Disk::open(&copy.0.files) {
            Ok(disk) => {
                let mut report = Report { mended: mended.map(Mending::shown), ..Report::default() };
                let read = read_all(&disk, now, &mut report, take);
                drop_quietly(disk);
                return read.map(|()| report);
            }
            Err(Unopened::Full) => return Err(StoreError::Full),
            Err(Unopened::Held) => "the copy is in use".clone_into(&mut last),
            Err(Unopened::System(text) | Unopened::Damaged(text)) => last = text,
        }
    }
    Err(place.damaged(&format!("the store cannot be opened: {last}")))
}

/// A copy of a store, to be read; it goes with its owner. The store may be in use: what sled wrote last is at worst
/// missing from the copy, as after a crash.
pub struct Copy(Place);

impl Copy {
    /// Makes one beside the store.
    ///
    /// # Errors
    /// When there is no store, or its files cannot be copied.
    pub fn of(place: &Place) -> Result<Self, StoreError> {
        if !place.files.is_dir() {
            return Err(StoreError::Failed(format!("{}: there is no store here", place.files.display())));
        }
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let files = place.beside(&format!("copy-{}-{number}", std::process::id()));
        let copy = Self(Place { files, still: true, ballast: 0, least_free: 0, ..place.clone() });
        // First what the store must at least be, then the store, which only moves on.
        let manifest = place.beside("manifest");
        if manifest.exists() {
            fs::copy(&manifest, copy.0.beside("manifest")).map_err(|error| told(&error, &manifest))?;
        }
        copied(&place.files, &copy.0.files)?;
        Ok(copy)
    }

    /// Where it is, to be opened.
    pub fn place(&self) -> &Place {
        &self.0
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.files);
        for beside in ["manifest", "holder"] {
            let _ = fs::remove_file(self.0.beside(beside));
        }
    }
}

/// What may help a store that does not open.
#[derive(Clone, Copy)]
enum Mending {
    /// Without sled's index of its pages: it reads the whole log instead.
    Index,
    /// And with the last segment filled up.
    Length,
}

impl Mending {
    fn shown(self) -> &'static str {
        match self {
            Self::Index => "the engine's index of its pages was left away",
            Self::Length => {
                "the engine's index of its pages was left away, and the end of the file was filled up"
            }
        }
    }

    fn apply(self, copy: &Path) -> std::io::Result<()> {
        for entry in fs::read_dir(copy)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap.")) {
                fs::remove_file(path)?;
            }
        }
        if matches!(self, Self::Index) {
            return Ok(());
        }
        let file = OpenOptions::new().write(true).open(copy.join("db"))?;
        file.set_len(file.metadata()?.len().next_multiple_of(SEGMENT))
    }
}

fn copied(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::create_dir(to).map_err(|error| told(&error, to))?;
    let entries = fs::read_dir(from).map_err(|error| told(&error, from))?;
    for entry in entries {
        let entry = entry.map_err(|error| told(&error, from))?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(|error| told(&error, from))?);
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            copied(&path, &target)?;
        } else if let Err(error) = fs::copy(&path, &target)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            // One that went while we were at it is one the engine does not need.
            return Err(told(&error, &path));
        }
    }
    Ok(())
}

fn read_all(
    disk: &Disk,
    now: u64,
    report: &mut Report,
    take: &mut dyn FnMut(Kept) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for space in Space::ALL {
        let mut failed = None;
        let mut count = Count::default();
        let mut corrupted = Vec::new();
        let mut each = |(key, bytes): Entry| {
            let size = bytes.len();
            match Record::decode(&key, &bytes) {
                Ok(record) => {
                    count.records += 1;
                    count.bytes += u64::try_from(key.len() + size).unwrap_or(0);
                    if !record.is_alive(now) {
                        count.expired += 1;
                    } else if failed.is_none() && !space.is_own() {
                        let kept = Kept { key: Key(key), value: record.value, expires: record.expires };
                        failed = take(kept).err();
                    }
                }
                Err(_) if bytes.first().is_some_and(|version| *version > NEWEST) => count.newer += 1,
                Err(_) => {
                    count.corrupted += 1;
                    corrupted.push(Key(key).to_string());
                }
            }
        };
        let prefix = space.prefix();
        let mut reading = Reading { disk, space, each: &mut each, lost: &mut report.lost };
        reading.range(&prefix, &end_of(&prefix), true);
        let found = count.records + count.corrupted + count.newer;
        // What says how many there were may itself be unreadable.
        if let Ok(Ok(Some(said))) = quiet::guarded(|| tally::said(disk, space))
            && said.count > found
        {
            count.missing = said.count - found;
        }
        if let Some(error) = failed {
            return Err(error);
        }
        report.spaces.insert(space.name(), count);
        let room = NAMED.saturating_sub(report.corrupted.len());
        report.corrupted.extend(corrupted.into_iter().take(room));
    }
    Ok(())
}

struct Reading<'r> {
    disk: &'r Disk,
    space: Space,
    each: &'r mut dyn FnMut(Entry),
    lost: &'r mut Vec<Lost>,
}

impl Reading<'_> {
    /// Everything from `from` to before `to`: forwards as far as it goes, then backwards, then into the gap between.
    fn range(&mut self, from: &[u8], to: &[u8], probe: bool) {
        let (found, why) = self.pass((from, to), false);
        let last = found.last().map(|(key, _)| key.clone());
        found.into_iter().for_each(&mut *self.each);
        let Some(why) = why else { return };
        let gap_from = last.as_ref().map_or_else(|| from.to_vec(), |last| [last.as_slice(), b"\0"].concat());
        let (mut behind, _) = self.pass((&gap_from, to), true);
        behind.reverse();
        let gap_to = behind.first().map_or_else(|| to.to_vec(), |(key, _)| key.clone());
        if probe {
            self.gap(&gap_from, &gap_to, &why);
        } else {
            self.lose(&gap_from, &gap_to, &why);
        }
        behind.into_iter().for_each(&mut *self.each);
    }

    /// Tries to get in between, at every letter that could come next.
    fn gap(&mut self, from: &[u8], to: &[u8], why: &str) {
        let same = from.iter().zip(to).take_while(|(one, other)| one == other).count();
        let shared = from.get(..same).unwrap_or_default();
        let first = from.get(same).map_or(0, |byte| u16::from(*byte) + 1);
        let last = to.get(same).map_or(255, |byte| u16::from(*byte));
        let mut reached = from.to_vec();
        for byte in first..=last {
            let Ok(byte) = u8::try_from(byte) else { break };
            let probe = [shared, &[byte]].concat();
            if probe.as_slice() <= reached.as_slice() || probe.as_slice() >= to {
                continue;
            }
            let (found, stopped) = self.pass((&probe, to), false);
            let (Some(start), Some(end)) = (found.first(), found.last()) else { continue };
            let (start, end) = (start.0.clone(), [end.0.as_slice(), b"\0"].concat());
            self.lose(&reached, &start, why);
            found.into_iter().for_each(&mut *self.each);
            reached = end;
            if stopped.is_none() {
                return;
            }
        }
        self.lose(&reached, to, why);
    }

    /// Entries until the end or an error.
    fn pass(&mut self, (from, to): (&[u8], &[u8]), backwards: bool) -> (Vec<Entry>, Option<String>) {
        let mut found = Vec::new();
        let passed = quiet::guarded(|| {
            for entry in self.disk.entries((from, to), backwards) {
                match entry {
                    Ok(entry) => found.push(entry),
                    Err(error) => return Some(error.to_string()),
                }
            }
            None
        });
        let why = passed.unwrap_or_else(Some);
        (found, why)
    }

    fn lose(&mut self, from: &[u8], to: &[u8], why: &str) {
        let prefix = self.space.prefix();
        let key = |bytes: &[u8]| Key(bytes.to_vec()).to_string();
        let after = (from != prefix).then(|| key(from.strip_suffix(b"\0").unwrap_or(from)));
        let before = (to != end_of(&prefix)).then(|| key(to));
        self.lost.push(Lost { space: self.space.name(), after, before, why: why.to_owned() });
    }
}
