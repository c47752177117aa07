//! Ends by the wall clock are the same ends in the next process.

use std::time::{Duration, Instant};

use super::{Kept, LONGEST, Reason, Rest};

const UNIX: u64 = 1_790_000_000_000;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn a_rest_and_an_open_circuit_end_when_they_would_have() {
    let before = Instant::now();
    let rest = Rest { until: before + seconds(100), reason: Reason::Rate, told: true };
    let kept = Kept::of(Some(rest), Some((Some(before + seconds(40)), 3)), 0.75, (before, UNIX));
    let bytes = serde_json::to_vec(&kept).expect("JSON");
    let read: Kept = serde_json::from_slice(&bytes).expect("what was written");
    assert_eq!(read, kept);
    // Ten seconds later, in a process whose clock began somewhere else.
    let after = before + seconds(5000);
    let (rest, open) = read.read((after, UNIX + 10_000));
    assert_eq!(rest, Some(Rest { until: after + seconds(90), reason: Reason::Rate, told: true }));
    assert_eq!(open, Some((after + seconds(30), 3)));
    // After both ends: no rest, and the next request is a probe.
    let (rest, open) = read.read((after, UNIX + 200_000));
    assert_eq!((rest, open), (None, Some((after, 3))));
}

#[test]
fn a_clock_that_was_set_back_makes_no_rest_longer_than_any_may_be() {
    let now = Instant::now();
    let rest = Rest { until: now + seconds(100), reason: Reason::Hand, told: true };
    let kept = Kept::of(Some(rest), None, 1.0, (now, UNIX));
    let (rest, _) = kept.read((now, 0));
    assert_eq!(rest.map(|rest| rest.until), Some(now + LONGEST));
}

#[test]
fn only_what_differs_is_written_again() {
    let now = Instant::now();
    let rest = |wait| Some(Rest { until: now + seconds(wait), reason: Reason::Missing, told: false });
    let kept = Kept::of(rest(10), None, 0.9, (now, UNIX));
    let later = |wait| Kept::of(rest(wait), None, 0.91, (now + seconds(1), UNIX + 1010));
    assert!(kept.says_the_same(&later(10)));
    assert!(!kept.says_the_same(&later(20)));
    assert!(!kept.says_the_same(&Kept::of(None, None, 0.9, (now, UNIX))));
    assert!(Kept::of(None, None, 1.0, (now, UNIX)).is_plain() && !kept.is_plain());
    // An end that has passed stays where it is.
    let open = Some((Some(now), 1));
    let ended = Kept::of(None, open, 1.0, (now + seconds(60), UNIX + 60_000));
    assert!(ended.says_the_same(&Kept::of(None, open, 1.0, (now + seconds(90), UNIX + 90_000))));
}
