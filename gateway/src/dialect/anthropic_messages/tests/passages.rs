//! Anthropic's own answers, passing through.

use crate::dialect::anthropic_messages::AnthropicMessages;
use crate::dialect::{Dialect, Passing};
use crate::domain::Usage;
use crate::error::Kind;

fn word(passing: &Passing) -> &'static str {
    match passing {
        Passing::Quiet => "quiet",
        Passing::Content => "content",
        Passing::Stopped => "stopped",
        Passing::End => "end",
        Passing::Failed(_) => "failed",
    }
}

#[test]
fn events_are_told_apart_without_being_parsed() {
    let cases = [
        (r#"{"type": "ping"}"#, "quiet"),
        (r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""} }"#, "quiet"),
        (
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"tool_use\""}}"#,
            "quiet",
        ),
        (
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t"}}"#,
            "content",
        ),
        (
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\"type\":\"error\""}      }"#,
            "content",
        ),
        (r#"{"index":0,"delta":{"type":"text_delta","text":"x"},"type":"content_block_delta"}"#, "content"),
        (r#"{"type":"content_block_stop","index":0}"#, "quiet"),
        (r#"{"type":"message_stop"   }"#, "end"),
        (r#"{"type":"brand_new"}"#, "quiet"),
        (r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, "failed"),
        ("", "quiet"),
        ("{\"type\"", "quiet"),
    ];
    for (data, wanted) in cases {
        let mut usage = Usage::default();
        assert_eq!(word(&AnthropicMessages.passing(data.as_bytes(), &mut usage)), wanted, "{data}");
        assert_eq!(usage, Usage::default());
    }
}

#[test]
fn an_error_in_the_stream_keeps_its_kind() {
    let data = br#"{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#;
    let Passing::Failed(error) = AnthropicMessages.passing(data, &mut Usage::default()) else {
        panic!("an error event is a failure");
    };
    assert_eq!((error.kind, error.message.as_str()), (Kind::Overloaded, "Overloaded"));
    assert_eq!(error.code.as_deref(), Some("overloaded_error"));
}

#[test]
fn usage_is_summed_over_the_events() {
    let mut usage = Usage::default();
    let start = br#"{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":3,"cache_creation_input_tokens":20,"cache_read_input_tokens":100,"cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":15},"output_tokens":1}}}"#;
    let delta = br#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":4,"output_tokens":50,"output_tokens_details":{"thinking_tokens":30}}}"#;
    AnthropicMessages.passing(start, &mut usage);
    assert_eq!((usage.input, usage.output), (Some(123), Some(1)));
    AnthropicMessages.passing(delta, &mut usage);
    let wanted = Usage {
        input: Some(124),
        output: Some(50),
        cache_read: Some(100),
        cache_write: Some(20),
        cache_write_long: Some(15),
        reasoning: Some(30),
        ..Usage::default()
    };
    assert_eq!(usage, wanted);
}

#[test]
fn steps_beside_the_answer_are_counted_too() {
    let body = br#"{"usage":{"input_tokens":10,"output_tokens":5,"iterations":[
        {"type":"compaction","input_tokens":100,"output_tokens":20},{"type":"message","input_tokens":10,"output_tokens":5}]}}"#;
    let usage = AnthropicMessages.whole_usage(body).expect("usage");
    assert_eq!((usage.input, usage.output, usage.cache_read), (Some(110), Some(25), None));
    assert_eq!(AnthropicMessages.whole_usage(b"{\"type\":\"message\"}"), None);
}

#[test]
fn state_of_others_never_passes_through() {
    let body = |signature: &str| {
        format!(
            r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"assistant","content":[{{"type":"thinking","thinking":"hm","signature":"{signature}"}}]}}]}}"#
        )
    };
    assert!(AnthropicMessages.native(body("ErUB").as_bytes(), "m").is_none());
    let native = AnthropicMessages.native(body("causeway:gemini:abc").as_bytes(), "m").expect("another body");
    assert!(!String::from_utf8_lossy(&native).contains("causeway:"), "{native:?}");
}
