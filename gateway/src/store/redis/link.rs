//! The connection to the server: one, shared by all calls, made again by one thread when it is lost.
//!
//! Calls never connect. When three in a row got no answer, or the connection broke, the link is *lost*: calls fail at
//! once, and the thread tries to come back, slower each time. So a server that hangs costs a few calls their time limit,
//! and no more.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak, mpsc};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, RedisError, ScriptInvocation, ServerErrorKind,
};
use tokio::sync::{Notify, watch};

use super::super::StoreError;
use super::address::Address;
use super::checks::{self, Server};
use super::verb::Verbs;

/// So many calls in a row without an answer are a loss.
const ENOUGH: u32 = 3;
/// First and longest wait between two tries to come back.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How soon the thread sees that nobody holds the link any more.
const SEEN_WITHIN: Duration = Duration::from_millis(200);
/// So many calls may be on their way; more wait, within their time limit.
const ON_THEIR_WAY: usize = 1024;

/// The way to the server.
pub(super) struct Link {
    pub(super) address: Address,
    pub(super) verbs: Verbs,
    connection: Mutex<Option<MultiplexedConnection>>,
    /// What is known of the server; the identity in it is that of the store.
    server: Mutex<Server>,
    unanswered: AtomicU32,
    /// Where a cluster said that our slot is.
    moved: Mutex<Option<String>>,
    lost: Arc<Notify>,
    up: watch::Sender<bool>,
}

impl Link {
    /// Starts the thread, and waits until the server was reached and found fit. What `beside` makes
    /// runs on that thread too.
    pub(super) fn open<F>(
        address: Address,
        beside: impl FnOnce(Weak<Self>) -> F,
    ) -> Result<Arc<Self>, StoreError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let link = Arc::new(Self {
            address,
            verbs: Verbs::new(),
            connection: Mutex::new(None),
            server: Mutex::new(Server::default()),
            unanswered: AtomicU32::new(0),
            moved: Mutex::new(None),
            lost: Arc::default(),
            up: watch::Sender::new(false),
        });
        let no_thread =
            |error: std::io::Error| StoreError::Failed(format!("no thread for the store: {error}"));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let (told, first) = mpsc::channel();
        let own = Arc::downgrade(&link);
        let beside = beside(Weak::clone(&own));
        thread::Builder::new()
            .name("store-redis".to_owned())
            .spawn(move || {
                runtime.block_on(async { tokio::join!(tend(own, told), beside) });
            })
            .map_err(no_thread)?;
        first.recv().map_err(|_| StoreError::Failed("its thread has ended".to_owned()))??;
        Ok(link)
    }

    /// Whether the server answers, as it changes.
    pub(super) fn is_up(&self) -> watch::Receiver<bool> {
        self.up.subscribe()
    }

    /// What is known of the server.
    pub(super) fn server(&self) -> Server {
        self.server.lock().clone()
    }

    /// The identity of the store, which every script is told.
    pub(super) fn identity(&self) -> String {
        self.server.lock().identity.clone()
    }

    /// Runs a script.
    pub(super) async fn run<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        let mut connection = self.connection()?;
        self.within(call.invoke_async(&mut connection)).await
    }

    /// Runs a command.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection()?;
        self.within(command.query_async(&mut connection)).await
    }

    fn connection(&self) -> Result<MultiplexedConnection, StoreError> {
        let connection = self.connection.lock().clone();
        connection.ok_or_else(|| StoreError::Lost("it does not answer".to_owned()))
    }

    async fn within<T>(&self, call: impl Future<Output = Result<T, RedisError>>) -> Result<T, StoreError> {
        match tokio::time::timeout(self.address.timeout, call).await {
            Ok(Ok(answer)) => {
                self.unanswered.store(0, Ordering::Relaxed);
                Ok(answer)
            }
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(_) => {
                if self.unanswered.fetch_add(1, Ordering::Relaxed) + 1 >= ENOUGH {
                    self.lose("it does not answer in time");
                }
                Err(StoreError::Lost("it did not answer in time".to_owned()))
            }
        }
    }

    /// Tells what an error means, and lets go of a connection that is of no more use.
    fn failed(&self, error: &RedisError) -> StoreError {
        self.unanswered.store(0, Ordering::Relaxed);
        let lost = match error.kind() {
            ErrorKind::Server(ServerErrorKind::Moved) => {
                *self.moved.lock() = error.redirect_node().map(|(place, _)| place.to_owned());
                true
            }
            ErrorKind::Server(
                ServerErrorKind::ReadOnly
                | ServerErrorKind::BusyLoading
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown,
            ) => true,
            ErrorKind::Extension => error.code() == Some("EMPTIED"),
            ErrorKind::Io | ErrorKind::Parse | ErrorKind::AuthenticationFailed => true,
            _ => false,
        };
        let shown = error.to_string();
        if lost {
            self.lose(&shown);
            return StoreError::Lost(shown);
        }
        match error.code() {
            // It answers, and does not take anything any more.
            Some("OOM" | "MISCONF" | "NOREPLICAS" | "SETTLING") => StoreError::Lost(shown),
            _ => StoreError::Failed(shown),
        }
    }

    fn lose(&self, why: &str) {
        if self.connection.lock().take().is_some() {
            tracing::error!(server = %self.address.shown(), why, "the store is lost; it is looked for");
            self.up.send_replace(false);
            self.lost.notify_one();
        }
    }

    /// Connects, and takes the connection into use when the server is fit.
    async fn connect(&self) -> Result<(), StoreError> {
        let moved = self.moved.lock().take();
        let client = self.address.client(moved.as_deref())?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.address.connect))
            .set_response_timeout(None)
            .set_concurrency_limit(ON_THEIR_WAY);
        let connecting = async {
            let mut connection = client
                .get_multiplexed_async_connection_with_config(&config)
                .await
                .map_err(|error| checks::refused(&error))?;
            let server = checks::look(&mut connection, self).await?;
            Ok((connection, server))
        };
        // Connecting and each of a few questions; a server that hangs in between is none.
        let longest = self.address.connect.saturating_add(self.address.timeout.saturating_mul(4));
        let hangs = |_| StoreError::Lost("it does not answer in time".to_owned());
        let (connection, server) = tokio::time::timeout(longest, connecting).await.map_err(hangs)??;
        *self.server.lock() = server;
        self.unanswered.store(0, Ordering::Relaxed);
        *self.connection.lock() = Some(connection);
        self.up.send_replace(true);
        Ok(())
    }
}

/// Keeps the link up until nobody holds it any more.
async fn tend(link: Weak<Link>, told: mpsc::Sender<Result<(), StoreError>>) {
    let Some(lost) = link.upgrade().map(|link| Arc::clone(&link.lost)) else { return };
    let Some(first) = try_once(&link).await else { return };
    let failed = first.is_err();
    let _ = told.send(first);
    if failed {
        return;
    }
    let mut pause = PAUSES.0;
    let mut said = None;
    loop {
        // The link is held only for moments, so that its last owner's going is seen.
        let Some(is_lost) = link.upgrade().map(|link| link.connection.lock().is_none()) else { return };
        if !is_lost {
            (pause, said) = (PAUSES.0, None);
            let _ = tokio::time::timeout(SEEN_WITHIN, lost.notified()).await;
            continue;
        }
        match try_once(&link).await {
            None => return,
            Some(Ok(())) => tracing::info!("the store is back"),
            Some(Err(error)) => {
                let shown = Some(error.to_string());
                if said != shown {
                    tracing::warn!(%error, "the store is still lost");
                    said = shown;
                }
                // Not all nodes at the same moment.
                tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                pause = pause.saturating_mul(2).min(PAUSES.1);
            }
        }
    }
}

async fn try_once(link: &Weak<Link>) -> Option<Result<(), StoreError>> {
    let link = link.upgrade()?;
    Some(link.connect().await)
}
