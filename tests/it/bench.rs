//! `causeway bench`: what it counts, what it refuses to tell, and why. Never how long anything took.

use std::process::Output;

use serde_json::Value;

use super::support::gateway::run;
use super::support::{Gateway, KEY, configuration, upstream};

/// The command with a gateway before a mock, and the same mock without it.
async fn compare(model: &str, other: &str, more: &[&str]) -> Output {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let (url, model, without) = (gateway.url(), format!("openai/{model}"), upstream::url(&mock));
    let mut arguments = vec!["bench", &url, "--model", &model, "--key", KEY];
    arguments.extend(["--compare", &without, "--compare-model", other, "--compare-key", "any"]);
    arguments.extend(["--rps", "40", "-c", "4", "--duration", "500ms", "--rounds", "1"]);
    arguments.extend(more);
    tokio::task::block_in_place(|| run(&arguments, &[], &[]))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn report(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Nothing but a reason.
#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_is_compared_with_its_provider() {
    let report = report(&compare("mock", "mock", &["--json"]).await);
    for side in ["with", "without"] {
        let round = &report["rounds"][0][side];
        // Half a second of 40 a second.
        assert_eq!((&round["answered"], &round["errors"]["count"]), (&20.into(), &0.into()), "{report:#}");
        assert_eq!(round["latency"]["count"], 20);
        assert!(round["size"]["least"].as_u64().unwrap() > 100, "{report:#}");
    }
    let (with, without) = (&report["with"]["latency"]["p50"], &report["without"]["latency"]["p50"]);
    let overhead = with.as_f64().unwrap() - without.as_f64().unwrap();
    assert_eq!(report["overhead"]["latency"]["p50"].as_f64(), Some(overhead));
    assert!(report["machine"]["cores"].as_u64().unwrap() > 0);
    assert_eq!((&report["version"], &report["setup"]["rate"]), (&1.into(), &40.0.into()));
    assert!(report["with"].get("first_event").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_have_a_first_event_and_gaps() {
    let output = compare("mock@chunks=8", "mock@chunks=8", &["--stream", "--json"]).await;
    let report = report(&output);
    let round = &report["rounds"][0]["with"];
    assert_eq!(round["chunks"], report["rounds"][0]["without"]["chunks"]);
    let (events, streams) = (round["events"].as_u64().unwrap(), round["answered"].as_u64().unwrap());
    assert!(streams == 20 && events >= 8 * streams, "{report:#}");
    assert_eq!(round["first_event"]["count"], streams);
    assert_eq!(round["between"]["count"], events - streams);
    assert!(report["overhead"]["first_event"]["p50"].is_f64());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_says_machine_set_up_and_figures() {
    let output = compare("mock", "mock", &["--pid", &std::process::id().to_string()]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for word in
        ["Linux", "40 requests a second", "overhead", "latency p99 µs", "CPU µs a request", "memory MB"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_equal_is_not_compared() {
    let longer = format!("mock@text={}", "long".repeat(500));
    refused(&compare("mock", &longer, &[]).await, &["not comparable", "bytes"]);
    let output = compare("mock@chunks=8", "mock@chunks=5", &["--stream"]).await;
    refused(&output, &["not comparable", "events"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_told_and_not_measured() {
    let mock = upstream::mock();
    let bench = |model: &str, more: &[&str]| {
        let url = upstream::url(&mock);
        let mut arguments = vec!["bench", &url, "--model", model, "--key", "any", "--duration", "200ms"];
        arguments.extend(more);
        tokio::task::block_in_place(|| run(&arguments, &[], &[]))
    };
    refused(&bench("mock@fault=status:503", &[]), &["no figure", "503"]);
    refused(&bench("mock@fault=cut:2@chunks=5", &["--stream"]), &["no figure"]);
    refused(&bench("unknown-model", &["--rps", "20"]), &["no figure", "404"]);
    let flaky = upstream::mock_with(causeway::mock::Settings { error_rate: 0.25, ..Default::default() });
    let url = upstream::url(&flaky);
    let arguments = ["bench", &url, "--key", "any", "--rps", "100", "--duration", "200ms"];
    let output = tokio::task::block_in_place(|| run(&arguments, &[], &[]));
    refused(&output, &["no figure", "status 500"]);
}

#[test]
fn what_cannot_be_measured_is_wrong_usage_or_a_word() {
    let check = |arguments: &[&str], code: i32, word: &str| {
        let output = run(&[&["bench"], arguments].concat(), &[], &[]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(word), "{said}");
    };
    check(&["https://127.0.0.1:1"], 1, "plain `http`");
    check(&["http://127.0.0.1:1"], 1, "refused");
    check(&["http://127.0.0.1:1", "--rps", "0"], 2, "rate");
    check(&["http://127.0.0.1:1", "--dialect", "klingon"], 2, "klingon");
    check(&["http://127.0.0.1:1", "--compare-key", "x"], 2, "--compare");
}
