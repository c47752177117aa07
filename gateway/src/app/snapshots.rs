//! Snapshots of the store while it is in use: every so often, and before a new version of the program writes to it.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::config;
use crate::observe::Observer;
use crate::store::snapshot::{self, Keep, Summary};
use crate::store::{self, Space, State, Store, StoreError};

/// After a failure it is tried again so soon.
const AGAIN: Duration = Duration::from_secs(60);

/// Makes them.
pub(super) struct Snapshots {
    store: Arc<dyn Store>,
    observer: Arc<Observer>,
    folder: PathBuf,
    every: Duration,
    keep: Keep,
}

impl Snapshots {
    /// As the configuration says; nothing: it wants none.
    pub(super) fn new(
        settings: &config::Snapshots,
        folder: PathBuf,
        store: Arc<dyn Store>,
        observer: Arc<Observer>,
    ) -> Option<Self> {
        let every = settings.every.get();
        let keep = Keep { all: settings.keep.get(), daily: settings.keep_daily.get() };
        (!every.is_zero()).then_some(Self { store, observer, folder, every, keep })
    }

    /// Makes them for ever. Without any, or after another version of the program, the first one is made at once.
    pub(super) async fn run(&self) {
        loop {
            tokio::time::sleep(self.wait()).await;
            if self.store.state() != State::Ready {
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            match self.make().await {
                Ok(Some(summary)) => {
                    let seconds = i64::try_from(summary.header.seconds).unwrap_or(i64::MAX);
                    self.observer.metrics().store_snapshot.set(seconds);
                    tracing::debug!(records = summary.records, "a snapshot of the store was made");
                }
                // Nothing has changed since the last one, which therefore is as good as a new one.
                Ok(None) => tokio::time::sleep(self.every).await,
                Err(error) => {
                    tracing::error!(%error, "no snapshot of the store could be made");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    fn wait(&self) -> Duration {
        let Some((_, newest)) = snapshot::newest(&self.folder) else { return Duration::ZERO };
        if newest.program != env!("CARGO_PKG_VERSION") {
            return Duration::ZERO;
        }
        self.every.saturating_sub(Duration::from_secs(now().saturating_sub(newest.seconds)))
    }

    /// On a thread of its own: packing and writing a file would hold up others.
    async fn make(&self) -> Result<Option<Summary>, StoreError> {
        let (told, answer) = oneshot::channel();
        let (store, folder, keep) = (Arc::clone(&self.store), self.folder.clone(), self.keep);
        let failed = |error: std::io::Error| StoreError::Failed(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let thread = std::thread::Builder::new().name("store-snapshot".to_owned());
        let run = move || drop(told.send(runtime.block_on(make(store.as_ref(), &folder, keep))));
        thread.spawn(run).map_err(failed)?;
        answer.await.map_err(|_| StoreError::Failed("the thread that makes snapshots panicked".to_owned()))?
    }
}

async fn make(store: &dyn Store, folder: &Path, keep: Keep) -> Result<Option<Summary>, StoreError> {
    let failed = |error: std::io::Error| StoreError::Failed(format!("{}: {error}", folder.display()));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let (seconds, mark) = (now(), store.mark().unwrap_or_default());
    if let Some((_, newest)) = snapshot::newest(folder)
        && newest.mark == mark
        && newest.program == env!("CARGO_PKG_VERSION")
    {
        return Ok(None);
    }
    let path = folder.join(snapshot::name(seconds, &mark));
    let spaces: Vec<Space> = Space::ALL.into_iter().filter(|space| space.is_in_snapshots()).collect();
    let summary = snapshot::write(store, &path, &spaces, seconds).await?;
    snapshot::prune(folder, keep, seconds).map_err(failed)?;
    Ok(Some(summary))
}

fn now() -> u64 {
    store::clock()() / 1000
}
