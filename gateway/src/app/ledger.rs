//! Moves rows of the ledger from the journal into the store, and removes old ones.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::account::{Importer, Ledger};
use crate::store::{self, Holds};

/// So long rows are gathered for one batch: they are safe in the journal, and what a batch costs it costs whatever its size.
const GATHERED: Duration = Duration::from_millis(500);
/// How often files of processes that have ended are looked for, and what nobody settled.
const LOOKED: Duration = Duration::from_secs(5);
/// How often rows that are too old are looked for.
const SWEPT: Duration = Duration::from_secs(600);

/// What keeps the ledger.
pub struct Booking {
    ledger: Arc<Ledger>,
    importer: Mutex<Importer>,
}

impl Booking {
    /// Imports what an earlier process left behind, and tells counters of money what was spent.
    ///
    /// # Errors
    /// When there can be no runtime for it.
    pub(super) fn begin(ledger: &Arc<Ledger>, counters: &dyn Holds) -> Result<Self, Vec<String>> {
        let booking =
            Self { ledger: Arc::clone(ledger), importer: Mutex::new(Importer::new(Arc::clone(ledger))) };
        // Before anybody is served: what was spent must be known.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| vec![format!("the ledger: {error}")])?;
        runtime.block_on(async {
            let rows = booking.import().await;
            if rows > 0 {
                tracing::info!(rows, "rows of the ledger came out of the journal");
            }
            match ledger.prime(counters, counters.now()).await {
                Ok(0) => {}
                Ok(primed) => tracing::info!(primed, "what was spent of budgets is known from the ledger"),
                Err(error) => tracing::error!(%error, "what was spent of budgets cannot be read"),
            }
        });
        Ok(booking)
    }

    /// Goes on for ever.
    pub(super) async fn run(&self) {
        let mut swept = tokio::time::Instant::now();
        loop {
            // Whether there is news or not: failures are tried again, and others may have left something.
            let _ = tokio::time::timeout(LOOKED, self.ledger.journal().news()).await;
            tokio::time::sleep(GATHERED).await;
            self.import().await;
            if swept.elapsed() > SWEPT {
                swept = tokio::time::Instant::now();
                self.sweep().await;
            }
        }
    }

    /// Imports what there is, and says how many rows were new. What fails is tried again at the next time.
    pub(super) async fn import(&self) -> usize {
        let done = self.importer.lock().await.run(store::clock()()).await;
        done.unwrap_or_else(|error| {
            tracing::error!(%error, "rows of the ledger wait in the journal: the store does not take them");
            0
        })
    }

    async fn sweep(&self) {
        loop {
            match self.ledger.sweep(store::clock()()).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => return tracing::error!(%error, "old rows of the ledger could not be removed"),
            }
        }
    }
}
