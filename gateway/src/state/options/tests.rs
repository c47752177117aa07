//! What options leave of the passages.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::{Value, json};

use super::passages;
use crate::adapter::Passage;
use crate::domain::http::CredentialKind;

const SCHEMA: &str = r#"{ "properties": {
    "auth": { "x-passage": "credential" }, "guard": { "x-passage": "never" }, "region": {}
} }"#;

fn left(options: Value) -> Vec<CredentialKind> {
    let told = Passage {
        dialect: "bedrock-converse".to_owned(),
        path: "/x".to_owned(),
        stream_path: "/x".to_owned(),
        headers: HeaderMap::new(),
        credential: CredentialKind::None,
    };
    let options: BTreeMap<String, Value> = serde_json::from_value(options).expect("an object");
    passages(SCHEMA, &options, &[told]).into_iter().map(|passage| passage.credential).collect()
}

#[test]
fn an_option_may_change_the_credential_of_a_passage_or_close_it() {
    assert_eq!(left(json!({})), [CredentialKind::None]);
    assert_eq!(left(json!({ "region": "eu", "auth": "sigv4" })), [CredentialKind::None]);
    assert_eq!(left(json!({ "auth": "bearer" })), [CredentialKind::Bearer]);
    assert_eq!(left(json!({ "auth": "bearer", "guard": { "id": "g" } })), []);
}
