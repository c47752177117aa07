//! What must outlive a crash before the store has it: append-only files beside the store, imported behind.
//!
//! What [`Journal::add`] returns is done when the bytes are with the kernel, which survives the death of the process: at
//! once where the disk takes them at once, else one thread writes all that is waiting. The device has them a twentieth of a
//! second later. A slow disk holds up no worker twice and nothing fails a request: where the disk is full, entries wait in
//! memory and are written when there is room again.
//!
//! A file belongs to the process that holds its lock. [`Reader`] reads one's own files and those whose process has ended,
//! in the order they were written. What is in the store is removed, or kept under a [`Retention`] until every snapshot has
//! it too; how far each file is imported stands in the store ([`Imported`]), so it is as old as what was imported, also
//! after a restore. Without a folder there is only memory.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

mod frame;
mod kept;
mod pen;
mod reader;
mod segment;
mod writer;

pub use frame::Damage;
pub use kept::Retention;
pub use reader::{Imported, Piece, Reader};

use pen::Pen;
use writer::Writer;

/// So many entries wait in memory at most, where there is no folder.
const MOST_IN_MEMORY: usize = 1 << 17;
/// A file of this size is closed, and another one is begun.
pub const SEGMENT: u64 = 16 << 20;
/// Nobody waits longer than this for the disk: what is written late is written all the same.
const PATIENCE: Duration = Duration::from_secs(1);

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// Money is held for a request that is about to be sent.
    Hold,
    /// A row of the ledger.
    Row,
    /// What was held is settled; its rows stand before this.
    Settled,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is about.
    pub kind: EntryKind,
    /// Its id, at most 255 bytes: of a row its own, else the hold's.
    pub id: String,
    /// The rest; the journal does not look at it.
    pub payload: Bytes,
}

/// Where entries go.
pub struct Journal {
    way: Way,
    counts: Arc<Counts>,
    /// Told when there is something new to read.
    news: Arc<Notify>,
}

enum Way {
    Memory(Arc<Mutex<VecDeque<Entry>>>),
    Disk { writer: Writer, segments: Arc<segment::Own> },
}

/// How the journal is doing.
#[derive(Default)]
pub(crate) struct Counts {
    /// Entries that were handed in.
    added: AtomicU64,
    /// Entries that were read and need not be read again.
    done: AtomicU64,
    /// Entries given up because memory was full as well.
    lost: AtomicU64,
    /// Writes that failed.
    failures: AtomicU64,
    /// Damaged places that were found.
    damages: AtomicU64,
    /// What keeps it from writing.
    trouble: Mutex<Option<String>>,
}

/// The same for who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Entries that are not in the store yet.
    pub waiting: u64,
    /// Entries given up because disk and memory were full.
    pub lost: u64,
    /// Writes that failed; they are tried again.
    pub failures: u64,
    /// Damaged places that were found in files.
    pub damages: u64,
    /// What keeps it from writing now.
    pub trouble: Option<String>,
}

/// Done when the entries are with the kernel.
#[must_use]
pub struct Added(Option<oneshot::Receiver<()>>);

impl Added {
    /// Waits for that, but not for ever.
    pub async fn kept(self) {
        if let Some(told) = self.0 {
            // Late is not lost: the entries stay in the queue.
            let _ = tokio::time::timeout(PATIENCE, told).await;
        }
    }
}

impl Journal {
    /// A journal that is forgotten with the process.
    pub fn in_memory() -> Self {
        Self { way: Way::Memory(Arc::default()), counts: Arc::default(), news: Arc::default() }
    }

    /// A journal in this folder, which is made if need be.
    ///
    /// # Errors
    /// When no file can be made or locked there.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Self::with_segments_of(folder, SEGMENT)
    }

    /// With files of another size.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn with_segments_of(folder: &Path, size: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let (counts, news) = (Arc::new(Counts::default()), Arc::new(Notify::new()));
        let segments = Arc::new(segment::Own::new(folder));
        let writer = Writer::start(Pen::new(&segments, size, (Arc::clone(&counts), Arc::clone(&news)))?)?;
        Ok(Self { way: Way::Disk { writer, segments }, counts, news })
    }

    /// Hands entries over, all of them together. They are on their way when this comes back, awaited or not.
    pub fn add(&self, entries: Vec<Entry>) -> Added {
        let many = u64::try_from(entries.len()).unwrap_or(0);
        if many == 0 {
            return Added(None);
        }
        self.counts.added.fetch_add(many, Ordering::Relaxed);
        match &self.way {
            Way::Memory(queue) => {
                let mut queue = queue.lock();
                queue.extend(entries);
                let over = queue.len().saturating_sub(MOST_IN_MEMORY);
                queue.drain(..over);
                drop(queue);
                self.counts.lose(over);
                self.news.notify_one();
                Added(None)
            }
            Way::Disk { writer, .. } => {
                let mut bytes = Vec::new();
                for entry in &entries {
                    frame::write(entry, &mut bytes);
                }
                match writer.add(bytes, many) {
                    writer::Added::Written => Added(None),
                    writer::Added::Handed(kept) => Added(Some(kept)),
                    writer::Added::Lost => {
                        self.counts.lose(entries.len());
                        Added(None)
                    }
                }
            }
        }
    }

    /// The one who reads what was added. There should be one per journal.
    pub fn reader(&self) -> Reader {
        match &self.way {
            Way::Memory(queue) => Reader::of_memory(Arc::clone(queue), Arc::clone(&self.counts)),
            Way::Disk { segments, .. } => Reader::of_files(Arc::clone(segments), Arc::clone(&self.counts)),
        }
    }

    /// Waits until something was added.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// How it is doing.
    pub fn standing(&self) -> Standing {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let lost = count(&self.counts.lost);
        Standing {
            waiting: count(&self.counts.added).saturating_sub(count(&self.counts.done).saturating_add(lost)),
            lost,
            failures: count(&self.counts.failures),
            damages: count(&self.counts.damages),
            trouble: self.counts.trouble.lock().clone(),
        }
    }

    /// Blocks until what was added before is on the device, but not for ever: for the end of the process.
    pub fn close(&self) {
        if let Way::Disk { writer, .. } = &self.way {
            writer.close(PATIENCE * 2);
        }
    }
}

impl Counts {
    fn lose(&self, entries: usize) {
        if entries > 0 {
            let lost = u64::try_from(entries).unwrap_or(0);
            self.lost.fetch_add(lost, Ordering::Relaxed);
            tracing::error!(
                entries,
                "entries of the journal are lost: there is no room on the disk or in memory"
            );
        }
    }
}

#[cfg(test)]
mod tests;
