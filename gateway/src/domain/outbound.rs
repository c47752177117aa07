//! Which way requests leave for a provider: straight, through a proxy, or as the environment says.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Secret;

/// The way out, as an operator writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outbound {
    /// Straight there.
    Direct,
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    Environment,
    /// Through this proxy.
    Proxy(ProxyUrl),
}

impl Outbound {
    /// Reads `direct`, `environment` or a proxy's URL.
    ///
    /// # Errors
    /// Why it is none of them, without repeating it: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "direct" => Ok(Self::Direct),
            "environment" => Ok(Self::Environment),
            _ => ProxyUrl::parse(text).map(Self::Proxy),
        }
    }
}

impl fmt::Display for Outbound {
    /// Without a user and a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => formatter.write_str("direct"),
            Self::Environment => formatter.write_str("environment"),
            Self::Proxy(proxy) => proxy.fmt(formatter),
        }
    }
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyScheme {
    /// HTTP in the open: CONNECT for TLS, the whole URL in the request line without.
    Http,
    /// The same inside TLS.
    Https,
    /// SOCKS5 (RFC 1928), names looked up here.
    Socks5,
    /// SOCKS5, names looked up by the proxy.
    Socks5h,
}

impl ProxyScheme {
    /// As it stands in front of `://`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks5 | Self::Socks5h => 1080,
        }
    }
}

/// Where a proxy is and who we are to it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ProxyUrl {
    /// What it speaks.
    pub scheme: ProxyScheme,
    /// Its name or address; an IPv6 address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User and password, where it wants them.
    user: Option<(Secret, Secret)>,
}

impl ProxyUrl {
    /// Reads `scheme://[user:password@]host[:port]`.
    ///
    /// # Errors
    /// Why it is none, without repeating it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("it has no scheme")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyScheme::Http,
            "https" => ProxyScheme::Https,
            "socks5" => ProxyScheme::Socks5,
            "socks5h" => ProxyScheme::Socks5h,
            _ => return Err("its scheme is not one of http, https, socks5 and socks5h"),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // The last one: a password may hold an `@` that nobody escaped.
        let (user, authority) = match rest.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, rest),
        };
        if authority.contains(['/', '?', '#']) {
            return Err("it holds a path");
        }
        let (host, port) = host_and_port(authority)?;
        let port = port.unwrap_or(scheme.default_port());
        Ok(Self { scheme, host, port, user: user.map(user_and_password).transpose()? })
    }

    /// User and password, where it wants them.
    pub fn user(&self) -> Option<(&Secret, &Secret)> {
        self.user.as_ref().map(|(user, password)| (user, password))
    }

    /// The value of `proxy-authorization` (RFC 7617).
    pub fn basic(&self) -> Option<Secret> {
        let (user, password) = self.user()?;
        let pair = format!("{}:{}", user.expose(), password.expose());
        Some(Secret::new(format!("Basic {}", STANDARD.encode(pair))))
    }
}

impl fmt::Display for ProxyUrl {
    /// Without user and password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port, .. } = self;
        match host.contains(':') {
            true => write!(formatter, "{}://[{host}]:{port}", scheme.as_str()),
            false => write!(formatter, "{}://{host}:{port}", scheme.as_str()),
        }
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>), &'static str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or("its host is not a name or an address")?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| "its host is not a name or an address")?;
            (host, port.strip_prefix(':').or(port.is_empty().then_some("")))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port).filter(|port| !port.is_empty())),
            None => (authority, Some("")),
        },
    };
    let port = port.ok_or("its port is missing or not a number")?;
    let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(legal) {
        return Err("its host is not a name or an address");
    }
    if port.is_empty() {
        return Ok((host.to_owned(), None));
    }
    match port.parse::<u16>() {
        Ok(port) if port != 0 => Ok((host.to_owned(), Some(port))),
        _ => Err("its port is missing or not a number"),
    }
}

fn user_and_password(text: &str) -> Result<(Secret, Secret), &'static str> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let decoded = |part| unescaped(part).ok_or("its user or password is not rightly escaped");
    let (user, password) = (decoded(user)?, decoded(password)?);
    if user.is_empty() || user.contains(':') {
        return Err("its user is empty or holds a colon");
    }
    // RFC 1929 counts each in one byte; nobody has longer ones for HTTP either.
    if user.len() > 255 || password.len() > 255 {
        return Err("its user or password is longer than 255 bytes");
    }
    Ok((Secret::new(user), Secret::new(password)))
}

/// Percent-decoded.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}

/// What the environment says about proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// For `https` targets.
    https: Option<ProxyUrl>,
    /// For `http` targets.
    http: Option<ProxyUrl>,
    /// Who is reached straight.
    except: Vec<Exception>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Exception {
    /// `*`
    All,
    /// A name and what ends in a dot and that name; perhaps one port only.
    Name(String, Option<u16>),
    /// Addresses that share so many leading bits.
    Net(IpAddr, u32),
}

impl Surroundings {
    /// Reads the usual variables, small letters before capitals.
    ///
    /// # Errors
    /// The variable that holds no proxy, and why.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let text = |name: &str| {
            let found = [name.to_owned(), name.to_ascii_uppercase()];
            found.into_iter().find_map(|name| variable(&name)).filter(|text| !text.trim().is_empty())
        };
        let proxy = |name: &str| {
            let Some(text) = text(name).or_else(|| text("all_proxy")) else { return Ok(None) };
            // As curl has it: without a scheme it is an HTTP proxy.
            let text = if text.contains("://") { text } else { format!("http://{text}") };
            let name = name.to_ascii_uppercase();
            ProxyUrl::parse(text.trim())
                .map(Some)
                .map_err(|why| format!("{name} (or ALL_PROXY) is not a proxy: {why}"))
        };
        let except = text("no_proxy").unwrap_or_default();
        Ok(Self {
            https: proxy("https_proxy")?,
            http: proxy("http_proxy")?,
            except: except.split([',', ' ']).map(str::trim).filter_map(exception).collect(),
        })
    }

    /// The proxy for a target, if it is not to be reached straight. Loopback never goes through one.
    pub fn proxy_for(&self, tls: bool, host: &str, port: u16) -> Option<&ProxyUrl> {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        let address = host.parse::<IpAddr>().ok();
        let near = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        if near || self.except.iter().any(|exception| exception.holds(&host, address, port)) {
            return None;
        }
        if tls { self.https.as_ref() } else { self.http.as_ref() }
    }
}

fn exception(text: &str) -> Option<Exception> {
    if text.is_empty() {
        return None;
    }
    if text == "*" {
        return Some(Exception::All);
    }
    if let Some((address, bits)) = text.split_once('/')
        && let (Ok(address), Ok(bits)) = (address.parse(), bits.parse())
    {
        return Some(Exception::Net(address, bits));
    }
    if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Some(Exception::Net(address, 128));
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().ok()),
        None => (text, None),
    };
    let name = name.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
    (!name.is_empty()).then_some(Exception::Name(name, port))
}

impl Exception {
    fn holds(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        match (self, address) {
            (Self::All, _) => true,
            (Self::Name(name, only), _) => {
                let below = host.strip_suffix(name.as_str()).is_some_and(|front| front.ends_with('.'));
                (below || host == name) && only.is_none_or(|only| only == port)
            }
            (Self::Net(net, bits), Some(address)) => same_net(*net, address, *bits),
            (Self::Net(..), None) => false,
        }
    }
}

fn same_net(net: IpAddr, address: IpAddr, bits: u32) -> bool {
    match (net, address) {
        (IpAddr::V4(net), IpAddr::V4(address)) => {
            let differ = u32::from(net) ^ u32::from(address);
            differ.leading_zeros() >= bits.min(32)
        }
        (IpAddr::V6(net), IpAddr::V6(address)) => {
            let differ = u128::from(net) ^ u128::from(address);
            differ.leading_zeros() >= bits.min(128)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
