//! What is measured decides.

use std::time::Duration;

use super::{Used, candidates};

#[test]
fn the_least_busy_for_its_weight_goes_first() {
    let mut all = candidates(&[1, 3, 1]);
    let mut used = Used::new("least-busy", 1);
    for (running, expected) in [([0, 3, 5], [0, 1, 2]), ([1, 1, 2], [1, 0, 2]), ([4, 8, 0], [2, 1, 0])] {
        for (own, running) in all.iter_mut().zip(running) {
            own.in_flight = running;
        }
        assert_eq!(used.order(&all), expected, "{running:?}");
    }
}

/// Requests that never end fill targets up in proportion to their weights.
#[test]
fn busy_targets_fill_up_by_weight() {
    let mut all = candidates(&[4, 2, 1]);
    let mut used = Used::new("least-busy", 2);
    for _ in 0..700 {
        let first = used.first(&all);
        all[first].in_flight += 1;
    }
    let running: Vec<u32> = all.iter().map(|own| own.in_flight).collect();
    assert_eq!(running, [400, 200, 100]);
}

#[test]
fn of_two_the_one_with_the_sooner_token_goes_first() {
    let mut all = candidates(&[1, 1]);
    all[0].first_token = Some(Duration::from_millis(900));
    all[1].first_token = Some(Duration::from_millis(300));
    let counts = Used::new("least-latency", 3).counts(&all, 12_800);
    // 1 in 128 is a second look; five standard deviations.
    assert!((50..=150).contains(&counts[0]), "{counts:?}");
}

/// The slowest of many loses against any other, the quickest does not take all: that is what two choices are for.
#[test]
fn two_choices_spread_the_load() {
    let mut all = candidates(&[1; 5]);
    for (rank, own) in all.iter_mut().enumerate() {
        own.first_token = Some(Duration::from_millis(100 * (rank as u64 + 1)));
    }
    let counts = Used::new("least-latency", 4).counts(&all, 10_000);
    assert!(counts.is_sorted_by(|more, fewer| more > fewer), "{counts:?}");
    // Pairs out of ten in which each is the quicker: 4, 3, 2, 1, 0.
    assert!((3_700..=4_200).contains(&counts[0]) && counts[4] < 100, "{counts:?}");
}

#[test]
fn an_unknown_target_is_explored_by_one_request_at_a_time() {
    let mut all = candidates(&[1, 1, 1]);
    all[0].first_token = Some(Duration::from_millis(1));
    let mut used = Used::new("least-latency", 5);
    for _ in 0..100 {
        assert_ne!(used.first(&all), 0);
    }
    all[1].in_flight = 1;
    assert_eq!(used.order(&all)[..2], [2, 0], "the other unknown one, and behind it the known");
    all[2].in_flight = 1;
    let counts = used.counts(&all, 1_000);
    assert!(counts[0] > 600, "all unknown ones are being explored: {counts:?}");
}

#[test]
fn the_cheapest_goes_first_and_who_has_no_price_last() {
    let mut all = candidates(&[1, 1000, 1, 1000]);
    all[0].cost = Some(300);
    all[2].cost = Some(299);
    all[3].cost = Some(301);
    let mut used = Used::new("cheapest", 6);
    for _ in 0..100 {
        assert_eq!(used.order(&all), [2, 0, 3, 1]);
    }
}

#[test]
fn the_fastest_writer_goes_first() {
    let mut all = candidates(&[1, 1, 1]);
    all[0].speed = Some(40);
    all[1].speed = Some(90);
    all[2].in_flight = 1;
    let mut used = Used::new("fastest", 7);
    assert_eq!(used.order(&all), [1, 0, 2]);
    all[2].in_flight = 0;
    assert_eq!(used.order(&all), [2, 1, 0], "an idle one that nobody knows is tried");
}

#[test]
fn success_counts_in_whole_percents() {
    let mut all = candidates(&[1, 1]);
    (all[0].success, all[1].success) = (0.981, 0.979);
    let counts = Used::new("highest-success", 8).counts(&all, 10_000);
    assert!(counts[0].abs_diff(counts[1]) < 400, "luck: {counts:?}");
    all[1].success = 0.9;
    let counts = Used::new("highest-success", 9).counts(&all, 10_000);
    assert!((200..450).contains(&counts[1]), "{counts:?}");
}
