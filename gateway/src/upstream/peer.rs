//! Provider settings → a Pingora peer: URL, name resolution, TLS.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use std::fmt;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use parking_lot::Mutex;
use pingora::connectors::L4Connect;
use pingora::protocols::ALPN;
use pingora::protocols::l4::socket;
use pingora::upstreams::peer::{HttpPeer, Peer as PingoraPeer, PeerOptions};
use pingora::utils::tls::CertKey;

use super::guard::Guard;
use super::network::Way;
use super::{Provider, Timeouts};
use crate::error::{GatewayError, Kind};

/// How long a resolved address is used before the name is looked up again.
const RESOLVED_FOR: Duration = Duration::from_secs(10);
/// Requests on one HTTP/2 connection at a time; a server that allows fewer says so.
const STREAMS: usize = 100;

/// Where a provider is, taken apart once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// Path in front of the API's own, without a trailing slash and without the version segment.
    prefix: String,
    /// The version segment, when the URL ends in one; it stands in for the API's own. Empty: the server has none.
    version: Option<String>,
}

impl BaseUrl {
    /// Reads `http(s)://host[:port][/path]`. The path may end in the API's version segment or not; or it is the whole
    /// path of chat completions, which says that what stands before it is all there is, version or not.
    ///
    /// # Errors
    /// Anything else, in one line that does not repeat a password.
    pub fn parse(url: &str) -> Result<Self, GatewayError> {
        let wrong = |why: &str| GatewayError::gateway(Kind::Internal, format!("the provider's url {why}"));
        let uri: http::Uri = url.parse().map_err(|_| wrong("is not a URL"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("must begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("holds a user name; keys go into `keys`"));
        }
        if uri.query().is_some() {
            return Err(wrong("holds a query"));
        }
        let path = uri.path().trim_end_matches('/');
        let (path, otherwise) = match path.strip_suffix("/chat/completions") {
            Some(front) => (front, Some(String::new())),
            None => (path, None),
        };
        let (front, last) = path.rsplit_once('/').unwrap_or(("", ""));
        let (prefix, version) =
            if is_version(last) { (front, Some(last.to_owned())) } else { (path, otherwise) };
        Ok(Self {
            tls,
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            prefix: prefix.to_owned(),
            version,
        })
    }

    /// The path on the wire for an API path that begins with its version segment, or with one segment and that (`/openai/v1`).
    /// What the URL already says stands once.
    pub fn path(&self, api_path: &str) -> String {
        let api_path = api_path.trim_start_matches('/');
        let (first, rest) = split(api_path);
        if let (true, Some(version)) = (is_version(first), &self.version) {
            // What is written for version 2 is not there in version 1, whatever the URL ends in.
            let newer = !version.is_empty() && major(first) > major(version);
            return self.joined(if newer { first } else { version }, rest);
        }
        let front = self.prefix.strip_suffix(first).filter(|front| !first.is_empty() && front.ends_with('/'));
        match (front, &self.version, split(rest)) {
            (Some(_), Some(version), (second, rest)) if is_version(second) => self.joined(version, rest),
            (Some(front), _, _) => format!("{front}{api_path}"),
            // Ollama's own API stands beside its `/v1`, which is OpenAI's there.
            (None, Some(_), _) if first == "api" => format!("{}/{api_path}", self.prefix),
            (None, Some(version), _) => self.joined(version, api_path),
            (None, None, _) => format!("{}/{api_path}", self.prefix),
        }
    }

    fn joined(&self, version: &str, rest: &str) -> String {
        match version {
            "" => format!("{}/{rest}", self.prefix),
            version => format!("{}/{version}/{rest}", self.prefix),
        }
    }

    /// The host without the brackets of an IPv6 address.
    pub(super) fn bare_host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// The whole URL of a path, as a proxy is told it.
    pub(super) fn absolute(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "https" } else { "http" }, self.host_header())
    }

    /// Scheme, host and port, always written the same way: what a secret is bound to.
    pub fn origin(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host.to_ascii_lowercase(), self.port)
    }

    /// The value of the host header.
    pub fn host_header(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }
}

/// The first segment, and what is behind it.
fn split(path: &str) -> (&str, &str) {
    path.split_once('/').unwrap_or((path, ""))
}

/// `v1`, `v1beta`, `v4`: a `v` and a digit.
fn is_version(segment: &str) -> bool {
    let mut letters = segment.chars();
    letters.next() == Some('v') && letters.next().is_some_and(|letter| letter.is_ascii_digit())
}

/// The number in a version segment; 1 in `v1beta`.
fn major(version: &str) -> u32 {
    let digits = version.trim_start_matches('v');
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// The addresses of one host, looked up now and then.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    known: Mutex<Option<(Instant, Vec<SocketAddr>)>>,
}

impl Resolved {
    /// The addresses of a host, which is always the same one.
    pub(super) async fn of(&self, host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        if let Some((at, addresses)) = &*self.known.lock()
            && at.elapsed() < RESOLVED_FOR
        {
            return Ok(addresses.clone());
        }
        let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
        *self.known.lock() = Some((Instant::now(), addresses.clone()));
        Ok(addresses)
    }
}

/// Where a connection goes, as Pingora's pool and connector see it.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    http: HttpPeer,
    /// The connection's descriptor is a relay's and tells no address.
    relayed: bool,
}

impl Peer {
    /// HTTP/2 may be spoken with it, and several requests then share a connection.
    pub(super) fn may_share(&self) -> bool {
        self.http.options.alpn != ALPN::H1
    }

    pub(super) fn idle_timeout(&self) -> Option<Duration> {
        self.http.options.idle_timeout
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.http.fmt(formatter)
    }
}

impl PingoraPeer for Peer {
    fn address(&self) -> &socket::SocketAddr {
        self.http.address()
    }

    fn tls(&self) -> bool {
        self.http.is_tls()
    }

    fn sni(&self) -> &str {
        &self.http.sni
    }

    fn reuse_hash(&self) -> u64 {
        self.http.reuse_hash()
    }

    fn get_peer_options(&self) -> Option<&PeerOptions> {
        Some(&self.http.options)
    }

    fn get_mut_peer_options(&mut self) -> Option<&mut PeerOptions> {
        Some(&mut self.http.options)
    }

    fn matches_fd<V: AsRawFd>(&self, descriptor: V) -> bool {
        self.relayed || self.http.matches_fd(descriptor)
    }

    fn get_client_cert_key(&self) -> Option<&Arc<CertKey>> {
        self.http.client_cert_key.as_ref()
    }
}

impl Provider {
    /// A peer at one of the provider's addresses, or its proxy's; `turn` picks another after a failed connect.
    pub(super) async fn peer(&self, timeouts: &Timeouts, turn: usize) -> Result<Peer, GatewayError> {
        let line = &self.line;
        let looked_at = match &line.guard {
            Some(guard) => Some(self.guarded(guard, turn).await?),
            None => None,
        };
        let address = match (line.way.proxy(), looked_at) {
            (Some(proxy), _) => {
                self.turned(proxy.resolved.of(&proxy.url.host, proxy.url.port).await, turn)?
            }
            (None, Some(address)) => address,
            (None, None) => self.turned(self.resolved.of(self.url.bare_host(), self.url.port).await, turn)?,
        };
        let address = &address;
        let name = line.tls.server_name.as_deref().unwrap_or(self.url.bare_host());
        let mut http = match &line.way {
            Way::Forward(proxy) => HttpPeer::new(address, proxy.is_inside_tls(), proxy.url.host.clone()),
            Way::Direct | Way::Tunnel(_) => HttpPeer::new(address, self.url.tls, name.to_owned()),
        };
        http.group_key = line.group;
        http.options.connection_timeout = Some(timeouts.connect);
        http.options.total_connection_timeout = Some(timeouts.connect);
        http.options.idle_timeout = Some(Duration::from_secs(60));
        http.options.alpn = if line.http2 { ALPN::H2H1 } else { ALPN::H1 };
        http.options.max_h2_streams = if line.http2 { STREAMS } else { 1 };
        let tls = if matches!(line.way, Way::Forward(_)) { &line.tls.elsewhere() } else { &line.tls };
        http.options.ca = tls.trusted.as_ref().map(|trusted| Arc::clone(&trusted.list));
        http.options.verify_cert = tls.verify;
        http.options.verify_hostname = tls.verify;
        http.client_cert_key.clone_from(&tls.client);
        let mut relayed = false;
        if let Way::Tunnel(tunnel) = &line.way {
            relayed = tunnel.proxy.is_inside_tls();
            let tunnel: Arc<dyn L4Connect + Send + Sync> = match looked_at {
                Some(address) => Arc::new(tunnel.to(address)),
                None => Arc::<super::proxy::Tunnel>::clone(tunnel),
            };
            http.options.custom_l4 = Some(tunnel);
        }
        Ok(Peer { http, relayed })
    }

    /// One of the provider's addresses, after all of them were looked at.
    async fn guarded(&self, guard: &Guard, turn: usize) -> Result<SocketAddr, GatewayError> {
        let (host, port) = (self.url.bare_host(), self.url.port);
        let found = match &guard.lookup {
            Some(lookup) => lookup(host, port),
            None => self.resolved.of(host, port).await,
        };
        if let Ok(addresses) = &found {
            guard.check(addresses).map_err(|why| self.unreachable(&why))?;
        }
        self.turned(found, turn)
    }

    fn turned(
        &self,
        found: std::io::Result<Vec<SocketAddr>>,
        turn: usize,
    ) -> Result<SocketAddr, GatewayError> {
        let found = found.map_err(|error| self.unreachable(&format!("cannot be resolved: {error}")))?;
        let address = found.get(turn.checked_rem(found.len()).unwrap_or(0)).copied();
        address.ok_or_else(|| self.unreachable("has no address"))
    }

    /// Looks at the provider's addresses now, as at every connection.
    ///
    /// # Errors
    /// When it has one that it must not have. A name that cannot be looked up now is none.
    pub async fn look_at_address(&self) -> Result<(), GatewayError> {
        let Some(guard) = &self.line.guard else { return Ok(()) };
        let (host, port) = (self.url.bare_host(), self.url.port);
        match self.resolved.of(host, port).await {
            Ok(addresses) => guard.check(&addresses).map_err(|why| self.unreachable(&why)),
            Err(_) => Ok(()),
        }
    }

    fn unreachable(&self, why: &str) -> GatewayError {
        let at = self.line.way.proxy().map_or_else(
            || self.url.host.clone(),
            |proxy| format!("{} through proxy `{}`, which", self.url.host, proxy.url),
        );
        GatewayError::upstream(Kind::Unreachable, "the provider cannot be reached")
            .context(format!("provider `{}` at {at} {why}", self.name))
    }
}

#[cfg(test)]
mod tests;
