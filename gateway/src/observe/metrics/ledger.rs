//! What is to be known of the ledger.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// The ledger's metrics.
pub struct LedgerMetrics {
    /// Rows booked, by outcome.
    pub rows: IntCounterVec,
    /// Rows whose cost is not known, by route and provider.
    pub unpriced: IntCounterVec,
    /// Rows charged at their estimate because a process ended before it settled.
    pub recovered: IntCounter,
    /// Entries of the journal that are not in the store yet.
    pub waiting: IntGauge,
    /// Imports that failed; they are tried again.
    pub import_errors: IntCounter,
    /// Writes of the journal that failed; they are tried again.
    pub journal_failures: IntGauge,
    /// Entries given up because disk and memory were full.
    pub lost: IntGauge,
    /// Damaged places found in the journal's files.
    pub damages: IntGauge,
}

impl LedgerMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let rows = IntCounterVec::new(
            Opts::new(
                "causeway_ledger_rows_total",
                "Upstream requests booked in the ledger, by how they ended.",
            ),
            &["outcome"],
        )?;
        registry.register(Box::new(rows.clone()))?;
        let unpriced = IntCounterVec::new(
            Opts::new(
                "causeway_unpriced_total",
                "Upstream requests booked without a cost: their target has no price, or nobody counted.",
            ),
            &["route", "provider"],
        )?;
        registry.register(Box::new(unpriced.clone()))?;
        Ok(Self {
            rows,
            unpriced,
            recovered: counter(
                "causeway_reservations_recovered_total",
                "Reservations of a process that ended before it settled them, charged at their estimate.",
            )?,
            waiting: gauge(
                "causeway_journal_waiting",
                "Entries of the ledger's journal that are not in the store yet.",
            )?,
            import_errors: counter(
                "causeway_ledger_import_errors_total",
                "Imports of the journal that failed; they are tried again.",
            )?,
            journal_failures: gauge(
                "causeway_journal_write_failures",
                "Writes of the journal that failed since the start; they are tried again.",
            )?,
            lost: gauge(
                "causeway_journal_lost_entries",
                "Entries given up since the start because disk and memory were full.",
            )?,
            damages: gauge(
                "causeway_journal_damages",
                "Damaged places found in the journal since the start; what stands around them is kept.",
            )?,
        })
    }
}
