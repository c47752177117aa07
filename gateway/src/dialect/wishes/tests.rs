//! What is read, what is refused, and which bytes stay.

use bytes::Bytes;

use super::take;
use crate::domain::{Micros, Sort, Wishes};

fn taken(body: &str) -> (String, Option<Wishes>) {
    let (left, wishes) = take(Bytes::from(body.to_owned())).unwrap_or_else(|error| panic!("{body}: {error}"));
    (String::from_utf8(left.to_vec()).expect("text"), wishes)
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn every_wish_is_read() {
    let (left, wishes) = taken(
        r#"{"model":"m","provider":{"order":["a","b/c"],"only":["a"],"ignore":[],"sort":"throughput",
        "max_price":{"prompt":1.5,"completion":"2","request":1e-3},"allow_fallbacks":false,"require_parameters":true},
        "models":["x","y\u002fz"]}"#,
    );
    assert_eq!(left, r#"{"model":"m"}"#);
    let expected = Wishes {
        models: texts(&["x", "y/z"]),
        order: texts(&["a", "b/c"]),
        only: Some(texts(&["a"])),
        ignore: Vec::new(),
        sort: Some(Sort::Throughput),
        max_prompt: Some(Micros(1_500_000)),
        max_completion: Some(Micros(2_000_000)),
        max_request: Some(Micros(1_000)),
        no_fallbacks: true,
        require_parameters: true,
    };
    assert_eq!(wishes, Some(expected));
}

#[test]
fn only_the_wishes_leave_the_body() {
    for (body, left) in [
        (r#"{"provider":{},"model":"m"}"#, r#"{"model":"m"}"#),
        (r#"{"model":"m", "provider" : {} }"#, r#"{"model":"m" }"#),
        (r#"{"a":1,"provider":{},"models":[],"b":"\"provider\":1"}"#, r#"{"a":1,"b":"\"provider\":1"}"#),
        (r#"{"a":1,"provider":{},"models":[]}"#, r#"{"a":1}"#),
        (r#"{ "models" : [ ] , "provider":null }"#, r#"{   }"#),
        (r#"{"pro\u0076ider":{},"x":"\"models\"","models":["q"]}"#, r#"{"x":"\"models\""}"#),
    ] {
        let (found, wishes) = taken(body);
        assert_eq!(found, left, "{body}");
        assert!(wishes.is_some(), "{body}");
        serde_json::from_str::<serde_json::Value>(&found).expect("still JSON");
    }
}

#[test]
fn a_body_without_wishes_stays_the_same_bytes() {
    for body in [
        r#"{"model":"m","messages":[{"role":"user","content":"\"provider\""}]}"#,
        r#"{"messages":[{"provider":{"only":["x"]},"models":["a"]}]}"#,
        r#"{"provider":{"#,
        r#"["models"]"#,
        "",
    ] {
        assert_eq!(taken(body), (body.to_owned(), None), "{body}");
    }
}

#[test]
fn what_is_no_wish_is_named_with_its_path() {
    for (body, path) in [
        (r#"{"provider":"openai"}"#, "provider"),
        (r#"{"provider":{"zdr":true}}"#, "provider.zdr"),
        (r#"{"provider":{"order":"a"}}"#, "provider.order"),
        (r#"{"provider":{"only":["a",7]}}"#, "provider.only[1]"),
        (r#"{"provider":{"sort":"speed"}}"#, "provider.sort"),
        (r#"{"provider":{"allow_fallbacks":"no"}}"#, "provider.allow_fallbacks"),
        (r#"{"provider":{"max_price":{"prompt":-1}}}"#, "provider.max_price.prompt"),
        (r#"{"provider":{"max_price":{"prompt":0.0000001}}}"#, "provider.max_price.prompt"),
        (r#"{"provider":{"max_price":{"image":1}}}"#, "provider.max_price.image"),
        (r#"{"provider":{},"provider":{}}"#, "provider"),
        (r#"{"models":"a"}"#, "models"),
        (r#"{"models":[{}]}"#, "models[0]"),
    ] {
        let error = take(Bytes::from(body)).expect_err(body);
        assert_eq!(error.param.as_deref(), Some(path), "{body}: {error}");
    }
}
