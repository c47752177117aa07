//! What the provider may not see is gone, and every other byte is there.

use super::native;

fn body(message: &str) -> String {
    format!(
        "{{\"model\":\"m\", \"messages\":[ {{\"role\":\"user\",\"content\":\"reasoning_details\"}},{message} ] , \"n\":1.0}}"
    )
}

fn text(body: &str) -> Option<String> {
    native(body.as_bytes()).map(|body| String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn reasoning_from_another_vendor_is_taken_out_and_nothing_else() {
    let ours = r#"{"type":"reasoning.text","text":"t","signature":"s","format":"anthropic"}"#;
    let theirs = r#"{ "type":"reasoning.text","format":"anthropic-claude-v1"}"#;
    let message = |more: &str| {
        body(&format!(r#"{{"role":"assistant"{more},"content":"c","tool_calls":[{{ "id" : "1"}}]}}"#))
    };
    let all =
        message(&format!(r#","reasoning_details":[{ours}],"reasoning_content":"t","order":["content:0"]"#));
    assert_eq!(text(&all), Some(message("")));
    let both = message(&format!(r#","reasoning_content":"t","reasoning_details":[{ours}, {theirs}]"#));
    let left = message(&format!(r#","reasoning_content":"t","reasoning_details":[{theirs}]"#));
    assert_eq!(text(&both), Some(left.clone()));
    assert_eq!(text(&left), None);
    assert_eq!(text(&message(r#","reasoning_details":null"#)), None);
    assert_eq!(text(&message(r#","reasoning_content":"deepseek's""#)), None);
}
