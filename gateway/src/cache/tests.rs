//! Answers that serve more than one request: who shares, how much is kept and for how long.

mod flight;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::idempotency::{Idempotency, Known, reused};
use super::shelf::Shelf;
use super::{Fingerprint, Form, Kept, Opening, Tenant};
use crate::config::Scope;
use crate::domain::Usage;
use crate::domain::http::Loss;
use crate::error::{GatewayError, Kind, Origin};
use crate::store::{Clock, Memory};

pub(super) fn opening() -> Opening {
    Opening {
        content_type: HeaderValue::from_static("text/event-stream"),
        headers: HeaderMap::new(),
        target: "provider/model".to_owned(),
        form: Form::Stream,
        keep_alive: Bytes::from_static(b": keep-alive\n\n"),
        losses: vec![Loss { field: "seed".to_owned(), reason: "the vendor has none".to_owned() }],
        attempts: Vec::new(),
        overhead: Duration::ZERO,
        reused: None,
    }
}

fn kept(pieces: &[&str]) -> Kept {
    Kept {
        opening: Arc::new(opening()),
        pieces: pieces.iter().map(|piece| Bytes::copy_from_slice(piece.as_bytes())).collect(),
        usage: Some(Usage { input: Some(7), output: Some(9), ..Usage::default() }),
        request_id: "first".to_owned(),
        made: 1_000,
    }
}

fn text(kept: &Kept) -> String {
    kept.pieces.iter().map(|piece| String::from_utf8_lossy(piece)).collect()
}

fn named(name: &str) -> Fingerprint {
    Fingerprint::of("test").and(name).done()
}

#[test]
fn parts_of_a_fingerprint_do_not_run_together() {
    let of = |parts: &[&str]| parts.iter().fold(Fingerprint::of("test"), |part, one| part.and(one)).done();
    assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
    for other in [&["a", "bc"][..], &["abc"], &["ab", "c", ""], &["", "ab", "c"], &["c", "ab"]] {
        assert_ne!(of(&["ab", "c"]), of(other), "{other:?}");
    }
    assert_ne!(Fingerprint::of("one").done(), Fingerprint::of("other").done());
}

#[test]
fn a_tenant_is_as_wide_as_its_scope() {
    assert_eq!(Tenant::of(Scope::Key, "a", Some("t")), Tenant::Key("a"));
    assert_eq!(Tenant::of(Scope::Team, "a", Some("t")), Tenant::Team("t"));
    assert_eq!(Tenant::of(Scope::Team, "a", None), Tenant::Key("a"));
    assert_eq!(Tenant::of(Scope::All, "a", Some("t")), Tenant::All);
}

/// Names as an operator might choose them, close to one another on purpose.
fn name(random: &mut fastrand::Rng) -> String {
    let letters = ["a", "b", "key", "team", "all", "-", "/", "\u{0}", "é"];
    (0..random.usize(1..6)).map(|_| letters[random.usize(..letters.len())]).collect()
}

#[test]
fn one_tenant_never_gets_the_answer_of_another() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut shelf = Shelf::default();
    let mut differing = 0;
    for round in 0..10_000_u64 {
        let (one, other) = (name(&mut random), name(&mut random));
        let scope = [Scope::Key, Scope::Team][random.usize(..2)];
        let tenant = |name| Tenant::of(scope, name, Some(name));
        let request = |name| Fingerprint::of("test").and("the same question").tenant(tenant(name)).done();
        // Also one whose key is called as the other's team.
        let crossed = match scope {
            Scope::Key => Tenant::Team(&one),
            _ => Tenant::Key(&one),
        };
        shelf.put(request(&one), kept(&["secret of one"]), u64::MAX, 1 << 20);
        let crossed = Fingerprint::of("test").and("the same question").tenant(crossed).done();
        assert!(shelf.get(&request(&one), round).is_some());
        assert_eq!(shelf.get(&request(&other), round).is_some(), one == other, "{one:?} {other:?}");
        assert!(shelf.get(&crossed, round).is_none(), "{one:?} {scope:?}");
        differing += u32::from(one != other);
        shelf = Shelf::default();
    }
    assert!(differing > 8_000, "{differing}");
}

#[test]
fn what_was_not_used_for_longest_goes_first_and_the_bound_holds() {
    let one = kept(&["0123456789"]).size();
    let room = 3 * one;
    let mut shelf = Shelf::default();
    for name in ["a", "b", "c"] {
        shelf.put(named(name), kept(&["0123456789"]), 100, room);
    }
    assert_eq!(shelf.held(), (3, room));
    assert!(shelf.get(&named("a"), 0).is_some());
    shelf.put(named("d"), kept(&["0123456789"]), 100, room);
    assert_eq!(shelf.held(), (3, room));
    let there = |shelf: &mut Shelf| ["a", "b", "c", "d"].map(|name| shelf.get(&named(name), 0).is_some());
    assert_eq!(there(&mut shelf), [true, false, true, true]);
    // In another's place it counts once; what is larger than all together does not stay.
    shelf.put(named("d"), kept(&["9876543210"]), 100, room);
    assert_eq!(shelf.held(), (3, room));
    shelf.put(named("e"), kept(&["0123456789"; 400]), 100, room);
    assert_eq!(shelf.held(), (0, 0));
}

#[test]
fn an_answer_is_given_until_it_expires() {
    let mut shelf = Shelf::default();
    shelf.put(named("a"), kept(&["one", "two"]), 5_000, 1 << 20);
    assert_eq!(shelf.get(&named("a"), 4_999).map(|kept| text(&kept)).as_deref(), Some("onetwo"));
    assert!(shelf.get(&named("a"), 5_000).is_none());
    assert_eq!(shelf.held(), (0, 0));
}

#[test]
fn an_answer_comes_back_from_its_bytes() {
    let whole = kept(&["data: 1\n\n", "", "data: 2\n\n"]);
    let bytes = whole.encode().unwrap();
    let again = Kept::decode(bytes.clone()).unwrap();
    assert_eq!(again.pieces, whole.pieces);
    assert_eq!(again.usage, whole.usage);
    assert_eq!((again.request_id.as_str(), again.made), ("first", 1_000));
    let (one, other) = (&again.opening, &whole.opening);
    assert_eq!((&one.content_type, &one.target, one.form), (&other.content_type, &other.target, other.form));
    assert_eq!((&one.losses, &one.keep_alive), (&other.losses, &other.keep_alive));
    for cut in 0..bytes.len() {
        assert!(Kept::decode(bytes.slice(..cut)).is_none(), "{cut} bytes are no answer");
    }
}

fn store() -> (Idempotency, Arc<std::sync::atomic::AtomicU64>) {
    let time = Arc::new(std::sync::atomic::AtomicU64::new(1_000));
    let read = Arc::clone(&time);
    let clock: Clock = Arc::new(move || read.load(std::sync::atomic::Ordering::Relaxed));
    (Idempotency::new(Arc::new(Memory::new(clock))), time)
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn a_name_stands_for_one_request_for_its_time() {
    let (idempotency, time) = store();
    let (name, asked, other) = (named("name"), named("asked"), named("other"));
    assert!(idempotency.known(&name, &asked).await.unwrap().is_none());
    idempotency.keep(&name, &asked, &kept(&["the ", "answer"]), DAY);
    match idempotency.known(&name, &asked).await.unwrap() {
        Some(Known::Answer(kept)) => assert_eq!(text(&kept), "the answer"),
        found => panic!("{found:?}"),
    }
    let error = idempotency.known(&name, &other).await.unwrap_err();
    assert_eq!((error.kind, error.kind.status()), (Kind::KeyReused, 422));
    assert_eq!(error.message, reused().message);
    assert!(idempotency.known(&named("another name"), &other).await.unwrap().is_none());
    time.fetch_add(u64::try_from(DAY.as_millis()).unwrap(), std::sync::atomic::Ordering::Relaxed);
    assert!(idempotency.known(&name, &other).await.unwrap().is_none());
}

#[tokio::test]
async fn final_refusals_are_kept_and_those_another_try_may_change_are_not() {
    let (idempotency, _) = store();
    let asked = named("asked");
    let refusals = [
        (GatewayError::invalid("messages[0]", "no such role"), true),
        (GatewayError::upstream(Kind::ContentPolicy, "not that"), true),
        (GatewayError::client(Kind::ContextLength, "too long"), true),
        (GatewayError::upstream(Kind::RateLimited, "later"), false),
        (GatewayError::upstream(Kind::Provider, "broken"), false),
        (GatewayError::upstream(Kind::Timeout, "slow"), false),
        (GatewayError::gateway(Kind::Overloaded, "busy"), false),
        (GatewayError::client(Kind::ModelNotFound, "no such model"), false),
    ];
    for (error, lasts) in refusals {
        let name = named(&error.message);
        idempotency.refuse(&name, &asked, &error, DAY);
        match idempotency.known(&name, &asked).await.unwrap() {
            Some(Known::Refused(found)) => {
                assert!(lasts, "{error}");
                assert_eq!(
                    (found.kind, &found.message, &found.param),
                    (error.kind, &error.message, &error.param)
                );
                assert_eq!(found.origin == Origin::Upstream, error.origin == Origin::Upstream);
            }
            found => assert!(found.is_none() && !lasts, "{error}: {found:?}"),
        }
    }
}
