//! Where log lines go: gathered in memory for a hundredth of a second and written to stderr by one thread.
//!
//! A line of its own per write is a system call under a lock that all workers share. Warnings and errors do not wait, and
//! when a gathering is full, whoever fills it writes it out: nothing is dropped. What was gathered last is lost when the
//! process is killed; the ledger is what must survive that.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use parking_lot::Mutex;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// So long a line waits.
const GATHERED: Duration = Duration::from_millis(10);
/// So many bytes wait.
const FULL: usize = 256 << 10;
const PLACES: usize = 8;

/// The sink of this process. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Sink {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Some workers each, so that they do not wait for each other.
    places: [Mutex<Vec<u8>>; PLACES],
    /// Something was gathered and the thread knows of it.
    told: AtomicBool,
    writer: OnceLock<Thread>,
}

impl Sink {
    /// Starts the thread. Without one every line is written at once.
    pub(super) fn start(&self) {
        let inner = Arc::clone(&self.inner);
        let run = move || loop {
            thread::park();
            thread::sleep(GATHERED);
            inner.told.store(false, Ordering::SeqCst);
            inner.flush();
        };
        if let Ok(writer) = thread::Builder::new().name("log".to_owned()).spawn(run) {
            let _ = self.inner.writer.set(writer.thread().clone());
        }
    }

    /// Adds a line that may wait.
    pub(super) fn write(&self, line: &[u8]) {
        self.inner.add(line);
    }

    /// Writes what was gathered.
    pub(super) fn flush(&self) {
        self.inner.flush();
    }
}

impl Inner {
    fn flush(&self) {
        for place in &self.places {
            let gathered = std::mem::take(&mut *place.lock());
            write_out(&gathered);
        }
    }

    fn add(&self, line: &[u8]) {
        let Some(writer) = self.writer.get() else { return write_out(line) };
        let Some(place) = self.places.get(own_place()) else { return };
        let mut gathered = place.lock();
        gathered.extend_from_slice(line);
        if gathered.len() > FULL {
            let gathered = std::mem::take(&mut *gathered);
            write_out(&gathered);
        } else if !self.told.swap(true, Ordering::SeqCst) {
            writer.unpark();
        }
    }
}

/// Whoever closed stderr does not want to be told.
fn write_out(lines: &[u8]) {
    if !lines.is_empty() {
        let _ = io::stderr().lock().write_all(lines);
    }
}

fn own_place() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed) % PLACES;
    }
    OWN.with(|own| *own)
}

/// One line on its way.
pub(super) struct Line<'s> {
    inner: &'s Inner,
    urgent: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.inner.add(line);
        if self.urgent {
            self.inner.flush();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'s> MakeWriter<'s> for Sink {
    type Writer = Line<'s>;

    fn make_writer(&'s self) -> Line<'s> {
        Line { inner: &self.inner, urgent: true }
    }

    fn make_writer_for(&'s self, about: &Metadata<'_>) -> Line<'s> {
        Line { inner: &self.inner, urgent: *about.level() <= Level::WARN }
    }
}
