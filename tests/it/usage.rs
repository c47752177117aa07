//! What an answer took: the same sums for every pair, whole and streamed; asked for where the client did not; estimated
//! and marked so where the provider does not say.

use serde_json::{Value, json};

use super::support::client::Reply;
use super::support::gateway::good;
use super::support::upstream::{self, Scripted, Step, chunk};
use super::support::{Gateway, Shape, configuration};

/// 100 tokens in, 40 of them read from the cache and (Anthropic) 20 written to it; 30 out, 10 of them reasoning.
fn counted(provider: Shape) -> Value {
    match provider {
        Shape::OpenAi => json!({
            "prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130,
            "prompt_tokens_details": { "cached_tokens": 40 },
            "completion_tokens_details": { "reasoning_tokens": 10 },
        }),
        Shape::Anthropic => json!({
            "input_tokens": 40, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 20,
            "output_tokens": 30,
        }),
        Shape::Gemini => json!({
            "promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 20,
            "thoughtsTokenCount": 10, "totalTokenCount": 130,
        }),
    }
}

fn whole_of(provider: Shape, usage: &Value) -> String {
    let body = match provider {
        Shape::OpenAi => json!({
            "id": "1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
            "choices": [{ "index": 0, "message": { "role": "assistant", "content": "hi" }, "finish_reason": "stop" }],
        }),
        Shape::Anthropic => json!({
            "type": "message", "role": "assistant", "id": "1", "model": "m", "usage": usage,
            "content": [{ "type": "text", "text": "hi" }], "stop_reason": "end_turn", "stop_sequence": null,
        }),
        Shape::Gemini => json!({
            "candidates": [{ "content": { "parts": [{ "text": "hi" }], "role": "model" }, "finishReason": "STOP" }],
            "usageMetadata": usage, "modelVersion": "m",
        }),
    };
    let body = body.to_string();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn streamed_of(provider: Shape, usage: &Value) -> String {
    let mut body = String::new();
    let mut event = |name: &str, data: &Value| {
        if !name.is_empty() {
            body.push_str(&format!("event: {name}\n"));
        }
        body.push_str(&format!("data: {data}\n\n"));
    };
    match provider {
        Shape::OpenAi => {
            let chunk = |choices: Value, usage: &Value| {
                json!({ "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                        "choices": choices, "usage": usage })
            };
            let delta =
                |delta: Value, end: Value| json!([{ "index": 0, "delta": delta, "finish_reason": end }]);
            event(
                "",
                &chunk(delta(json!({ "role": "assistant", "content": "hi" }), Value::Null), &Value::Null),
            );
            event("", &chunk(delta(json!({}), json!("stop")), &Value::Null));
            if !usage.is_null() {
                event("", &chunk(json!([]), usage));
            }
            body.push_str("data: [DONE]\n\n");
        }
        Shape::Anthropic => {
            let mut first = usage.clone();
            first["output_tokens"] = json!(1);
            event(
                "message_start",
                &json!({ "type": "message_start", "message": {
                "type": "message", "role": "assistant", "id": "1", "model": "m", "content": [],
                "stop_reason": null, "stop_sequence": null, "usage": first,
            } }),
            );
            let block = json!({ "type": "text", "text": "" });
            event(
                "content_block_start",
                &json!({ "type": "content_block_start", "index": 0, "content_block": block }),
            );
            let delta = json!({ "type": "text_delta", "text": "hi" });
            event(
                "content_block_delta",
                &json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
            );
            event("content_block_stop", &json!({ "type": "content_block_stop", "index": 0 }));
            event(
                "message_delta",
                &json!({ "type": "message_delta", "usage": usage,
                "delta": { "stop_reason": "end_turn", "stop_sequence": null } }),
            );
            event("message_stop", &json!({ "type": "message_stop" }));
        }
        Shape::Gemini => {
            let parts = json!({ "parts": [{ "text": "hi" }], "role": "model" });
            event("", &json!({ "candidates": [{ "content": parts }], "modelVersion": "m" }));
            let parts = json!({ "parts": [{ "text": "" }], "role": "model" });
            event(
                "",
                &json!({ "candidates": [{ "content": parts, "finishReason": "STOP" }],
                "usageMetadata": usage, "modelVersion": "m" }),
            );
        }
    }
    let body = chunk(body.as_bytes());
    format!("{}{}0\r\n\r\n", upstream::chunked_head(), String::from_utf8(body.to_vec()).unwrap())
}

async fn line_of(gateway: &Gateway, reply: &Reply) -> Value {
    gateway.request_line(reply.header("x-request-id")).await
}

#[tokio::test]
async fn the_sums_are_right_for_every_pair_whole_and_streamed() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = Gateway::start(&configuration(&scripted.url())).await;
    for (dialect, provider) in Shape::pairs() {
        let model = format!("{}/m", provider.word());
        let usage = counted(provider);
        scripted.play(vec![Step::send(whole_of(provider, &usage)), Step::Close]);
        let whole = gateway.client().ask(dialect, &model, &dialect.says("x")).await;
        scripted.play(vec![Step::send(streamed_of(provider, &usage)), Step::Close]);
        let stream = gateway.client().stream(dialect, &model, &dialect.says("x")).await.rest().await;
        let case = format!("{}→{}", dialect.word(), provider.word());
        let told = [dialect.whole(&good(&whole)), dialect.streamed(&stream.events())];
        for said in told {
            let tokens = said.tokens.unwrap_or_else(|| panic!("{case}: {said:?}"));
            assert_eq!((tokens.input, tokens.output), (100, 30), "{case}: {said:?}");
        }
        let written = if provider == Shape::Anthropic { json!(20) } else { Value::Null };
        let reasoning = if provider == Shape::Anthropic { Value::Null } else { json!(10) };
        for reply in [&whole, &stream] {
            let line = line_of(&gateway, reply).await;
            let found = ["in", "out", "cached", "reasoning"].map(|name| line[name].clone());
            assert_eq!(found, [json!(100), json!(30), json!(40), reasoning.clone()], "{case}: {line}");
            // Zero and silence mean the same for what only one vendor has.
            assert_eq!(
                line["cache_written"].as_u64().unwrap_or(0),
                written.as_u64().unwrap_or(0),
                "{case}: {line}"
            );
            assert!(line["usage_estimated"].is_null(), "{case}: {line}");
        }
    }
    gateway.until_metric("causeway_tokens_total", &["type=\"input\"", "estimated=\"false\""], 1800.0).await;
    assert_eq!(gateway.metric("causeway_tokens_total", &["estimated=\"true\""]).await, 0.0);
    assert_eq!(gateway.metric("causeway_usage_faults_total", &[]).await, 0.0);
}

#[tokio::test]
async fn zero_stays_zero_and_contradictions_are_reported_but_fail_nothing() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = Gateway::start(&configuration(&scripted.url())).await;
    let zero = json!({ "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0 });
    scripted.play(vec![Step::send(whole_of(Shape::OpenAi, &zero)), Step::Close]);
    for dialect in Shape::ALL {
        let reply = gateway.client().ask(dialect, "openai/m", &dialect.says("x")).await;
        let line = line_of(&gateway, &reply).await;
        assert_eq!((&line["in"], &line["out"]), (&json!(0), &json!(0)), "{line}");
        assert!(line["usage_estimated"].is_null(), "{line}");
    }
    let over = json!({ "prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6,
        "prompt_tokens_details": { "cached_tokens": 9 } });
    for dialect in [Shape::OpenAi, Shape::Gemini] {
        scripted.play(vec![Step::send(whole_of(Shape::OpenAi, &over)), Step::Close]);
        good(&gateway.client().ask(dialect, "openai/m", &dialect.says("x")).await);
        scripted.play(vec![Step::send(streamed_of(Shape::OpenAi, &over)), Step::Close]);
        let stream = gateway.client().stream(dialect, "openai/m", &dialect.says("x")).await.rest().await;
        assert!(stream.complete && dialect.is_ended(&stream.events()), "{}", stream.text());
    }
    let labels = ["provider=\"openai\"", "rule=\"cache_over_input\""];
    gateway.until_metric("causeway_usage_faults_total", &labels, 4.0).await;
}

/// A body and the same as the provider must get it; `NAME` is the model.
const ASKED: [(&str, &str); 3] = [
    (
        r#"{ "model":"NAME", "stream":true ,"messages":[{"role":"user","content":"\u0068i"}],"x":1.50}"#,
        r#"{"stream_options":{"include_usage":true}, "model":"NAME", "stream":true ,"messages":[{"role":"user","content":"\u0068i"}],"x":1.50}"#,
    ),
    (
        r#"{"model":"NAME","stream":true,"stream_options" : {"include_obfuscation":false},"messages":[{"role":"user","content":"x"}]}"#,
        r#"{"model":"NAME","stream":true,"stream_options" : {"include_usage":true,"include_obfuscation":false},"messages":[{"role":"user","content":"x"}]}"#,
    ),
    (
        r#"{"model":"NAME","stream":true,"stream_options":{"include_usage":false},"messages":[{"role":"user","content":"x"}]}"#,
        r#"{"model":"NAME","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]}"#,
    ),
];

#[tokio::test]
async fn a_client_that_does_not_ask_for_usage_gets_the_bytes_it_would_have_got() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = Gateway::start(&configuration(&scripted.url())).await;
    let with = "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\\u0069\"}}] , \"usage\":null,\"obfuscation\":\"ab\"}\r\n\r\n: a comment\n\ndata: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\ndata: {\"id\":\"1\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9}}\n\ndata: [DONE]\n\n";
    let without = "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\\u0069\"}}] ,\"obfuscation\":\"ab\"}\r\n\r\n: a comment\n\ndata: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    // Cut in two at some places, also inside the members that are cut out.
    for (at, (body, sent)) in [0, 60, 75, 240, 300, 315].into_iter().zip(ASKED.into_iter().cycle()) {
        let (one, other) = with.split_at(at);
        let mut steps = vec![Step::send(upstream::chunked_head())];
        if !one.is_empty() {
            steps.push(Step::send(chunk(one.as_bytes())));
            steps.push(Step::Wait(std::time::Duration::from_millis(5)));
        }
        steps.push(Step::send([&chunk(other.as_bytes())[..], b"0\r\n\r\n"].concat()));
        scripted.play(steps);
        let body = body.replace("NAME", "openai/m");
        let client = gateway.client().with_key();
        let reply = client.send("POST", "/v1/chat/completions", body.as_bytes()).await;
        assert_eq!(reply.text(), without, "cut at {at}");
        let request = scripted.requests().pop().unwrap();
        let request = String::from_utf8(request.to_vec()).unwrap();
        assert!(request.ends_with(&sent.replace("NAME", "m")), "{request}");
        let line = line_of(&gateway, &reply).await;
        assert_eq!((&line["in"], &line["out"], &line["translated"]), (&json!(7), &json!(2), &json!(false)));
    }
    // Who asks gets all of it.
    let body = r#"{"model":"openai/m","stream":true,"stream_options":{"include_usage":true},"messages":[]}"#;
    let client = gateway.client().with_key();
    let reply = client.send("POST", "/v1/chat/completions", body.as_bytes()).await;
    assert!(reply.text().contains("\"usage\":null") && reply.text().contains("\"total_tokens\":9"));
}

#[tokio::test]
async fn a_provider_that_cannot_tell_usage_is_not_asked_and_its_answers_are_estimated() {
    let mock = upstream::mock();
    let url = upstream::url(&mock);
    let configuration = configuration(&url);
    let gateway = Gateway::start(&configuration).await;
    for (dialect, provider) in Shape::pairs() {
        let model = format!("{}/mock@usage=off", provider.word());
        let question = dialect.says("What is a causeway, in twenty words?");
        let whole = gateway.client().ask(dialect, &model, &question).await;
        let stream = gateway.client().stream(dialect, &model, &question).await.rest().await;
        let text = dialect.whole(&good(&whole)).text;
        for reply in [&whole, &stream] {
            let line = line_of(&gateway, reply).await;
            let case = format!("{}→{}: {line}", dialect.word(), provider.word());
            assert_eq!(line["usage_estimated"], true, "{case}");
            // Thirty-six letters, in whatever form the client writes them.
            assert_eq!(line["in"], 9, "{case}");
            // Anthropic's own form has no answer without counts.
            if provider != Shape::Anthropic {
                let about = text.len() as u64 / 4;
                let out = line["out"].as_u64().unwrap();
                assert!(out.abs_diff(about) <= 3, "{about} {case}");
            }
        }
    }
    let estimated = gateway.metric("causeway_tokens_total", &["type=\"output\"", "estimated=\"true\""]).await;
    assert!(estimated > 0.0);
}

#[tokio::test]
async fn what_was_sent_counts_when_a_stream_is_cut_or_left() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for (dialect, provider) in Shape::pairs() {
        let text = "@text=a%20hundred%20and%20more%20letters%20in%20some%20words%20of%20four";
        let cut = format!("{}/mock@fault=cut:9{text}", provider.word());
        let reply = gateway.client().stream(dialect, &cut, &dialect.says("x")).await.rest().await;
        let line = line_of(&gateway, &reply).await;
        let case = format!("{}→{}: {line}", dialect.word(), provider.word());
        assert!(!reply.complete && line["error_kind"] == "upstream_malformed", "{case}");
        // What a provider tells on the way is no total.
        assert_eq!(line["usage_estimated"], true, "{case}");
        assert!(line["out"].as_u64() >= Some(5), "{case}");
        assert!(line["in"].as_u64() >= Some(1), "{case}");

        let long = format!("{}/mock@rate=200@chunks=2000", provider.word());
        let mut open = gateway.client().stream(dialect, &long, &dialect.says("x")).await;
        let id = open.header("x-request-id").to_owned();
        for _ in 0..20 {
            assert!(open.event().await.is_some());
        }
        drop(open);
        let line = gateway.request_line(&id).await;
        assert_eq!(line["error_kind"], "client_gone", "{line}");
        assert_eq!(line["usage_estimated"], true, "{case}: {line}");
        assert!(line["out"].as_u64() >= Some(10), "{case}: {line}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_stream_options_is_not_asked_for_usage() {
    let scripted = Scripted::start(Vec::new()).await;
    scripted.play(vec![Step::send(streamed_of(Shape::OpenAi, &Value::Null)), Step::Close]);
    let mut text = configuration(&scripted.url());
    text.push_str(&super::support::provider("old", Shape::OpenAi, &scripted.url()));
    text.push_str("options = { stream_usage = false }\n[models.old]\ntargets = [\"old/m\"]\n");
    let gateway = Gateway::start(&text).await;
    for dialect in Shape::ALL {
        let reply = gateway.client().stream(dialect, "old", &dialect.says("four letters")).await;
        let reply = if dialect == Shape::OpenAi {
            drop(reply);
            let body =
                r#"{"model":"old","stream":true,"messages":[{"role":"user","content":"four letters"}]}"#;
            gateway.client().with_key().send("POST", "/v1/chat/completions", body.as_bytes()).await
        } else {
            reply.rest().await
        };
        assert!(reply.complete && dialect.is_ended(&reply.events()), "{}", reply.text());
        let request = String::from_utf8(scripted.requests().pop().unwrap().to_vec()).unwrap();
        assert!(!request.contains("stream_options"), "{request}");
        // Who asks is translated, so that the server is not asked either.
        let asks = scripted
            .requests()
            .iter()
            .any(|request| String::from_utf8_lossy(request).contains("stream_options"));
        assert!(!asks);
        let line = line_of(&gateway, &reply).await;
        let counts = (&line["in"], &line["out"], &line["usage_estimated"]);
        assert_eq!(counts, (&json!(3), &json!(1), &json!(true)), "{line}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_is_counted_for_what_it_asked() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let body = Shape::OpenAi.named(&Shape::OpenAi.says("four letters"), "anthropic/mock@fault=hang", false);
    let client = gateway.client().with_key().with("x-request-id", "left-early-0001");
    let mut open = client.connect().await;
    open.write(&client.request("POST", "/v1/chat/completions", body.to_string().as_bytes())).await;
    super::support::until("the mock has the request", || mock.requests().len() == 1).await;
    drop(open);
    let line = gateway.request_line("left-early-0001").await;
    let counts = (&line["in"], &line["out"], &line["usage_estimated"], &line["provider"]);
    assert_eq!(counts, (&json!(3), &json!(0), &json!(true), &json!("anthropic")), "{line}");
    assert_eq!(line["error_kind"], "client_gone", "{line}");
}
