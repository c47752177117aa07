//! Addresses that are not out on the internet: one's own machine, one's own network, and what leads there.
//!
//! By the registries of IANA (RFC 6890 and its updates). Whoever may name an address that we then ask must not be able
//! to name one of these: behind them stand machines that trust whoever reaches them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// First address, length, in words.
const OF_FOUR: [(Ipv4Addr, u32, &str); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this machine"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "behind a carrier's translation"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "this machine"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a 6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// Of the block of global addresses, 2000::/3, those that lead elsewhere.
const OF_SIX: [(Ipv6Addr, u32, &str); 4] = [
    // Teredo, ORCHID and others; nothing that offers a service.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved for protocols"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "for documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "for documentation"),
];

/// What is special about an address; nothing: it is an ordinary one on the internet.
pub fn reserved(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(four) => {
            let inside = |(first, length, _): &&(Ipv4Addr, u32, &str)| {
                (first.to_bits() ^ four.to_bits()).leading_zeros() >= *length
            };
            OF_FOUR.iter().find(inside).map(|(_, _, word)| *word)
        }
        IpAddr::V6(six) => {
            if let Some(four) = six.to_ipv4_mapped() {
                return reserved(IpAddr::V4(four));
            }
            let inside = |(first, length, _): &&(Ipv6Addr, u32, &str)| {
                (first.to_bits() ^ six.to_bits()).leading_zeros() >= *length
            };
            let word = || OF_SIX.iter().find(inside).map(|(_, _, word)| *word);
            match six.segments() {
                [first, ..] if first & 0xe000 == 0x2000 => word(),
                [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Some("this machine"),
                [0x64, 0xff9b, ..] => Some("an IPv4 address in translation (NAT64)"),
                [first, ..] if first & 0xfe00 == 0xfc00 => Some("private"),
                [first, ..] if first & 0xffc0 == 0xfe80 => Some("link-local"),
                [first, ..] if first & 0xffc0 == 0xfec0 => Some("site-local"),
                [first, ..] if first & 0xff00 == 0xff00 => Some("multicast"),
                _ => Some("reserved"),
            }
        }
    }
}

#[cfg(test)]
mod tests;
