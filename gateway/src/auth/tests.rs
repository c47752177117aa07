//! Where a key may stand, and what is not one.

use http::{HeaderMap, Method};

use super::{Keyring, admit, client_address, new_secret, presented};
use crate::domain::{AddressRange, RequestHead, Secret, VirtualKey};
use crate::error::Kind;

fn head(headers: &[(&'static str, &str)], query: Option<&str>) -> RequestHead {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().expect("header"));
    }
    RequestHead {
        method: Method::POST,
        path: "/v1/x".to_owned(),
        query: query.map(str::to_owned),
        headers: map,
    }
}

#[test]
fn a_key_may_stand_in_five_places() {
    let key = VirtualKey::named("web");
    let keyring = Keyring::new([(Secret::new("se+cret"), key)]).expect("keyring");
    for (headers, query, known) in [
        (&[("authorization", "Bearer se+cret")][..], None, true),
        (&[("authorization", "bearer  se+cret")], None, true),
        (&[("x-api-key", "se+cret")], None, true),
        (&[("x-goog-api-key", "se+cret")], None, true),
        (&[("api-key", "se+cret")], None, true),
        (&[], Some("alt=sse&key=se%2Bcret"), true),
        (&[("x-api-key", ""), ("authorization", "Bearer se+cret")], None, true),
        (&[("authorization", "Basic se+cret")], None, false),
        (&[("authorization", "se+cret")], None, false),
        (&[("x-api-key", "wrong")], None, false),
        (&[], Some("key="), false),
        (&[], None, false),
    ] {
        let found = presented(&head(headers, query)).ok().and_then(|secret| keyring.find(&secret));
        assert_eq!(found.is_some(), known, "{headers:?} {query:?}");
    }
}

#[test]
fn new_secrets_differ_and_are_long() {
    let (one, other) = (new_secret().expect("one"), new_secret().expect("other"));
    assert_ne!(one, other);
    assert_eq!(one.expose().len(), 46);
}

fn ranges(texts: &[&str]) -> Vec<AddressRange> {
    texts.iter().map(|text| text.parse().expect("range")).collect()
}

#[test]
fn a_key_is_refused_with_its_reason() {
    let key = VirtualKey {
        expires: Some(1_000),
        addresses: vec![ranges(&["10.0.0.0/8", "::1"]).into()],
        ..VirtualKey::named("web")
    };
    let inside = "10.1.2.3".parse().ok();
    assert!(admit(&key, inside, 999).is_ok());
    for (key, address, now, kind, said) in [
        (&key, inside, 1_000, Kind::Authentication, "expired at 1970-01-01T00:16:40Z"),
        (&VirtualKey { replaced: true, ..key.clone() }, inside, 1_001, Kind::Authentication, "was replaced"),
        (
            &VirtualKey { closed: Some("the api key is disabled".into()), ..key.clone() },
            inside,
            999,
            Kind::Authentication,
            "is disabled",
        ),
        (&key, "192.0.2.1".parse().ok(), 999, Kind::Permission, "may not be used from 192.0.2.1"),
        (&key, None, 999, Kind::Permission, "an unknown address"),
    ] {
        let error = admit(key, address, now).expect_err(said);
        assert_eq!(error.kind, kind, "{said}");
        assert!(error.message.contains(said), "{}", error.message);
    }
}

#[test]
fn an_address_is_believed_only_from_proxies_of_ours() {
    let trusted = ranges(&["10.0.0.0/8", "192.0.2.1"]);
    for (peer, forwarded, asks) in [
        ("203.0.113.5", &["198.51.100.7"][..], "203.0.113.5"),
        ("10.0.0.1", &[], "10.0.0.1"),
        ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
        ("::ffff:10.0.0.1", &["198.51.100.7:443"], "198.51.100.7"),
        ("10.0.0.1", &["6.6.6.6, 198.51.100.7, 192.0.2.1"], "198.51.100.7"),
        ("10.0.0.1", &["6.6.6.6", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", &["10.0.0.9, [2001:db8::1]:80"], "2001:db8::1"),
        ("10.0.0.1", &["6.6.6.6, unknown"], "10.0.0.1"),
        ("10.0.0.1", &["10.0.0.7, 10.0.0.8"], "10.0.0.7"),
    ] {
        let headers: Vec<_> = forwarded.iter().map(|line| ("x-forwarded-for", *line)).collect();
        let found = client_address(peer.parse().ok(), &head(&headers, None), &trusted);
        assert_eq!(found, asks.parse().ok(), "{peer} {forwarded:?}");
    }
}
