//! Reading requests, writing answers and streams, watching OpenAI's own on their way through.

use serde_json::{Value, json};

use super::*;
use crate::error::Kind;

fn read(fields: &str) -> Result<Envelope, GatewayError> {
    let head = RequestHead {
        method: http::Method::POST,
        path: "/v1/completions".into(),
        query: None,
        headers: http::HeaderMap::new(),
    };
    OpenAiCompletions.read(&head, Bytes::from(format!("{{{fields}}}")))
}

fn canonical(fields: &str) -> Result<Value, GatewayError> {
    let envelope = read(&format!(r#""model":"m",{fields}"#))?;
    Ok(serde_json::from_slice(&OpenAiCompletions.canonical(&envelope)?).expect("JSON"))
}

fn facts() -> AnswerFacts {
    AnswerFacts { request_id: "R".into(), created: 7, model: "public".into(), ..AnswerFacts::default() }
}

/// The events of a stream over these chunks for a request with these fields.
fn streamed(fields: &str, chunks: &[Value]) -> Vec<String> {
    let envelope = read(&format!(r#""model":"m","prompt":"p","stream":true{fields}"#)).expect("reads");
    let (mut writer, mut out) = (OpenAiCompletions.stream(&facts(), &envelope), Vec::new());
    for chunk in chunks {
        writer.chunk(chunk.to_string().as_bytes(), &mut out).expect("canonical");
    }
    writer.finish(&mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").expect(event).to_owned()).collect()
}

fn delta(index: u64, text: &str) -> Value {
    json!({ "id": "", "created": 0, "model": "real", "choices": [{ "index": index, "delta": { "content": text } }] })
}

#[test]
fn the_facts_are_found() {
    let envelope = read(
        r#""prompt":["a"],"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":9"#,
    );
    let envelope = envelope.expect("reads");
    assert!(envelope.stream && envelope.include_usage && envelope.passable);
    assert_eq!((envelope.model.as_str(), envelope.max_output), ("m", Some(9)));
    for (fields, path) in [
        (r#""prompt":"x""#, "model"),
        (r#""model":"m""#, "prompt"),
        (r#""model":"m","prompt":1"#, "prompt"),
        (r#""model":"m","prompt":"x","stream":1"#, "stream"),
        (r#""model":"m","prompt":"x","stream_options":{"include_usage":1}"#, "stream_options.include_usage"),
        (r#""model":"m","prompt":"x","max_tokens":-1"#, "max_tokens"),
    ] {
        assert_eq!(read(fields).expect_err(fields).param.as_deref(), Some(path));
    }
}

#[test]
fn one_prompt_is_what_the_user_says_and_the_rest_keeps_its_name() {
    let chat = canonical(
        r#""prompt":["a\"b"],"max_tokens":5,"n":2,"best_of":2,"echo":true,"temperature":0,"stop":"x","logit_bias":{"1":2},
        "user":"u","suffix":null,"unheard":1,"seed":null"#,
    );
    let expected = json!({
        "model": "m", "messages": [{ "role": "user", "content": "a\"b" }], "max_tokens": 5, "n": 2, "temperature": 0,
        "stop": "x", "logit_bias": { "1": 2 }, "user": "u", "unheard": 1,
    });
    assert_eq!(chat.expect("canonical"), expected);
    let chat = canonical(r#""prompt":"x","logprobs":3,"stream":true"#).expect("canonical");
    assert_eq!((&chat["logprobs"], &chat["top_logprobs"]), (&json!(true), &json!(3)));
    assert_eq!(chat["stream"], true);
}

#[test]
fn what_no_chat_has_is_left_to_a_target_that_has_it() {
    for (fields, path) in [
        (r#""prompt":["a","b"]"#, "prompt[1]"),
        (r#""prompt":[1,2]"#, "prompt[0]"),
        (r#""prompt":[[1],[2]]"#, "prompt[0]"),
        (r#""prompt":"x","suffix":"y""#, "suffix"),
        (r#""prompt":"x","best_of":3"#, "best_of"),
        (r#""prompt":"x","echo":true,"logprobs":0"#, "logprobs"),
    ] {
        let error = canonical(fields).expect_err(fields);
        assert_eq!((error.kind, error.param.as_deref()), (Kind::Unsupported, Some(path)), "{fields}");
    }
    for (fields, path) in [
        (r#""prompt":[]"#, "prompt"),
        (r#""prompt":"x","logprobs":true"#, "logprobs"),
        (r#""prompt":"x","echo":1"#, "echo"),
        (r#""prompt":"x","messages":[]"#, "messages"),
    ] {
        let error = canonical(fields).expect_err(fields);
        assert_eq!((error.kind, error.param.as_deref()), (Kind::InvalidRequest, Some(path)), "{fields}");
    }
}

#[test]
fn an_answer_is_text_completions() {
    let rivals = json!([{ "token": "He", "logprob": -0.1 }, { "token": "Ha", "logprob": -2.0 }]);
    let tokens = json!([
        { "token": "Hé", "logprob": -0.1, "bytes": [72], "top_logprobs": rivals },
        { "token": "llo", "logprob": -0.2 },
    ]);
    let usage = json!({ "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3 });
    let answer = json!({
        "id": "", "object": "chat.completion", "created": 0, "model": "real",
        "choices": [
            { "index": 0, "message": { "content": "Héllo" }, "logprobs": { "content": tokens }, "finish_reason": "length" },
            { "index": 1, "message": { "content": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }] },
              "finish_reason": "tool_calls" },
            { "index": 2, "message": { "content": null, "refusal": "no" }, "finish_reason": null },
        ],
        "usage": usage,
    });
    let told = OpenAiCompletions.whole(&facts(), answer.to_string().as_bytes()).expect("written");
    let legacy = json!({
        "tokens": ["Hé", "llo"], "token_logprobs": [-0.1, -0.2],
        "top_logprobs": [{ "He": -0.1, "Ha": -2.0 }, {}], "text_offset": [0, 2],
    });
    let expected = json!({
        "id": "cmpl-R", "object": "text_completion", "created": 7, "model": "real",
        "choices": [
            { "text": "Héllo", "index": 0, "logprobs": legacy, "finish_reason": "length" },
            { "text": "ab", "index": 1, "logprobs": null, "finish_reason": "stop" },
            { "text": "no", "index": 2, "logprobs": null, "finish_reason": "stop" },
        ],
        "usage": usage,
    });
    assert_eq!(serde_json::from_slice::<Value>(&told).expect("JSON"), expected);
    let nonsense = OpenAiCompletions.whole(&facts(), b"{}").expect_err("no choices");
    assert_eq!(nonsense.kind, Kind::Adapter);
}

#[test]
fn an_echo_stands_before_each_answer() {
    let envelope = read(r#""model":"m","prompt":["ab"],"echo":true"#).expect("reads");
    let answer = json!({ "choices": [{ "message": { "content": "c" }, "finish_reason": "stop" }] });
    let told =
        OpenAiCompletions.whole_for(&facts(), &envelope, answer.to_string().as_bytes()).expect("written");
    let told: Value = serde_json::from_slice(&told).expect("JSON");
    assert_eq!(told["choices"][0]["text"], "abc");
    let events = streamed(r#","echo":true"#, &[delta(0, "x"), delta(1, "y"), delta(0, "z")]);
    let texts: Vec<Value> = events
        .iter()
        .filter_map(|event| serde_json::from_str::<Value>(event).ok())
        .map(|event| event["choices"][0]["text"].clone())
        .collect();
    assert_eq!(texts, ["px", "py", "z"]);
}

#[test]
fn a_stream_is_pieces_usage_and_one_end() {
    let chunks = [
        json!({ "id": "", "created": 0, "model": "real", "choices": [{ "index": 0, "delta": { "role": "assistant", "content": "" } }] }),
        delta(0, "Hel"),
        json!({ "id": "c", "created": 9, "model": "real", "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] }),
        json!({ "id": "", "created": 0, "model": "real", "choices": [], "usage": { "total_tokens": 3 } }),
    ];
    let piece = |id: &str, created: u64, text: &str, finish: Value| {
        json!({
            "id": id, "object": "text_completion", "created": created, "model": "real",
            "choices": [{ "text": text, "index": 0, "logprobs": null, "finish_reason": finish }],
        })
    };
    let expected = [piece("cmpl-R", 7, "Hel", Value::Null), piece("c", 9, "", json!("stop"))];
    let events = streamed("", &chunks);
    let read: Vec<Value> =
        events[..2].iter().map(|event| serde_json::from_str(event).expect(event)).collect();
    assert_eq!(read, expected);
    assert_eq!(events[2..], ["[DONE]"]);
    let events = streamed(r#","stream_options":{"include_usage":true}"#, &chunks);
    let usage: Value = serde_json::from_str(&events[2]).expect("JSON");
    assert_eq!((&usage["choices"], &usage["usage"]), (&json!([]), &json!({ "total_tokens": 3 })));
    assert_eq!(events[3..], ["[DONE]"]);
}

#[test]
fn offsets_go_on_from_piece_to_piece() {
    let piece = |token: &str| {
        json!({ "choices": [{ "index": 0, "delta": { "content": token },
            "logprobs": { "content": [{ "token": token, "logprob": -1.0 }] } }] })
    };
    let events = streamed("", &[piece("ab"), piece("c")]);
    let offsets: Vec<Value> = events[..2]
        .iter()
        .map(|event| {
            serde_json::from_str::<Value>(event).expect(event)["choices"][0]["logprobs"]["text_offset"]
                .clone()
        })
        .collect();
    assert_eq!(offsets, [json!([0]), json!([2])]);
}

#[test]
fn a_stream_that_fails_says_so_and_has_no_end() {
    let envelope = read(r#""model":"m","prompt":"p","stream":true"#).expect("reads");
    let (mut writer, mut out) = (OpenAiCompletions.stream(&facts(), &envelope), Vec::new());
    writer.fail(&GatewayError::upstream(Kind::Malformed, "cut"), "R", &mut out);
    writer.finish(&mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(text.contains("\"message\":\"cut\"") && !text.contains("[DONE]"), "{text}");
}

#[test]
fn an_event_on_its_way_through_is_judged_by_what_it_says() {
    let look = |data: &str| {
        let mut usage = Usage::default();
        (OpenAiCompletions.passing(data.as_bytes(), &mut usage), usage)
    };
    let event = |text: &str, finish: &str| {
        look(&format!(r#"{{"object":"text_completion","choices":[{{"text":"{text}","index":0,"finish_reason":{finish}}}]}}"#)).0
    };
    assert!(matches!(event("Hel", "null"), Passing::Content));
    assert!(matches!(event("", "\"stop\""), Passing::Quiet));
    assert!(matches!(event("", "\"length\""), Passing::Content));
    assert!(matches!(event("", "null"), Passing::Quiet));
    assert!(matches!(look("[DONE]").0, Passing::End));
    assert!(matches!(look(r#"{"error":{"message":"x"}}"#).0, Passing::Failed(_)));
    let (_, usage) = look(r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#);
    assert_eq!((usage.input, usage.output), (Some(1), Some(2)));
    let whole = br#"{"choices":[{"text":"x"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    assert_eq!(OpenAiCompletions.whole_usage(whole), Some(usage));
}
