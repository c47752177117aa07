//! A response body, pulled: idle deadline, bound, and the connection given back at its end.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pingora::BError;
use pingora::protocols::http::client::HttpSession;

use super::gate::Passes;
use super::lines::Lines;
use super::peer::Peer;
use crate::error::{GatewayError, Kind};

/// Bytes gathered for one call into an adapter or one write, when they are already there.
const GATHER: usize = 64 << 10;

/// The rest of one answer. Dropping it closes the connection, which cancels the request.
pub struct Body {
    /// Boxed: it is handed on from hand to hand.
    session: Option<Box<HttpSession>>,
    peer: Peer,
    lines: Arc<Lines>,
    idle: Duration,
    /// The connection broke behind bytes that were gathered. Pingora tells it once, and then a clean end.
    broken: Option<BError>,
    /// Room that is taken up until the answer has ended.
    passes: Passes,
}

impl Body {
    pub(super) fn new(session: Box<HttpSession>, peer: Peer, lines: Arc<Lines>, idle: Duration) -> Self {
        Self { session: Some(session), peer, lines, idle, broken: None, passes: Passes::default() }
    }

    /// Keeps this room until the answer has ended.
    pub fn hold(&mut self, passes: Passes) {
        self.passes = passes;
    }

    /// The next bytes, together with what has already arrived behind them. `None`: the clean end.
    ///
    /// # Errors
    /// [`Kind::Timeout`] after silence, [`Kind::Malformed`] when the connection broke in the middle.
    pub async fn next(&mut self) -> Result<Option<Bytes>, GatewayError> {
        if let Some(error) = self.broken.take() {
            self.session = None;
            return Err(cut_off(&error));
        }
        let Some(session) = &mut self.session else { return Ok(None) };
        let read = tokio::time::timeout(self.idle, session.read_response_body()).await;
        let first = match read {
            Err(_) => {
                return Err(GatewayError::upstream(Kind::Timeout, "the provider fell silent")
                    .context(format!("no bytes for {:?}", self.idle)));
            }
            Ok(Err(error)) => return Err(cut_off(&error)),
            Ok(Ok(first)) => first,
        };
        let Some(first) = first else {
            self.release().await;
            return Ok(None);
        };
        Ok(Some(self.gather(first)))
    }

    /// Adds what can be had without waiting. The end shows again at the next read, an error is kept for it.
    fn gather(&mut self, first: Bytes) -> Bytes {
        let Some(session) = &mut self.session else { return first };
        let mut gathered: Option<BytesMut> = None;
        let mut length = first.len();
        while length < GATHER && !session.response_done() {
            let more = match now_or_never(session.read_response_body()) {
                Some(Ok(Some(more))) => more,
                Some(Err(error)) => {
                    self.broken = Some(error);
                    break;
                }
                Some(Ok(None)) | None => break,
            };
            length += more.len();
            gathered.get_or_insert_with(|| BytesMut::from(first.as_ref())).extend_from_slice(&more);
        }
        gathered.map_or(first, BytesMut::freeze)
    }

    /// The whole rest, at most `limit` bytes of it.
    ///
    /// # Errors
    /// As [`Body::next`], and [`Kind::Malformed`] over the limit.
    pub async fn whole(&mut self, limit: usize) -> Result<Bytes, GatewayError> {
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.next().await? else { return Ok(first) };
        let mut whole = BytesMut::from(first.as_ref());
        whole.extend_from_slice(&second);
        while let Some(more) = self.next().await? {
            if whole.len() + more.len() > limit {
                return Err(GatewayError::upstream(Kind::Malformed, "the provider's answer is too large")
                    .context(format!("over {limit} bytes")));
            }
            whole.extend_from_slice(&more);
        }
        Ok(whole.freeze())
    }

    async fn release(&mut self) {
        self.passes = Passes::default();
        if let Some(session) = self.session.take() {
            self.lines.release(*session, &self.peer).await;
        }
    }
}

impl Drop for Body {
    /// A stream of a shared connection gives its place back, also when it is cut; other connections close.
    fn drop(&mut self) {
        // Before the connection closes: whoever sees that may count on the room.
        self.passes = Passes::default();
        let shared = matches!(self.session.as_deref(), Some(HttpSession::H2(_)));
        if shared && tokio::runtime::Handle::try_current().is_ok() {
            now_or_never(self.release());
        }
    }
}

fn cut_off(error: &BError) -> GatewayError {
    GatewayError::upstream(Kind::Malformed, "the provider's answer was cut off").context(error)
}

/// What a future has to say at once. The next real poll registers its own waker again.
fn now_or_never<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
