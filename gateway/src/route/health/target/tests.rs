//! What requests report becomes what plans see, also when many report at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Care, Entry, Running, TargetState};
use crate::error::{GatewayError, Kind, Origin};
use crate::route::health::{Fleet, Reason};

fn target() -> Arc<TargetState> {
    Fleet::default().target(&Arc::from("one"), "m")
}

fn begin(target: &Arc<TargetState>, now: Instant) -> Running {
    target.begin(&Care::default(), Entry::Regular, now).expect("it lets requests in")
}

fn broken() -> GatewayError {
    GatewayError::upstream(Kind::Provider, "x")
}

#[test]
fn fifty_failures_at_once_open_it_once() {
    let fleet = Fleet::default();
    let target = fleet.target(&Arc::from("one"), "m");
    let now = Instant::now();
    let running: Vec<_> = (0..50).map(|_| begin(&target, now)).collect();
    assert_eq!(target.in_flight(), 50);
    std::thread::scope(|scope| {
        for running in running {
            scope.spawn(move || running.failed(&broken(), now));
        }
    });
    assert_eq!(target.in_flight(), 0);
    assert_eq!(
        target.standing(&Care::default(), now).resting.map(|resting| resting.reason),
        Some(Reason::Failures)
    );
    let rests: Vec<_> = fleet.rests().into_values().collect();
    assert_eq!(rests, [1]);
}

#[test]
fn what_we_the_client_or_an_adapter_did_is_not_held_against_it() {
    let (target, now) = (target(), Instant::now());
    for error in [
        GatewayError::client(Kind::ClientGone, "x"),
        GatewayError::client(Kind::InvalidRequest, "x"),
        GatewayError::upstream(Kind::InvalidRequest, "x"),
        GatewayError::upstream(Kind::Authentication, "x"),
        GatewayError::gateway(Kind::Timeout, "x"),
        GatewayError::gateway(Kind::Overloaded, "x"),
        GatewayError { origin: Origin::Gateway, retry_after: Some(Duration::from_secs(9)), ..broken() },
        GatewayError::plugin("x"),
    ] {
        for _ in 0..30 {
            begin(&target, now).failed(&error, now);
        }
        let standing = target.standing(&Care::default(), now);
        assert!(standing.resting.is_none() && !standing.degraded && standing.success == 1.0, "{error}");
    }
    assert_eq!(target.shown(now).plugin_faults, 30);
}

#[test]
fn a_request_that_is_dropped_gives_its_place_back() {
    let (target, start) = (target(), Instant::now());
    for _ in 0..5 {
        begin(&target, start).failed(&broken(), start);
    }
    let now = start + Duration::from_secs(30);
    assert_eq!(target.shown(now).state, "half-open");
    let probe = begin(&target, now);
    assert!(target.begin(&Care::default(), Entry::Regular, now).is_err());
    drop(probe);
    let probe = begin(&target, now);
    probe.answered(Duration::from_millis(3), now);
    drop(probe);
    assert_eq!(target.shown(now).state, "closed");
}

#[test]
fn answers_that_break_count_and_good_ends_forgive() {
    let (target, now) = (target(), Instant::now());
    let answer = |error: Option<GatewayError>| {
        let running = begin(&target, now);
        running.answered(Duration::from_millis(5), now);
        running.ended(error.as_ref(), now);
    };
    for round in 0..3 {
        for _ in 0..4 {
            answer(Some(GatewayError::upstream(Kind::Malformed, "cut")));
        }
        assert!(target.standing(&Care::default(), now).resting.is_none(), "{round}");
        answer(None);
    }
    for _ in 0..5 {
        answer(Some(GatewayError::upstream(Kind::Malformed, "cut")));
    }
    assert!(target.standing(&Care::default(), now).resting.is_some());
}

#[test]
fn the_percentile_needs_twenty_answers() {
    let (target, now) = (target(), Instant::now());
    for count in 1..=40 {
        assert_eq!(target.first_token_p95().is_some(), count > 20, "{count}");
        begin(&target, now).answered(Duration::from_millis(count), now);
    }
    assert_eq!(target.first_token_p95(), Some(Duration::from_millis(38)));
    assert!(target.first_token().is_some());
}

#[test]
fn resting_by_hand_and_lifting() {
    let (target, now) = (target(), Instant::now());
    target.rest(Duration::from_secs(60), now);
    let resting = target.standing(&Care::default(), now).resting.expect("it rests");
    assert_eq!((resting.reason, resting.last_resort), (Reason::Hand, None));
    assert_eq!(target.shown(now).state, "resting");
    assert!(target.lift(now) && !target.lift(now));
    begin(&target, now);
}
