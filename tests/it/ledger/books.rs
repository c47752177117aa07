//! The ledger of a gateway that has ended, read where it left it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use causeway::account::{Importer, Ledger, RowQuery, SumQuery, Sums};
use causeway::domain::LedgerRow;
use causeway::observe::Observer;
use causeway::store::{Journal, Sled, Store, clock};

/// What a configuration needs so that its ledger can be read.
pub(super) const STORE: &str = "[store]\npath = \"state\"\n";

/// A ledger nobody writes any more.
pub(super) struct Books {
    ledger: Arc<Ledger>,
}

impl Books {
    /// Opens the books in a gateway's folder, with all that is in the journal still.
    pub(super) async fn open(folder: &Path) -> Self {
        let state = folder.join("state");
        let store = loop {
            match Sled::open(&state.join("sled"), clock()) {
                Ok(store) => break store,
                // A process that was killed lets its files go a moment later.
                Err(error) => assert!(error.to_string().contains("another process"), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let store: Arc<dyn Store> = Arc::new(store);
        let journal = Journal::open(&state.join("journal")).unwrap();
        let ledger = Arc::new(Ledger::new(journal, store, Arc::new(Observer::new().unwrap())));
        Importer::new(Arc::clone(&ledger)).run(clock()()).await.unwrap();
        Self { ledger }
    }

    /// All rows, in the order of time.
    pub(super) async fn rows(&self) -> Vec<LedgerRow> {
        let mut query = RowQuery { to: u64::MAX / 2, limit: 10_000, ..RowQuery::default() };
        let mut found = Vec::new();
        loop {
            let page = self.ledger.rows(&query).await.unwrap();
            found.extend(page.rows);
            query.after = page.next;
            if query.after.is_none() {
                return found;
            }
        }
    }

    /// All sums together.
    pub(super) async fn sums(&self) -> Sums {
        let query = SumQuery { to: clock()() + 1, ..SumQuery::default() };
        let lines = self.ledger.sums(&query).await.unwrap();
        lines.first().map(|line| line.sums).unwrap_or_default()
    }
}
