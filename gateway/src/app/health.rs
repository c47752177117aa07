//! What is known of targets, kept over restarts: read before the first request, written when something has changed.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::route::{Fleet, Kept};
use crate::store::{Batch, Key, Scan, Space, Store, StoreError};

/// Their kind in the store's space of rests.
const TARGET: &str = "target";
/// Changes come in bursts; after the first one we wait for the rest.
const SETTLED: Duration = Duration::from_millis(100);
/// Shares of success change with every request; they are written this often.
const EVERY: Duration = Duration::from_secs(60);
/// Entries read or written at once.
const PAGE: usize = 500;

/// Keeps what is known of targets.
pub(super) struct Health {
    fleet: Arc<Fleet>,
    store: Arc<dyn Store>,
}

impl Health {
    pub(super) fn new(fleet: Arc<Fleet>, store: Arc<dyn Store>) -> Self {
        Self { fleet, store }
    }

    /// Reads what an earlier process knew.
    pub(super) async fn restore(&self) {
        let prefix = Space::Rest.key(&[TARGET]);
        let mut after = None;
        let mut count = 0;
        loop {
            let scan = Scan { prefix: prefix.clone(), after, limit: PAGE };
            let page = match self.store.scan(scan).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(%error, "what was known of targets could not be read");
                    return;
                }
            };
            for (key, value) in &page.entries {
                count += usize::from(self.read(key, value));
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        if count > 0 {
            tracing::info!(count, "targets are remembered from before the start");
        }
    }

    fn read(&self, key: &Key, value: &[u8]) -> bool {
        let parts = key.parts();
        let (Some([_, provider, model]), Ok(kept)) =
            (parts.as_deref(), serde_json::from_slice::<Kept>(value))
        else {
            tracing::warn!(%key, "what was known of a target is not understood; it is taken for well");
            return false;
        };
        self.fleet.restore(provider, model, kept, moment());
        true
    }

    /// Writes whatever changes; never ends.
    pub(super) async fn keep_on(&self) {
        loop {
            let _ = tokio::time::timeout(EVERY, self.fleet.changed()).await;
            tokio::time::sleep(SETTLED).await;
            self.keep().await;
        }
    }

    /// Writes what has changed since the last time.
    pub(super) async fn keep(&self) {
        let (now, unix) = moment();
        let news = self.fleet.to_keep(now, unix);
        for part in news.chunks(PAGE) {
            let batch = part.iter().fold(Batch::default(), |batch, ((provider, model), kept)| {
                let key = Space::Rest.key(&[TARGET, provider, model]);
                if kept.is_plain() {
                    return batch.delete(key);
                }
                match serde_json::to_vec(kept) {
                    Ok(bytes) => batch.put(key, bytes, Some(kept.life(unix))),
                    Err(_) => batch,
                }
            });
            if let Err(error) = self.write(batch).await {
                tracing::error!(%error, "what is known of targets could not be kept");
            }
        }
    }

    /// A busy store is asked again: nobody waits for this.
    async fn write(&self, batch: Batch) -> Result<(), StoreError> {
        for _ in 0..10 {
            match self.store.note(batch.clone()) {
                Err(StoreError::Busy) => tokio::time::sleep(SETTLED).await,
                other => return other,
            }
        }
        Err(StoreError::Busy)
    }
}

/// The same moment on both clocks, the second in milliseconds since 1970.
fn moment() -> (Instant, u64) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (Instant::now(), u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
