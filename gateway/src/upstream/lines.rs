//! Connections to all providers: opened through Pingora's connectors, kept for the next request.

use pingora::connectors::http::Connector;
use pingora::connectors::{ConnectorOptions, TransportConnector};
use pingora::protocols::Stream;
use pingora::protocols::http::client::HttpSession;
use pingora::protocols::http::v1;
use pingora::upstreams::peer::Peer as _;
use pingora::{BError, Error, ErrorType};
use tokio::sync::OnceCell;

use super::idle::Idle;
use super::peer::Peer;
use super::wire::Wire;

/// A file of authorities with none in it.
pub const NO_AUTHORITIES: &str = "/dev/null";
/// Idle connections that Pingora would keep; ours do not come back to it.
const KEPT: usize = 1;

/// Connections of HTTP/1.1 are ours; where HTTP/2 may be spoken, Pingora's connector looks after them. Whoever trusts the
/// system's authorities has to read hundreds of files first: that is done when the first connection needs them.
pub(super) struct Lines {
    plain: TransportConnector,
    secure: OnceCell<TransportConnector>,
    idle: Idle,
    shared: OnceCell<Connector>,
}

impl Default for Lines {
    fn default() -> Self {
        let ca_file = Some(NO_AUTHORITIES.to_owned());
        let plain =
            TransportConnector::new(Some(ConnectorOptions { ca_file, ..ConnectorOptions::new(KEPT) }));
        Self { plain, secure: OnceCell::new(), idle: Idle::default(), shared: OnceCell::new() }
    }
}

/// Makes what reads files, on a thread that may wait for them.
async fn apart<T: Send + 'static>(make: fn() -> T) -> Result<T, BError> {
    tokio::task::spawn_blocking(make).await.map_err(|_| {
        Error::explain(ErrorType::InvalidCert, "the system's certificate authorities cannot be read")
    })
}

impl Lines {
    /// A connection to this peer; true: it was used before.
    pub(super) async fn open(&self, peer: &Peer) -> Result<(Box<HttpSession>, bool), BError> {
        if peer.may_share() {
            // Boxed, as connecting is below.
            let shared = self.shared.get_or_try_init(|| apart(|| Connector::new(None))).await?;
            let (session, reused) = Box::pin(shared.get_http_session(peer)).await?;
            return Ok((Box::new(session), reused));
        }
        let (stream, reused) = match self.idle.take(peer.reuse_hash()) {
            Some(stream) => (stream, true),
            // Boxed: connecting needs 20 KB of state, and nearly every request finds a connection.
            None => (Wire::over(Box::pin(self.connect(peer)).await?), false),
        };
        let session = v1::client::HttpSession::new_with_options(stream, peer);
        Ok((Box::new(HttpSession::H1(session)), reused))
    }

    async fn connect(&self, peer: &Peer) -> Result<Stream, BError> {
        if !peer.tls() {
            return self.plain.new_stream(peer).await;
        }
        let secure = self.secure.get_or_try_init(|| apart(|| TransportConnector::new(None))).await?;
        secure.new_stream(peer).await
    }

    /// The answer has been read: the connection may serve the next request, if both sides want that.
    pub(super) async fn release(&self, session: HttpSession, peer: &Peer) {
        let mut session = match session {
            HttpSession::H1(session) if !peer.may_share() => session,
            session => {
                // It came from there, so it is there.
                let Some(shared) = self.shared.get() else { return };
                return Box::pin(shared.release_http_session(session, peer, peer.idle_timeout())).await;
            }
        };
        session.respect_keepalive();
        if let Some(stream) = session.reuse().await {
            self.idle.put(peer.reuse_hash(), stream, peer.idle_timeout());
        }
    }

    /// This peer does not speak HTTP/2 after all.
    pub(super) fn prefer_h1(&self, peer: &Peer) {
        if let Some(shared) = self.shared.get() {
            shared.prefer_h1(peer);
        }
    }

    /// Closes idle connections whose time is over.
    pub(super) fn sweep(&self) {
        self.idle.sweep();
    }
}
