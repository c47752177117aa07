//! What a fleet remembers, how much of it, and what it hands to a store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Care, Entry, Fleet, MOST};
use crate::error::{GatewayError, Kind};

fn fail(fleet: &Fleet, model: &str, kind: Kind, now: Instant) {
    let target = fleet.target(&Arc::from("one"), model);
    if let Ok(running) = target.begin(&Care::default(), Entry::Regular, now) {
        running.failed(&GatewayError::upstream(kind, "x"), now);
    }
}

fn rests(fleet: &Fleet, model: &str, now: Instant) -> bool {
    fleet.target(&Arc::from("one"), model).standing(&Care::default(), now).resting.is_some()
}

#[test]
fn names_that_clients_make_up_are_bounded_and_harm_no_other() {
    let (fleet, now) = (Fleet::default(), Instant::now());
    for name in 0..MOST {
        fail(&fleet, &format!("made-up-{name}"), Kind::ModelNotFound, now);
    }
    assert!(rests(&fleet, "made-up-7", now));
    // Everything else of the provider shares one state, which no unknown model lets rest.
    for name in 0..100 {
        fail(&fleet, &format!("more-{name}"), Kind::ModelNotFound, now);
    }
    assert!(!rests(&fleet, "real", now));
    assert_eq!(fleet.all().len(), MOST + 1);
    // What has ended makes room.
    let plain = Fleet::default();
    for name in 0..MOST {
        plain.target(&Arc::from("one"), &format!("fine-{name}"));
    }
    fail(&plain, "real", Kind::ModelNotFound, now);
    assert!(rests(&plain, "real", now) && plain.all().len() < MOST);
}

#[test]
fn what_is_kept_is_what_was_there() {
    let (fleet, now) = (Fleet::default(), Instant::now());
    const UNIX: u64 = 1_790_000_000_000;
    fleet.target(&Arc::from("one"), "well");
    fail(&fleet, "missing", Kind::ModelNotFound, now);
    for _ in 0..5 {
        fail(&fleet, "broken", Kind::Provider, now);
    }
    let mut kept = fleet.to_keep(now, UNIX);
    kept.sort_by(|(one, _), (other, _)| one.cmp(other));
    let names: Vec<_> = kept.iter().map(|((_, model), _)| model.as_str()).collect();
    assert_eq!(names, ["broken", "missing"]);
    // Nothing has changed since.
    assert!(fleet.to_keep(now + Duration::from_secs(2), UNIX + 2000).is_empty());
    let next = Fleet::default();
    for ((provider, model), kept) in kept {
        next.restore(&provider, &model, kept, (now, UNIX + 10_000));
    }
    assert!(next.to_keep(now, UNIX + 10_000).is_empty());
    for (wait, broken, missing) in [(19, true, true), (21, false, true), (291, false, false)] {
        let now = now + Duration::from_secs(wait);
        assert_eq!((rests(&next, "broken", now), rests(&next, "missing", now)), (broken, missing), "{wait}");
    }
    // A lift is news, and then there is nothing to keep.
    next.target(&Arc::from("one"), "missing").lift(now);
    let news = next.to_keep(now, UNIX + 10_000);
    assert!(matches!(news.as_slice(), [((_, model), kept)] if model == "missing" && kept.is_plain()));
}
