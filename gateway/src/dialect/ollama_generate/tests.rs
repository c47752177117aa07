//! One prompt, one answer.

use serde_json::{Value, json};

use super::*;

fn read(body: &str) -> Envelope {
    let head = RequestHead {
        method: http::Method::POST,
        path: "/api/generate".into(),
        query: None,
        headers: http::HeaderMap::new(),
    };
    OllamaGenerate.read(&head, Bytes::copy_from_slice(body.as_bytes())).expect("reads")
}

fn canonical(fields: &str) -> Result<Value, GatewayError> {
    let envelope = read(&format!(r#"{{"model":"m","stream":false,{fields}}}"#));
    Ok(serde_json::from_slice(&OllamaGenerate.canonical(&envelope)?).expect("JSON"))
}

fn facts() -> AnswerFacts {
    AnswerFacts { request_id: "R".into(), created: 0, model: "public".into(), ..AnswerFacts::default() }
}

#[test]
fn a_prompt_is_a_conversation_of_one_turn() {
    let chat = canonical(
        r#""prompt":"why?","system":"be short","template":"","raw":false,"suffix":"","context":[],"keep_alive":0,
        "think":true,"options":{"num_predict":5,"num_ctx":64}"#,
    );
    let expected = json!({
        "model": "m",
        "messages": [{ "role": "system", "content": "be short" }, { "role": "user", "content": "why?" }],
        "max_completion_tokens": 5,
        "reasoning": { "mode": "enabled", "include": true },
        "vendor": { "ollama": { "keep_alive": 0, "options": { "num_ctx": 64 } } },
    });
    assert_eq!(chat.expect("canonical"), expected);
    let chat = canonical(r#""prompt":"what?","system":"","images":["/9j/AA"]"#).expect("canonical");
    let parts = json!([
        { "type": "image_url", "image_url": { "url": "data:image/jpeg;base64,/9j/AA" } },
        { "type": "text", "text": "what?" },
    ]);
    assert_eq!(chat["messages"], json!([{ "role": "user", "content": parts }]));
}

#[test]
fn what_no_chat_has_is_left_to_a_target_that_has_it() {
    for (field, value) in
        [("suffix", "\"}\""), ("template", "\"{{ .Prompt }}\""), ("raw", "true"), ("context", "[1]")]
    {
        let error = canonical(&format!(r#""prompt":"x","{field}":{value}"#)).expect_err(field);
        assert_eq!((error.kind, error.param.as_deref()), (Kind::Unsupported, Some(field)));
    }
}

#[test]
fn an_answer_is_response_and_thinking() {
    let message = json!({ "content": "because", "reasoning_content": "hm" });
    let answer = json!({
        "choices": [{ "message": message, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 2, "completion_tokens": 1 },
    });
    let told = OllamaGenerate.whole(&facts(), answer.to_string().as_bytes()).expect("written");
    let expected = json!({
        "model": "public", "created_at": "1970-01-01T00:00:00Z", "response": "because", "thinking": "hm",
        "done": true, "done_reason": "stop", "total_duration": 0, "prompt_eval_count": 2, "eval_count": 1,
    });
    assert_eq!(serde_json::from_slice::<Value>(&told).expect("JSON"), expected);
}

#[test]
fn a_stream_is_pieces_of_the_response() {
    let mut writer = OllamaGenerate.stream(&facts(), &read(r#"{"model":"m","prompt":"x"}"#));
    let mut out = Vec::new();
    for delta in [json!({ "content": "be" }), json!({ "content": "cause" })] {
        let chunk = json!({ "choices": [{ "index": 0, "delta": delta }] });
        writer.chunk(chunk.to_string().as_bytes(), &mut out).expect("canonical");
    }
    writer.finish(&mut out);
    let lines: Vec<Value> =
        out.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let said: Vec<_> = lines.iter().map(|line| (line["response"].as_str(), line["done"].as_bool())).collect();
    assert_eq!(said, [(Some("be"), Some(false)), (Some("cause"), Some(false)), (Some(""), Some(true))]);
}

#[test]
fn a_request_without_a_prompt_only_loads_the_model() {
    for (fields, loads) in [
        (r#""model":"m""#, true),
        (r#""model":"m","prompt":"""#, true),
        (r#""model":"m","prompt":"x""#, false),
        (r#""model":"m","prompt":"\"""#, false),
    ] {
        let answer = OllamaGenerate.without_model(&read(&format!("{{{fields}}}")), 0);
        assert_eq!(answer.is_some(), loads, "{fields}");
        let Some(answer) = answer else { continue };
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        assert_eq!((&answer["response"], &answer["done_reason"]), (&json!(""), &json!("load")));
    }
}
