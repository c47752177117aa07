//! The thread that writes: everything that is waiting at once; another one brings it to the device.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use super::Counts;
use super::segment::{Own, Segment};

/// So long what was written may be with the kernel only.
const SYNCED_WITHIN: Duration = Duration::from_millis(50);
/// How often a disk that was full is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// So many bytes wait in memory for such a disk.
const MOST_WAITING: usize = 64 << 20;
/// So many bytes go into one write.
const AT_ONCE: usize = 1 << 20;

/// What the thread is told.
pub(super) enum Job {
    /// Write these bytes, which are so many entries.
    Write { bytes: Vec<u8>, entries: u64, told: oneshot::Sender<()> },
    /// Write what is waiting, bring it to the device and say so.
    Close(Sender<()>),
}

pub(super) struct Writer {
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
}

impl Writer {
    pub(super) fn start(
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
        let (own, waiting) = (Arc::clone(own), VecDeque::new());
        Ok(Self {
            own,
            size,
            segment,
            #[cfg(test)]
            instead: None,
            counts,
            news,
            waiting,
            held: 0,
            sync,
        })
    }

    /// Writes to another file, or to its own again.
    #[cfg(test)]
    pub(super) fn write_to(&mut self, instead: impl Into<Option<std::fs::File>>) {
        self.instead = instead.into();
    }

    /// One job and what waits behind it.
    #[cfg(test)]
    pub(super) fn step(&mut self, jobs: &Receiver<Job>) {
        if let Ok(job) = jobs.recv() {
            self.take(job, jobs);
        }
    }

    fn file(&self) -> &std::fs::File {
        #[cfg(test)]
        if let Some(instead) = &self.instead {
            return instead;
        }
        &self.segment.file
    }

    pub(super) fn run(mut self, jobs: Receiver<Job>) -> io::Result<()> {
        let run = move || {
            while let Some(job) = self.next(&jobs) {
                self.take(job, &jobs);
            }
            self.close();
        };
        thread::Builder::new().name("journal-write".to_owned()).spawn(run)?;
        Ok(())
    }

    /// The next job; what waits for the disk is tried again meanwhile. None: nobody is there any more.
    fn next(&mut self, jobs: &Receiver<Job>) -> Option<Job> {
        loop {
            if self.waiting.is_empty() {
                return jobs.recv().ok();
            }
            match jobs.recv_timeout(AGAIN) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Timeout) => self.write(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// This job and all that wait behind it, in one write.
    fn take(&mut self, first: Job, jobs: &Receiver<Job>) {
        let mut told = Vec::new();
        let (mut gathered, mut many) = (Vec::new(), 0);
        let mut closing = None;
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Write { bytes, entries, told: waits } => {
                    gathered.extend_from_slice(&bytes);
                    many += entries;
                    told.push(waits);
                }
                Job::Close(done) => {
                    closing = Some(done);
                    break;
                }
            }
            next = if gathered.len() < AT_ONCE { jobs.try_recv().ok() } else { None };
        }
        self.held += gathered.len();
        self.waiting.push_back((gathered, many));
        self.write();
        // Also when the disk is full: a request does not wait for that.
        for told in told {
            let _ = told.send(());
        }
        if let Some(done) = closing {
            self.close();
            let _ = done.send(());
        }
    }

    fn write(&mut self) {
        while let Some((bytes, _)) = self.waiting.front() {
            if let Err(error) = self.append(bytes) {
                self.counts.failures.fetch_add(1, Ordering::Relaxed);
                let told = self.counts.trouble.lock().replace(error.to_string());
                if told.is_none() {
                    tracing::error!(%error, "the journal cannot be written; what it should hold waits in memory");
                }
                return self.bound();
            }
            self.held = self.held.saturating_sub(bytes.len());
            self.waiting.pop_front();
        }
        if self.counts.trouble.lock().take().is_some() {
            tracing::info!("the journal can be written again");
        }
        // One that waits already stands for this write too.
        let _ = self.sync.try_send(Arc::clone(&self.segment));
        if self.segment.written() >= self.size {
            self.rotate();
        }
        self.news.notify_one();
    }

    /// All of it or nothing: what was begun and not finished is taken away again.
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let before = self.segment.written();
        let written = self.file().write_all(bytes);
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

    fn rotate(&mut self) {
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

    fn close(&mut self) {
        self.write();
        if let Err(error) = self.segment.file.sync_data() {
            tracing::error!(%error, "the journal could not be brought to the device at the end");
        }
    }
}
