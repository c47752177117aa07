//! The table of rights and the router's list are one.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_operation_has_a_rule_and_every_rule_an_operation() {
    let mut document = operations().into_openapi();
    let found: BTreeSet<String> = rights::operations(&mut document)
        .iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let ruled: BTreeSet<String> =
        rights::RULES.iter().map(|rule| format!("{} {}", rule.method, rule.path)).collect();
    assert_eq!(ruled.len(), rights::RULES.len(), "a rule stands there twice");
    assert_eq!(found, ruled);
    openapi::complete(&mut document).unwrap();
}

#[test]
fn the_document_says_of_each_operation_what_it_is_called_and_who_may() {
    let text = text().unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["operationId"].is_string(), "{method} {path}");
            assert!(operation["summary"].is_string() && operation["x-role"].is_string(), "{method} {path}");
        }
    }
}
