//! Where a key may stand, and what is not one.

use http::{HeaderMap, Method};

use super::{Keyring, new_secret};
use crate::domain::{RequestHead, Secret, VirtualKey};

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
        assert_eq!(keyring.authenticate(&head(headers, query)).is_ok(), known, "{headers:?} {query:?}");
    }
}

#[test]
fn new_secrets_differ_and_are_long() {
    let (one, other) = (new_secret().expect("one"), new_secret().expect("other"));
    assert_ne!(one, other);
    assert_eq!(one.expose().len(), 46);
}
