//! The percentile is that of the latest samples, and of enough of them.

use std::time::{Duration, Instant};

use super::{EVERY, FirstTokens, LEAST, MOST, OLDEST};

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn few_samples_have_a_mean_and_no_percentile() {
    let (mut tokens, now) = (FirstTokens::default(), Instant::now());
    for _ in 1..LEAST {
        let known = tokens.add(millis(10), now);
        assert_eq!((known.mean, known.p95), (millis(10), None));
    }
    assert_eq!(tokens.add(millis(10), now).p95, Some(millis(10)));
}

#[test]
fn the_percentile_is_the_nearest_rank_of_the_latest() {
    let (mut tokens, now) = (FirstTokens::default(), Instant::now());
    let p95 = (1..=100).map(|count| tokens.add(millis(count), now).p95).last().flatten();
    assert_eq!(p95, Some(millis(95)));
    // 128 new ones leave nothing of the old.
    let p95 = (0..MOST).map(|_| tokens.add(millis(7), now).p95).last().flatten();
    assert_eq!(p95, Some(millis(7)));
    // Five slow ones of 128 stay above it, seven do not.
    let slow = |tokens: &mut FirstTokens| tokens.add(millis(900), now).p95;
    for _ in 0..6 {
        assert_eq!(slow(&mut tokens), Some(millis(7)));
    }
    // It is looked at now and then.
    let p95 = (0..EVERY).map(|_| slow(&mut tokens)).last().flatten();
    assert_eq!(p95, Some(millis(900)));
}

#[test]
fn what_is_old_says_nothing() {
    let (mut tokens, now) = (FirstTokens::default(), Instant::now());
    for _ in 0..100 {
        tokens.add(millis(900), now);
    }
    let later = now + OLDEST + millis(1000);
    assert_eq!(tokens.add(millis(5), later).p95, None);
    let p95 = (1..LEAST).map(|_| tokens.add(millis(5), later).p95).last().flatten();
    assert_eq!(p95, Some(millis(5)));
}

#[test]
fn absurd_samples_do_no_harm() {
    let (mut tokens, now) = (FirstTokens::default(), Instant::now());
    for _ in 0..LEAST {
        tokens.add(Duration::MAX, now);
    }
    assert!(tokens.add(Duration::ZERO, now).p95.is_some());
}
