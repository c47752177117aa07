//! What lies in a range, and what is none.

use std::net::IpAddr;

use super::AddressRange;

#[test]
fn an_address_lies_in_a_range_or_not() {
    for (range, address, inside) in [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ("0.0.0.0/0", "255.255.255.255", true),
        ("0.0.0.0/0", "::1", false),
        ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.6", false),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::", false),
        ("::/0", "2001:db8::1", true),
        ("::1", "::1", true),
    ] {
        let parsed: AddressRange = range.parse().expect(range);
        assert_eq!(parsed.contains(address.parse::<IpAddr>().expect(address)), inside, "{range} {address}");
    }
}

#[test]
fn a_range_covers_a_smaller_one() {
    for (wide, narrow, covers) in [
        ("10.0.0.0/8", "10.1.0.0/16", true),
        ("10.1.0.0/16", "10.0.0.0/8", false),
        ("10.0.0.0/8", "10.0.0.0/8", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("0.0.0.0/0", "::/0", false),
    ] {
        let [wide, narrow] = [wide, narrow].map(|text| text.parse::<AddressRange>().expect(text));
        assert_eq!(wide.covers(&narrow), covers, "{wide} {narrow}");
    }
}

#[test]
fn what_is_no_range_is_told() {
    for text in [
        "",
        "/",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "::/129",
        "::ffff:1.2.3.4",
        "a/8",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
    ] {
        assert!(text.parse::<AddressRange>().is_err(), "{text}");
    }
}
