//! Which targets fit which requests, what is said when none does, and what `auto` stands for.

use std::sync::LazyLock;

use http::HeaderMap;

use super::super::tests::{model, plan_of};
use super::{Facts, Question};
use crate::config::Capabilities;
use crate::domain::{
    Abilities, Ability, Asks, Condition, Envelope, Json, LazyAsks, Offers, Operation, Pattern, RequestHead,
    Target, Terms, VirtualKey,
};
use crate::error::{GatewayError, Kind};
use crate::route::Clues;
use crate::route::{Model, Plan, Table};

fn condition(text: &str) -> Option<Condition> {
    Some(Condition::read(text).unwrap_or_else(|fault| panic!("{fault}")))
}

/// A target that translates everything, without the abilities that `lacks`.
fn target(provider: &str, lacks: &[Ability], change: impl FnOnce(&mut Terms)) -> Target {
    let offers = Offers { dialects: vec![], operations: vec!["chat".to_owned(), "embeddings".to_owned()] };
    let can = Abilities::ALL.without(lacks.iter().copied().collect());
    let mut terms = Terms { can, offers: offers.into(), ..Terms::default() };
    change(&mut terms);
    Target { terms, ..Target::at(provider, "m") }
}

fn asks(change: impl FnOnce(&mut Asks)) -> Asks {
    let mut asks = Asks::of(&Envelope::whole(bytes::Bytes::new(), String::new(), None), Operation::Chat);
    change(&mut asks);
    asks
}

fn key(tags: &[&str]) -> VirtualKey {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    VirtualKey { tags, ..VirtualKey::named("k") }
}

fn ask(table: &Table, key: &VirtualKey, asked: &str, asks: Asks) -> Result<Plan, GatewayError> {
    let head = RequestHead {
        method: http::Method::POST,
        path: "/v1/chat/completions".to_owned(),
        query: None,
        headers: HeaderMap::new(),
    };
    let asks: LazyAsks<'_> = LazyLock::new(Box::new(move || asks));
    let facts = Facts { asks: &asks, dialect: "openai-chat", session: None, now: 0 };
    let (clues, now) = (Clues::default(), std::time::Instant::now());
    plan_of(table, &Question { key, asked, head: &head, now, facts, clues, wishes: None, seed: 1 })
}

fn providers(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.provider.as_ref()).collect()
}

fn strict(targets: Vec<Target>) -> Table {
    Table::new([Model { capabilities: Capabilities::Strict, ..model("x", targets, vec![]) }])
}

#[test]
fn preferred_targets_that_lack_something_come_last() {
    let targets = || vec![target("blind", &[Ability::Images], |_| ()), target("sees", &[], |_| ())];
    let table = Table::new([model("x", targets(), vec![])]);
    for _ in 0..32 {
        let plan = ask(&table, &key(&[]), "x", asks(|asks| asks.images = true)).expect("a plan");
        assert_eq!(providers(&plan), ["sees", "blind"]);
    }
    let plan = ask(&strict(targets()), &key(&[]), "x", asks(|asks| asks.images = true)).expect("a plan");
    assert_eq!(providers(&plan), ["sees"]);
    let (step, why) = &plan.passed_over[0];
    assert_eq!(
        (step.provider.as_ref(), why.to_string()),
        ("blind", "it lacks what is asked: images".to_owned())
    );
}

#[test]
fn a_provider_of_the_clients_own_dialect_is_held_to_the_operators_word_alone() {
    let own = |cannot: &[Ability]| {
        let cannot: Abilities = cannot.iter().copied().collect();
        target("own", &Ability::ALL, |terms| {
            terms.offers = Offers { dialects: vec!["openai-chat".to_owned()], operations: vec![] }.into();
            terms.cannot = cannot;
        })
    };
    let wants = || asks(|asks| asks.audio_input = true);
    assert!(ask(&strict(vec![own(&[])]), &key(&[]), "x", wants()).is_ok());
    assert!(ask(&strict(vec![own(&[Ability::AudioInput])]), &key(&[]), "x", wants()).is_err());
}

#[test]
fn nobody_can_names_what_each_one_lacks() {
    let lacks = [Ability::Images, Ability::JsonSchema];
    let table = strict(vec![target("a", &lacks, |_| ()), target("b", &[Ability::Images], |_| ())]);
    let error = ask(&table, &key(&[]), "x", asks(|asks| (asks.images, asks.json) = (true, Json::Schema)));
    let error = error.expect_err("nobody can");
    assert_eq!(error.kind, Kind::Unsupported);
    assert_eq!(
        error.message,
        "no target of the model `x` can do what is asked: `a/m` lacks images, json-schema; `b/m` lacks images"
    );
}

#[test]
fn contexts_and_bodies_that_are_surely_too_small_are_passed_over() {
    let small = |terms: &mut Terms| (terms.context, terms.max_body) = (Some(8_000), Some(50_000));
    let large = |terms: &mut Terms| (terms.context, terms.max_body) = (Some(100_000), Some(500_000));
    let table =
        Table::new([model("x", vec![target("small", &[], small), target("large", &[], large)], vec![])]);
    let long = |tokens, answer| asks(|asks| (asks.input_tokens, asks.max_output) = (tokens, answer));
    let who = |asks| ask(&table, &key(&[]), "x", asks).map(|plan| providers(&plan).len());
    assert_eq!(who(long(11_000, None)).ok(), Some(2), "an estimate may be a third too high");
    assert_eq!(who(long(14_000, None)).ok(), Some(1));
    assert_eq!(who(long(6_000, Some(5_000))).ok(), Some(1), "the answer needs room too");
    let error = who(long(200_000, None)).expect_err("too long for all");
    assert_eq!(error.kind, Kind::ContextLength);
    assert!(error.message.ends_with("the largest context of the model `x` has 100000"), "{}", error.message);
    assert_eq!(who(asks(|asks| asks.body_bytes = 400_000)).ok(), Some(1));
    let error = who(asks(|asks| asks.body_bytes = 600_000)).expect_err("too large for all");
    assert_eq!((error.kind, error.kind.status()), (Kind::TooLarge, 413));
    assert!(error.message.contains("takes 500000 at most"), "{}", error.message);
}

#[test]
fn conditions_of_targets_and_of_the_model_decide() {
    let gold = target("gold", &[], |terms| terms.when = condition(r#""gold" in key.tags"#));
    let rest = target("rest", &[], |terms| terms.when = condition(r#"!("gold" in key.tags)"#));
    let table = Table::new([model("x", vec![gold.clone(), rest], vec![])]);
    let plan = ask(&table, &key(&["gold"]), "x", asks(|_| ())).expect("a plan");
    assert_eq!(providers(&plan), ["gold"]);
    assert_eq!(providers(&ask(&table, &key(&[]), "x", asks(|_| ())).expect("a plan")), ["rest"]);
    let alone = Table::new([model("x", vec![gold], vec![])]);
    let error = ask(&alone, &key(&[]), "x", asks(|_| ())).expect_err("closed");
    assert_eq!(
        (error.kind, error.message.as_str()),
        (Kind::Permission, "no target of the model `x` is open to this request")
    );
    let closed =
        Model { when: condition("tokens < 10"), ..model("x", vec![target("a", &[], |_| ())], vec![]) };
    let closed = Table::new([closed]);
    assert!(ask(&closed, &key(&[]), "x", asks(|asks| asks.input_tokens = 9)).is_ok());
    let error = ask(&closed, &key(&[]), "x", asks(|asks| asks.input_tokens = 10)).expect_err("closed");
    assert_eq!((error.kind, error.param.as_deref()), (Kind::Permission, Some("model")));
    assert!(!error.message.contains("tokens"), "the rule is the operator's: {}", error.message);
    assert!(error.context.contains("tokens < 10"), "{}", error.context);
}

#[test]
fn a_condition_that_cannot_be_answered_is_false() {
    let broken = target("broken", &[], |terms| terms.when = condition(r#"int(headers["x-n"]) > 1"#));
    let table = Table::new([model("x", vec![broken, target("other", &[], |_| ())], vec![])]);
    assert_eq!(providers(&ask(&table, &key(&[]), "x", asks(|_| ())).expect("a plan")), ["other"]);
}

#[test]
fn auto_is_the_first_that_can_and_may() {
    let vectors = target("e", &[], |terms| {
        terms.offers = Offers { dialects: vec![], operations: vec!["embeddings".to_owned()] }.into();
    });
    let speechless = target("f", &[Ability::Images], |terms| {
        terms.context = Some(8_000);
        terms.offers = Offers { dialects: vec![], operations: vec!["chat".to_owned()] }.into();
    });
    let table = Table::new([
        model("fast", vec![speechless], vec![]),
        model("vision", vec![target("v", &[], |terms| terms.context = Some(50_000))], vec![]),
        Model {
            when: condition(r#""gold" in key.tags"#),
            ..model("smart", vec![target("s", &[], |_| ())], vec![])
        },
        model("vectors", vec![vectors], vec![]),
    ])
    .with_auto(["fast", "vision", "smart", "vectors"].map(str::to_owned).to_vec());
    let chosen = |key: &VirtualKey, asks| ask(&table, key, "auto", asks).map(|plan| plan.asked);
    let gold = key(&["gold"]);
    assert_eq!(chosen(&gold, asks(|_| ())).expect("fast"), "fast");
    assert_eq!(chosen(&gold, asks(|asks| asks.images = true)).expect("vision"), "vision");
    assert_eq!(chosen(&gold, asks(|asks| asks.input_tokens = 90_000)).expect("smart"), "smart");
    let error = chosen(&key(&[]), asks(|asks| asks.input_tokens = 90_000)).expect_err("not open");
    assert_eq!(error.kind, Kind::Unsupported);
    for part in ["`fast`: its context of 8000", "`vision`: its context of 50000", "`smart` is not open"] {
        assert!(error.message.contains(part), "{}", error.message);
    }
    let few = VirtualKey { models: Some(vec![Pattern::new("vision")]), ..key(&[]) };
    assert_eq!(chosen(&few, asks(|_| ())).expect("vision"), "vision");
    let embeds = asks(|asks| asks.operation = Operation::Embeddings);
    assert_eq!(chosen(&few, embeds.clone()).expect("it embeds"), "vision");
    let none = VirtualKey { models: Some(vec![Pattern::new("other")]), ..key(&[]) };
    assert_eq!(chosen(&none, embeds).expect_err("none").kind, Kind::Permission);
    // A model that is named is never swapped.
    let named = ask(&table, &gold, "fast", asks(|asks| asks.images = true)).expect("a plan");
    assert_eq!(named.asked, "fast");
}
