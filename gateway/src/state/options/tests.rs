//! The default URL with options filled in, and the presets' options.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::{Value, json};

use super::{check, passages, url};
use crate::adapter::{Limits, Passage, Registry, Runtime, Source};
use crate::config::preset;
use crate::domain::http::CredentialKind;

fn made(default_url: &str, options: serde_json::Value) -> Result<String, String> {
    let schema = json!({"properties": {
        "location": {"default": "global", "x-in-url": {"global": "all", "*": "*-one"}},
        "zone": {"type": "string"}
    }});
    let options: BTreeMap<_, _> = serde_json::from_value(options).expect("an object");
    url(default_url, &schema.to_string(), &options)
}

#[test]
fn options_stand_in_the_url_as_the_schema_says() {
    for (default_url, options, expected) in [
        ("https://a.com/v1", json!({}), Ok("https://a.com/v1")),
        ("https://{location}.a.com", json!({}), Ok("https://all.a.com")),
        ("https://{location}.a.com", json!({"location": "global"}), Ok("https://all.a.com")),
        ("https://{location}.a.com", json!({"location": "us-east1"}), Ok("https://us-east1-one.a.com")),
        ("https://{location}.{zone}.com", json!({"zone": "z"}), Ok("https://all.z.com")),
        ("https://{zone}.com", json!({}), Err("needs a `url`, or `options.zone`")),
        ("https://{zone}.com", json!({"zone": "evil.com/"}), Err("cannot make a url of `options.zone`")),
        ("https://{zone}.com", json!({"zone": ""}), Err("cannot make a url of `options.zone`")),
        ("https://{zone", json!({"zone": "z"}), Err("has a default url with an open brace")),
        ("", json!({}), Err("has no default url; give one")),
    ] {
        let made = made(default_url, options);
        assert_eq!(made.as_deref().map_err(String::as_str), expected, "{default_url}");
    }
}

#[test]
fn every_preset_fits_its_adapter() {
    let registry = Registry::new(Runtime::start(None).expect("an engine"));
    let mut schemas = BTreeMap::new();
    for (name, preset) in preset::list() {
        let schema = schemas.entry(&preset.plugin).or_insert_with(|| {
            let loaded = registry.load(&preset.plugin, &Source::Bundled, Limits::default());
            loaded.unwrap_or_else(|error| panic!("{error}")).manifest().options_schema.clone()
        });
        check(schema, &preset.options).unwrap_or_else(|problem| panic!("{name}: {problem}"));
    }
    let odd = BTreeMap::from([("max_token_field".to_owned(), json!("max_tokens"))]);
    check(&schemas[&"openai".to_owned()], &odd).expect_err("no such option");
}

fn left(options: Value) -> Vec<CredentialKind> {
    let schema = json!({ "properties": {
        "auth": { "x-passage": "credential" }, "guard": { "x-passage": "never" }, "region": {},
    } });
    let told = Passage {
        dialect: "bedrock-converse".to_owned(),
        path: "/x".to_owned(),
        stream_path: "/x".to_owned(),
        headers: HeaderMap::new(),
        credential: CredentialKind::None,
    };
    let options: BTreeMap<String, Value> = serde_json::from_value(options).expect("an object");
    passages(&schema.to_string(), &options, &[told]).into_iter().map(|passage| passage.credential).collect()
}

#[test]
fn an_option_may_change_the_credential_of_a_passage_or_close_it() {
    assert_eq!(left(json!({})), [CredentialKind::None]);
    assert_eq!(left(json!({ "region": "eu", "auth": "sigv4" })), [CredentialKind::None]);
    assert_eq!(left(json!({ "auth": "bearer" })), [CredentialKind::Bearer]);
    assert_eq!(left(json!({ "auth": "bearer", "guard": { "id": "g" } })), []);
}
