//! How far it is, on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Counts records where somebody looks on.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    /// `what`: "checking", "writing".
    pub(super) fn new(what: &'static str) -> Self {
        if !super::super::on_a_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {msg}: {human_pos} records, {per_sec}, {elapsed}")
        {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(Some(bar))
    }

    pub(super) fn add(&self, records: usize) {
        if let Some(bar) = &self.0 {
            bar.inc(u64::try_from(records).unwrap_or(u64::MAX));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
