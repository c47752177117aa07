//! The address a request comes from, also behind proxies that we trust.

use std::net::IpAddr;

use crate::domain::{AddressRange, RequestHead};

/// Who asks: the peer, or, where the peer is a proxy of ours, whom the last proxy that is ours heard it from.
///
/// `x-forwarded-for` grows to the right, so it is read from there, and only as long as the one who wrote an entry is
/// trusted: what stands further left is whatever the client made up.
pub fn client_address(peer: Option<IpAddr>, head: &RequestHead, trusted: &[AddressRange]) -> Option<IpAddr> {
    let mut address = peer?.to_canonical();
    let is_ours = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
    let lines: Vec<&str> =
        head.headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !is_ours(address) {
            break;
        }
        // An entry that is no address hides who asks: the proxy that wrote it stands for them.
        let Some(before) = entry_address(entry.trim()) else { break };
        address = before;
    }
    Some(address)
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn entry_address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse().ok().or_else(|| Some(entry.parse::<std::net::SocketAddr>().ok()?.ip()))?;
    Some(IpAddr::to_canonical(&address))
}
