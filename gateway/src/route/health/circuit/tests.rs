//! Exact sequences, and any sequence against a model that a child could follow.

use std::time::{Duration, Instant};

use super::{
    Care, Change, Circuit, Entry, Failure, LAST_RESORT_BURST, LAST_RESORT_EVERY, Phase, Rest, Ticket,
};
use crate::domain::Blame;
use crate::route::health::care::{Breaker, Rests};
use crate::route::health::reason::{Reason, Resting};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn care() -> Care {
    Care::default()
}

fn with(breaker: Breaker) -> Care {
    Care { breaker: Some(breaker), ..care() }
}

fn failure(blame: Blame) -> Failure {
    Failure { blame, retry_after: None, begun: false }
}

fn told(blame: Blame, wait: u64) -> Failure {
    Failure { retry_after: Some(seconds(wait)), ..failure(blame) }
}

#[track_caller]
fn admit(circuit: &mut Circuit, care: &Care, now: Instant) -> Ticket {
    circuit.admit(now, care, Entry::Regular).expect("it lets requests in").0
}

#[track_caller]
fn refused(circuit: &mut Circuit, care: &Care, now: Instant) -> Resting {
    circuit.admit(now, care, Entry::Regular).expect_err("it rests")
}

/// One request that fails so.
#[track_caller]
fn fail(circuit: &mut Circuit, care: &Care, now: Instant, how: Failure) -> Option<Change> {
    let ticket = admit(circuit, care, now);
    circuit.failed(ticket, how, now, care)
}

fn opened(now: Instant) -> (Circuit, Care) {
    let (mut circuit, care) = (Circuit::default(), care());
    for _ in 0..5 {
        fail(&mut circuit, &care, now, failure(Blame::Provider));
    }
    (circuit, care)
}

#[test]
fn five_failures_in_a_row_open_it_and_each_kind_counts() {
    let (mut circuit, care, now) = (Circuit::default(), care(), Instant::now());
    for blame in [Blame::Provider, Blame::Network, Blame::Overload, Blame::Provider] {
        assert_eq!(fail(&mut circuit, &care, now, failure(blame)), None);
    }
    let change = fail(&mut circuit, &care, now, failure(Blame::Network));
    assert_eq!(change, Some(Change::Rests(Reason::Failures, now + seconds(30))));
    let resting = refused(&mut circuit, &care, now + seconds(10));
    assert_eq!((resting.reason, resting.left), (Reason::Failures, seconds(20)));
    assert_eq!(resting.to_string(), "it rests for another 20s: it failed too often in a row");
}

#[test]
fn a_success_between_begins_anew_and_what_is_not_its_fault_does_not_count() {
    let (mut circuit, care, now) = (Circuit::default(), care(), Instant::now());
    for _ in 0..4 {
        fail(&mut circuit, &care, now, failure(Blame::Provider));
    }
    let ticket = admit(&mut circuit, &care, now);
    circuit.answered(ticket, &care);
    for _ in 0..4 {
        assert_eq!(fail(&mut circuit, &care, now, failure(Blame::Provider)), None);
    }
    for blame in [Blame::Client, Blame::Plugin, Blame::Key, Blame::Quota] {
        for _ in 0..10 {
            assert_eq!(fail(&mut circuit, &care, now, failure(blame)), None);
        }
    }
    assert!(fail(&mut circuit, &care, now, failure(Blame::Provider)).is_some());
}

#[test]
fn answers_that_break_open_it_although_each_had_begun() {
    let (mut circuit, care, now) = (Circuit::default(), care(), Instant::now());
    let broken = |circuit: &mut Circuit| {
        let ticket = admit(circuit, &care, now);
        circuit.answered(ticket, &care);
        circuit.failed(ticket, Failure { begun: true, ..failure(Blame::Provider) }, now, &care)
    };
    for _ in 0..4 {
        assert_eq!(broken(&mut circuit), None);
    }
    assert!(broken(&mut circuit).is_some());
}

#[test]
fn failures_far_apart_do_not_count_where_a_window_is_set() {
    let now = Instant::now();
    for (window, expected) in [(Some(seconds(60)), false), (None, true)] {
        let care = with(Breaker { window, ..Breaker::default() });
        let mut circuit = Circuit::default();
        let last = (0..5)
            .map(|count| fail(&mut circuit, &care, now + seconds(20 * count), failure(Blame::Provider)))
            .last()
            .flatten();
        assert_eq!(last.is_some(), expected, "{window:?}");
    }
}

#[test]
fn a_probe_closes_it_or_doubles_the_time_up_to_the_longest() {
    let start = Instant::now();
    let (mut circuit, care) = opened(start);
    let mut now = start;
    for expected in [30, 60, 120, 240, 480, 600, 600] {
        now += seconds(expected) - Duration::from_millis(1);
        refused(&mut circuit, &care, now);
        now += Duration::from_millis(1);
        let (probe, change) = circuit.admit(now, &care, Entry::Regular).expect("a probe");
        assert_eq!(change, Some(Change::HalfOpened));
        assert_eq!(refused(&mut circuit, &care, now).reason, Reason::Probing);
        circuit.failed(probe, failure(Blame::Network), now, &care);
    }
    now += seconds(600);
    let probe = admit(&mut circuit, &care, now);
    assert_eq!(circuit.answered(probe, &care), Some(Change::Closed));
    admit(&mut circuit, &care, now);
    // The next time it begins with the short one again.
    for _ in 0..4 {
        fail(&mut circuit, &care, now, failure(Blame::Provider));
    }
    let change = fail(&mut circuit, &care, now, failure(Blame::Provider));
    assert_eq!(change, Some(Change::Rests(Reason::Failures, now + seconds(30))));
}

#[test]
fn a_probe_without_a_verdict_gives_its_place_back() {
    let start = Instant::now();
    let (mut circuit, care) = opened(start);
    let now = start + seconds(30);
    let probe = admit(&mut circuit, &care, now);
    refused(&mut circuit, &care, now);
    circuit.release(probe);
    let probe = admit(&mut circuit, &care, now);
    // The client's fault is no verdict either.
    circuit.failed(probe, failure(Blame::Client), now, &care);
    let probe = admit(&mut circuit, &care, now);
    assert_eq!(circuit.answered(probe, &care), Some(Change::Closed));
}

#[test]
fn as_many_probes_as_are_wanted_must_succeed() {
    let now = Instant::now();
    let care = with(Breaker { failures: 1, probes: 2, successes: 3, ..Breaker::default() });
    let mut circuit = Circuit::default();
    fail(&mut circuit, &care, now, failure(Blame::Provider));
    let now = now + seconds(30);
    let (one, two) = (admit(&mut circuit, &care, now), admit(&mut circuit, &care, now));
    refused(&mut circuit, &care, now);
    assert_eq!((circuit.answered(one, &care), circuit.answered(two, &care)), (None, None));
    let three = admit(&mut circuit, &care, now);
    assert_eq!(circuit.answered(three, &care), Some(Change::Closed));
}

#[test]
fn requests_begun_before_a_change_have_no_say_in_it() {
    let now = Instant::now();
    let care = care();
    let mut circuit = Circuit::default();
    let tickets: Vec<_> = (0..50).map(|_| admit(&mut circuit, &care, now)).collect();
    let changes: Vec<_> = tickets
        .iter()
        .filter_map(|ticket| circuit.failed(*ticket, failure(Blame::Provider), now, &care))
        .collect();
    assert_eq!(changes, [Change::Rests(Reason::Failures, now + seconds(30))]);
    // A late success does not close it, and a late failure does not open it again.
    assert_eq!(circuit.answered(tickets[0], &care), None);
    let later = now + seconds(30);
    let probe = admit(&mut circuit, &care, later);
    assert_eq!(circuit.failed(tickets[1], failure(Blame::Provider), later, &care), None);
    assert_eq!(circuit.answered(tickets[2], &care), None);
    refused(&mut circuit, &care, later);
    assert_eq!(circuit.answered(probe, &care), Some(Change::Closed));
    for ticket in &tickets {
        assert_eq!(circuit.failed(*ticket, failure(Blame::Provider), later, &care), None);
    }
    admit(&mut circuit, &care, later);
}

#[test]
fn rests_are_as_long_as_was_said_and_bounded() {
    let now = Instant::now();
    for (how, expected) in [
        (failure(Blame::Route), Some((Reason::Missing, 300, true))),
        (failure(Blame::Rate), None),
        (told(Blame::Rate, 17), Some((Reason::Rate, 17, false))),
        (told(Blame::Rate, 1_000_000_000), Some((Reason::Rate, 3600, false))),
        (told(Blame::Overload, 20), Some((Reason::Overload, 20, false))),
        (told(Blame::Overload, 1_000_000_000), Some((Reason::Overload, 60, false))),
        (told(Blame::Overload, 0), None),
        (failure(Blame::Overload), None),
        (told(Blame::Client, 10), None),
        (told(Blame::Key, 10), None),
        (told(Blame::Quota, 10), None),
        (told(Blame::Plugin, 10), None),
        (told(Blame::Provider, 10), None),
    ] {
        let mut circuit = Circuit::default();
        let change = fail(&mut circuit, &care(), now, how);
        let Some((reason, wait, guessed)) = expected else {
            assert_eq!(change, None, "{how:?}");
            continue;
        };
        assert_eq!(change, Some(Change::Rests(reason, now + seconds(wait))), "{how:?}");
        let resting = refused(&mut circuit, &care(), now);
        assert_eq!(resting.last_resort.is_some(), guessed, "{how:?}");
        admit(&mut circuit, &care(), now + seconds(wait));
    }
    let guessing = Care { rests: Rests { rate: seconds(1), ..Rests::default() }, ..care() };
    let change = fail(&mut Circuit::default(), &guessing, now, failure(Blame::Rate));
    assert_eq!(change, Some(Change::Rests(Reason::Rate, now + seconds(1))));
    // Where there are keys, one of them rests instead.
    let keyed = Care { keyless: false, ..care() };
    assert_eq!(fail(&mut Circuit::default(), &keyed, now, told(Blame::Rate, 17)), None);
}

#[test]
fn a_last_resort_is_let_in_some_times_then_once_a_second_and_brings_it_back() {
    let now = Instant::now();
    let (mut circuit, care) = opened(now);
    let last =
        |circuit: &mut Circuit, now| circuit.admit(now, &care, Entry::LastResort).map(|(ticket, _)| ticket);
    for _ in 0..LAST_RESORT_BURST {
        let ticket = last(&mut circuit, now).expect("some at once");
        // Its failure changes nothing: the circuit half opens when it would have.
        assert_eq!(circuit.failed(ticket, failure(Blame::Provider), now, &care), None);
    }
    let resting = last(&mut circuit, now).expect_err("not one more");
    assert_eq!(resting.last_resort, Some(now + LAST_RESORT_EVERY));
    for second in 1..20 {
        let later = now + LAST_RESORT_EVERY * second;
        last(&mut circuit, later).expect("one a second");
        last(&mut circuit, later).expect_err("and no more");
    }
    let later = now + LAST_RESORT_EVERY * 20;
    assert_eq!(refused(&mut circuit, &care, later).until, now + seconds(30));
    let ticket = last(&mut circuit, later).expect("one a second");
    assert_eq!(circuit.answered(ticket, &care), Some(Change::Closed));
    admit(&mut circuit, &care, later);
}

#[test]
fn what_was_told_stands_also_when_nobody_else_is_left() {
    let (mut circuit, care, now) = (Circuit::default(), care(), Instant::now());
    fail(&mut circuit, &care, now, told(Blame::Rate, 10));
    circuit.admit(now, &care, Entry::LastResort).expect_err("the provider said when");
    circuit.admit(now + seconds(10), &care, Entry::LastResort).expect("its time is up");
    // A model the provider did not know is asked each time.
    let mut circuit = Circuit::default();
    fail(&mut circuit, &care, now, failure(Blame::Route));
    for _ in 0..30 {
        let (ticket, _) = circuit.admit(now, &care, Entry::LastResort).expect("asked");
        assert_eq!(circuit.failed(ticket, failure(Blame::Route), now, &care), None);
    }
    let (ticket, _) = circuit.admit(now, &care, Entry::LastResort).expect("asked");
    assert_eq!(circuit.answered(ticket, &care), Some(Change::Closed));
    admit(&mut circuit, &care, now);
}

#[test]
fn a_lift_forgets_everything_and_what_was_begun_before_has_no_say() {
    let now = Instant::now();
    let (mut circuit, care) = opened(now);
    let (late, _) = circuit.admit(now, &care, Entry::Check).expect("a check");
    circuit.rest(Rest { until: now + seconds(60), reason: Reason::Hand, told: true }, now);
    assert_eq!(circuit.lift(now), Some(Change::Closed));
    assert_eq!(circuit.failed(late, failure(Blame::Route), now, &care), None);
    admit(&mut circuit, &care, now);
    assert_eq!(circuit.lift(now), None);
}

#[test]
fn the_operators_rest_is_not_shortened_by_a_provider() {
    let (mut circuit, care, now) = (Circuit::default(), care(), Instant::now());
    let ticket = admit(&mut circuit, &care, now);
    circuit.rest(Rest { until: now + seconds(10), reason: Reason::Hand, told: true }, now);
    circuit.failed(ticket, failure(Blame::Route), now, &care);
    assert_eq!(refused(&mut circuit, &care, now).reason, Reason::Hand);
    let shorter = Rest { until: now + seconds(5), reason: Reason::Hand, told: true };
    circuit.rest(shorter, now);
    assert_eq!(refused(&mut circuit, &care, now).until, now + seconds(5));
}

#[test]
fn a_check_brings_it_back_or_leaves_it_closed_to_others() {
    let start = Instant::now();
    let (mut circuit, care) = opened(start);
    let (check, _) = circuit.admit(start, &care, Entry::Check).expect("a check");
    assert_eq!(circuit.failed(check, failure(Blame::Network), start, &care), None);
    // When it would let probes through, a failed check is a failed probe.
    let now = start + seconds(30);
    let (check, _) = circuit.admit(now, &care, Entry::Check).expect("a check");
    let change = circuit.failed(check, failure(Blame::Network), now, &care);
    assert_eq!(change, Some(Change::Rests(Reason::Failures, now + seconds(60))));
    let (check, _) = circuit.admit(now, &care, Entry::Check).expect("a check");
    assert_eq!(circuit.answered(check, &care), Some(Change::Closed));
}

#[test]
fn without_a_breaker_nothing_opens_and_what_was_open_closes() {
    let now = Instant::now();
    let (mut circuit, care) = opened(now);
    let off = Care { breaker: None, ..care };
    for _ in 0..100 {
        let _ = fail(&mut circuit, &off, now, failure(Blame::Provider));
    }
    assert_eq!(circuit.phase(), Phase::Closed);
}

mod random;
