//! What rules do to an object, and what they leave.

use serde_json::json;

use super::*;

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("JSON")
}

fn applied(rules: &Rules, body: &str) -> String {
    let mut fields = Fields::read(body).expect("an object");
    rules.apply(&mut fields, &str::to_owned);
    fields.to_raw().expect("JSON").get().to_owned()
}

#[test]
fn rules_are_applied_in_their_order() {
    let rules = Rules {
        rename: vec![("a".into(), "b".into()), ("deep.old".into(), "new".into())],
        remove: vec!["c".into(), "deep.gone".into(), "not.there".into()],
        default: vec![("b".into(), raw("9")), ("d".into(), raw("9")), ("deep.e".into(), raw("9"))],
        set: vec![("f".into(), raw("[1.50]")), ("g.h.i".into(), raw("true")), ("d".into(), raw("7"))],
        max_tokens: None,
    };
    assert_eq!(
        applied(
            &rules,
            r#"{"x": 1.0e0 ,"a":1,"c":2,"deep":{"old":"o","gone":3,"kept":"\u0068"},"g":"text"}"#
        ),
        r#"{"x":1.0e0,"deep":{"kept":"\u0068","e":9},"g":{"h":{"i":true}},"b":1,"new":"o","d":7,"f":[1.50]}"#
    );
    // What stands under the new name stays, nothing is what null says, and a default makes no table of a word.
    assert_eq!(
        applied(&rules, r#"{"b":5,"a":1,"d":null,"deep":"word"}"#),
        r#"{"b":5,"d":7,"deep":"word","f":[1.50],"g":{"h":{"i":true}}}"#
    );
}

#[test]
fn tokens_are_capped_and_never_raised() {
    let rules = Rules { max_tokens: Some(100), ..Rules::default() };
    for (body, expected) in [
        (r#"{"a":1}"#, r#"{"a":1,"max_completion_tokens":100}"#),
        (r#"{"max_tokens":99}"#, r#"{"max_tokens":99}"#),
        (r#"{"max_tokens":101}"#, r#"{"max_tokens":100}"#),
        (
            r#"{"max_completion_tokens":1e9,"max_tokens":5}"#,
            r#"{"max_completion_tokens":100,"max_tokens":5}"#,
        ),
        (r#"{"max_tokens":null}"#, r#"{"max_tokens":null,"max_completion_tokens":100}"#),
        (r#"{"max_tokens":"many"}"#, r#"{"max_tokens":100}"#),
    ] {
        assert_eq!(applied(&rules, body), expected);
    }
}

#[test]
fn tables_are_merged_leaf_by_leaf() {
    let table = json!({ "reasoning": { "max_tokens": 5, "x": { "y": [1] } }, "a.b": {}, "c": "d" });
    let table = serde_json::from_value(table).expect("a table");
    let found: Vec<_> = leaves(&table).into_iter().map(|(path, value)| format!("{path}={value}")).collect();
    assert_eq!(found, ["a.b={}", "c=\"d\"", "reasoning.max_tokens=5", "reasoning.x.y=[1]"]);
}

#[test]
fn a_value_is_found_where_it_stands() {
    let fields = Fields::read(r#"{"a":{"b":{"c":1}},"n":null}"#).expect("an object");
    assert_eq!(fields.get("a.b.c").map(|raw| raw.get().to_owned()).as_deref(), Some("1"));
    assert!(fields.get("n").is_none() && fields.get("a.x").is_none() && fields.get("n.x").is_none());
    assert!(Fields::read("[1]").is_none());
}
