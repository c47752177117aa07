//! What Anthropic may not see is gone, and every other byte is there.

use super::native;

const SEALED: [&str; 5] = [
    r#"{"type":"thinking","thinking":"t","signature":"causeway:gemini:abc"}"#,
    r#"{"thinking":"t","signature" :  "", "type":"thinking"}"#,
    r#"{"type":"redacted_thinking","data":"causeway:openai:x"}"#,
    r#"{"type":"redacted_thinking","data":"causeway:bound:{\"to\":\"message\",\"extra_content\":{}}"}"#,
    r#"{"type":"thinking","thinking":"causeway: a word","signature":"causeway:x:y"}"#,
];
const OWN: &str = r#"{"type":"thinking","thinking":"t","signature":"EqoB"}"#;

/// A body whose assistant says these blocks.
fn body(blocks: &str, more: &str) -> String {
    format!(
        "{{ \"model\":\"m\" ,{more}\"messages\": [{{\"role\":\"user\",\"content\":\"causeway: said the user \\u00e9\"}},\n \
         {{\"role\": \"assistant\", \"content\":{blocks}, \"x\":1.50}} , {{\"role\":\"user\",\"content\":[ ]}}], \"z\" : 1e2}}"
    )
}

fn text(body: &str) -> Option<String> {
    native(body.as_bytes()).map(|body| String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn others_state_is_taken_out_and_nothing_else() {
    let said = r#"{ "type":"text" , "text":"hi"}"#;
    for sealed in SEALED {
        let kept = body(&format!("[{OWN},{said}]"), "");
        assert_eq!(text(&body(&format!("[ {sealed} ,{OWN}, {said} ]"), "")), Some(kept.clone()), "{sealed}");
        assert_eq!(text(&body(&format!("[{OWN},{sealed},{said},{sealed}]"), "")), Some(kept), "{sealed}");
    }
}

#[test]
fn a_body_without_it_stays_as_it_is() {
    for blocks in [
        r#""causeway:""#,
        &format!("[{OWN}]"),
        r#"[{"type":"text","text":"\"signature\":\"\" causeway:x:y"}]"#,
        "[]",
        "7",
    ] {
        assert_eq!(text(&body(blocks, "")), None, "{blocks}");
    }
    assert_eq!(text("causeway: no JSON"), None);
    // What a user says is not state, whatever it looks like.
    let quoted = body("\"x\"", "").replace("[ ]", &format!("[{}]", SEALED[0]));
    assert_eq!(text(&quoted), None);
}

#[test]
fn a_message_of_which_nothing_is_left_goes() {
    let found = text(&body(&format!("[{},{}]", SEALED[0], SEALED[2]), "")).unwrap();
    let read: serde_json::Value = serde_json::from_str(&found).unwrap();
    let roles: Vec<_> = read["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["user", "user"]);
    assert!(found.contains(r#"said the user \u00e9"#) && found.ends_with(r#""z" : 1e2}"#), "{found}");
}

#[test]
fn thinking_pauses_where_a_tool_loop_has_lost_its_thoughts() {
    let calls = |front: &str| format!(r#"[{front}{{"type":"tool_use","id":"c","name":"n","input":{{}}}}]"#);
    let loops = |blocks: &str, thinking: &str| {
        body(blocks, &format!("\"thinking\": {thinking},"))
            .replace("[ ]", r#"[{"type":"tool_result","tool_use_id":"c"}]"#)
    };
    let enabled = r#"{"type":"enabled","budget_tokens":1024}"#;
    let sealed = format!("{},", SEALED[0]);
    let expected = loops(&calls(""), r#"{"type":"disabled"}"#);
    assert_eq!(text(&loops(&calls(&sealed), enabled)), Some(expected));
    // A model that decides by itself does not ask for it, and Anthropic's own thoughts may stand before the call.
    let adaptive = r#"{"type":"adaptive"}"#;
    assert_eq!(text(&loops(&calls(&sealed), adaptive)), Some(loops(&calls(""), adaptive)));
    let own = format!("{OWN},");
    let expected = loops(&calls(&own), enabled);
    assert_eq!(text(&loops(&calls(&format!("{own}{sealed}")), enabled)), Some(expected));
    // No results, no loop.
    let asked = body(&calls(&sealed), &format!("\"thinking\": {enabled},"));
    assert_eq!(text(&asked), Some(body(&calls(""), &format!("\"thinking\": {enabled},"))));
}
