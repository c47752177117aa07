//! Reading requests: what borrows, what is kept, where errors point.

use super::*;
use crate::FailureKind;

mod check;

fn param(body: &str) -> (Option<String>, String) {
    let failure = ChatRequest::parse(body.as_bytes()).expect_err("refused");
    assert_eq!(failure.kind, FailureKind::InvalidRequest);
    (failure.param, failure.message)
}

#[test]
fn errors_point_at_the_field() {
    let (path, message) = param(r#"{"messages":[{"role":"user","content":"a"},{"role":"robot"}]}"#);
    assert_eq!(path.as_deref(), Some("messages[1].role"));
    assert!(message.contains("unknown variant `robot`"), "{message}");
    let (path, _) = param(r#"{"messages":[{"role":"user","content":[{"type":"text","text":5}]}]}"#);
    assert_eq!(path.as_deref(), Some("messages[0].content[0].text"));
    let (path, message) = param(r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#);
    assert_eq!(path.as_deref(), Some("messages[0].content[0]"));
    assert!(message.contains("image_url"), "{message}");
    let (path, _) = param(r#"{"messages":[],"tools":[{"type":"function","function":{"name":3}}]}"#);
    assert_eq!(path.as_deref(), Some("tools[0].function.name"));
    let (path, _) = param(r#"{"messages":[],"stop":7}"#);
    assert_eq!(path.as_deref(), Some("stop"));
    let (path, _) = param(
        "{\n \"a\": {\"b\": [\"\\\"}\"]},\n\"messages\" : [ {} , \n {\"role\" : \"user\",\"content\" : {\"x\":1}}]}",
    );
    assert_eq!(path.as_deref(), Some("messages[1].content"));
    let (path, _) = param(r#"{"messages":[],"reasoning":{"max_tokens":-5}}"#);
    assert_eq!(path.as_deref(), Some("reasoning.max_tokens"));
    let (path, _) = param(r#"{"messages":[[]]}"#);
    assert_eq!(path.as_deref(), Some("messages[0]"));
    let (path, _) = param(r#"{"messages":{}}"#);
    assert_eq!(path.as_deref(), Some("messages"));
    let (path, _) = param(r#"[]"#);
    assert_eq!(path, None);
    let (path, message) = param(r#"{"messages":[]"#);
    assert_eq!(path, None, "{message}");
    assert!(message.contains("not valid JSON"), "{message}");
}

#[test]
fn nulls_are_absent_and_unknown_fields_are_kept() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":null,"name":null,"mood":"glad"}],"tools":null,"temperature":0,"flux":{"a":[1]}}"#;
    let request = ChatRequest::parse(body.as_bytes()).expect("reads");
    assert!(request.tools.is_empty());
    assert_eq!(request.temperature.as_ref().and_then(Number::as_f64), Some(0.0));
    assert_eq!(
        request.rest.get("flux").map(|json| json.text().into_owned()).as_deref(),
        Some(r#"{"a":[1]}"#)
    );
    assert!(request.messages[0].content.is_none());
    assert_eq!(
        request.messages[0].rest.get("mood").and_then(Json::read::<Text<'_>>).as_deref(),
        Some("glad")
    );
}

#[test]
fn what_is_read_is_written_again() {
    let body = concat!(
        r#"{"model":"m","messages":[{"role":"assistant","content":[{"type":"text","text":"a\nb","cache_control":{"type":"ephemeral","ttl":"1h"}},"#,
        r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"low"}},{"type":"vendor","vendor":"anthropic","value":{"type":"x"}},"#,
        r#"{"type":"hologram","depth":3}],"reasoning_details":[{"type":"reasoning.text","text":"t","signature":"s","format":"anthropic"}],"#,
        r#""tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}],"order":["content:0","reasoning:0"]}],"#,
        r#""temperature":0.5,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}},"vendor":{"anthropic":{"defer_loading":true}}}],"#,
        r#""tool_choice":{"type":"function","function":{"name":"f"}}}"#
    );
    let request = ChatRequest::parse(body.as_bytes()).expect("reads");
    let written = serde_json::to_value(&request).expect("writes");
    assert_eq!(written, serde_json::from_str::<serde_json::Value>(body).expect("is JSON"));
    assert!(request.tools[0].settings().get("anthropic").is_some());
}

#[test]
fn a_part_may_name_its_type_last() {
    let body = r#"{"messages":[{"role":"user","content":[{"text":"late","type":"text"},{"depth":1,"text":"kept","type":"hologram"}]}]}"#;
    let request = ChatRequest::parse(body.as_bytes()).expect("reads");
    let Some(Content::Parts(parts)) = &request.messages[0].content else { panic!("parts") };
    assert_eq!(parts[0].text(), Some("late"));
    assert_eq!(parts[1].kind(), "hologram");
    assert!(parts[1].rest.get("depth").is_some() && parts[1].rest.get("text").is_some());
}

#[test]
fn blocks_come_in_the_given_order_each_once() {
    let body = concat!(
        r#"{"messages":[{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"#,
        r#""reasoning_details":[{"type":"reasoning.text","text":"r"}],"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":""}}],"#,
        r#""order":["content:0","reasoning:0","content:0","tool_call:0","tool_call:9"]}]}"#
    );
    let request = ChatRequest::parse(body.as_bytes()).expect("reads");
    let paths: Vec<String> = request.messages[0].ordered().map(|block| block.path()).collect();
    assert_eq!(paths, ["content[0]", "reasoning_details[0]", "tool_calls[0]", "content[1]"]);
}

#[test]
fn deprecated_functions_become_tools() {
    let body = concat!(
        r#"{"functions":[{"name":"f"}],"function_call":{"name":"f"},"messages":["#,
        r#"{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"1"}]}"#
    );
    let request = ChatRequest::parse(body.as_bytes()).expect("reads");
    assert_eq!(request.tools[0].function.as_ref().map(|function| &*function.name), Some("f"));
    assert!(matches!(&request.tool_choice, Some(ToolChoice::Function(name)) if *name == "f"));
    assert_eq!(request.messages[0].tool_calls[0].id, "call_legacy_0");
    assert_eq!(request.messages[1].role, Role::Tool);
    assert_eq!(request.messages[1].tool_call_id.as_deref(), Some("call_legacy_0"));
}

#[test]
fn chunks_have_the_agreed_shape() {
    let head = Head { id: "x".into(), model: "m".into() };
    let mut lines = Lines::default();
    lines.push(&Chunk::delta(
        &head,
        0,
        Delta { role: Some(Assistant), content: Some("a\n".into()), ..Delta::default() },
    ));
    lines.push(&Chunk::finish(&head, 0, FinishReason::ToolCalls, End::default()));
    lines.push_usage(
        &head,
        &crate::Usage { input: Some(3), output: Some(2), cache_read: Some(1), ..crate::Usage::default() },
    );
    let expected = concat!(
        r#"{"id":"x","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"a\n"},"finish_reason":null}]}"#,
        "\n",
        r#"{"id":"x","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
        "\n",
        r#"{"id":"x","object":"chat.completion.chunk","created":0,"model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":1}}}"#,
        "\n"
    );
    assert_eq!(String::from_utf8(lines.into_bytes()).expect("text"), expected);
}
