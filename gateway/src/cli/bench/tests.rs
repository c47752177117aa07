//! When figures are told and when not.

use super::*;
use crate::bench::Range;

fn outcome(p50: f64, bytes: u64, chunks: u64) -> Outcome {
    let mut outcome = Outcome { answered: 10, bytes: bytes * 10, per_second: 100.0, ..Outcome::default() };
    outcome.latency.p50 = p50;
    outcome.chunks = Range { least: chunks, most: chunks };
    outcome
}

fn round(with: Outcome, without: Outcome) -> Round {
    Round { with, without: Some(without), cpu: None, memory_bytes: None }
}

fn refusal(rounds: &[Round]) -> Option<String> {
    match compare::problems(rounds, "http://a", Some("http://b")) {
        Verdict::Sound => None,
        Verdict::Refused(problems) => Some(problems.join("; ")),
    }
}

#[test]
fn equal_set_ups_are_compared_by_their_medians() {
    let rounds = [(50.0, 20.0), (90.0, 30.0), (60.0, 10.0)]
        .map(|(with, without)| round(outcome(with, 1000, 0), outcome(without, 1004, 0)));
    assert_eq!(refusal(&rounds), None);
    let with = Side::of(&rounds, false, &|round| Some(&round.with)).unwrap();
    let without = Side::of(&rounds, false, &|round| round.without.as_ref()).unwrap();
    assert_eq!((with.latency.p50, without.latency.p50), (60.0, 20.0));
    assert_eq!(with.over(&without).latency.p50, 40.0);
    assert_eq!(with.first_event, None);
}

#[test]
fn unequal_set_ups_are_refused_with_the_reason() {
    let said = refusal(&[round(outcome(1.0, 1000, 0), outcome(1.0, 2000, 0))]).unwrap();
    assert!(said.contains("1000 bytes") && said.contains("2000"), "{said}");
    let said = refusal(&[round(outcome(1.0, 1000, 64), outcome(1.0, 1000, 12))]).unwrap();
    assert!(said.contains("64 events") && said.contains("12"), "{said}");
    let mut failing = outcome(1.0, 1000, 0);
    failing.errors.count = 3;
    failing.errors.first = Some("status 500: no".to_owned());
    let said = refusal(&[round(outcome(1.0, 1000, 0), failing)]).unwrap();
    assert!(said.contains("3 of 13 requests to http://b failed") && said.contains("status 500"), "{said}");
}

#[test]
fn a_place_gets_the_path_of_the_api() {
    let at = |url: &str| endpoint(url, Api::OpenAi, "m", false);
    for url in ["http://a:1", "http://a:1/", "http://a:1/v1", "http://a:1/v1/"] {
        assert_eq!(at(url), "http://a:1/v1/chat/completions");
    }
    assert_eq!(at("http://a:1/other/chat"), "http://a:1/other/chat");
    assert_eq!(
        endpoint("http://a:1", Api::Gemini, "m", true),
        "http://a:1/v1beta/models/m:streamGenerateContent?alt=sse"
    );
}
