//! Background work: reloads on SIGHUP and on changes of the file, and the word that we are ready.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use notify::event::ModifyKind;
use notify::{EventKind, RecursiveMode, Watcher};
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::counting::Counting;
use super::health::Health;
use super::ledger::Booking;
use super::people;
use super::probes;
use super::reload::Reload;
use super::revalidate;
use super::snapshots::Snapshots;
use crate::admin::Readiness;
use crate::config::ListenAddress;
use crate::observe::Observer;
use crate::store::{Changes, Space, Store};

/// Editors write a file in several steps; after the last one we look.
const SETTLED: Duration = Duration::from_millis(150);

/// How often the files of provider keys are looked at.
const KEYS_LOOKED_AT: Duration = Duration::from_secs(2);

/// How often a node looks whether another has changed a setting.
const SETTINGS_LOOKED_AT: Duration = Duration::from_millis(500);

/// How often resting provider keys are asked whether they are well again.
const REVALIDATED_EVERY: Duration = Duration::from_secs(15);

/// How often what has expired is removed from the store.
const SWEPT_EVERY: Duration = Duration::from_secs(60);

/// What runs beside the listeners.
pub struct Background {
    reload: Arc<Reload>,
    readiness: Arc<Readiness>,
    store: Arc<dyn Store>,
    changes: Option<Arc<Changes>>,
    counting: Option<(Counting, Arc<Observer>)>,
    listen: Vec<ListenAddress>,
    greeting: String,
    booking: Option<Booking>,
    saving: Option<Snapshots>,
}

impl Background {
    /// Gathers what is needed; `greeting` is printed when the listeners are up.
    pub fn new(
        reload: Arc<Reload>,
        readiness: Arc<Readiness>,
        store: Arc<dyn Store>,
        listen: Vec<ListenAddress>,
        greeting: String,
    ) -> Self {
        let (changes, counting, booking, saving) = (None, None, None, None);
        Self { reload, readiness, store, changes, counting, listen, greeting, booking, saving }
    }

    /// Moves rows of the ledger into the store.
    #[must_use]
    pub fn booking_in(self, booking: Booking) -> Self {
        Self { booking: Some(booking), ..self }
    }

    async fn book(&self) {
        match &self.booking {
            Some(booking) => booking.run().await,
            None => std::future::pending().await,
        }
    }

    /// Looks for changes that were made through other nodes.
    #[must_use]
    pub fn looking_for(self, changes: Arc<Changes>) -> Self {
        Self { changes: Some(changes), ..self }
    }

    /// Looks after the counters of limits and budgets.
    #[must_use]
    pub fn counting(self, counting: Counting, observer: Arc<Observer>) -> Self {
        Self { counting: Some((counting, observer)), ..self }
    }

    async fn count(&self) {
        match &self.counting {
            Some((counting, observer)) => match counting.run(observer).await {},
            None => std::future::pending().await,
        }
    }

    async fn look_for_changes(&self) {
        let Some(changes) = &self.changes else { return std::future::pending().await };
        let rests = revalidate::follow(self.reload.ground(), changes.of(Space::Rest));
        tokio::join!(changes.keep_looking(), rests);
    }

    /// With snapshots of the store.
    #[must_use]
    pub(super) fn saving(mut self, saving: Option<Snapshots>) -> Self {
        self.saving = saving;
        self
    }

    /// Makes snapshots for ever.
    async fn save(&self) {
        match &self.saving {
            Some(saving) => saving.run().await,
            None => std::future::pending().await,
        }
    }

    /// Removes what has expired, a piece at a time so that others get their turn.
    async fn sweep(&self) {
        loop {
            match self.store.sweep().await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "what has expired could not be removed");
                    return;
                }
            }
        }
    }

    /// Looks whether another node has changed a setting.
    async fn follow(&self) {
        let Some(settings) = self.reload.settings() else { return std::future::pending().await };
        let mut looking = tokio::time::interval(SETTINGS_LOOKED_AT);
        let mut told = false;
        loop {
            looking.tick().await;
            let result = settings.catch_up().await;
            match &result {
                Ok(true) => tracing::info!("another node changed settings; they are in force here, too"),
                Ok(false) => {}
                // Once, not twice a second.
                Err(error) if !told => tracing::error!(%error, "what another node changed cannot be used"),
                Err(_) => {}
            }
            told = result.is_err();
        }
    }

    async fn greet(&self) {
        for address in &self.listen {
            let mut address = address.0;
            if address.ip().is_unspecified() {
                address.set_ip(if address.is_ipv4() {
                    std::net::Ipv4Addr::LOCALHOST.into()
                } else {
                    std::net::Ipv6Addr::LOCALHOST.into()
                });
            }
            while TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        self.readiness.set(true);
        // Whoever closed stdout does not want to be greeted.
        let _ = std::io::stdout().write_all(self.greeting.as_bytes());
        let _ = std::io::stdout().flush();
    }

    async fn reload(&self) {
        let reload = Arc::clone(&self.reload);
        let _ = tokio::task::spawn_blocking(move || reload.run()).await;
    }
}

/// Somebody reads, or writes into another file of the folder, which may be our own log: nothing to look at.
fn is_of_others(event: &notify::Event, file: &Path) -> bool {
    let other = || event.paths.iter().all(|path| path.file_name() != file.file_name());
    event.kind.is_access() || (matches!(event.kind, EventKind::Modify(ModifyKind::Data(_))) && other())
}

#[async_trait]
impl BackgroundService for Background {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let changed = Arc::new(Notify::new());
        // Watching ends when this is dropped.
        let _watcher = self.reload.origin().path.as_deref().and_then(|path| watch(path, &changed));
        let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
        let health = Health::new(Arc::clone(&self.reload.ground().fleet), Arc::clone(&self.store));
        health.restore().await;
        revalidate::resume(self.reload.ground()).await;
        self.greet().await;
        let mut sweeping = tokio::time::interval(SWEPT_EVERY);
        let mut looking = tokio::time::interval(KEYS_LOOKED_AT);
        // Beside all else: a provider that hangs must not hold up a reload.
        let mut revalidating = std::pin::pin!(revalidate::run(self.reload.ground(), REVALIDATED_EVERY));
        let mut keeping = std::pin::pin!(health.keep_on());
        let mut booking = std::pin::pin!(self.book());
        let mut counting = std::pin::pin!(self.count());
        let limits = self.reload.ground().limits.clone();
        let mut settling = std::pin::pin!(limits.settle_dropped());
        let mut looking_around = std::pin::pin!(self.look_for_changes());
        let mut saving = std::pin::pin!(self.save());
        let mut meeting = std::pin::pin!(people::meet(&self.reload.ground().people));
        let mut following = std::pin::pin!(self.follow());
        let mut probing = std::pin::pin!(probes::run(self.reload.ground()));
        loop {
            tokio::select! {
                _ = sweeping.tick() => self.sweep().await,
                _ = hangup.recv() => self.reload().await,
                () = &mut keeping => {}
                () = &mut probing => {}
                () = &mut booking => {}
                () = &mut settling => {}
                () = &mut looking_around => {}
                () = &mut following => {}
                () = &mut counting => {}
                () = &mut saving => {}
                () = &mut meeting => {}
                () = &mut revalidating => {}
                _ = looking.tick() => {
                    self.reload.ground().client.sweep();
                    if self.reload.keys_changed() {
                        tokio::time::sleep(SETTLED).await;
                        self.reload().await;
                    }
                }
                () = changed.notified() => {
                    tokio::time::sleep(SETTLED).await;
                    self.reload().await;
                }
                _ = shutdown.changed() => {
                    health.keep().await;
                    // What is booked while it drains stays in the journal, and is imported at the next start.
                    if let Some(booking) = &self.booking {
                        booking.import().await;
                    }
                    if let Err(error) = self.store.flush().await {
                        tracing::error!(%error, "the store could not be flushed at the end");
                    }
                    return;
                }
            }
        }
    }
}

/// Watches the file's folder: editors and Kubernetes put a new file in the old one's place.
fn watch(path: &Path, changed: &Arc<Notify>) -> Option<notify::RecommendedWatcher> {
    let changed = Arc::clone(changed);
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .map_or_else(|| PathBuf::from("."), Path::to_owned);
    let mut seen = std::fs::read(path).ok();
    let file = path.to_owned();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| is_of_others(&event, &file)) {
            return;
        }
        // A new name in the folder may stand for a swapped link; only new content counts.
        let now = std::fs::read(&file).ok();
        if now != seen {
            seen = now;
            changed.notify_one();
        }
    });
    let watching = watcher.and_then(|mut watcher| {
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watching
        .inspect_err(
            |error| tracing::warn!(%error, "the configuration file is not watched; SIGHUP still reloads it"),
        )
        .ok()
}
