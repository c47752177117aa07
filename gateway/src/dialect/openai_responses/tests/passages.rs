//! OpenAI's own answers on their way through.

use crate::dialect::{Dialect, Passing, openai_responses::OpenAiResponses};
use crate::domain::Usage;

fn look(data: &str) -> (String, Option<u64>) {
    let mut usage = Usage::default();
    let word = match OpenAiResponses.passing(data.as_bytes(), &mut usage) {
        Passing::Quiet => "quiet".to_owned(),
        Passing::Content => "content".to_owned(),
        Passing::Stopped => "stopped".to_owned(),
        Passing::End => "end".to_owned(),
        Passing::Failed(error) => format!("failed {:?} {}", error.kind, error.message),
    };
    (word, usage.output)
}

#[test]
fn events_are_told_apart() {
    let word = |data: &str| look(data).0;
    assert_eq!(word(r#"{"type":"response.created","response":{"usage":null}}"#), "quiet");
    assert_eq!(word(r#"{"type":"response.in_progress","response":{}}"#), "quiet");
    assert_eq!(word(r#"{"type":"response.output_item.added","item":{"type":"message"}}"#), "quiet");
    assert_eq!(word(r#"{"type":"response.output_item.added","item":{"type":"reasoning"}}"#), "content");
    assert_eq!(word(r#"{"type":"response.output_text.delta","delta":"\"type\":\"error\""}"#), "content");
    assert_eq!(word(r#"{"item":{"type":"message"},"type":"response.output_item.done"}"#), "content");
    assert_eq!(word("[DONE]"), "quiet");
    assert_eq!(word(r#"{"type":"keepalive"}"#), "quiet");
    assert_eq!(
        look(r#"{"type":"response.completed","response":{"usage":{"input_tokens":3,"output_tokens":4}}}"#),
        ("end".into(), Some(4))
    );
    assert_eq!(
        look(r#"{"type":"response.incomplete","response":{"usage":{"output_tokens":5}}}"#),
        ("end".into(), Some(5))
    );
    assert_eq!(
        word(
            r#"{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"slow down"}}}"#
        ),
        "failed RateLimited slow down"
    );
    assert_eq!(
        word(r#"{"type":"response.failed","response":{"error":null}}"#),
        "failed Provider the provider broke off its answer"
    );
    assert_eq!(
        word(
            r#"{"type":"error","code":"context_length_exceeded","message":"long","param":null,"sequence_number":3}"#
        ),
        "failed ContextLength long"
    );
    assert_eq!(
        word(r#"{"type":"error","error":{"type":"invalid_request_error","message":"bad"}}"#),
        "failed InvalidRequest bad"
    );
    assert!(word("<html>").starts_with("failed Malformed"));
}

#[test]
fn usage_of_a_whole_response_is_read() {
    let body = br#"{"object":"response","usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":15}}"#;
    let usage = OpenAiResponses.whole_usage(body).expect("told");
    assert_eq!(
        (usage.input, usage.output, usage.cache_read, usage.reasoning),
        (Some(10), Some(5), Some(4), Some(2))
    );
    assert_eq!(OpenAiResponses.whole_usage(b"{}"), None);
}
