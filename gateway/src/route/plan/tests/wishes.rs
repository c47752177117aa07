//! What a request wishes of its targets.

use super::{Asked, key, model, names, passed, price, target, targets};
use crate::domain::{Micros, PriceBook, Sort, Wishes};
use crate::error::Kind;
use crate::route::{Table, Turns};

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn table() -> Table {
    let mut eu = target("c/3 t1");
    eu.tags = vec!["eu".into()];
    let prices = [("a", "1", 2_000_000), ("b", "2", 1_000_000), ("c", "3", 500_000)];
    let prices = prices.map(|(provider, model, each)| (provider.into(), model.to_owned(), price(each, each)));
    Table::new([
        model("m", "priority", vec![target("a/1"), target("b/2"), eu, target("d/4 t2")], targets(&["f/6"])),
        model("n", "priority", targets(&["a/1", "g/7"]), vec![]),
    ])
    .priced(PriceBook::of(prices))
}

#[test]
fn wishes_choose_and_order() {
    let table = table();
    let mut asked = Asked::of(&table);
    let all = Wishes::default;
    for (wishes, steps, fallback) in [
        (all(), "a/1 b/2 c/3 d/4", "f/6"),
        (Wishes { order: texts(&["d", "b/2"]), ..all() }, "d/4 b/2 a/1 c/3", "f/6"),
        (Wishes { order: texts(&["d", "b"]), no_fallbacks: true, ..all() }, "d/4 b/2", ""),
        (Wishes { no_fallbacks: true, ..all() }, "a/1", ""),
        (Wishes { only: Some(texts(&["eu", "f"])), ..all() }, "c/3", "f/6"),
        (Wishes { ignore: texts(&["a", "eu"]), ..all() }, "b/2 d/4", "f/6"),
        (Wishes { sort: Some(Sort::Price), ..all() }, "b/2 a/1 c/3 d/4", "f/6"),
        (Wishes { max_prompt: Some(Micros(1_000_000)), ..all() }, "b/2 c/3", ""),
        (Wishes { max_completion: Some(Micros(999_999)), ..all() }, "c/3", ""),
        (Wishes { models: texts(&["m", "n"]), ..all() }, "a/1 b/2 c/3 d/4", "a/1 g/7 f/6"),
        (Wishes { models: texts(&["n"]), only: Some(texts(&["g"])), ..all() }, "", "g/7"),
    ] {
        asked.wishes = Some(wishes.clone());
        let plan = asked.plan("m", Turns::Taken).unwrap_or_else(|error| panic!("{wishes:?}: {error}"));
        let found = (names(&plan.steps).join(" "), names(&plan.fallback).join(" "));
        assert_eq!((found.0.as_str(), found.1.as_str()), (steps, fallback), "{wishes:?}");
    }
}

#[test]
fn what_is_not_wished_is_told() {
    let table = table();
    let mut asked = Asked::of(&table);
    asked.wishes = Some(Wishes {
        ignore: texts(&["b"]),
        max_request: Some(Micros(0)),
        no_fallbacks: true,
        ..Wishes::default()
    });
    assert_eq!(
        passed(&asked.plan("m", Turns::Taken).expect("a plan")),
        [
            "b/2: it is among `provider.ignore`",
            "d/4: its price is not known, and the request names a highest one",
            "c/3: another one is first, and `provider.allow_fallbacks` is false",
        ]
    );
}

#[test]
fn wishes_that_nobody_grants_are_the_requests_own_fault() {
    let table = table();
    let mut asked = Asked::of(&table);
    asked.wishes = Some(Wishes { only: Some(texts(&["nobody"])), ..Wishes::default() });
    let error = asked.plan("m", Turns::Taken).expect_err("nobody is left");
    assert_eq!((error.kind, error.param.as_deref()), (Kind::InvalidRequest, Some("provider")));
    assert!(error.message.ends_with("is what is wished: 5 × it is not among `provider.only`"), "{error}");
    // Whose provider is asked is not told.
    assert!(!error.message.contains("a/1"), "{error}");
}

#[test]
fn models_that_are_wished_must_be_allowed() {
    let table = table();
    let mut asked = Asked::of(&table);
    asked.key = key(Some(&["m"]));
    for (name, kind) in
        [("n", Kind::Permission), ("q", Kind::ModelNotFound), ("m<high>", Kind::InvalidRequest)]
    {
        asked.wishes = Some(Wishes { models: texts(&["m", name]), ..Wishes::default() });
        let error = asked.plan("m", Turns::Taken).expect_err(name);
        assert_eq!((error.kind, error.param.as_deref()), (kind, Some("models[1]")), "{error}");
    }
}
