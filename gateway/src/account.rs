//! The ledger: one row for each request that went to a provider, what rows add up to, and what was spent of each budget.
//!
//! [`Ledger::book`] writes rows into the journal and fails no request. The [`Importer`] moves them into the store behind:
//! in one batch rows, the sums they belong to and the money of their counters, each row once whatever happens. Sums are
//! kept for ever, rows for as long as the operator says.
//!
//! Tokens are facts. What they cost follows from a price, and [`Ledger::reprice`] reckons it again.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::domain::LedgerRow;
use crate::observe::Observer;
use crate::store::journal::{Added, Entry, EntryKind, Retention};
use crate::store::{Journal, Store};

mod csv;
mod enter;
mod import;
mod place;
mod query;
mod reprice;
mod rows;
mod spent;
mod sums;

pub use csv::csv;
use enter::Known;
pub use import::Importer;
pub use query::{By, Filter, SumLine, SumQuery};
pub use reprice::{Corrected, Repriced, Repricing};
pub use rows::{Cursor, RowPage, RowQuery};
pub use sums::Sums;

/// The outcome of a row that stands for a reservation nobody settled.
pub const RECOVERED: &str = "recovered";

/// The ledger of one deployment.
pub struct Ledger {
    journal: Journal,
    store: Arc<dyn Store>,
    observer: Arc<Observer>,
    /// Where several processes share a store each adds up for itself, under a name of its own; else empty.
    node: String,
    /// How long rows are kept; `None`: for ever.
    keep: Option<Duration>,
    /// How long files of the journal stay that were imported; `None`: not at all.
    retention: Option<Retention>,
    /// One changes sums at a time.
    writing: Mutex<Known>,
}

/// Money that is held for a request, as it is charged when nobody settles it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Held {
    /// The row it becomes: its id is the hold's.
    pub row: LedgerRow,
    /// When it must have been settled, Unix time in milliseconds.
    pub until: u64,
}

impl Ledger {
    /// A ledger in this store.
    pub fn new(journal: Journal, store: Arc<dyn Store>, observer: Arc<Observer>) -> Self {
        let (node, writing) = (String::new(), Mutex::default());
        Self { journal, store, observer, node, keep: None, retention: None, writing }
    }

    /// Adds up under a name of its own: for a store that other processes write too.
    #[must_use]
    pub fn as_node(self, node: String) -> Self {
        Self { node, ..self }
    }

    /// Removes rows that are older than this.
    #[must_use]
    pub fn keeping(self, keep: Option<Duration>) -> Self {
        Self { keep, ..self }
    }

    /// Keeps files of the journal that were imported, for a store that is restored from snapshots.
    #[must_use]
    pub fn replayable(self, retention: Option<Retention>) -> Self {
        Self { retention, ..self }
    }

    /// Books rows. They are on their way when this comes back; what it returns is done when they survive a crash.
    pub fn book(&self, rows: &[LedgerRow]) -> Added {
        self.write(rows, None)
    }

    /// Notes that money is held. The upstream should be asked when what this returns is done.
    pub fn hold(&self, held: &Held) -> Added {
        let entry = entry(EntryKind::Hold, &held.row.id, held);
        self.journal.add(entry.into_iter().collect())
    }

    /// Books the last rows of a hold together with its end.
    pub fn settle(&self, rows: &[LedgerRow], hold: &str) -> Added {
        self.write(rows, Some(hold))
    }

    fn write(&self, rows: &[LedgerRow], settled: Option<&str>) -> Added {
        let metrics = &self.observer.metrics().ledger;
        for row in rows {
            metrics.rows.with_label_values(&[row.outcome.as_str()]).inc();
            if row.cost.is_none() {
                metrics.unpriced.with_label_values(&[row.model.as_str(), row.provider.as_str()]).inc();
            }
        }
        let settled = settled.map(|id| Entry {
            kind: EntryKind::Settled,
            id: id.to_owned(),
            payload: [].as_slice().into(),
        });
        let rows = rows.iter().filter_map(|row| entry(EntryKind::Row, &row.id, row));
        self.journal.add(rows.chain(settled).collect())
    }

    /// How its journal is doing.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }
}

/// Rows are made of words and numbers, which always can be written.
fn entry(kind: EntryKind, id: &str, payload: &impl Serialize) -> Option<Entry> {
    // A row has some five hundred bytes.
    let mut json = Vec::with_capacity(1024);
    serde_json::to_writer(&mut json, payload).ok()?;
    Some(Entry { kind, id: id.to_owned(), payload: json.into() })
}

#[cfg(test)]
mod tests;
