//! Who writes: whoever adds something, where the disk takes it at once; else a thread, everything that is waiting at once.
//!
//! Handing an entry to the thread and being woken by it costs more than the write, and more than waiting for somebody else's.
//! A worker writes only when nobody else does for long, nothing waits, and the disk has not been slow lately; so at most one
//! of them ever waits for the disk, and once, and the others half a millisecond for that one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::pen::Pen;

/// How often a disk that was full is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// So long another one may write: a write takes some microseconds.
const ANOTHER: Duration = Duration::from_micros(500);
/// So many bytes go into one write.
const AT_ONCE: usize = 1 << 20;

/// What the thread is told.
enum Job {
    /// Write these bytes, which are so many entries.
    Write { bytes: Vec<u8>, entries: u64, told: oneshot::Sender<()> },
    /// Write what is waiting, bring it to the device and say so.
    Close(Sender<()>),
}

pub(super) struct Writer {
    pen: Arc<Mutex<Pen>>,
    jobs: Mutex<Sender<Job>>,
    /// Jobs the thread has not done yet.
    behind: Arc<AtomicU64>,
}

/// What became of what was added.
pub(super) enum Added {
    Written,
    /// The thread will, and tells.
    Handed(oneshot::Receiver<()>),
    /// There is no thread any more.
    Lost,
}

impl Writer {
    pub(super) fn start(pen: Pen) -> io::Result<Self> {
        let (pen, behind) = (Arc::new(Mutex::new(pen)), Arc::new(AtomicU64::new(0)));
        let (jobs, waiting) = channel();
        let hand = Hand { pen: Arc::clone(&pen), jobs: waiting, behind: Arc::clone(&behind) };
        thread::Builder::new().name("journal-write".to_owned()).spawn(move || hand.run())?;
        Ok(Self { pen, jobs: Mutex::new(jobs), behind })
    }

    /// Writes these bytes, which are so many entries, behind all that was added before.
    pub(super) fn add(&self, bytes: Vec<u8>, entries: u64) -> Added {
        if self.behind.load(Ordering::Acquire) == 0
            && let Some(mut pen) = self.pen.try_lock_for(ANOTHER)
            && self.behind.load(Ordering::Acquire) == 0
            && pen.is_quick()
        {
            pen.put(bytes, entries);
            return Added::Written;
        }
        let (told, kept) = oneshot::channel();
        self.behind.fetch_add(1, Ordering::AcqRel);
        match self.jobs.lock().send(Job::Write { bytes, entries, told }) {
            Ok(()) => Added::Handed(kept),
            Err(_) => Added::Lost,
        }
    }

    /// Blocks until what was added before is on the device, or for so long.
    pub(super) fn close(&self, patience: Duration) {
        let (told, done) = channel();
        self.behind.fetch_add(1, Ordering::AcqRel);
        if self.jobs.lock().send(Job::Close(told)).is_ok() {
            let _ = done.recv_timeout(patience);
        }
    }

    #[cfg(test)]
    pub(super) fn pen(&self) -> parking_lot::MutexGuard<'_, Pen> {
        self.pen.lock()
    }
}

/// The thread.
struct Hand {
    pen: Arc<Mutex<Pen>>,
    jobs: Receiver<Job>,
    behind: Arc<AtomicU64>,
}

impl Hand {
    fn run(self) {
        while let Some(job) = self.next() {
            self.take(job);
        }
        self.pen.lock().close();
    }

    /// The next job; what waits for the disk is tried again meanwhile. None: nobody is there any more.
    fn next(&self) -> Option<Job> {
        loop {
            if !self.pen.lock().is_stuck() {
                return self.jobs.recv().ok();
            }
            match self.jobs.recv_timeout(AGAIN) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Timeout) => self.pen.lock().write(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// This job and all that wait behind it, in one write.
    fn take(&self, first: Job) {
        let (mut gathered, mut many, mut told) = (Vec::new(), 0, Vec::new());
        let (mut closing, mut jobs) = (None, 0);
        let mut next = Some(first);
        while let Some(job) = next {
            jobs += 1;
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
            next = if gathered.len() < AT_ONCE { self.jobs.try_recv().ok() } else { None };
        }
        let mut pen = self.pen.lock();
        pen.put(gathered, many);
        pen.rotate();
        if closing.is_some() {
            pen.close();
        }
        self.behind.fetch_sub(jobs, Ordering::AcqRel);
        drop(pen);
        // Also when the disk is full: a request does not wait for that.
        for told in told {
            let _ = told.send(());
        }
        if let Some(done) = closing {
            let _ = done.send(());
        }
    }
}
