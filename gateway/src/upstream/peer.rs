//! Provider settings → a Pingora peer: URL, name resolution, TLS.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pingora::protocols::ALPN;
use pingora::upstreams::peer::HttpPeer;

use super::{Provider, Timeouts};
use crate::error::{GatewayError, Kind};

/// How long a resolved address is used before the name is looked up again.
const RESOLVED_FOR: Duration = Duration::from_secs(10);

/// Where a provider is, taken apart once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    tls: bool,
    host: String,
    port: u16,
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

/// The addresses of one provider, looked up now and then.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    known: Mutex<Option<(Instant, Vec<SocketAddr>)>>,
}

impl Provider {
    /// A peer at one of the provider's addresses; `turn` picks another after a failed connect.
    pub(super) async fn peer(&self, timeouts: &Timeouts, turn: usize) -> Result<HttpPeer, GatewayError> {
        let addresses = self.addresses().await?;
        let address = addresses
            .get(turn.checked_rem(addresses.len()).unwrap_or(0))
            .ok_or_else(|| self.unreachable("has no address"))?;
        let mut peer = HttpPeer::new(address, self.url.tls, self.url.host.clone());
        peer.options.connection_timeout = Some(timeouts.connect);
        peer.options.total_connection_timeout = Some(timeouts.connect);
        peer.options.idle_timeout = Some(Duration::from_secs(60));
        peer.options.alpn = ALPN::H1;
        Ok(peer)
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, GatewayError> {
        let host = self.url.host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, self.url.port)]);
        }
        if let Some((at, addresses)) = &*self.resolved.known.lock()
            && at.elapsed() < RESOLVED_FOR
        {
            return Ok(addresses.clone());
        }
        let found = tokio::net::lookup_host((host, self.url.port)).await;
        let addresses: Vec<_> =
            found.map_err(|error| self.unreachable(&format!("cannot be resolved: {error}")))?.collect();
        *self.resolved.known.lock() = Some((Instant::now(), addresses.clone()));
        Ok(addresses)
    }

    fn unreachable(&self, why: &str) -> GatewayError {
        GatewayError::upstream(Kind::Unreachable, "the provider cannot be reached")
            .context(format!("provider `{}` at {} {why}", self.name, self.url.host))
    }
}

#[cfg(test)]
mod tests;
