//! The behaviour every backend must show: `tests` holds it, this is what the cases need.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Clock;

/// A clock that the test turns.
pub(super) struct Turned {
    now: Arc<AtomicU64>,
    /// Turns a clock that is not ours.
    beside: Option<Box<dyn Fn(Duration)>>,
}

impl Turned {
    pub(super) fn new() -> (Self, Clock) {
        let now = Arc::new(AtomicU64::new(1_000_000));
        let read = Arc::clone(&now);
        (Self { now, beside: None }, Arc::new(move || read.load(Ordering::Relaxed)))
    }

    /// A clock that is turned by this.
    pub(super) fn by(turn: impl Fn(Duration) + 'static) -> Self {
        Self { beside: Some(Box::new(turn)), ..Self::new().0 }
    }

    pub(super) fn pass(&self, time: Duration) {
        self.now.fetch_add(time.as_secs() * 1000, Ordering::Relaxed);
        if let Some(turn) = &self.beside {
            turn(time);
        }
    }
}

/// A folder that goes with its owner.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("causeway-store-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        for beside in ["manifest", "holder"] {
            let _ = std::fs::remove_file(format!("{}.{beside}", self.0.display()));
        }
    }
}

mod tests;
