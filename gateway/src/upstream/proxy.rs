//! Connections through a proxy: CONNECT (RFC 9110, section 9.3.6) over plain or TLS, and SOCKS5 (RFC 1928, RFC 1929).
//!
//! Pingora asks here for the stream only; TLS with the provider and the pool stay with it.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use pingora::connectors::L4Connect;
use pingora::protocols::l4::socket;
use pingora::protocols::l4::stream::Stream;
use pingora::tls::{ClientConfig, ServerName, TlsConnector};
use pingora::{Error, ErrorType};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio_socks::tcp::Socks5Stream;

use super::peer::Resolved;
use super::tls::Tls;
use crate::domain::{ProxyScheme, ProxyUrl, Secret};

/// Largest head of a proxy's answer.
const MAX_HEAD: usize = 16 << 10;

/// One proxy.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) url: ProxyUrl,
    /// Its addresses.
    pub(super) resolved: Resolved,
    /// The value of `proxy-authorization`.
    pub(super) authorization: Option<Secret>,
    /// For a proxy inside TLS.
    tls: Option<Arc<ClientConfig>>,
}

impl Proxy {
    pub(super) fn new(url: ProxyUrl, tls: &Tls) -> Self {
        let inside = url.scheme == ProxyScheme::Https;
        Self {
            resolved: Resolved::default(),
            authorization: url.basic(),
            tls: inside.then(|| tls.for_proxy()),
            url,
        }
    }

    /// True when it takes whole URLs.
    pub(super) fn forwards(&self) -> bool {
        matches!(self.url.scheme, ProxyScheme::Http | ProxyScheme::Https)
    }

    /// True when the connection to it is TLS.
    pub(super) fn is_inside_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Why it refuses, when it asks who we are.
    pub(super) fn unknown_user(&self) -> &'static str {
        match self.url.user() {
            Some(_) => "refuses the user and the password (407)",
            None => "wants a user and a password (407)",
        }
    }
}

/// The way through a proxy to one target.
#[derive(Debug)]
pub(super) struct Tunnel {
    pub(super) proxy: Arc<Proxy>,
    host: String,
    port: u16,
    /// The target's addresses, where the proxy does not look them up.
    resolved: Resolved,
}

#[async_trait]
impl L4Connect for Tunnel {
    /// Only bounded by the time that the whole connection may take.
    async fn connect(&self, address: &socket::SocketAddr) -> pingora::Result<Stream> {
        let failed = |why: String| Error::explain(ErrorType::ConnectProxyFailure, format!("the proxy {why}"));
        let address = address.as_inet().copied().ok_or_else(|| failed("has no address".to_owned()))?;
        self.open(address).await.map_err(failed)
    }
}

impl Tunnel {
    pub(super) fn new(proxy: Arc<Proxy>, host: &str, port: u16) -> Self {
        Self { proxy, host: host.to_owned(), port, resolved: Resolved::default() }
    }

    /// The same to one address of the target: the proxy looks nothing up.
    pub(super) fn to(&self, address: SocketAddr) -> Self {
        Self::new(Arc::clone(&self.proxy), &address.ip().to_string(), address.port())
    }

    async fn open(&self, address: SocketAddr) -> Result<Stream, String> {
        let tcp = TcpStream::connect(address).await;
        let mut tcp = tcp.map_err(|error| format!("cannot be reached: {error}"))?;
        tcp.set_nodelay(true).map_err(|error| error.to_string())?;
        match (self.proxy.url.scheme, &self.proxy.tls) {
            (ProxyScheme::Socks5 | ProxyScheme::Socks5h, _) => Ok(self.socks(tcp).await?.into()),
            (_, Some(tls)) => {
                let name = ServerName::try_from(self.proxy.url.host.clone());
                let name = name.map_err(|error| format!("has no name for TLS: {error}"))?;
                let stream = TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await;
                let mut stream = stream.map_err(|error| format!("cannot be spoken to in TLS: {error}"))?;
                self.http(&mut stream).await?;
                relayed(stream).map_err(|error| error.to_string())
            }
            (_, None) => {
                self.http(&mut tcp).await?;
                Ok(tcp.into())
            }
        }
    }

    /// Asks an HTTP proxy for a tunnel.
    async fn http(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<(), String> {
        let Self { host, port, .. } = self;
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n");
        if let Some(authorization) = &self.proxy.authorization {
            request.push_str(&format!("proxy-authorization: {}\r\n", authorization.expose()));
        }
        request.push_str("\r\n");
        let written = stream.write_all(request.as_bytes()).await;
        written.map_err(|error| format!("closed the connection: {error}"))?;
        stream.flush().await.map_err(|error| format!("closed the connection: {error}"))?;
        match status(&read_head(stream).await?) {
            Some((status, _)) if (200..300).contains(&status) => Ok(()),
            Some((407, _)) => Err(self.proxy.unknown_user().to_owned()),
            Some((status, reason)) => Err(format!("refuses to connect to {target}: {status} {reason}")),
            None => Err("does not answer in HTTP".to_owned()),
        }
    }

    async fn socks(&self, tcp: TcpStream) -> Result<TcpStream, String> {
        let user = self.proxy.url.user().map(|(user, password)| (user.expose(), password.expose()));
        let opened = match self.proxy.url.scheme {
            ProxyScheme::Socks5 => {
                let found = self.resolved.of(&self.host, self.port).await;
                let found = found.map_err(|error| {
                    format!("cannot be told an address: {} cannot be resolved: {error}", self.host)
                })?;
                // It is asked once: more SOCKS servers have a way to IPv4 than to IPv6.
                let address = found.iter().find(|address| address.is_ipv4()).or(found.first()).copied();
                let address =
                    address.ok_or_else(|| format!("has no target: {} has no address", self.host))?;
                socks(tcp, address, user).await
            }
            _ => socks(tcp, (self.host.as_str(), self.port), user).await,
        };
        opened.map_err(|error| format!("refuses to connect to {}:{}: {error}", self.host, self.port))
    }
}

async fn socks<'t>(
    tcp: TcpStream,
    target: impl tokio_socks::IntoTargetAddr<'t>,
    user: Option<(&str, &str)>,
) -> Result<TcpStream, tokio_socks::Error> {
    let opened = match user {
        Some((user, password)) => {
            Socks5Stream::connect_with_password_and_socket(tcp, target, user, password).await
        }
        None => Socks5Stream::connect_with_socket(tcp, target).await,
    };
    opened.map(Socks5Stream::into_inner)
}

/// The head of a proxy's answer, and not a byte more: what comes behind it is the target's.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, String> {
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == MAX_HEAD {
            return Err("answers with a head that does not end".to_owned());
        }
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) => return Err(format!("closed the connection without an answer: {error}")),
        }
    }
    Ok(head)
}

/// The status of an answer and its reason, which may be anything.
fn status(head: &[u8]) -> Option<(u16, String)> {
    let head = String::from_utf8_lossy(head);
    let line = head.lines().next()?.strip_prefix("HTTP/1.")?;
    let (_, rest) = line.split_once(' ')?;
    let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let reason = reason.chars().filter(|letter| !letter.is_control()).take(60).collect();
    Some((status.parse().ok()?, reason))
}

/// A stream with a file descriptor of its own, which Pingora's pool knows its connections by.
fn relayed(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> std::io::Result<Stream> {
    let (ours, theirs) = UnixStream::pair()?;
    let relay = async move {
        let (mut from_proxy, mut to_proxy) = tokio::io::split(stream);
        let (mut from_us, mut to_us) = ours.into_split();
        // Whoever closes first ends both ways: HTTP has no half-open connections.
        tokio::select! {
            _ = tokio::io::copy(&mut from_proxy, &mut to_us) => {}
            _ = tokio::io::copy(&mut from_us, &mut to_proxy) => {}
        }
        let _ = to_proxy.shutdown().await;
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "it belongs to a pooled connection, which outlives its first exchange"
    )]
    drop(tokio::spawn(relay));
    Ok(theirs.into())
}

#[cfg(test)]
mod tests;
