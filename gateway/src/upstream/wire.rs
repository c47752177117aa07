//! A connection that sends the head of a request together with its body.
//!
//! Pingora's session flushes behind the head. That is a system call and a packet of its own for a few hundred bytes, and
//! it wakes the provider for half a request. While a [`Wire`] holds, what is written stays here, and flushing does nothing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use async_trait::async_trait;
use pingora::protocols::http::v1::client::HttpSession;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::{SslDigest, TlsRef};
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream,
    TimingDigest, UniqueID, UniqueIDType,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A body up to this size is copied behind its head where both cannot be handed over as they are.
const COPIED: usize = 16 << 10;

/// A connection to a provider, over TCP or TLS.
#[derive(Debug)]
pub(super) struct Wire {
    inner: Stream,
    /// Written and not sent.
    held: Vec<u8>,
    /// Nothing leaves.
    holds: AtomicBool,
}

impl Wire {
    /// Over this connection.
    pub(super) fn over(inner: Stream) -> Stream {
        Box::new(Self { inner, held: Vec::new(), holds: AtomicBool::new(false) })
    }

    /// What a session writes from now on stays here, or leaves.
    pub(super) fn hold(session: &HttpSession, holds: bool) {
        if let Some(wire) = (**session.stream()).as_any().downcast_ref::<Self>() {
            wire.holds.store(holds, Ordering::Relaxed);
        }
    }

    /// Sends what was held.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let sent = ready!(Pin::new(&mut self.inner).poll_write(context, &self.held))?;
            self.sent(sent)?;
        }
        Poll::Ready(Ok(()))
    }

    /// So many bytes of what was held have left.
    fn sent(&mut self, bytes: usize) -> io::Result<()> {
        if bytes == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.held.drain(..bytes.min(self.held.len()));
        Ok(())
    }
}

/// Nothing has come on a connection that waits, not even its end.
pub(super) fn is_silent(stream: &mut Stream) -> bool {
    let mut byte = [0];
    let mut read = ReadBuf::new(&mut byte);
    Pin::new(stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut read).is_pending()
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        read: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, read)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wire = &mut *self;
        let holds = wire.holds.load(Ordering::Relaxed);
        if holds || (!wire.held.is_empty() && bytes.len() <= COPIED && !wire.inner.is_write_vectored()) {
            wire.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        while !wire.held.is_empty() {
            let both = [IoSlice::new(&wire.held), IoSlice::new(bytes)];
            let sent = ready!(Pin::new(&mut wire.inner).poll_write_vectored(context, &both))?;
            let behind = sent.saturating_sub(wire.held.len());
            wire.sent(sent)?;
            if behind > 0 {
                return Poll::Ready(Ok(behind));
            }
        }
        Pin::new(&mut wire.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.holds.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[async_trait]
impl Shutdown for Wire {
    async fn shutdown(&mut self) {
        self.inner.shutdown().await;
    }
}

#[async_trait]
impl Peek for Wire {
    async fn try_peek(&mut self, bytes: &mut [u8]) -> io::Result<bool> {
        self.inner.try_peek(bytes).await
    }
}

impl UniqueID for Wire {
    fn id(&self) -> UniqueIDType {
        self.inner.id()
    }
}

impl Ssl for Wire {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.selected_alpn_proto()
    }
}

impl GetTimingDigest for Wire {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.inner.get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.inner.get_write_pending_time()
    }
}

impl GetProxyDigest for Wire {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.inner.get_proxy_digest()
    }

    fn set_proxy_digest(&mut self, digest: ProxyDigest) {
        self.inner.set_proxy_digest(digest);
    }
}

impl GetSocketDigest for Wire {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_socket_digest()
    }

    fn set_socket_digest(&mut self, digest: SocketDigest) {
        self.inner.set_socket_digest(digest);
    }
}

#[cfg(test)]
mod tests;
