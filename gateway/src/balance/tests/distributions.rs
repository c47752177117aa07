//! 10,000 seeded draws against what the weights promise.

use super::{Used, candidates, strategy};
use crate::balance::Standing;

const DRAWS: usize = 10_000;

/// χ² of the counts against these weights.
fn chi_squared(counts: &[u32], weights: &[u32]) -> f64 {
    let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
    let total: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    let part = |(count, weight): (&u32, &u32)| {
        let expected = total * f64::from(*weight) / sum;
        (f64::from(*count) - expected).powi(2) / expected
    };
    counts.iter().zip(weights).map(part).sum()
}

/// The value that χ² with so many degrees of freedom exceeds once in a thousand times.
fn limit(degrees: usize) -> f64 {
    [10.83, 13.82, 16.27, 18.47, 20.52][degrees - 1]
}

#[test]
fn weights_hold_over_ten_thousand_draws() {
    for (seed, weights) in [(1, &[70, 30][..]), (2, &[5, 3, 2]), (3, &[1, 1, 1, 1, 1, 1]), (4, &[1000, 1, 9])]
    {
        let candidates = candidates(weights);
        let counts = Used::new("weighted", seed).counts(&candidates, DRAWS);
        let found = chi_squared(&counts, weights);
        assert!(found < limit(weights.len() - 1), "{weights:?}: {counts:?}, χ² {found}");
    }
}

/// The second place is drawn by weight from those who are left.
#[test]
fn what_stands_ready_is_drawn_by_weight_too() {
    let candidates = candidates(&[5, 3, 2]);
    let mut used = Used::new("weighted", 5);
    let mut behind_the_heaviest = [0; 2];
    for _ in 0..DRAWS {
        if let [0, second, _] = used.order(&candidates)[..] {
            behind_the_heaviest[second - 1] += 1;
        }
    }
    assert!(chi_squared(&behind_the_heaviest, &[3, 2]) < limit(1), "{behind_the_heaviest:?}");
}

#[test]
fn random_minds_no_weights_and_likes_every_order_alike() {
    let candidates = candidates(&[100, 1, 1]);
    let mut used = Used::new("random", 6);
    let mut orders = std::collections::BTreeMap::<Vec<usize>, u32>::new();
    for _ in 0..DRAWS {
        *orders.entry(used.order(&candidates)).or_default() += 1;
    }
    let counts: Vec<u32> = orders.into_values().collect();
    assert!(chi_squared(&counts, &[1; 6]) < limit(5), "{counts:?}");
}

#[test]
fn equals_are_drawn_by_weight_wherever_something_else_is_measured() {
    for name in ["cheapest", "fastest", "least-latency"] {
        let counts = Used::new(name, 7).counts(&candidates(&[3, 1]), DRAWS);
        assert!(chi_squared(&counts, &[3, 1]) < limit(1), "{name}: {counts:?}");
    }
}

/// A second look at the others: 1 in 32 requests, by weight.
#[test]
fn the_less_successful_are_asked_now_and_then() {
    let mut candidates = candidates(&[1, 3, 1]);
    candidates[1].success = 0.5;
    candidates[2].success = 0.1;
    let counts = Used::new("highest-success", 8).counts(&candidates, DRAWS);
    assert!(chi_squared(&counts, &[31 * 4, 3, 1]) < limit(2), "{counts:?}");
}

#[test]
fn what_an_explanation_promises_is_what_is_drawn() {
    for name in ["weighted", "smooth", "random", "round-robin"] {
        let candidates = candidates(&[5, 3, 2]);
        let counts = Used::new(name, 9).counts(&candidates, DRAWS);
        for (at, count) in counts.iter().enumerate() {
            let Standing::Share(share) = strategy(name).standing(&candidates, at) else {
                panic!("{name} has shares")
            };
            // Four standard deviations at most.
            assert!(
                (f64::from(*count) / DRAWS as f64 - share).abs() < 0.02,
                "{name} {at}: {count} for {share}"
            );
        }
    }
}
