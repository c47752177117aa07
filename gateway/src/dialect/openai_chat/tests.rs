//! Reading requests, writing answers, watching streams.

use super::*;
use crate::error::Kind;

fn read(body: &str) -> Result<Envelope, GatewayError> {
    let head = RequestHead {
        method: http::Method::POST,
        path: "/v1/chat/completions".into(),
        query: None,
        headers: http::HeaderMap::new(),
    };
    OpenAiChat.read(&head, Bytes::copy_from_slice(body.as_bytes()))
}

fn refused(body: &str) -> (Option<String>, String) {
    let error = read(body).expect_err("refused");
    assert_eq!(error.kind, Kind::InvalidRequest);
    (error.param, error.message)
}

fn facts() -> AnswerFacts {
    AnswerFacts {
        request_id: "R1".into(),
        created: 1_700_000_000,
        model: "public".into(),
        ..AnswerFacts::default()
    }
}

#[test]
fn the_facts_are_found_wherever_they_stand() {
    let body = r#"{"messages":[{"role":"user","content":"\"model\":\"x\""}], "stream" : true,"max_tokens":9,
        "stream_options":{"include_usage":true,"x":1},"mod\u0065l": "a\"b","max_completion_tokens":7}"#;
    let envelope = read(body).expect("reads");
    assert_eq!(envelope.model, "a\"b");
    assert!(envelope.stream && envelope.include_usage);
    assert_eq!(envelope.max_output, Some(7));
    assert_eq!(&body[envelope.model_span.clone().expect("in the body")], r#""a\"b""#);
    let sent = envelope.body_for("gpt-5");
    let sent: serde_json::Value = serde_json::from_slice(&sent).expect("JSON");
    assert_eq!(sent["model"], "gpt-5");
    assert_eq!(OpenAiChat.canonical(&envelope).expect("same"), envelope.body);
}

#[test]
fn nulls_are_absent() {
    let envelope = read(
        r#"{"model":"m","messages":[],"stream":null,"stream_options":null,"max_completion_tokens":null,"max_tokens":5}"#,
    );
    let envelope = envelope.expect("reads");
    assert!(!envelope.stream && !envelope.include_usage);
    assert_eq!(envelope.max_output, Some(5));
}

#[test]
fn refusals_say_where() {
    let path = |body: &str| refused(body).0.unwrap_or_default();
    assert_eq!(path(r#"{"messages":[]}"#), "model");
    assert_eq!(path(r#"{"model":null,"messages":[]}"#), "model");
    assert_eq!(path(r#"{"model":"","messages":[]}"#), "model");
    assert_eq!(path(r#"{"model":["m"],"messages":[]}"#), "model");
    assert_eq!(path(r#"{"model":"m"}"#), "messages");
    assert_eq!(path(r#"{"model":"m","messages":{}}"#), "messages");
    assert_eq!(path(r#"{"model":"m","messages":[],"stream":"yes"}"#), "stream");
    assert_eq!(path(r#"{"model":"m","messages":[],"stream_options":[1,{"a":{}}]}"#), "stream_options");
    assert_eq!(
        path(r#"{"model":"m","messages":[],"stream_options":{"include_usage":1}}"#),
        "stream_options.include_usage"
    );
    assert_eq!(path(r#"{"model":"m","messages":[],"max_tokens":-1}"#), "max_tokens");
    assert_eq!(path(r#"{"model":"m","messages":[],"model":"n"}"#), "model");
    assert_eq!(path(r#"{"stream":false,"model":"m","messages":[],"stream":true}"#), "stream");
    let (param, message) = refused("{\"model\":\n\"m\" \"messages\"}");
    assert_eq!(param, None);
    assert_eq!(message, "the body is not valid JSON: expected `,` or `}` at line 2 column 5");
    assert!(refused("[1]").1.starts_with("the body must be an object"));
    assert!(refused("").1.starts_with("the body is not valid JSON"));
    let head = RequestHead {
        method: http::Method::POST,
        path: String::new(),
        query: None,
        headers: http::HeaderMap::new(),
    };
    let error = OpenAiChat.read(&head, Bytes::from_static(b"{\"model\":\"\xff\"}")).expect_err("refused");
    assert_eq!(error.message, "the body is not UTF-8 (byte 10)");
}

#[test]
fn a_deep_body_does_no_harm() {
    let body = format!(r#"{{"model":"m","x":{}{},"messages":[]}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(read(&body).is_ok());
}

#[test]
fn gaps_of_an_answer_are_filled_and_the_rest_is_left() {
    let canonical = br#"{"id":"","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"\"id\":\"\", \"created\":0"},"finish_reason":"stop"}],"x":{"id":"","created":0}}"#;
    let whole = String::from_utf8(OpenAiChat.whole(&facts(), canonical).expect("writes")).expect("text");
    assert_eq!(
        whole,
        r#"{"id":"chatcmpl-R1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"\"id\":\"\", \"created\":0"},"finish_reason":"stop"}],"x":{"id":"","created":0}}"#
    );
    let own = br#"{"id":"a","object":"chat.completion","created":5,"model":"m","choices":[]}"#;
    assert_eq!(OpenAiChat.whole(&facts(), own).expect("writes"), own);
    assert_eq!(OpenAiChat.whole(&facts(), b"{}").expect_err("refused").kind, Kind::Adapter);
}

#[test]
fn parts_become_a_string_and_nothing_vanishes() {
    let canonical = br#"{"id":"a","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":[{"type":"text","text":"a\n"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},{"type":"text","text":"b","extra_content":{"google":{}}},{"type":"vendor","vendor":"v","value":{}}]},"finish_reason":"stop"}]}"#;
    let whole = OpenAiChat.whole(&facts(), canonical).expect("writes");
    let whole: serde_json::Value = serde_json::from_slice(&whole).expect("JSON");
    let message = &whole["choices"][0]["message"];
    assert_eq!(message["content"], "a\nb");
    assert_eq!(message["images"][0]["image_url"]["url"], "data:image/png;base64,AA==");
    assert_eq!(message["content_parts"][0]["text"], "b");
    assert_eq!(message["content_parts"][1]["vendor"], "v");
}

fn stream_of(lines: &[&str], include_usage: bool) -> String {
    let mut envelope = read(r#"{"model":"m","messages":[],"stream":true}"#).expect("reads");
    envelope.include_usage = include_usage;
    let mut writer = OpenAiChat.stream(&facts(), &envelope);
    let mut out = Vec::new();
    for line in lines {
        writer.chunk(line.as_bytes(), &mut out).expect("writes");
    }
    writer.finish(&mut out);
    writer.finish(&mut out);
    String::from_utf8(out).expect("text")
}

#[test]
fn lines_are_framed_and_done_comes_once() {
    let first = r#"{"id":"","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"\"created\":0"},"finish_reason":null}]}"#;
    let usage = r#"{"id":"x","object":"chat.completion.chunk","created":7,"model":"m","choices":[],"usage":{"prompt_tokens":1}}"#;
    let filled = first.replacen("\"id\":\"\"", "\"id\":\"chatcmpl-R1\"", 1).replacen(
        "\"created\":0,",
        "\"created\":1700000000,",
        1,
    );
    assert_eq!(stream_of(&[first, usage], false), format!("data: {filled}\n\ndata: [DONE]\n\n"));
    assert_eq!(stream_of(&[usage], true), format!("data: {usage}\n\ndata: [DONE]\n\n"));
}

#[test]
fn special_parts_of_a_chunk_are_made_readable() {
    let line = r#"{"id":"","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,"delta":{"content_parts":[{"type":"text","text":"t","extra_content":{}},{"type":"image_url","image_url":{"url":"u"}}]},"finish_reason":null}]}"#;
    let out = stream_of(&[line], false);
    let event: serde_json::Value =
        serde_json::from_str(out[6..].split("\n\n").next().expect("an event")).expect("JSON");
    let delta = &event["choices"][0]["delta"];
    assert_eq!((&event["id"], &event["created"]), (&"chatcmpl-R1".into(), &1_700_000_000.into()));
    assert_eq!(delta["content"], "t");
    assert_eq!(delta["images"][0]["image_url"]["url"], "u");
    assert_eq!(delta["content_parts"][0]["text"], "t");
}

#[test]
fn a_failed_stream_has_no_success_terminator() {
    let envelope = read(r#"{"model":"m","messages":[]}"#).expect("reads");
    let mut writer = OpenAiChat.stream(&facts(), &envelope);
    let mut out = Vec::new();
    writer.fail(&GatewayError::upstream(Kind::Malformed, "the stream was cut"), "R1", &mut out);
    writer.finish(&mut out);
    writer.chunk(b"{}", &mut out).expect("ignored");
    let text = String::from_utf8(out).expect("text");
    let event: serde_json::Value =
        serde_json::from_str(text.strip_prefix("data: ").expect("framed").trim_end()).expect("JSON");
    assert_eq!(event["error"]["code"], "upstream_malformed");
    assert_eq!(event["error"]["type"], "server_error");
    assert!(event["error"]["param"].is_null());
}

#[test]
fn errors_have_openais_words() {
    let body = |kind| -> serde_json::Value {
        let error = GatewayError { code: Some("theirs".into()), ..GatewayError::client(kind, "no") };
        serde_json::from_slice(&OpenAiChat.error(&error, "R1")).expect("JSON")
    };
    let error = |kind| body(kind)["error"].clone();
    assert_eq!(error(Kind::Authentication)["type"], "invalid_request_error");
    assert_eq!(error(Kind::Authentication)["code"], "invalid_api_key");
    assert_eq!(error(Kind::Quota)["type"], "insufficient_quota");
    assert_eq!(error(Kind::InvalidRequest)["code"], "theirs");
    assert_eq!(error(Kind::RateLimited)["request_id"], "R1");
}

#[test]
fn passing_events_are_told_apart() {
    let look = |data: &str| {
        let mut usage = Usage::default();
        let word = match OpenAiChat.passing(data.as_bytes(), &mut usage) {
            Passing::Quiet => "quiet".to_owned(),
            Passing::Content => "content".to_owned(),
            Passing::Stopped => "stopped".to_owned(),
            Passing::End => "end".to_owned(),
            Passing::Failed(error) => format!("failed {:?} {}", error.kind, error.message),
        };
        (word, usage.output)
    };
    let word = |data: &str| look(data).0;
    assert_eq!(word("[DONE]"), "end");
    assert_eq!(
        word(
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null}}],"usage":null}"#
        ),
        "quiet"
    );
    assert_eq!(word(r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}"#), "content");
    assert_eq!(
        word(r#"{"choices":[{"index":0,"delta":{"content":"","reasoning_content":"hm"}}]}"#),
        "content"
    );
    assert_eq!(word(r#"{"choices":[{"index":0,"delta":{"content":"\"error\" \"usage\":{"}}]}"#), "content");
    // The end alone says nothing; a reason for it does.
    assert_eq!(word(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#), "quiet");
    assert_eq!(word(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#), "content");
    assert_eq!(word(r#"{"choices":[],"prompt_filter_results":[]}"#), "quiet");
    assert_eq!(
        look(r#"{"choices":[], "usage" : {"prompt_tokens":3,"completion_tokens":4}}"#),
        ("quiet".into(), Some(4))
    );
    let grok = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":17,"completion_tokens_details":{"reasoning_tokens":10}}}"#;
    assert_eq!(look(grok).1, Some(14));
    assert_eq!(
        look(
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"usage":{"completion_tokens":2}}}"#
        )
        .1,
        Some(2)
    );
    assert_eq!(
        word(r#"{"error":{"message":"slow down","type":"x","code":429}}"#),
        "failed RateLimited slow down"
    );
    assert_eq!(word(r#"{"error":"boom"}"#), "failed Provider boom");
    assert_eq!(
        word(r#"{"object":"error","message":"long","code":"context_length_exceeded"}"#),
        "failed ContextLength long"
    );
    assert_eq!(word(r#"{"choices":[{"delta":{"content":"x"}}],"error":null}"#), "content");
    assert!(word("<html>").starts_with("failed Malformed"));
}

#[test]
fn usage_of_a_whole_answer_is_read() {
    let body = br#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":2}}}"#;
    let usage = OpenAiChat.whole_usage(body).expect("told");
    assert_eq!(
        (usage.input, usage.output, usage.cache_read, usage.reasoning),
        (Some(10), Some(5), Some(4), Some(2))
    );
    assert_eq!(usage.audio_input, Some(0));
    assert_eq!(usage.cache_write, None);
    assert_eq!(OpenAiChat.whole_usage(b"{\"choices\":[]}"), None);
}

#[test]
fn a_message_without_a_role_is_refused_with_its_path() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"},{"content":"who?"}]}"#;
    let envelope = read(body).expect("an envelope");
    let error = OpenAiChat.canonical(&envelope).expect_err("a refusal");
    assert_eq!(error.param.as_deref(), Some("messages[1].role"));
}
