//! Reads from the client, under size and time limits, and notices when it has gone.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pingora::proxy::Session;

use super::exchange::Exchange;
use crate::dialect::{Dialect, wishes};
use crate::domain::{Envelope, Operation, VirtualKey, Wishes};
use crate::error::{GatewayError, Kind};
use crate::observe::{Facts, Ongoing};
use crate::state::Snapshot;

/// Silence of a client in the middle of its own body.
const SILENCE: Duration = Duration::from_secs(30);

/// The client's side of an exchange.
pub(super) struct Client<'a> {
    pub(super) session: &'a mut Session,
    /// The client sent bytes behind its request: it is there, and that is all this can mean.
    talked: bool,
    /// An operator may end it by hand.
    ongoing: Arc<Ongoing>,
}

impl<'a> Client<'a> {
    pub(super) fn new(session: &'a mut Session, ongoing: Arc<Ongoing>) -> Self {
        Self { session, talked: false, ongoing }
    }

    /// What the request is, for whoever looks at those that run.
    pub(super) fn is(&self, facts: Facts) {
        self.ongoing.is(facts);
    }

    /// Somebody still wants the answer.
    ///
    /// # Errors
    /// When an operator has ended it.
    pub(super) fn is_wanted(&self) -> Result<(), GatewayError> {
        if self.ongoing.is_cancelled() { Err(cancelled()) } else { Ok(()) }
    }

    /// Its address, as the connection says; none: a socket in the file system.
    pub(super) fn peer(&self) -> Option<IpAddr> {
        let address = self.session.client_addr()?;
        address.as_inet().map(std::net::SocketAddr::ip)
    }

    /// The whole body.
    async fn body(&mut self, limit: usize) -> Result<Bytes, GatewayError> {
        let too_large = || {
            GatewayError::client(
                Kind::TooLarge,
                format!("the body is over the limit of {limit} bytes (server.max_body)"),
            )
        };
        let header =
            |name: &str| self.session.req_header().headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(encoding) =
            header("content-encoding").filter(|encoding| !encoding.eq_ignore_ascii_case("identity"))
        {
            return Err(GatewayError::client(
                Kind::InvalidRequest,
                format!("a body with content-encoding `{encoding}` is not taken; send it plain"),
            ));
        }
        let announced = header("content-length").and_then(|length| length.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        if header("expect").is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue")) {
            self.session.write_continue_response().await.map_err(|_| gone())?;
        }
        let Some(first) = self.piece().await? else { return Ok(Bytes::new()) };
        if announced == Some(first.len()) {
            return Ok(first);
        }
        let mut body = BytesMut::with_capacity(announced.unwrap_or(0).max(first.len()));
        body.extend_from_slice(&first);
        while let Some(more) = self.piece().await? {
            if body.len() + more.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&more);
        }
        Ok(body.freeze())
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, GatewayError> {
        match tokio::time::timeout(SILENCE, self.session.downstream_session.read_request_body()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(gone().context(error)),
            Err(_) => Err(GatewayError::client(
                Kind::InvalidRequest,
                format!("the body did not arrive: nothing came for {} seconds", SILENCE.as_secs()),
            )),
        }
    }

    /// Comes back when the client has gone or an operator has ended the request, and not before.
    pub(super) async fn gone(&mut self) -> GatewayError {
        let ongoing = Arc::clone(&self.ongoing);
        tokio::select! {
            () = ongoing.cancelled() => cancelled(),
            gone = self.left() => gone,
        }
    }

    async fn left(&mut self) -> GatewayError {
        if self.talked {
            return std::future::pending().await;
        }
        match self.session.downstream_session.read_body_or_idle(true).await {
            Ok(_) => {}
            Err(error) if matches!(error.etype(), pingora::ErrorType::ConnectError) => {
                // Bytes behind the request: the connection cannot be used again, but the client is there.
                self.talked = true;
                self.session.downstream_session.set_keepalive(None);
            }
            Err(error) => return gone().context(error),
        }
        std::future::pending().await
    }
}

/// An operator has ended it.
pub(super) fn cancelled() -> GatewayError {
    GatewayError::gateway(Kind::Cancelled, "the request was cancelled by the operator of the gateway")
}

/// The client has left.
pub(super) fn gone() -> GatewayError {
    GatewayError::client(Kind::ClientGone, "the client closed the connection")
}

/// Reads the body of a known key's request that asks no model.
pub(super) async fn body(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
) -> Result<Bytes, GatewayError> {
    Exchange::wait(&mut exchange.waited, pin!(client.body(snapshot.max_body))).await
}

/// Reads the body of a known key's request and finds its facts, and what it wishes where its key may wish.
pub(super) async fn envelope(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    dialect: &dyn Dialect,
    key: &VirtualKey,
) -> Result<(Envelope, Option<Wishes>), GatewayError> {
    let body = body(snapshot, client, exchange).await?;
    let may_wish = key.preferences && dialect.operation() == Operation::Chat;
    let (body, wishes) = if may_wish { wishes::take(body)? } else { (body, None) };
    let envelope = dialect.read(&exchange.head, body)?;
    exchange.record.asked.clone_from(&envelope.model);
    exchange.record.model = "other".into();
    exchange.record.stream = envelope.stream;
    Ok((envelope, wishes))
}
