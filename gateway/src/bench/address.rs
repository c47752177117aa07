//! A request as it goes over the wire, and where it goes.

use std::net::{SocketAddr, ToSocketAddrs as _};

/// One request, written once and sent again and again.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) address: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

impl Request {
    /// A `POST` of `body` to `url`, which is `http://host:port/path`.
    ///
    /// # Errors
    /// When the URL is none, is not plain HTTP, or its host is not known.
    pub fn post(url: &str, headers: &[(String, String)], body: &[u8]) -> Result<Self, String> {
        let (authority, path) = split(url)?;
        let with_port =
            if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
        let mut found =
            with_port.to_socket_addrs().map_err(|error| format!("`{authority}` of `{url}`: {error}"))?;
        let address = found.next().ok_or_else(|| format!("`{authority}` has no address"))?;
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: causeway-bench\r\naccept: */*\r\ncontent-type: application/json\r\n"
        );
        for (name, value) in headers {
            if [name, value].iter().any(|text| text.contains(['\r', '\n'])) {
                return Err(format!("header `{}` has a line break", name.escape_debug()));
            }
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        Ok(Self { address, bytes: [head.as_bytes(), body].concat() })
    }
}

/// Host with port, and the path with its query.
fn split(url: &str) -> Result<(&str, &str), String> {
    if url.starts_with("https://") {
        return Err(format!("`{url}`: only plain `http` is measured; TLS would be part of the figure"));
    }
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("`{url}` does not start with `http://`"))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let clean = |text: &str| !text.contains(|letter: char| letter.is_control() || letter == ' ');
    if authority.is_empty() || !clean(rest) {
        return Err(format!("`{url}` is no URL"));
    }
    Ok((authority, if path.is_empty() { "/" } else { path }))
}
