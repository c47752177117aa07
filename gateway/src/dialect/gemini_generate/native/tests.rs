//! What Google may not see is gone, and every other byte is there.

use super::super::state::seal;
use super::{UNSIGNED, native};

fn sealed() -> String {
    seal("anthropic", false, "sig")
}

/// A body whose model says these parts.
fn body(parts: &str) -> String {
    format!(
        "{{\"contents\" : [{{\"parts\":[{{\"text\":\"\\u0061\"}}]}} , {{\"role\":\"model\",  \"parts\":{parts}}},\n \
         {{\"role\":\"user\",\"parts\":{{\"text\":\"b\"}}}}], \"generationConfig\":{{\"topP\":1.0}} }}"
    )
}

fn text(body: &str, model: &str) -> Option<String> {
    native(body.as_bytes(), model).map(|body| String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn others_signatures_are_taken_out_and_nothing_else() {
    let sealed = sealed();
    let call =
        |signature: &str| format!(r#"{{"functionCall":{{"name":"n","args":{{ "a" : 1}}}}{signature}}}"#);
    let own = r#"{"text":"x","thoughtSignature":"QUJD"}"#;
    for name in ["thoughtSignature", "thought_signature"] {
        let mark = format!(r#","{name}":"{sealed}""#);
        let parts = format!(
            r#"[{{"thought":true,"text":"hm"{mark}}},{own}, {{"text":"hi"{mark}}},{},{{"text":""{mark}}}]"#,
            call(&mark)
        );
        let left = |signature: &str| body(&format!(r#"[{own},{{"text":"hi"}},{}]"#, call(signature)));
        assert_eq!(text(&body(&parts), "gemini-2.5-flash"), Some(left("")), "{name}");
        // What came before the user's last word is not asked for again.
        for model in ["gemini-3-pro", "models/gemini-3.1-flash", "mock-think"] {
            assert_eq!(text(&body(&parts), model), Some(left("")), "{name} {model}");
        }
    }
}

#[test]
fn calls_of_another_vendor_in_the_current_turn_are_marked_as_such() {
    let sealed = sealed();
    let results = r#"{"role":"user","parts":[{"functionResponse":{"name":"n","response":{}}}]}"#;
    let current = |parts: &str| body(parts).replace(r#"{"role":"user","parts":{"text":"b"}}"#, results);
    let call = |signature: &str| format!(r#"{{"functionCall":{{"name":"n"}}{signature}}}"#);
    let unsigned = format!(r#","thoughtSignature":{UNSIGNED}"#);
    let two = |first: &str| current(&format!("[{},{}]", call(first), call("")));
    let mark = format!(r#","thoughtSignature":"{sealed}""#);
    for model in ["gemini-3-pro", "models/gemini-3.1-flash", "mock-think"] {
        assert_eq!(text(&two(""), model), Some(two(&unsigned)), "{model}");
        assert_eq!(text(&two(&mark), model), Some(two(&unsigned)), "{model}");
        assert_eq!(text(&two(r#","thoughtSignature":"QUJD""#), model), None, "{model}");
    }
    assert_eq!(text(&two(""), "gemini-2.5-pro"), None);
    assert_eq!(text(&two(&mark), "gemini-2.5-pro"), Some(two("")));
}

#[test]
fn a_body_without_them_stays_as_it_is() {
    for parts in [r#"[{"text":"x","thoughtSignature":"QUJD"}]"#, r#"{"text":"Y2F1c2V3YXk6"}"#, "[]"] {
        let body = body(parts);
        assert_eq!(text(&body, "gemini-3-pro"), None, "{parts}");
    }
    assert_eq!(text("Y2F1c2V3YXk6 no JSON", "m"), None);
}

#[test]
fn a_turn_of_which_nothing_is_left_goes() {
    let parts = format!(r#"[{{"text":"","thoughtSignature":"{}"}}]"#, sealed());
    let found = text(&body(&parts), "gemini-3-pro").unwrap();
    let read: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert_eq!(read["contents"].as_array().unwrap().len(), 2, "{found}");
    assert!(
        found.contains(r#"\u0061"#) && found.ends_with(r#""generationConfig":{"topP":1.0} }"#),
        "{found}"
    );
}
