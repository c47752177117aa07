//! Addresses that begin alike: `10.0.0.0/8`, `2001:db8::/32`, or a single one.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A block of addresses in CIDR notation (RFC 4632, RFC 4291 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange {
    first: IpAddr,
    length: u8,
}

impl AddressRange {
    /// Whether an address lies in it. An IPv4 address that is written as an IPv6 one is an IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                (first.to_bits() ^ address.to_bits()).checked_shr(32 - u32::from(self.length)).unwrap_or(0)
                    == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                (first.to_bits() ^ address.to_bits()).checked_shr(128 - u32::from(self.length)).unwrap_or(0)
                    == 0
            }
            _ => false,
        }
    }

    /// Whether all of another lies in it.
    pub fn covers(&self, other: &Self) -> bool {
        self.length <= other.length && self.contains(other.first)
    }
}

impl FromStr for AddressRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = |why: &str| Err(format!("`{text}` is no range of addresses: {why}"));
        let (first, length) = match text.split_once('/') {
            Some((first, length)) => (first, Some(length)),
            None => (text, None),
        };
        let Ok(first) = first.parse::<IpAddr>() else { return refuse("it begins with no IP address") };
        if first.to_canonical() != first {
            return refuse("write the IPv4 address in it as one");
        }
        let widest = if first.is_ipv4() { 32 } else { 128 };
        let length = match length.map(str::parse::<u8>) {
            None => widest,
            Some(Ok(length)) if length <= widest => length,
            Some(_) => return refuse(&format!("behind `/` a number up to {widest} is wanted")),
        };
        let behind = match first {
            IpAddr::V4(first) => {
                u128::from(first.to_bits()) & !(!0_u128).checked_shl(32 - u32::from(length)).unwrap_or(0)
            }
            IpAddr::V6(first) => {
                first.to_bits() & !(!0_u128).checked_shl(128 - u32::from(length)).unwrap_or(0)
            }
        };
        if behind != 0 {
            return refuse(&format!("its first {length} bits are not all there is to it"));
        }
        Ok(Self { first, length })
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.first, self.length)
    }
}

#[cfg(test)]
mod tests;
