//! `record(&Record)`: one call per request. It counts and writes, and never fails a request.

use crate::domain::Record;

mod access_log;
mod metrics;
mod sink;
mod under_way;

pub use access_log::{Format, flush, start};
pub use metrics::{LedgerMetrics, Metrics};
pub use under_way::{Entered, Facts, Ongoing, UnderWay};

/// Where finished requests are told.
pub struct Observer {
    metrics: Metrics,
    under_way: UnderWay,
}

impl Observer {
    /// An observer with its own registry of metrics.
    ///
    /// # Errors
    /// When two metrics were given one name.
    pub fn new() -> Result<Self, prometheus::Error> {
        Ok(Self { metrics: Metrics::new()?, under_way: UnderWay::default() })
    }

    /// A request's head has come in.
    pub fn began(&self) {
        self.metrics.inflight.inc();
    }

    /// A request has ended, one way or another.
    pub fn record(&self, record: &Record) {
        self.metrics.inflight.dec();
        self.metrics.count(record);
        access_log::write(record);
    }

    /// The requests that have not ended.
    pub fn under_way(&self) -> &UnderWay {
        &self.under_way
    }

    /// The metrics themselves, for the admin side and for reloads.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
