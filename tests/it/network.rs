//! The way to a provider: through proxies, with TLS of all kinds, and never more at a time than it is told.

use serde_json::json;

use super::support::client::Reply;
use super::support::gateway::good;
use super::support::{Gateway, KEY, Shape};

mod caps;
mod certificates;
mod forwarding;
mod http2;
mod proxies;
mod tls;

/// One provider `p` at this URL with these lines more, and the model `m` of it.
fn one_provider(url: &str, more: &str) -> String {
    format!(
        "[keys.tests]\nsecret = \"{KEY}\"\n[models.m]\ntargets = [\"p/gpt\"]\nretry = {{ attempts = 1 }}\n\
         [providers.p]\nplugin = \"openai\"\nurl = \"{url}\"\nkeys = [\"sk-upstream-0123456789\"]\n{more}\n"
    )
}

async fn ask(gateway: &Gateway) -> Reply {
    gateway.client().ask(Shape::OpenAi, "m", &Shape::OpenAi.says("hello")).await
}

/// What the gateway says and does when the provider cannot be reached: 502, and the reason in the log alone.
async fn unreachable(gateway: &Gateway, reason: &[&str]) {
    let reply = ask(gateway).await;
    assert_eq!(reply.status, 502, "{}", reply.text());
    assert_eq!(reply.json()["error"]["code"], json!("upstream_unreachable"), "{}", reply.text());
    let line = gateway.request_line(reply.header("x-request-id")).await;
    let error = line["error"].as_str().unwrap_or_default();
    for part in reason {
        assert!(error.contains(part), "`{part}` is not in: {error}");
        assert!(!reply.text().contains(part), "the client is told `{part}`: {}", reply.text());
    }
    assert!(!gateway.lines().join("\n").contains("s3cret"), "{}", gateway.lines().join("\n"));
}

async fn answers(gateway: &Gateway) {
    good(&ask(gateway).await);
}
