//! Schemas in Gemini's words, and what is told about the difference.

use super::*;

/// What came out, and where something was lost.
fn rewritten(schema: &str) -> (String, Vec<String>) {
    let json: Json<'_> = serde_json::from_str(schema).expect("JSON");
    let mut losses = Losses::default();
    let rewritten = rewrite(&json, "s", &mut losses);
    let text = serde_json::to_string(&rewritten).expect("writes");
    (text, losses.into_vec().into_iter().map(|loss| loss.field).collect())
}

fn becomes(schema: &str, expected: &str, lost: &[&str]) {
    let (text, fields) = rewritten(schema);
    assert_eq!(text, expected);
    assert_eq!(fields, lost, "{schema}");
}

#[test]
fn what_needs_nothing_stays_byte_by_byte() {
    let schema = r#"{ "type":"object", "properties": {"z":{"type":"string"},"a":{"anyOf":[{"type":"integer"},{"type":"null"}]}}, "additionalProperties": false }"#;
    becomes(schema, schema, &[]);
}

#[test]
fn references_are_written_out_with_what_stands_beside_them() {
    becomes(
        r##"{"$schema":"x","type":"object","properties":{"z":{"$ref":"#/$defs/p","description":"here"},"a":{"$ref":"#/definitions/q~1r"}},"$defs":{"p":{"type":"string","description":"there"}},"definitions":{"q/r":{"type":"integer"}}}"##,
        r#"{"type":"object","properties":{"z":{"type":"string","description":"here"},"a":{"type":"integer"}}}"#,
        &[],
    );
    becomes(r##"{"$ref":"#/$defs/gone","type":"string"}"##, r#"{"type":"string"}"#, &["s.$ref"]);
    becomes(r##"{"items":{"$ref":"https://example.com/x"}}"##, r#"{"items":{}}"#, &["s.items.$ref"]);
}

#[test]
fn circles_are_cut() {
    let (text, lost) = rewritten(
        r##"{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"}}}}}"##,
    );
    let expected = concat!(
        r#"{"type":"object","properties":{"next":{"type":"object","properties":{"next":"#,
        r#"{"type":"object","properties":{"next":{"type":"object"}}}}}}}"#
    );
    assert_eq!(text, expected);
    assert_eq!(lost, ["s.properties.next.properties.next.properties.next"]);
    // A circle without anything in it, and one through the root.
    becomes(r##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}}"##, "{}", &["s"]);
    let (_, lost) = rewritten(r##"{"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}}}"##);
    assert!(!lost.is_empty());
}

#[test]
fn what_would_grow_without_end_is_cut() {
    // Each definition names the next one twice: written out it would have 2^60 places.
    let definitions: Vec<String> = (0..60)
        .map(|n| format!(r##""d{n}":{{"properties":{{"a":{{"$ref":"#/$defs/d{m}"}},"b":{{"$ref":"#/$defs/d{m}"}}}}}}"##, m = n + 1))
        .collect();
    let schema = format!(
        r##"{{"$ref":"#/$defs/d0","$defs":{{{},"d60":{{"type":"string"}}}}}}"##,
        definitions.join(",")
    );
    let (text, lost) = rewritten(&schema);
    assert!(text.len() < 1_000_000, "{}", text.len());
    assert!(!lost.is_empty());
    let chain: Vec<String> =
        (0..5000).map(|n| format!(r##""d{n}":{{"items":{{"$ref":"#/$defs/d{}"}}}}"##, n + 1)).collect();
    let (_, lost) = rewritten(&format!(r##"{{"$ref":"#/$defs/d0","$defs":{{{}}}}}"##, chain.join(",")));
    assert_eq!(lost.len(), 1);
}

#[test]
fn all_of_becomes_one_schema() {
    becomes(
        r##"{"allOf":[{"$ref":"#/$defs/base"},{"properties":{"b":{"type":"string"},"a":{"minimum":1,"type":"number"}},"required":["b"]}],"description":"d","$defs":{"base":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}}}"##,
        r#"{"description":"d","type":"object","properties":{"a":{"type":"integer","minimum":1},"b":{"type":"string"}},"required":["a","b"]}"#,
        &["s.properties.a.type"],
    );
}

#[test]
fn choices_are_said_in_geminis_words() {
    becomes(r#"{"const":"x"}"#, r#"{"enum":["x"],"type":"string"}"#, &[]);
    becomes(r#"{"type":"integer","enum":[1,2]}"#, r#"{"type":"integer","enum":[1,2]}"#, &[]);
    becomes(r#"{"type":"string","enum":["a",null]}"#, r#"{"type":["string","null"],"enum":["a"]}"#, &[]);
    becomes(r#"{"const":true}"#, r#"{"type":"boolean"}"#, &["s.const"]);
    becomes(r#"{"enum":["a",{"b":1}]}"#, "{}", &["s.enum"]);
    becomes(r#"{"const":null}"#, r#"{"type":"null"}"#, &[]);
    becomes(
        r#"{"oneOf":[{"const":1},{"type":"null"}]}"#,
        r#"{"anyOf":[{"enum":[1],"type":"integer"},{"type":"null"}]}"#,
        &["s.oneOf"],
    );
}

#[test]
fn several_types_are_a_choice() {
    becomes(r#"{"type":["string","null"],"nullable":false}"#, r#"{"type":["string","null"]}"#, &[]);
    becomes(r#"{"type":"string","nullable":true}"#, r#"{"type":["string","null"]}"#, &[]);
    becomes(
        r#"{"type":["string","integer"],"minimum":1,"description":"d"}"#,
        r#"{"description":"d","anyOf":[{"type":"string","minimum":1},{"type":"integer","minimum":1}]}"#,
        &[],
    );
    becomes(
        r#"{"items":[{"const":1},{"type":"string"}]}"#,
        r#"{"prefixItems":[{"enum":[1],"type":"integer"},{"type":"string"}]}"#,
        &[],
    );
}

#[test]
fn ignored_constraints_stay_and_are_told() {
    becomes(
        r#"{"properties":{"a":{"type":"string","pattern":"^a"}},"additionalProperties":{"not":{}}}"#,
        r#"{"properties":{"a":{"type":"string","pattern":"^a"}},"additionalProperties":{"not":{}}}"#,
        &["s.properties.a.pattern", "s.additionalProperties.not"],
    );
    // A property may be called like a keyword.
    becomes(
        r#"{"properties":{"pattern":{"type":"string"},"enum":{"const":1}}}"#,
        r#"{"properties":{"pattern":{"type":"string"},"enum":{"enum":[1],"type":"integer"}}}"#,
        &[],
    );
}
