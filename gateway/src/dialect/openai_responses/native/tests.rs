//! What another service cannot understand is gone, and every other byte is there.

use super::super::state::{Detail, Sealed, seal};
use super::native;

const OURS: &str = "resp_01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn body(previous: &str, items: &str) -> String {
    format!("{{\"previous_response_id\" : {previous},\"model\":\"m\",\n\"input\":{items}, \"top_p\":1.0}}")
}

fn text(body: &str) -> Option<String> {
    native(body.as_bytes()).map(|body| String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn only_what_is_ours_is_taken_out() {
    let detail =
        Detail { r#type: "reasoning.text".into(), format: Some("anthropic".into()), ..Detail::default() };
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let sealed = format!(
        r#"{{"type":"reasoning","summary":[],"encrypted_content":{}}}"#,
        quoted(&seal(&Sealed::Detail(detail)))
    );
    let short = format!(
        r#"{{"type":"compaction","encrypted_content":{}}}"#,
        quoted(&seal(&Sealed::Summary("in short".into())))
    );
    let own = r#"{"type":"reasoning", "encrypted_content":"gAAA"}"#;
    let said = r#"{"role":"user","content":"causeway:"}"#;
    let found = text(&body("null", &format!("[{sealed},{own} , {short},{said}]"))).unwrap();
    let opened =
        r#"{"content":"Summary of the conversation so far:\n\nin short","role":"user","type":"message"}"#;
    assert_eq!(found, body("null", &format!("[{own},{opened},{said}]")));
    assert_eq!(text(&body("null", &format!("[{own}]"))), None);
    assert_eq!(
        text(&body("\"resp_68af4030592c81938ec0a5fbab4a3e9f\"", "\"x\"")),
        None,
        "another service's id"
    );
    assert_eq!(text(&body(&format!("\"{OURS}\""), "\"x\"")), Some(body("null", "\"x\"")));
}
