//! Models among the targets of models.

use super::{Asked, model, names, passed, target, targets};
use crate::route::{Care, Entry, Table, Turns};

#[test]
fn a_or_b_at_random_then_c() {
    let table = Table::new([
        model("either", "random", targets(&["a/1", "b/2"]), vec![]),
        model("m", "weighted", targets(&["either", "c/3 t1"]), vec![]),
    ]);
    let mut asked = Asked::of(&table);
    let mut first = [0; 2];
    for seed in 0..400 {
        asked.seed = seed;
        let steps = asked.steps("m");
        assert_eq!(steps[2], "c/3");
        first[usize::from(steps[0] == "b/2")] += 1;
    }
    assert!(first.iter().all(|count| *count > 150), "{first:?}");
}

#[test]
fn failures_cross_the_members_and_nobody_is_asked_twice() {
    let table = Table::new([
        model("inner", "priority", targets(&["a/1", "b/2"]), targets(&["z/9"])),
        model("outer", "priority", targets(&["inner", "b/2", "c/3", "inner"]), targets(&["inner", "d/4"])),
    ]);
    let plan = Asked::of(&table).plan("outer", Turns::Taken).expect("a plan");
    assert_eq!(names(&plan.steps), ["a/1", "b/2", "c/3"]);
    assert_eq!(
        names(&plan.fallback),
        ["a/1", "b/2", "d/4"],
        "the inner model's own fallback is its own affair"
    );
}

#[test]
fn shares_multiply() {
    let table = Table::new([
        model("inner", "weighted", targets(&["a/1 w3", "b/2"]), vec![]),
        model("outer", "weighted", targets(&["inner w2", "c/3 w2"]), vec![]),
    ]);
    let plan = Asked::of(&table).plan("outer", Turns::Untouched).expect("a plan");
    let mut shares: Vec<_> = plan
        .steps
        .iter()
        .map(|step| {
            let told = step.told.as_ref().expect("it is explained");
            (step.provider.to_string(), told.share().map(|share| (share * 1000.0).round()))
        })
        .collect();
    shares.sort_by(|(one, _), (other, _)| one.cmp(other));
    let expected = [("a", 375.0), ("b", 125.0), ("c", 500.0)];
    assert_eq!(shares, expected.map(|(name, share)| (name.to_owned(), Some(share))));
}

/// Who is drained as a whole is passed over target by target.
#[test]
fn a_drained_model_takes_its_targets_with_it() {
    let table = Table::new([
        model("inner", "weighted", targets(&["a/1", "b/2 w0"]), vec![]),
        model("empty", "weighted", targets(&["e/5 w0"]), vec![]),
        model("outer", "round-robin", targets(&["inner w0", "empty", "c/3", "d/4"]), vec![]),
    ]);
    let asked = Asked::of(&table);
    let plan = asked.plan("outer", Turns::Taken).expect("a plan");
    assert_eq!(names(&plan.steps), ["c/3", "d/4"]);
    assert_eq!(passed(&plan), ["a/1: its weight is 0", "b/2: its weight is 0", "e/5: its weight is 0"]);
    // A model with nobody to ask takes nobody's turn.
    assert_eq!(asked.steps("outer"), ["d/4", "c/3"]);
    assert_eq!(asked.steps("outer"), ["c/3", "d/4"]);
}

#[test]
fn names_pass_through_as_they_are_meant() {
    let table = Table::new([
        model("base", "weighted", targets(&["a/*"]), vec![]),
        model("x-*", "weighted", vec![target("b/*")], vec![]),
        model("m", "priority", targets(&["base", "x-7", "c/*"]), vec![]),
        model("x-8*", "priority", vec![target("d/*"), target("x-*")], vec![]),
    ]);
    let asked = Asked::of(&table);
    assert_eq!(asked.steps("m"), ["a/base", "b/x-7", "c/m"]);
    assert_eq!(asked.steps("x-80"), ["d/x-80", "b/x-80"], "a pattern named as such gets what was asked");
}

/// The strategy sees a model as what its targets come to together.
#[test]
fn a_model_is_as_busy_as_all_of_its_targets() {
    let table = Table::new([
        model("inner", "least-busy", targets(&["a/1", "b/2"]), vec![]),
        model("outer", "least-busy", targets(&["inner", "c/3"]), vec![]),
    ]);
    let asked = Asked::of(&table);
    let busy = |name: &str, model: &str| {
        let state = asked.fleet.target(&name.into(), model);
        state.begin(&Care::default(), Entry::Regular, asked.instant).expect("it may be asked")
    };
    let running = [busy("a", "1"), busy("b", "2"), busy("c", "3")];
    assert_eq!(asked.steps("outer")[0], "c/3");
    drop(running);
    let _running = busy("a", "1");
    assert_eq!(asked.steps("outer"), ["c/3", "b/2", "a/1"]);
}
