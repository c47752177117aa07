//! The Pingora server: listeners, threads, drain.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::listeners::ListenerConfig;
use pingora::listeners::tls::TlsSettings;
use pingora::protocols::l4::stream::L4BufferSettings;
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server, ShutdownSignal, ShutdownSignalWatch};
use pingora::services::background::{BackgroundService, background_service};
use tokio::signal::unix::{SignalKind, signal};

use crate::account::Ledger;
use crate::admin::{Desk, Readiness, Service};
use crate::config::{self, Threads};
use crate::error::{GatewayError, Kind};
use crate::observe::{self, Observer};
use crate::proxy::Gateway;
use crate::upstream::NO_AUTHORITIES;

/// A head and a body up to this size leave in one write.
const WRITTEN_AT_ONCE: usize = 16 << 10;
/// What TLS reads at a time: a record is 16 KiB at most, and most are far smaller.
const RECORD: usize = 8 << 10;

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
        // For the connections that Pingora would open itself: ours have their own.
        ca_file: Some(NO_AUTHORITIES.to_owned()),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut proxy = pingora::proxy::http_proxy_service(&server.configuration, parts.gateway);
    for address in listen {
        proxy.add_listener(listener(&config.server, address)?);
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

/// An address of the data plane. What is read goes straight into the buffers of a request; the head of an answer waits for
/// its body, so that one write sends both.
fn listener(
    server: &config::Server,
    address: &config::ListenAddress,
) -> Result<ListenerConfig, GatewayError> {
    let broken = |error| GatewayError::gateway(Kind::Internal, format!("server.tls: {error}"));
    let listener = ListenerConfig::tcp(address.to_string());
    Ok(match &server.tls {
        None => listener.l4_buffer(L4BufferSettings::new(0, WRITTEN_AT_ONCE)),
        Some(tls) => {
            let settings = TlsSettings::intermediate(&tls.cert.to_string_lossy(), &tls.key.to_string_lossy());
            // Under TLS a record is read in pieces: its head and then the rest.
            listener.l4_buffer(L4BufferSettings::new(RECORD, WRITTEN_AT_ONCE)).tls(settings.map_err(broken)?)
        }
    })
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
            observe::flush();
            std::process::exit(0);
        });
        ShutdownSignal::GracefulTerminate
    }
}
