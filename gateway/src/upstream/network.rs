//! How connections to one provider are made: through which proxy, with what TLS, in which HTTP.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use super::guard::Guard;
use super::peer::BaseUrl;
use super::proxy::{Proxy, Tunnel};
use super::tls::Tls;
use crate::domain::{Outbound, ProxyUrl, Surroundings};
use crate::error::{GatewayError, Kind};

/// What is said about the connections to a provider.
#[derive(Clone, Debug)]
pub struct Network {
    /// The way out.
    pub outbound: Outbound,
    /// Who the environment's proxies are for.
    pub surroundings: Arc<Surroundings>,
    /// Whom to trust, and who we are.
    pub tls: Tls,
    /// HTTP/2 where the provider speaks it.
    pub http2: bool,
    /// Where it may be; none: anywhere.
    pub guard: Option<Guard>,
}

/// The same, worked out for one URL.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) way: Way,
    pub(super) tls: Tls,
    pub(super) http2: bool,
    /// Connections of lines with different numbers are never shared.
    pub(super) group: u64,
    /// Where the provider may be.
    pub(super) guard: Option<Guard>,
}

/// Where the connection goes to.
#[derive(Debug, Default)]
pub(super) enum Way {
    /// To the provider.
    #[default]
    Direct,
    /// To a proxy that is told the whole URL: plain HTTP needs no tunnel, and many proxies allow tunnels to port 443 only
    /// (RFC 9112, section 3.2.2).
    Forward(Arc<Proxy>),
    /// Through a proxy that knows nothing of what passes.
    Tunnel(Arc<Tunnel>),
}

impl Way {
    /// True when the proxy is told the whole URL.
    pub(super) fn forwards(&self) -> bool {
        matches!(self, Self::Forward(_))
    }

    /// The proxy, where there is one.
    pub(super) fn proxy(&self) -> Option<&Proxy> {
        match self {
            Self::Direct => None,
            Self::Forward(proxy) => Some(proxy),
            Self::Tunnel(tunnel) => Some(&tunnel.proxy),
        }
    }
}

impl Network {
    /// The line to a URL.
    ///
    /// # Errors
    /// When HTTP/2 is asked for where there is no TLS to agree upon it.
    pub(super) fn line(&self, url: &BaseUrl) -> Result<Line, GatewayError> {
        if self.http2 && !url.tls {
            let why = "`http2` needs an https url: HTTP/2 is agreed upon in TLS";
            return Err(GatewayError::gateway(Kind::Internal, why));
        }
        let proxy = match &self.outbound {
            Outbound::Direct => None,
            Outbound::Environment => self.surroundings.proxy_for(url.tls, &url.host, url.port),
            Outbound::Proxy(proxy) => Some(proxy),
        };
        Ok(Line {
            way: proxy.map_or(Way::Direct, |proxy| self.way(proxy, url)),
            tls: self.tls.clone(),
            http2: self.http2,
            group: self.group(proxy, url),
            guard: self.guard.clone(),
        })
    }

    /// The same for a token endpoint: another server, that is none of the provider's.
    pub(super) fn elsewhere(&self) -> Self {
        Self { tls: self.tls.elsewhere(), http2: false, ..self.clone() }
    }

    fn way(&self, url: &ProxyUrl, target: &BaseUrl) -> Way {
        let proxy = Arc::new(Proxy::new(url.clone(), &self.tls));
        // A proxy that is told a name looks it up itself; who is guarded is reached at the address that was looked at.
        match proxy.forwards() && !target.tls && self.guard.is_none() {
            true => Way::Forward(proxy),
            false => Way::Tunnel(Arc::new(Tunnel::new(proxy, target.bare_host(), target.port))),
        }
    }

    fn group(&self, proxy: Option<&ProxyUrl>, url: &BaseUrl) -> u64 {
        let plain = proxy.is_none() && !self.http2;
        if plain && self.tls.is_usual() {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        (proxy, &url.host, url.port, self.http2, self.tls.digest()).hash(&mut hasher);
        hasher.finish()
    }
}
