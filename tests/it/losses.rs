//! What cannot be carried across is named: in the head of a whole answer, in the log and in a metric; and a strict model
//! refuses what the provider's model would have read, before anything is sent.

use serde_json::{Value, json};

use super::support::gateway::good;
use super::support::upstream::{self, Scripted, Step, chunk};
use super::support::{Gateway, Shape, configuration, provider};

/// An answer with two choices, probabilities, a cited link and a field nobody knows.
fn answer() -> Value {
    let link = json!([{ "type": "url_citation", "url_citation": { "url": "https://example.com", "title": "t",
        "start_index": 0, "end_index": 2 } }]);
    let choice = |index: u64| {
        json!({ "index": index, "finish_reason": "stop", "logprobs": { "content": [{ "token": "hi", "logprob": -0.5,
            "bytes": null, "top_logprobs": [] }] },
            "message": { "role": "assistant", "content": "hi", "annotations": link, "invented": true } })
    };
    json!({ "id": "1", "object": "chat.completion", "created": 1, "model": "m", "system_fingerprint": "f",
        "choices": [choice(0), choice(1)], "prompt_filter_results": [{}],
        "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 } })
}

fn whole(body: &Value) -> Vec<Step> {
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    vec![Step::send(head), Step::send(body), Step::Close]
}

fn streamed(answer: &Value) -> Vec<Step> {
    let mut events = String::new();
    for choice in answer["choices"].as_array().unwrap() {
        let mut delta = choice["message"].clone();
        delta["content"] = json!("hi");
        let mut event = answer.clone();
        event["object"] = json!("chat.completion.chunk");
        event["usage"] = Value::Null;
        event["choices"] = json!([{ "index": choice["index"], "delta": delta, "logprobs": choice["logprobs"],
            "finish_reason": null }]);
        events.push_str(&format!("data: {event}\n\n"));
        event["choices"] = json!([{ "index": choice["index"], "delta": {}, "finish_reason": "stop" }]);
        events.push_str(&format!("data: {event}\n\n"));
    }
    events.push_str("data: [DONE]\n\n");
    vec![
        Step::send(upstream::chunked_head()),
        Step::send([&chunk(events.as_bytes())[..], b"0\r\n\r\n"].concat()),
        Step::Close,
    ]
}

const LOST: [(Shape, &str); 3] = [
    (Shape::OpenAi, ""),
    (
        Shape::Anthropic,
        "choices[0].logprobs, choices[0].message.annotations, choices[0].message.invented, choices[1]",
    ),
    (Shape::Gemini, "choices[0].message.invented, choices[1].message.invented"),
];

/// The same names in the same order.
fn sorted(line: &str) -> Vec<&str> {
    let mut names: Vec<&str> = line.split(", ").filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn what_a_dialect_cannot_show_is_named() {
    let scripted = Scripted::start(Vec::new()).await;
    let mut text = format!("[keys.tests]\nsecret = \"{}\"\n", super::support::KEY);
    // Azure's adapter has no passage, so that OpenAI's own clients are translated, too.
    text.push_str(&format!(
        "[providers.azure]\nplugin = \"azure-openai\"\nurl = \"{}\"\nkeys = [\"sk-1\"]\n[models.m]\ntargets = [\"azure/m\"]\n",
        scripted.url()
    ));
    let gateway = Gateway::start(&text).await;
    let mut count = 0;
    for (dialect, lost) in LOST {
        scripted.play(whole(&answer()));
        let reply = gateway.client().ask(dialect, "m", &dialect.says("x")).await;
        assert!(reply.status == 200 && dialect.whole(&reply.json()).text == "hi", "{}", reply.text());
        assert_eq!(sorted(reply.header("x-causeway-lossy")), sorted(lost), "{dialect:?}");
        let line = gateway.request_line(reply.header("x-request-id")).await;
        assert_eq!(sorted(line["lossy"].as_str().unwrap_or_default()), sorted(lost), "{line}");

        scripted.play(streamed(&answer()));
        let reply = gateway.client().stream(dialect, "m", &dialect.says("x")).await.rest().await;
        assert!(reply.complete && reply.text().contains("hi"), "{}", reply.text());
        let line = gateway.request_line(reply.header("x-request-id")).await;
        assert_eq!(sorted(line["lossy"].as_str().unwrap_or_default()), sorted(lost), "{line}");
        count += 2 * sorted(lost).len();
    }
    gateway.until_metric("causeway_losses_total", &["provider=\"azure\""], count as f64).await;
}

#[tokio::test]
async fn a_strict_model_refuses_what_a_dialect_drops_and_serves_mere_bookkeeping() {
    let mock = upstream::mock();
    let mut text = configuration(&upstream::url(&mock));
    text.push_str(&provider("claude", Shape::Anthropic, &upstream::url(&mock)));
    text.push_str("[models.strict]\ntargets = [\"claude/mock\"]\nlossy = \"strict\"\n");
    let gateway = Gateway::start(&text).await;
    let client = gateway.client().with_key();
    let refused = json!({ "model": "strict", "input": "hi", "store": true });
    let reply = client.post("/v1/responses", &refused).await;
    let error = reply.json();
    assert_eq!((reply.status, &error["error"]["param"]), (400, &json!("store")), "{error}");
    let refused =
        json!({ "model": "strict", "input": "hi", "truncation": "auto", "client_metadata": { "a": "b" } });
    let error = client.post("/v1/responses", &refused).await.json();
    assert_eq!(error["error"]["param"], "vendor.openai-responses.truncation", "{error}");
    assert!(mock.requests().is_empty(), "nothing is sent before");
    // As Codex asks.
    let codex = json!({ "model": "strict", "input": [{ "type": "message", "role": "user",
        "content": [{ "type": "input_text", "text": "hi" }] }], "store": false, "stream": false,
        "include": ["reasoning.encrypted_content"], "prompt_cache_key": "thread", "client_metadata": { "a": "b" },
        "prompt_cache_retention": "24h", "service_tier": "flex", "parallel_tool_calls": true });
    let reply = client.post("/v1/responses", &codex).await;
    assert_eq!(good(&reply)["object"], "response");
    assert!(reply.header("x-causeway-lossy").contains("client_metadata"), "{:?}", reply.headers);
}
