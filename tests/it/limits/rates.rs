//! Requests, tokens and running requests per key.

use super::*;

#[tokio::test]
async fn over_its_rate_a_key_is_refused_at_every_endpoint() {
    let upstream = Scripted::start(answer(3, 2)).await;
    let gateway =
        Gateway::start(&configuration(&upstream.url(), "limits = { requests = \"3/day\" }", "")).await;
    let first = ask(&gateway, json!({})).await;
    good(&first);
    assert_eq!(first.header("x-ratelimit-limit-requests"), "3");
    assert_eq!(first.header("x-ratelimit-remaining-requests"), "2", "not the provider's own");
    assert_ne!(first.header("x-ratelimit-reset-requests"), "");
    assert_eq!(gateway.client().with_key().get("/v1/models").await.status, 200);
    good(&ask(&gateway, json!({})).await);
    let asked = upstream.requests().len();
    let chat = ask(&gateway, json!({})).await;
    assert_eq!(chat.status, 429, "{}", chat.text());
    let error = &chat.json()["error"];
    assert_eq!(error["code"], "rate_limit_exceeded");
    assert!(
        error["message"].as_str().is_some_and(|it| it.contains("key `tests`") && it.contains("3/day")),
        "{error}"
    );
    let wait: u64 = chat.header("retry-after").parse().unwrap();
    assert!((28_700..=28_800).contains(&wait), "{wait}");
    assert_eq!(chat.header("x-ratelimit-remaining-requests"), "0");
    let messages = json!({ "max_tokens": 9, "messages": [{ "role": "user", "content": "hello" }] });
    let anthropic = gateway.client().ask(Shape::Anthropic, "openai/gpt", &messages).await;
    assert_eq!((anthropic.status, &anthropic.json()["error"]["type"]), (429, &"rate_limit_error".into()));
    assert_eq!(anthropic.header("anthropic-ratelimit-requests-remaining"), "0");
    for (path, body) in [
        ("/v1/embeddings", json!({ "model": "openai/e", "input": "a" })),
        ("/v1/responses", json!({ "model": "openai/gpt", "input": "a", "stream": true })),
        ("/v1/audio/speech", json!({ "model": "openai/s", "input": "a", "voice": "alloy" })),
        ("/v1/images/generations", json!({ "model": "openai/i", "prompt": "a" })),
    ] {
        let reply = gateway.client().with_key().post(path, &body).await;
        assert_eq!(reply.status, 429, "{path}: {}", reply.text());
    }
    assert_eq!(gateway.client().with_key().get("/v1/models").await.status, 429);
    assert_eq!(upstream.requests().len(), asked, "nobody was asked");
    let refused =
        gateway.metric("causeway_limit_refusals_total", &["scope=\"key\"", "unit=\"requests\""]).await;
    assert_eq!(refused, 7.0);
}
