//! Who is asked when nobody is left, and who is not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::taken_from;
use crate::domain::Abilities;
use crate::error::{GatewayError, Kind};
use crate::route::{Care, Entry, Fleet, Step, Why};

/// What is wrong with a target: how it failed, how often, and what it said about coming back.
struct Wrong(&'static str, Kind, usize, Option<u64>);

fn passed_over(targets: &[Wrong], start: Instant, now: Instant) -> Vec<(Step, Why)> {
    let fleet = Fleet::default();
    let provider: Arc<str> = Arc::from("one");
    let step = |Wrong(model, kind, times, wait): &Wrong| {
        let state = fleet.target(&provider, model);
        for _ in 0..*times {
            let running = state.begin(&Care::default(), Entry::Regular, start).expect("it is well");
            let retry_after = wait.map(Duration::from_secs);
            running.failed(&GatewayError { retry_after, ..GatewayError::upstream(*kind, "x") }, start);
        }
        let resting = state.standing(&Care::default(), now).resting.expect("it rests");
        let (provider, model, lacks) = (provider.clone(), (*model).to_owned(), Abilities::default());
        let step = Step {
            provider,
            model,
            state,
            price: None,
            entry: Entry::Regular,
            lacks,
            context: None,
            told: None,
        };
        (step, Why::Resting(resting))
    };
    targets.iter().map(step).collect()
}

#[test]
fn the_least_bad_is_taken_and_what_was_told_stands() {
    let open = |name| Wrong(name, Kind::Provider, 5, None);
    let missing = |name| Wrong(name, Kind::ModelNotFound, 1, None);
    let told = |name| Wrong(name, Kind::RateLimited, 1, Some(5));
    let cases: [(&[Wrong], Option<&str>); 6] = [
        (&[open("a"), missing("b"), open("c")], Some("b")),
        (&[missing("a"), open("b")], Some("a")),
        (&[open("a"), open("b")], Some("a")),
        (&[told("a"), open("b")], Some("b")),
        (&[told("a"), Wrong("b", Kind::Overloaded, 1, Some(9))], None),
        (&[], None),
    ];
    for (targets, expected) in cases {
        let now = Instant::now();
        let mut passed_over = passed_over(targets, now, now);
        let taken = taken_from(&mut passed_over, now);
        assert_eq!(taken.as_ref().map(|step| step.model.as_str()), expected);
        assert!(taken.is_none_or(|step| step.entry == Entry::LastResort));
        let left = targets.len() - usize::from(expected.is_some());
        assert_eq!(passed_over.len(), left, "{expected:?}");
    }
}

#[test]
fn who_was_asked_often_enough_leaves_the_turn_to_another() {
    let now = Instant::now();
    let targets = [Wrong("a", Kind::Provider, 5, None), Wrong("b", Kind::Provider, 5, None)];
    let passed = passed_over(&targets, now, now);
    let (first, _) = &passed[0];
    while first.state.begin(&Care::default(), Entry::LastResort, now).is_ok() {}
    let again: Vec<_> = passed
        .iter()
        .map(|(step, _)| {
            let resting = step.state.standing(&Care::default(), now).resting.expect("it rests");
            (step.clone(), Why::Resting(resting))
        })
        .collect();
    let taken = taken_from(&mut again.clone(), now).expect("the other one");
    assert_eq!(taken.model, "b");
    while taken.state.begin(&Care::default(), Entry::LastResort, now).is_ok() {}
    let spent = |(step, _): &(Step, Why)| {
        let resting = step.state.standing(&Care::default(), now).resting.expect("it rests");
        (step.clone(), Why::Resting(resting))
    };
    let mut spent: Vec<_> = again.iter().map(spent).collect();
    assert!(taken_from(&mut spent, now).is_none());
    assert!(taken_from(&mut spent, now + Duration::from_secs(1)).is_some());
}
