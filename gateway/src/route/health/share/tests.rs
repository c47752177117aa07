//! What counts as degraded, and that nothing is held against a target for ever.

use std::time::{Duration, Instant};

use super::{Degrade, Share};

fn after(share: &mut Share, outcomes: &[(bool, usize)], now: Instant) {
    for (failed, count) in outcomes {
        for _ in 0..*count {
            share.add(*failed, now);
        }
    }
}

#[test]
fn enough_attempts_and_enough_failures_of_the_window_degrade() {
    let now = Instant::now();
    let degrade = Degrade { window: Duration::from_secs(60), samples: 20, rate: 0.5 };
    for (good, failed, expected) in
        [(10, 10, true), (11, 9, false), (0, 19, false), (0, 20, true), (20, 0, false)]
    {
        let mut share = Share::default();
        after(&mut share, &[(false, good), (true, failed)], now);
        assert_eq!(share.is_degraded(&degrade, now), expected, "{good} good, {failed} failed");
    }
    assert!(!Share::default().is_degraded(&Degrade { samples: 0, ..degrade }, now));
}

#[test]
fn what_lies_before_the_window_does_not_count() {
    let start = Instant::now();
    let degrade = Degrade { window: Duration::from_secs(60), samples: 20, rate: 0.5 };
    let mut share = Share::default();
    after(&mut share, &[(true, 30)], start);
    assert!(share.is_degraded(&degrade, start + Duration::from_secs(50)));
    assert!(!share.is_degraded(&degrade, start + Duration::from_secs(70)));
    after(&mut share, &[(false, 20)], start + Duration::from_secs(70));
    assert!(!share.is_degraded(&degrade, start + Duration::from_secs(70)));
    // The longest window there may be sees both.
    let long = Degrade { window: super::LONGEST, ..degrade };
    assert!(share.is_degraded(&long, start + Duration::from_secs(80)));
    // Hours later the old is thrown away.
    after(&mut share, &[(false, 1)], start + Duration::from_secs(20_000));
    assert_eq!(share.slots.len(), 1);
}

#[test]
fn the_share_of_successes_follows_and_silence_forgives() {
    let now = Instant::now();
    let mut share = Share::default();
    assert_eq!(share.success(now), 1.0);
    after(&mut share, &[(true, 100)], now);
    let bad = share.success(now);
    assert!(bad <= 0.01, "{bad}");
    after(&mut share, &[(false, 14)], now);
    let better = share.success(now);
    assert!((0.45..0.55).contains(&better), "{better}");
    let mut before = better;
    for hour in 1..=3 {
        let later = share.success(now + Duration::from_secs(hour * 1200));
        assert!(later > before, "{later}");
        before = later;
    }
    assert_eq!(share.success(now + Duration::from_secs(5400)), 1.0);
}

#[test]
fn clocks_in_the_wrong_order_lose_nothing() {
    let start = Instant::now();
    let mut share = Share::default();
    share.add(true, start + Duration::from_secs(100));
    share.add(true, start + Duration::from_secs(150));
    share.add(true, start);
    let degrade = Degrade { window: Duration::from_secs(600), samples: 3, rate: 1.0 };
    assert!(share.is_degraded(&degrade, start + Duration::from_secs(150)));
}
