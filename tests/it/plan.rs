//! Where requests go: what is explained is what happens, addresses, models among targets, and what a request may wish.

use causeway::mock::Running;
use serde_json::Value;

use super::support::client::Reply;
use super::support::gateway::good;
use super::support::{Gateway, KEY, Shape, provider, upstream};

mod addresses;
mod command;
mod explain;
mod wishes;

/// Three providers, all of them this mock, and a key that may wish.
fn begin(mock: &Running) -> String {
    let mut text = format!("[keys.tests]\nsecret = \"{KEY}\"\npreferences = true\n");
    for name in ["a", "b", "c"] {
        text.push_str(&provider(name, Shape::OpenAi, &upstream::url(mock)));
    }
    text
}

async fn ask(gateway: &Gateway, model: &str) -> Reply {
    gateway.client().ask(Shape::OpenAi, model, &Shape::OpenAi.says("hello")).await
}

/// What the admin side says about a question.
async fn explained(gateway: &Gateway, question: &str) -> Value {
    let reply = gateway.admin().get(&format!("/admin/api/explain?{question}")).await;
    assert_eq!(reply.status, 200, "{question}: {}", reply.text());
    reply.json()
}

/// The names of an explanation's targets: asked ones, then those behind them.
fn targets(explanation: &Value) -> Vec<String> {
    let of = |name: &str| explanation[name].as_array().unwrap().clone();
    let name = |target: Value| target["target"].as_str().or(target.as_str()).unwrap().to_owned();
    of("targets").into_iter().chain(of("fallback")).map(name).collect()
}

/// Where a request went, one attempt after the other.
fn attempts(decision: &Value) -> Vec<String> {
    let attempts = decision["attempts"].as_array().unwrap();
    attempts.iter().map(|attempt| attempt["target"].as_str().unwrap().to_owned()).collect()
}

/// What became of a request, as the gateway remembers it.
async fn decided(gateway: &Gateway, reply: &Reply) -> Value {
    // The decision is noted behind the answer.
    gateway.request_line(reply.header("x-request-id")).await;
    explained(gateway, &format!("request={}", reply.header("x-request-id"))).await
}

async fn answered(gateway: &Gateway, model: &str) -> Value {
    let reply = ask(gateway, model).await;
    good(&reply);
    decided(gateway, &reply).await
}
