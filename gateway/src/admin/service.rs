//! The admin listener: axum on threads of its own, beside the data plane.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tower_service::Service as _;

use super::caller::Peer;
use super::desk::Desk;
use super::router;

/// Connections at a time; who comes when there are so many waits.
const MOST: usize = 256;

/// A head that takes longer is not one.
const HEAD: Duration = Duration::from_secs(15);

/// The admin side as Pingora runs it.
pub struct Service {
    desk: Arc<Desk>,
    listener: Mutex<Option<TcpListener>>,
}

impl Service {
    /// On a listener that is bound already, so that a port in use is told before anything else begins.
    pub fn new(desk: Arc<Desk>, listener: TcpListener) -> Self {
        Self { desk, listener: Mutex::new(Some(listener)) }
    }

    fn listener(&self) -> std::io::Result<tokio::net::TcpListener> {
        let Some(listener) = self.listener.lock().take() else {
            return Err(std::io::Error::other("it was begun already"));
        };
        listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(listener)
    }
}

#[async_trait]
impl BackgroundService for Service {
    /// Until the process ends: also while it drains somebody wants to know how it is.
    async fn start(&self, _: ShutdownWatch) {
        let listener = match self.listener() {
            Ok(listener) => listener,
            Err(error) => return tracing::error!(%error, "the admin side does not listen"),
        };
        let router = router::router(&self.desk);
        let mut connections = JoinSet::new();
        loop {
            while connections.len() >= MOST {
                connections.join_next().await;
            }
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, from)) => drop(connections.spawn(serve(router.clone(), stream, from))),
                    Err(error) => {
                        tracing::warn!(%error, "the admin side could not take a connection");
                        // Out of file handles: the next try would fail the same at once.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

async fn serve(router: Router, stream: TcpStream, from: SocketAddr) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(from.ip().to_canonical()));
        router.clone().call(request)
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(64);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), answer).await {
        tracing::debug!(%error, "a connection of the admin side ended early");
    }
}
