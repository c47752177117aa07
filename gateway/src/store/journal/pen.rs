//! The hand on the file: what is written, what waits for room, when another file is begun.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Counts;
use super::segment::{Own, Segment};

/// So long what was written may be with the kernel only.
const SYNCED_WITHIN: Duration = Duration::from_millis(50);
/// So many bytes wait in memory for a disk that is full.
const MOST_WAITING: usize = 64 << 20;
/// A write that takes longer than this waited for the disk: no worker should.
const SLOW: Duration = Duration::from_millis(2);
/// So long nobody but the thread writes to a slow disk.
const LEFT_ALONE: Duration = Duration::from_secs(1);

pub(super) struct Pen {
    own: Arc<Own>,
    size: u64,
    segment: Arc<Segment>,
    /// Stands in for the segment's file, in a test.
    #[cfg(test)]
    instead: Option<std::fs::File>,
    counts: Arc<Counts>,
    news: Arc<Notify>,
    /// What could not be written, and how many entries that is.
    waiting: VecDeque<(Vec<u8>, u64)>,
    /// Bytes in there.
    held: usize,
    sync: SyncSender<Arc<Segment>>,
    slow_until: Option<Instant>,
}

impl Pen {
    pub(super) fn new(
        own: &Arc<Own>,
        size: u64,
        (counts, news): (Arc<Counts>, Arc<Notify>),
    ) -> io::Result<Self> {
        let segment = own.begin()?;
        let (sync, to_sync) = sync_channel::<Arc<Segment>>(1);
        let failing = Arc::clone(&counts);
        thread::Builder::new().name("journal-sync".to_owned()).spawn(move || {
            while let Ok(segment) = to_sync.recv() {
                // Whoever writes meanwhile shares it.
                thread::sleep(SYNCED_WITHIN);
                if let Err(error) = segment.file.sync_data() {
                    failing.failures.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(%error, "the journal could not be brought to the device");
                }
            }
        })?;
        Ok(Self {
            own: Arc::clone(own),
            size,
            segment,
            #[cfg(test)]
            instead: None,
            counts,
            news,
            waiting: VecDeque::new(),
            held: 0,
            sync,
            slow_until: None,
        })
    }

    /// Writes to another file, or to its own again.
    #[cfg(test)]
    pub(super) fn write_to(&mut self, instead: impl Into<Option<std::fs::File>>) {
        self.instead = instead.into();
    }

    fn file(&self) -> &std::fs::File {
        #[cfg(test)]
        if let Some(instead) = &self.instead {
            return instead;
        }
        &self.segment.file
    }

    /// Everything else was written, the disk takes what comes, and no other file must be begun.
    pub(super) fn is_quick(&self) -> bool {
        let slow = self.slow_until.is_some_and(|until| Instant::now() < until);
        !slow && self.waiting.is_empty() && self.segment.written() < self.size
    }

    /// Something waits for room on the disk.
    pub(super) fn is_stuck(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Writes these bytes, which are so many entries, behind what waits.
    pub(super) fn put(&mut self, bytes: Vec<u8>, entries: u64) {
        self.held += bytes.len();
        self.waiting.push_back((bytes, entries));
        self.write();
    }

    /// Writes what waits.
    pub(super) fn write(&mut self) {
        while let Some((bytes, entries)) = self.waiting.pop_front() {
            if let Err(error) = self.append(&bytes) {
                self.waiting.push_front((bytes, entries));
                self.counts.failures.fetch_add(1, Ordering::Relaxed);
                let told = self.counts.trouble.lock().replace(error.to_string());
                if told.is_none() {
                    tracing::error!(%error, "the journal cannot be written; what it should hold waits in memory");
                }
                return self.bound();
            }
            self.held = self.held.saturating_sub(bytes.len());
        }
        if self.counts.trouble.lock().take().is_some() {
            tracing::info!("the journal can be written again");
        }
        // One that waits already stands for this write too.
        let _ = self.sync.try_send(Arc::clone(&self.segment));
        self.news.notify_one();
    }

    /// All of it or nothing: what was begun and not finished is taken away again.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (began, before) = (Instant::now(), self.segment.written());
        let written = self.file().write_all(bytes);
        let ended = Instant::now();
        if ended.duration_since(began) > SLOW {
            self.slow_until = ended.checked_add(LEFT_ALONE);
        }
        match written {
            Ok(()) => {
                let after = before.saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
                self.segment.written.store(after, Ordering::Release);
                Ok(())
            }
            Err(error) => {
                let _ = self.segment.file.set_len(before);
                Err(error)
            }
        }
    }

    /// Memory has an end too.
    fn bound(&mut self) {
        while self.held > MOST_WAITING {
            let Some((bytes, entries)) = self.waiting.pop_front() else { return };
            self.held = self.held.saturating_sub(bytes.len());
            self.counts.lose(usize::try_from(entries).unwrap_or(usize::MAX));
        }
    }

    /// Begins another file when this one is full.
    pub(super) fn rotate(&mut self) {
        if self.segment.written() < self.size {
            return;
        }
        match self.own.begin() {
            Ok(next) => {
                let full = std::mem::replace(&mut self.segment, next);
                full.closed.store(true, Ordering::Release);
                // Waits for room: the old file must not be forgotten.
                let _ = self.sync.send(full);
            }
            Err(error) => tracing::warn!(%error, "the journal goes on in the file it has"),
        }
    }

    /// Writes what waits and brings it to the device.
    pub(super) fn close(&mut self) {
        self.write();
        if let Err(error) = self.segment.file.sync_data() {
            tracing::error!(%error, "the journal could not be brought to the device at the end");
        }
    }
}
