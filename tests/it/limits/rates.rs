//! Requests, tokens and running requests per key.

use super::*;
use crate::support::until;

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

#[tokio::test]
async fn every_window_counts_and_so_do_models_and_everybody() {
    let upstream = Scripted::start(answer(3, 2)).await;
    let more = "[limits]\nrequests = \"4/day\"\n[models.small]\ntargets = [\"openai/gpt\"]\nlimits = { requests = \"1/day\" }\n";
    let key = "limits = { requests = \"100/min,3/day\" }";
    let gateway = Gateway::start(&configuration(&upstream.url(), key, more)).await;
    let body = json!({ "messages": [{ "role": "user", "content": "hello" }] });
    let small = || async { gateway.client().ask(Shape::OpenAi, "small", &body).await };
    good(&small().await);
    let refused = small().await;
    assert_eq!(refused.status, 429);
    assert!(refused.text().contains("model `small`"), "{}", refused.text());
    let second = ask(&gateway, json!({})).await;
    good(&second);
    assert_eq!(second.header("x-ratelimit-limit-requests"), "3", "the tightest window");
    good(&ask(&gateway, json!({})).await);
    let refused = ask(&gateway, json!({})).await;
    assert!(refused.status == 429 && refused.text().contains("key `tests`"), "{}", refused.text());
}

#[tokio::test]
async fn who_runs_is_counted_until_the_answer_has_ended() {
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let mut steps = vec![Step::Until(std::sync::Arc::clone(&gate))];
    steps.extend(answer(3, 2));
    let upstream = Scripted::start(steps).await;
    let gateway = Gateway::start(&configuration(&upstream.url(), "limits = { concurrent = 1 }", "")).await;
    let first = ask(&gateway, json!({}));
    let second = async {
        until("the first is asked", || upstream.requests().len() == 1).await;
        let second = ask(&gateway, json!({})).await;
        gate.add_permits(10);
        second
    };
    let (first, second) = tokio::join!(first, second);
    good(&first);
    assert_eq!((second.status, second.header("retry-after")), (429, "1"), "{}", second.text());
    good(&ask(&gateway, json!({})).await);
}

#[tokio::test]
async fn tokens_are_counted_as_they_were_and_streams_too() {
    let upstream = Scripted::start(answer(600, 300)).await;
    let key = "limits = { tokens = \"1k/day\" }";
    let gateway = Gateway::start(&configuration(&upstream.url(), key, "")).await;
    let first = ask(&gateway, json!({ "max_tokens": 5 })).await;
    good(&first);
    assert_eq!(first.header("x-ratelimit-limit-tokens"), "1000");
    let refused = ask(&gateway, json!({ "max_tokens": 200 })).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert_eq!(refused.header("x-ratelimit-remaining-tokens"), "100");
    good(&ask(&gateway, json!({ "max_tokens": 5 })).await);
}
