//! Which requests are hedged, after how long, and how many.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Budget, Hedge, SAVED};
use crate::config;
use crate::domain::Operation;
use crate::route::{Care, Entry, Fleet};

fn hedge(toml: &str) -> Hedge {
    let configured: config::Hedge = toml::from_str(toml).expect("a hedge");
    Hedge::new(&configured)
}

#[test]
fn there_are_never_more_hedges_than_their_share() {
    for share in [0.01, 0.05, 0.2, 0.333] {
        let budget = Budget::default();
        let mut random = fastrand::Rng::with_seed(5);
        let (mut made, mut wanted) = (0_u32, 0_u32);
        for request in 1..=10_000_u32 {
            budget.earn(share);
            // Half of them are slow: far more than the budget has.
            if random.bool() {
                wanted += 1;
                made += u32::from(budget.spend());
            }
            assert!(f64::from(made) <= share * f64::from(request) + 1e-6, "{made} of {request}");
        }
        assert!(wanted > 4000);
        // It is spent to the end, too.
        assert!(f64::from(made) > share * 10_000.0 - 2.0, "{made} with {share}");
    }
}

#[test]
fn after_a_quiet_time_there_is_no_flood() {
    let budget = Budget::default();
    for _ in 0..100_000 {
        budget.earn(0.05);
    }
    let made = (0..1000).filter(|_| budget.spend()).count();
    assert_eq!(made as f64, SAVED);
}

#[test]
fn a_share_of_nothing_is_none_and_of_all_is_all() {
    let (none, all) = (Budget::default(), Budget::default());
    for _ in 0..100 {
        none.earn(0.0);
        all.earn(1.0);
        assert!(!none.spend() && all.spend());
    }
    let budget = Budget::default();
    for _ in 0..20 {
        budget.earn(0.05);
    }
    assert!(budget.spend(), "twenty times a twentieth is one");
}

#[test]
fn a_budget_is_a_models_own_and_outlives_configurations() {
    let fleet = Fleet::default();
    let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
    fleet.hedges(&one).earn(1.0);
    assert!(!fleet.hedges(&other).spend());
    assert!(fleet.hedges(&Arc::from("one")).spend());
}

#[test]
fn only_what_may_be_asked_twice_is() {
    use Operation::{Chat, Embeddings, ImageEdit, ImageGeneration, Speech, Transcription};
    let (usual, timed) = (hedge(""), hedge("after = \"800ms\""));
    for (operation, stream, expected) in [
        (Chat, true, (true, true)),
        (Chat, false, (false, true)),
        (Embeddings, false, (true, true)),
        (ImageGeneration, false, (false, false)),
        (Speech, true, (false, false)),
    ] {
        let found = (usual.covers(operation, stream), timed.covers(operation, stream));
        assert_eq!(found, expected, "{operation:?} {stream}");
    }
    let allowed = hedge("also = [\"images\"]");
    assert!(allowed.covers(ImageEdit, false) && !allowed.covers(Transcription, false));
    assert!(hedge("also = [\"audio\"]").covers(Transcription, false));
}

#[test]
fn patience_is_the_targets_own_percentile_and_not_below_the_floor() {
    let fleet = Fleet::default();
    let (target, now) = (fleet.target(&"p".into(), "m"), Instant::now());
    let usual = hedge("floor = \"50ms\"");
    assert_eq!(usual.patience(&target), None, "nothing is known of it");
    for millis in 1..=100 {
        let running = target.begin(&Care::default(), Entry::Regular, now).expect("it is well");
        running.answered(Duration::from_millis(millis), now);
    }
    let patience = usual.patience(&target).expect("it is known by now");
    assert!((Duration::from_millis(85)..=Duration::from_millis(100)).contains(&patience), "{patience:?}");
    assert_eq!(hedge("floor = \"1s\"").patience(&target), Some(Duration::from_secs(1)));
    assert_eq!(hedge("after = \"20ms\"").patience(&target), Some(Duration::from_millis(20)));
}
