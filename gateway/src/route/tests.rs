//! Weights, patterns, fallbacks, and who may use what.

use std::time::Duration;

use super::{Clues, Facts, Fleet, Judgement, Model, Plan, Question, Retry, Table, Turns};
use crate::config::{Lossy, Statuses, TimeoutOverrides};
use crate::domain::{Asks, Envelope, LazyAsks, Operation, Pattern, RequestHead, Target, VirtualKey};
use crate::error::{GatewayError, Kind};

fn target(provider: &str, model: &str, weight: u32) -> Target {
    Target { weight, ..Target::at(provider, model) }
}

fn retry() -> Retry {
    Retry {
        attempts: 3,
        on: ["429", "5xx", "timeout", "connect"].map(|word| word.parse().expect(word)).to_vec(),
        failover: "401-412,414-421,423-999".parse().expect("statuses"),
        sent: true,
        first_wait: Duration::from_millis(200),
        longest_wait: Duration::from_secs(5),
    }
}

pub(super) fn model(name: &str, targets: Vec<Target>, fallback: Vec<Target>) -> Model {
    Model {
        name: name.into(),
        targets,
        balance: crate::balance::DEFAULT,
        memory: parking_lot::Mutex::default(),
        sticky: crate::config::Sticky::Off,
        hedge: None,
        fallback,
        on_content_policy: Vec::new(),
        on_context_length: Vec::new(),
        retry: retry(),
        care: super::Care::default(),
        empty: crate::config::Empty::Retry,
        keep_alive: Duration::ZERO,
        lossy: Lossy::Allow,
        cache: crate::config::Cache::Off,
        reuse: None,
        single_flight: false,
        rules: crate::domain::Rules::default(),
        timeouts: TimeoutOverrides::default(),
        facts: crate::domain::ModelFacts::default(),
        when: None,
        capabilities: crate::config::Capabilities::default(),
    }
}

fn key(models: Option<&[&str]>) -> VirtualKey {
    let models = models.map(|models| models.iter().map(|name| Pattern::new(*name)).collect());
    VirtualKey { models, preferences: true, ..VirtualKey::named("k") }
}

pub(super) fn plan_of(table: &Table, question: &Question<'_>) -> Result<Plan, GatewayError> {
    table.plan(question, &Fleet::default(), Turns::Taken)
}

fn plan(table: &Table, key: &VirtualKey, asked: &str) -> Result<Plan, GatewayError> {
    let head = RequestHead {
        method: http::Method::POST,
        path: "/v1/chat/completions".to_owned(),
        query: None,
        headers: http::HeaderMap::new(),
    };
    let envelope = Envelope::whole(bytes::Bytes::new(), asked.to_owned(), None);
    let asks: LazyAsks<'_> = LazyAsks::new(Box::new(|| Asks::of(&envelope, Operation::Chat)));
    let facts = Facts { asks: &asks, dialect: "openai-chat", session: None, now: 0 };
    let (clues, now) = (Clues::default(), std::time::Instant::now());
    let question = Question { key, asked, head: &head, now, clues, facts, wishes: None, seed: 1 };
    table.plan(&question, &Fleet::default(), Turns::Taken)
}

#[test]
fn the_closest_pattern_wins_and_passes_the_name_on() {
    let table = Table::new([
        model("claude-*", vec![target("anthropic", "*", 1)], vec![]),
        model("*", vec![target("other", "*", 1)], vec![]),
        model("openai/*", vec![target("openai", "*", 1)], vec![]),
        model("claude-fixed", vec![target("x", "y/z", 1)], vec![target("f", "g", 1)]),
    ]);
    for (asked, expected) in [
        ("claude-opus", "anthropic claude-opus"),
        ("claude-fixed", "x y/z, f g"),
        ("openai/gpt-5", "openai gpt-5"),
        ("whatever", "other whatever"),
    ] {
        let planned = plan(&table, &key(None), asked).expect(asked);
        let shown: Vec<_> = planned
            .steps
            .iter()
            .chain(&planned.fallback)
            .map(|step| format!("{} {}", step.provider, step.model))
            .collect();
        assert_eq!(shown.join(", "), expected);
    }
}

#[test]
fn an_unknown_model_names_close_ones_and_only_allowed_ones() {
    let table = Table::new([
        model("gpt-5-mini", vec![target("a", "m", 1)], vec![]),
        model("gpt-5-mega", vec![target("a", "m", 1)], vec![]),
    ]);
    let error = plan(&table, &key(Some(&["gpt-5-mini"])), "gpt-5-mina").expect_err("unknown");
    assert_eq!(error.kind, Kind::ModelNotFound);
    assert_eq!(error.message, "the model `gpt-5-mina` does not exist; did you mean `gpt-5-mini`?");
    let error = plan(&table, &key(Some(&["gpt-5-mini"])), "gpt-5-mega").expect_err("forbidden");
    assert_eq!(error.kind, Kind::Permission);
}

#[test]
fn failures_are_judged_by_whose_fault_they_are() {
    let status =
        |kind, status| GatewayError { upstream_status: Some(status), ..GatewayError::upstream(kind, "x") };
    for (error, expected) in [
        (status(Kind::RateLimited, 429), Judgement::Again),
        (status(Kind::Provider, 500), Judgement::Again),
        (status(Kind::Authentication, 401), Judgement::Elsewhere),
        (status(Kind::ModelNotFound, 404), Judgement::Elsewhere),
        (status(Kind::InvalidRequest, 400), Judgement::Final),
        (status(Kind::ContextLength, 400), Judgement::Final),
        (GatewayError::upstream(Kind::Unreachable, "x"), Judgement::Again),
        (GatewayError::upstream(Kind::Timeout, "x"), Judgement::Again),
        (GatewayError::upstream(Kind::Malformed, "x"), Judgement::Again),
        (GatewayError::plugin("x"), Judgement::Elsewhere),
        (GatewayError::client(Kind::Unsupported, "x"), Judgement::Elsewhere),
    ] {
        assert_eq!(retry().judge(&error), expected, "{error}");
    }
    let narrow = Retry { on: vec!["503".parse().expect("503")], ..retry() };
    assert_eq!(narrow.judge(&status(Kind::Provider, 500)), Judgement::Elsewhere);
    let here = Retry { failover: Statuses::default(), ..narrow.clone() };
    assert_eq!(here.judge(&status(Kind::Provider, 500)), Judgement::Final);
    assert_eq!(here.judge(&status(Kind::Overloaded, 503)), Judgement::Again);
    let everything = Retry { failover: "400-999".parse().expect("statuses"), ..retry() };
    for (error, expected) in [
        (status(Kind::InvalidRequest, 400), Judgement::Elsewhere),
        (status(Kind::ContextLength, 413), Judgement::Elsewhere),
        // What the gateway itself refuses, nobody will take.
        (GatewayError::client(Kind::InvalidRequest, "x"), Judgement::Final),
    ] {
        assert_eq!(everything.judge(&error), expected, "{error}");
    }
    let careful = Retry { sent: false, ..retry() };
    for (error, expected) in [
        (status(Kind::Provider, 500), Judgement::Final),
        (GatewayError::upstream(Kind::Timeout, "x"), Judgement::Final),
        (GatewayError::upstream(Kind::Unreachable, "x"), Judgement::Again),
        (status(Kind::Overloaded, 503), Judgement::Again),
        (status(Kind::RateLimited, 429), Judgement::Again),
        (status(Kind::Authentication, 401), Judgement::Elsewhere),
    ] {
        assert_eq!(careful.judge(&error), expected, "{error}");
    }
}

#[test]
fn waits_double_with_jitter_and_obey_the_provider() {
    let retry = retry();
    assert_eq!(retry.wait(0, None, 0.0), Some(Duration::from_millis(100)));
    assert_eq!(retry.wait(1, None, 1.0), Some(Duration::from_millis(400)));
    assert_eq!(retry.wait(40, None, 1.0), Some(Duration::from_secs(5)));
    assert_eq!(retry.wait(0, Some(Duration::from_secs(2)), 0.3), Some(Duration::from_secs(2)));
    assert_eq!(retry.wait(0, Some(Duration::from_secs(60)), 0.3), None);
}
