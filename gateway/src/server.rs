//! The Pingora server: listeners, threads, drain.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server, ShutdownSignal, ShutdownSignalWatch};
use pingora::services::background::{BackgroundService, background_service};
use tokio::signal::unix::{SignalKind, signal};

use crate::account::Ledger;
use crate::admin::{Desk, Readiness, Service};
use crate::config::{self, Threads};
use crate::error::{GatewayError, Kind};
use crate::observe::Observer;
use crate::proxy::Gateway;

/// Everything the server runs.
pub struct Parts<B> {
    /// The data plane.
    pub gateway: Gateway,
    /// The control plane.
    pub admin: Arc<Desk>,
    /// What runs beside the listeners.
    pub background: B,
    /// Told when draining begins.
    pub readiness: Arc<Readiness>,
    /// Knows how many requests are still under way.
    pub observer: Arc<Observer>,
    /// Where they are booked.
    pub ledger: Arc<Ledger>,
}

/// Listens and serves until told to stop; comes back when the last request is done or `drain` has passed.
///
/// # Errors
/// When an address cannot be listened on, or a certificate cannot be read.
pub fn run<B>(config: &config::Config, parts: Parts<B>) -> Result<(), GatewayError>
where
    B: BackgroundService + Send + Sync + 'static,
{
    let listen = &config.server.listen;
    // Pingora would panic in a worker; here it is one clear line.
    let bind = |address: &config::ListenAddress| {
        TcpListener::bind(address.0).map_err(|error| {
            GatewayError::gateway(Kind::Internal, format!("cannot listen on {address}: {error}"))
        })
    };
    listen.iter().try_for_each(|address| bind(address).map(drop))?;
    let admin = Service::new(parts.admin, bind(&config.admin.listen)?);
    let threads = match config.server.threads {
        Threads::Auto => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        Threads::Count(count) => usize::from(count),
    };
    let drain = Duration::from(config.server.drain);
    let conf = ServerConf {
        threads,
        grace_period_seconds: Some(drain.as_secs()),
        graceful_shutdown_timeout_seconds: Some(1),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut proxy = pingora::proxy::http_proxy_service(&server.configuration, parts.gateway);
    for address in listen {
        match &config.server.tls {
            None => proxy.add_tcp(&address.to_string()),
            Some(tls) => proxy
                .add_tls(&address.to_string(), &tls.cert.to_string_lossy(), &tls.key.to_string_lossy())
                .map_err(|error| GatewayError::gateway(Kind::Internal, format!("server.tls: {error}")))?,
        }
    }
    let mut admin = background_service("admin", admin);
    admin.threads = Some(1);
    let mut background = background_service("background", parts.background);
    background.threads = Some(1);
    server.add_service(proxy);
    server.add_service(admin);
    server.add_service(background);
    let stop = Stop { readiness: parts.readiness, observer: parts.observer, ledger: parts.ledger };
    server.run(RunArgs { shutdown_signal: Box::new(stop) });
    Ok(())
}

/// SIGTERM drains, SIGINT does not wait.
struct Stop {
    readiness: Arc<Readiness>,
    observer: Arc<Observer>,
    ledger: Arc<Ledger>,
}

#[async_trait]
impl ShutdownSignalWatch for Stop {
    async fn recv(&self) -> ShutdownSignal {
        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => return ShutdownSignal::FastShutdown,
        }
        self.readiness.set(false);
        let (observer, ledger) = (Arc::clone(&self.observer), Arc::clone(&self.ledger));
        // Pingora waits for the whole drain time, also when nothing is left to wait for.
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(500));
            while observer.metrics().inflight.get() > 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
            ledger.journal().close();
            tracing::info!("drained");
            std::process::exit(0);
        });
        ShutdownSignal::GracefulTerminate
    }
}
