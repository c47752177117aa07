//! Exact sequences of what goes in turn.

use super::{Used, candidates};

fn sequence(used: &mut Used, weights: &[u32], turns: usize) -> String {
    let candidates = candidates(weights);
    (0..turns).map(|_| char::from(b'a' + used.first(&candidates) as u8)).collect()
}

#[test]
fn smooth_mixes_five_three_and_two() {
    let mut used = Used::new("smooth", 1);
    // Half of them are a's, so there need not be two in a row.
    assert_eq!(sequence(&mut used, &[5, 3, 2], 20), "abcabacababacabacaba");
    assert_eq!(sequence(&mut Used::new("smooth", 1), &[5, 1, 1], 14), "aabacaaabaacaa");
    assert_eq!(sequence(&mut Used::new("smooth", 1), &[1, 1, 1], 6), "abcabc");
}

/// The longest run of each place, and how often it went first.
fn runs(sequence: &[usize], places: usize) -> Vec<(u32, u32)> {
    let mut found = vec![(0, 0); places];
    let mut run = 0;
    for (at, place) in sequence.iter().enumerate() {
        run = if at > 0 && sequence[at - 1] == *place { run + 1 } else { 1 };
        found[*place] = (found[*place].0.max(run), found[*place].1 + 1);
    }
    found
}

#[test]
fn smooth_keeps_its_proportions_and_makes_no_run_longer_than_needed() {
    let mut random = fastrand::Rng::with_seed(2);
    for _ in 0..300 {
        let weights: Vec<u32> = (0..random.usize(2..7)).map(|_| random.u32(1..20)).collect();
        let sum: u32 = weights.iter().sum();
        let (candidates, mut used) = (candidates(&weights), Used::new("smooth", 3));
        let sequence: Vec<usize> = (0..sum * 8).map(|_| used.first(&candidates)).collect();
        for (weight, (run, count)) in weights.iter().zip(runs(&sequence, weights.len())) {
            assert!(run <= weight.div_ceil(sum - weight), "{weights:?}: a run of {run} for {weight}");
            assert!(count.abs_diff(weight * 8) <= 1, "{weights:?}: {count} for {}", weight * 8);
        }
    }
}

#[test]
fn smooth_is_not_upset_by_who_is_missing() {
    let (all, mut used) = (candidates(&[5, 3, 2]), Used::new("smooth", 4));
    for turn in 0..40 {
        let missing = turn % 3;
        // Ten cycles without one of them: the others share as if there were no third.
        let present: Vec<_> = all.iter().filter(|own| own.place != missing).cloned().collect();
        let sum: u32 = present.iter().map(|own| own.weight).sum();
        let counts = used.counts(&present, sum as usize * 10);
        for own in &present {
            let found = counts.get(own.place).copied().unwrap_or(0);
            assert!(found.abs_diff(own.weight * 10) <= 2, "without {missing}: {counts:?}");
        }
    }
    let counts = used.counts(&all, 100);
    for (count, expected) in counts.iter().zip([50_u32, 30, 20]) {
        assert!(count.abs_diff(expected) <= 2, "{counts:?}");
    }
}

#[test]
fn round_robin_goes_by_place() {
    let all = candidates(&[9, 1, 1, 1]);
    let mut used = Used::new("round-robin", 5);
    assert_eq!(used.order(&all), [0, 1, 2, 3]);
    assert_eq!(used.order(&all), [1, 2, 3, 0]);
    // The third is missing: the fourth has its own turn, and the third has one as soon as it is back.
    let without: Vec<_> = all.iter().filter(|own| own.place != 2).cloned().collect();
    assert_eq!(used.order(&without), [3, 0, 1]);
    assert_eq!(used.order(&all), [2, 0, 1, 3]);
    assert_eq!(used.order(&without), [0, 1, 3]);
    assert_eq!(used.order(&all), [1, 3, 2, 0]);
    assert_eq!(used.order(&all), [3, 2, 0, 1]);
}

/// The first leaves and comes back all the time; the others still take turns.
#[test]
fn round_robin_is_even_while_one_comes_and_goes() {
    let all = candidates(&[1, 1, 1]);
    let mut used = Used::new("round-robin", 6);
    let mut counts = [0_u32; 3];
    for turn in 0..3_000 {
        let present = if turn % 2 == 0 { &all[..] } else { &all[1..] };
        counts[used.first(present)] += 1;
    }
    // The first is there for half of the turns and has a quarter of them all.
    assert!(counts[1].abs_diff(counts[2]) <= 1 && counts[0] >= 700, "{counts:?}");
}

#[test]
fn priority_is_the_list() {
    let mut used = Used::new("priority", 7);
    let all = candidates(&[1, 1000, 5]);
    for _ in 0..50 {
        assert_eq!(used.order(&all), [0, 1, 2]);
        assert_eq!(used.order(&all[1..]), [1, 2]);
    }
}
