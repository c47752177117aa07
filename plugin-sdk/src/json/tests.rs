//! Merging and explaining.

use serde_json::json;

use super::*;

#[test]
fn merging_goes_deep_and_replaces_the_rest() {
    let mut into = json!({ "a": { "b": 1, "c": [1] }, "d": 2 });
    merge(&mut into, json!({ "a": { "c": [2, 3], "e": null }, "d": { "f": 1 } }));
    assert_eq!(into, json!({ "a": { "b": 1, "c": [2, 3], "e": null }, "d": { "f": 1 } }));
}

#[test]
fn paths_reach_into_lists_and_skip_nulls() {
    let value = json!({ "error": { "details": [{ "reason": "x", "code": null, "n": 7 }] } });
    assert_eq!(text_at(&value, "error.details.0.reason"), Some("x"));
    assert_eq!(number_at(&value, "error.details.0.n"), Some(7));
    assert_eq!(at(&value, "error.details.0.code"), None);
    assert_eq!(at(&value, "error.details.1"), None);
}

#[test]
fn a_wrong_answer_names_the_place() {
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        count: Vec<u64>,
    }
    let failure = answer::<Inner>("answer", br#"{"count":[1,"x"]}"#).expect_err("refused");
    assert_eq!(failure.kind, crate::FailureKind::Malformed);
    assert_eq!(
        failure.message,
        "the provider's answer makes no sense at `count[1]`: invalid type: string \"x\", expected u64"
    );
}
