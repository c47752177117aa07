//! Weights, patterns, fallbacks, and who may use what.

use std::time::Duration;

use super::balance::weighted;
use super::{Judgement, Model, Retry, Table};
use crate::config::{Lossy, TimeoutOverrides};
use crate::domain::{Pattern, Target, VirtualKey};
use crate::error::{GatewayError, Kind};

fn target(provider: &str, model: &str, weight: u32) -> Target {
    Target { provider: provider.into(), model: model.to_owned(), weight }
}

fn retry() -> Retry {
    Retry {
        attempts: 3,
        on: ["429", "5xx", "timeout", "connect"].map(|word| word.parse().expect(word)).to_vec(),
        first_wait: Duration::from_millis(200),
        longest_wait: Duration::from_secs(5),
    }
}

fn model(name: &str, targets: Vec<Target>, fallback: Vec<Target>) -> Model {
    Model {
        name: name.into(),
        targets,
        fallback,
        retry: retry(),
        lossy: Lossy::Allow,
        cache: crate::config::Cache::Off,
        reuse: None,
        single_flight: false,
        rules: crate::domain::Rules::default(),
        timeouts: TimeoutOverrides::default(),
        facts: crate::domain::ModelFacts::default(),
    }
}

fn key(models: Option<&[&str]>) -> VirtualKey {
    let models = models.map(|models| models.iter().map(|name| Pattern::new(*name)).collect());
    VirtualKey { id: "k".into(), team: None, models }
}

#[test]
fn weights_hold_over_ten_thousand_draws() {
    let targets = [target("a", "m", 70), target("b", "m", 30), target("c", "m", 0)];
    let mut first_is_a = 0;
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..10_000 {
        let order = weighted(&targets, &mut |bound| random.u32(0..bound));
        assert_eq!(order.len(), 2, "a drained target is not tried");
        first_is_a += u32::from(order[0].provider.as_ref() == "a");
    }
    // Four standard deviations around 7,000.
    assert!((6_817..=7_183).contains(&first_is_a), "{first_is_a}");
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
        let plan = table.plan(&key(None), asked).expect(asked);
        let shown: Vec<_> = plan
            .targets
            .iter()
            .chain(&plan.fallback)
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
    let error = table.plan(&key(Some(&["gpt-5-mini"])), "gpt-5-mina").expect_err("unknown");
    assert_eq!(error.kind, Kind::ModelNotFound);
    assert_eq!(error.message, "the model `gpt-5-mina` does not exist; did you mean `gpt-5-mini`?");
    let error = table.plan(&key(Some(&["gpt-5-mini"])), "gpt-5-mega").expect_err("forbidden");
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
    assert_eq!(narrow.judge(&status(Kind::Provider, 500)), Judgement::Final);
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
