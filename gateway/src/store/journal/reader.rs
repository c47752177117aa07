//! Reads what was added: one's own files and those that nobody writes any more, oldest first.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use super::frame::{self, Damage};
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
    Memory(Arc<Mutex<VecDeque<Entry>>>),
    Files { own: Arc<Own>, open: VecDeque<Open>, next: u64 },
}

/// A file that is being read.
struct Open {
    number: u64,
    segment: Arc<Segment>,
    /// Everything before this was read.
    read: u64,
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
    /// What could not be read between them.
    pub damages: Vec<Damage>,
    /// Where reading goes on.
    next: u64,
}

impl Reader {
    pub(super) fn of_memory(queue: Arc<Mutex<VecDeque<Entry>>>, counts: Arc<Counts>) -> Self {
        Self { source: Source::Memory(queue), counts }
    }

    pub(super) fn of_files(own: Arc<Own>, counts: Arc<Counts>) -> Self {
        Self { source: Source::Files { own, open: VecDeque::new(), next: 0 }, counts }
    }

    /// Looks for files of processes that have ended; how many there are that were not known.
    pub fn look(&mut self) -> usize {
        let Source::Files { own, open, next } = &mut self.source else { return 0 };
        take_fresh(own, open, next);
        let known = |path: &Path| open.iter().any(|open| open.segment.path == path);
        // Before one's own: they are older.
        let found = segment::abandoned(own.folder(), &known);
        let many = found.len();
        for segment in found {
            open.push_back(Open { number: *next, segment, read: 0, own: false });
            *next += 1;
        }
        many
    }

    /// The next entries; nothing: everything was read that is there. Reads from the disk.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&mut self) -> io::Result<Option<Piece>> {
        match &mut self.source {
            Source::Memory(queue) => {
                let mut queue = queue.lock();
                let many = queue.len().min(AT_ONCE);
                let entries: Vec<_> = queue.drain(..many).collect();
                Ok((!entries.is_empty()).then(|| Piece { entries, ..Piece::default() }))
            }
            Source::Files { own, open, next } => {
                take_fresh(own, open, next);
                for open in open.iter().filter(|open| open.read < open.segment.written()) {
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
        if let Source::Files { open, .. } = &mut self.source
            && let Some(open) = open.iter_mut().find(|open| open.number == piece.segment)
        {
            open.read = open.read.max(piece.next);
        }
    }

    /// Removes files that were read to their end, of each kind the oldest first, up to the first that is still `needed`.
    pub fn remove(&mut self, needed: impl Fn(u64) -> bool) {
        let Source::Files { open, .. } = &mut self.source else { return };
        for own in [false, true] {
            while let Some(at) = open.iter().position(|open| open.own == own)
                && let Some(front) = open.get(at)
            {
                let read = front.segment.is_closed() && front.read >= front.segment.written();
                if !read || needed(front.number) {
                    break;
                }
                let path = &front.segment.path;
                if let Err(error) = std::fs::remove_file(path) {
                    tracing::error!(path = %path.display(), %error, "a file of the journal cannot be removed");
                    break;
                }
                open.remove(at);
            }
        }
    }
}

fn take_fresh(own: &Own, open: &mut VecDeque<Open>, next: &mut u64) {
    for segment in own.fresh() {
        open.push_back(Open { number: *next, segment, read: 0, own: true });
        *next += 1;
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
        damages,
        next: place(found.read),
    })
}
