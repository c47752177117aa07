//! Reads what was added: one's own files and those that nobody writes any more, oldest first.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::frame::{self, Damage};
use super::kept::{Retention, Shelf};
use super::segment::{self, Own, Segment};
use super::{Counts, Entry};

/// Twice the longest entry, so that one is always whole in it.
const STRETCH: usize = 2 << 20;
/// Entries in memory that are read at once.
const AT_ONCE: usize = 512;

/// Who reads a journal.
pub struct Reader {
    source: Source,
    counts: Arc<Counts>,
}

enum Source {
    /// The second: so many of them were there when it was said to read what is there.
    Memory(Arc<Mutex<VecDeque<Entry>>>, usize),
    Files(Files),
}

struct Files {
    own: Arc<Own>,
    open: VecDeque<Open>,
    next: u64,
    /// How far files were imported before this process began, by name.
    before: BTreeMap<String, Imported>,
    shelf: Shelf,
}

/// How far a file is in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Nothing before this byte need be read again.
    pub read: u64,
    /// Since when that is all there is, Unix time in milliseconds; none: there may be more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<u64>,
}

/// A file that is being read.
struct Open {
    number: u64,
    segment: Arc<Segment>,
    /// Everything before this was read.
    read: u64,
    /// It was written to here when it was said to read what is there.
    until: u64,
    /// What was last told of it.
    told: Imported,
    own: bool,
}

/// Some entries that stand together.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// In the order they were written.
    pub entries: Vec<Entry>,
    /// The number of the file they stand in; later files have higher ones.
    pub segment: u64,
    /// The file is of a process that has ended.
    pub abandoned: bool,
    /// Where in the file they begin.
    pub from: u64,
    /// What could not be read between them.
    pub damages: Vec<Damage>,
    /// Where reading goes on.
    next: u64,
}

impl Reader {
    pub(super) fn of_memory(queue: Arc<Mutex<VecDeque<Entry>>>, counts: Arc<Counts>) -> Self {
        Self { source: Source::Memory(queue, 0), counts }
    }

    pub(super) fn of_files(own: Arc<Own>, counts: Arc<Counts>) -> Self {
        let files =
            Files { own, open: VecDeque::new(), next: 0, before: BTreeMap::new(), shelf: Shelf::default() };
        Self { source: Source::Files(files), counts }
    }

    /// Whether there are files, of which one can say how far they are imported.
    pub fn has_files(&self) -> bool {
        matches!(self.source, Source::Files(_))
    }

    /// What is known of files from before this process began. Returns what is of no file any more.
    pub fn go_on_from(&mut self, mut before: BTreeMap<String, Imported>) -> Vec<String> {
        let Source::Files(files) = &mut self.source else { return Vec::new() };
        files.take_fresh();
        // One's own are new: what is known under the name of one is of another file.
        let own: BTreeSet<String> = files.open.iter().map(|open| open.segment.name()).collect();
        let folder = files.own.folder();
        let is_there = |name: &String| !own.contains(name) && folder.join(name).exists();
        let gone: Vec<String> = before.keys().filter(|name| !is_there(name)).cloned().collect();
        before.retain(|name, _| is_there(name));
        files.before = before;
        gone
    }

    /// Whether all files in the folder are known: nobody else holds one.
    #[cfg(test)]
    pub(crate) fn is_alone(&self) -> bool {
        let Source::Files(files) = &self.source else { return true };
        let entries = std::fs::read_dir(files.own.folder()).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).all(|name| files.knows(&name))
    }

    /// Looks for files of processes that have ended; how many there are that were not known and have something to read.
    pub fn look(&mut self) -> usize {
        let Source::Files(files) = &mut self.source else { return 0 };
        files.look()
    }

    /// Sets how far [`Reader::read`] goes: to what is there now. Under load there is always more, and whoever went after it
    /// would get it in the smallest of pieces.
    pub fn until_now(&mut self) {
        match &mut self.source {
            Source::Memory(queue, left) => *left = queue.lock().len(),
            Source::Files(files) => {
                files.take_fresh();
                files.open.iter_mut().for_each(|open| open.until = open.segment.written());
            }
        }
    }

    /// The next entries; nothing: everything was read that was there. Reads from the disk.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&mut self) -> io::Result<Option<Piece>> {
        match &mut self.source {
            Source::Memory(queue, left) => {
                let mut queue = queue.lock();
                let many = queue.len().min(AT_ONCE).min(*left);
                *left -= many;
                let entries: Vec<_> = queue.drain(..many).collect();
                Ok((!entries.is_empty()).then(|| Piece { entries, ..Piece::default() }))
            }
            Source::Files(files) => {
                files.take_fresh();
                for open in files.open.iter().filter(|open| open.read < open.until) {
                    let piece = stretch(open)?;
                    if piece.next > open.read {
                        return Ok(Some(piece));
                    }
                }
                Ok(None)
            }
        }
    }

    /// These entries need not be read again.
    pub fn done(&mut self, piece: &Piece) {
        let many = u64::try_from(piece.entries.len()).unwrap_or(0);
        if !piece.abandoned {
            self.counts.done.fetch_add(many, Ordering::Relaxed);
        }
        let damages = u64::try_from(piece.damages.len()).unwrap_or(0);
        self.counts.damages.fetch_add(damages, Ordering::Relaxed);
        if let Source::Files(files) = &mut self.source
            && let Some(open) = files.open.iter_mut().find(|open| open.number == piece.segment)
        {
            open.read = open.read.max(piece.next);
        }
    }

    /// Removes files that were read to their end, of each kind the oldest first, up to the first that is still `needed`.
    pub fn remove(&mut self, needed: impl Fn(u64) -> bool) {
        let Source::Files(files) = &mut self.source else { return };
        let mut left = Vec::new();
        for open in files.finished(needed) {
            let path = &open.segment.path;
            match left.is_empty().then(|| std::fs::remove_file(path)) {
                Some(Ok(())) => continue,
                Some(Err(error)) => {
                    tracing::error!(path = %path.display(), %error, "a file of the journal cannot be removed");
                }
                None => {}
            }
            left.push(open);
        }
        left.into_iter().rev().for_each(|open| files.open.push_front(open));
    }

    /// How far files are imported of which something else was told before. `needed` from a byte on: what is read from
    /// there of a file must be read again.
    pub fn imported(&self, needed: &HashMap<u64, u64>, now: u64) -> Vec<(String, Imported)> {
        let Source::Files(files) = &self.source else { return Vec::new() };
        let told = files.open.iter().filter_map(|open| {
            let read = needed.get(&open.number).copied().unwrap_or(open.read).min(open.read);
            let is_done = open.is_read() && read == open.read;
            let imported = Imported { read, done: is_done.then_some(open.told.done.unwrap_or(now)) };
            // A file without a byte is not worth a word.
            (imported != open.told && read > 0).then(|| (open.segment.name(), imported))
        });
        told.collect()
    }

    /// It was noted how far these files are imported. Those of which nothing more is needed are kept under a retention
    /// from now on.
    pub fn noted(&mut self, imported: &[(String, Imported)], needed: impl Fn(u64) -> bool) {
        let Source::Files(files) = &mut self.source else { return };
        for (name, imported) in imported {
            if let Some(open) = files.open.iter_mut().find(|open| open.segment.name() == *name) {
                open.told = *imported;
            }
        }
        for open in files.finished(needed) {
            match open.told.done {
                Some(at) => files.shelf.take(open.segment.name(), open.read, at),
                None if open.read == 0 => drop(std::fs::remove_file(&open.segment.path)),
                None => files.open.push_front(open),
            }
        }
    }

    /// Removes what need not be kept any more, and returns the names.
    pub fn release(&mut self, retention: &Retention, now: u64) -> Vec<String> {
        let Source::Files(files) = &mut self.source else { return Vec::new() };
        files.shelf.release(files.own.folder(), retention, now)
    }
}

impl Files {
    fn take_fresh(&mut self) {
        for segment in self.own.fresh() {
            self.add(segment, Imported::default(), true);
        }
    }

    fn add(&mut self, segment: Arc<Segment>, told: Imported, own: bool) {
        let until = segment.written();
        self.open.push_back(Open { number: self.next, segment, read: told.read, until, told, own });
        self.next += 1;
    }

    fn knows(&self, name: &str) -> bool {
        self.open.iter().any(|open| open.segment.name() == name) || self.shelf.has(name)
    }

    fn look(&mut self) -> usize {
        self.take_fresh();
        let known = |path: &Path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| self.knows(name))
        };
        // Before one's own: they are older.
        let found = segment::abandoned(self.own.folder(), &known);
        let mut many = 0;
        for segment in found {
            let (name, length) = (segment.name(), segment.written());
            let told = self.before.remove(&name).filter(|told| told.read <= length).unwrap_or_default();
            match told.done.filter(|_| told.read == length) {
                Some(at) => self.shelf.take(name, length, at),
                None => {
                    self.add(segment, Imported { done: None, ..told }, false);
                    many += 1;
                }
            }
        }
        many
    }

    /// Takes out files that were read to their end, of each kind the oldest first, up to the first that is still `needed`.
    fn finished(&mut self, needed: impl Fn(u64) -> bool) -> Vec<Open> {
        let mut finished = Vec::new();
        for own in [false, true] {
            while let Some(at) = self.open.iter().position(|open| open.own == own)
                && self.open.get(at).is_some_and(|front| front.is_read() && !needed(front.number))
            {
                finished.extend(self.open.remove(at));
            }
        }
        finished
    }
}

impl Open {
    /// Everything in it was read, and nothing more comes.
    fn is_read(&self) -> bool {
        self.segment.is_closed() && self.read >= self.segment.written()
    }
}

/// What stands behind what was read of one file.
fn stretch(open: &Open) -> io::Result<Piece> {
    let segment = &open.segment;
    let (closed, written) = (segment.is_closed(), segment.written());
    let left = usize::try_from(written.saturating_sub(open.read)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; left.min(STRETCH)];
    // A handle of its own: the other one appends.
    let mut file = File::open(&segment.path)?;
    file.seek(SeekFrom::Start(open.read))?;
    file.read_exact(&mut bytes)?;
    let last = bytes.len() == left && (closed || open.own);
    let found = frame::read(&bytes, last);
    let place = |at: usize| open.read.saturating_add(u64::try_from(at).unwrap_or(0));
    let damages: Vec<_> = found
        .damaged
        .iter()
        .map(|range| Damage { file: segment.name(), bytes: place(range.start)..place(range.end) })
        .collect();
    for damage in &damages {
        tracing::error!(
            file = damage.file,
            from = damage.bytes.start,
            to = damage.bytes.end,
            "a part of the journal is damaged; what stands around it is kept"
        );
    }
    Ok(Piece {
        entries: found.entries,
        segment: open.number,
        abandoned: !open.own,
        from: open.read,
        damages,
        next: place(found.read),
    })
}
