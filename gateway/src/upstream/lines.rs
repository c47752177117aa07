//! Connections to all providers: opened through Pingora's connectors, kept for the next request.

use pingora::BError;
use pingora::connectors::TransportConnector;
use pingora::connectors::http::Connector;
use pingora::protocols::http::client::HttpSession;
use pingora::protocols::http::v1;
use pingora::upstreams::peer::Peer as _;

use super::idle::Idle;
use super::peer::Peer;
use super::wire::Wire;

/// Connections of HTTP/1.1 are ours; where HTTP/2 may be spoken, Pingora's connector looks after them.
pub(super) struct Lines {
    transport: TransportConnector,
    idle: Idle,
    shared: Connector,
}

impl Default for Lines {
    fn default() -> Self {
        Self { transport: TransportConnector::new(None), idle: Idle::default(), shared: Connector::new(None) }
    }
}

impl Lines {
    /// A connection to this peer; true: it was used before.
    pub(super) async fn open(&self, peer: &Peer) -> Result<(Box<HttpSession>, bool), BError> {
        if peer.may_share() {
            // Boxed, as connecting is below.
            let (session, reused) = Box::pin(self.shared.get_http_session(peer)).await?;
            return Ok((Box::new(session), reused));
        }
        let (stream, reused) = match self.idle.take(peer.reuse_hash()) {
            Some(stream) => (stream, true),
            // Boxed: connecting needs 20 KB of state, and nearly every request finds a connection.
            None => (Wire::over(Box::pin(self.transport.new_stream(peer)).await?), false),
        };
        let session = v1::client::HttpSession::new_with_options(stream, peer);
        Ok((Box::new(HttpSession::H1(session)), reused))
    }

    /// The answer has been read: the connection may serve the next request, if both sides want that.
    pub(super) async fn release(&self, session: HttpSession, peer: &Peer) {
        let mut session = match session {
            HttpSession::H1(session) if !peer.may_share() => session,
            session => {
                let released = self.shared.release_http_session(session, peer, peer.idle_timeout());
                return Box::pin(released).await;
            }
        };
        session.respect_keepalive();
        if let Some(stream) = session.reuse().await {
            self.idle.put(peer.reuse_hash(), stream, peer.idle_timeout());
        }
    }

    /// This peer does not speak HTTP/2 after all.
    pub(super) fn prefer_h1(&self, peer: &Peer) {
        self.shared.prefer_h1(peer);
    }

    /// Closes idle connections whose time is over.
    pub(super) fn sweep(&self) {
        self.idle.sweep();
    }
}
