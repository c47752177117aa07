//! Limits and budgets: what is refused and in which words, at every endpoint, and that nobody gets more than is allowed.

use serde_json::{Value, json};

use super::support::client::Reply;
use super::support::gateway::good;
use super::support::upstream::{Scripted, Step};
use super::support::{Gateway, KEY, Shape};

mod budget;
mod rates;

/// One key with these lines, and `openai/*` behind a provider that charges $1 per million tokens in and $10 out.
fn configuration(url: &str, key: &str, more: &str) -> String {
    format!(
        "[keys.tests]\nsecret = \"{KEY}\"\n{key}\n[providers.openai]\nplugin = \"openai\"\nurl = \"{url}\"\n\
         keys = [\"sk-upstream-0123456789\"]\n\
         [models.\"openai/*\"]\ntargets = [{{ to = \"openai/*\", price = {{ input = 1, output = 10 }} }}]\nretry = {{ attempts = 1 }}\n{more}"
    )
}

/// A whole answer that took so many tokens.
fn answer(input: u64, output: u64) -> Vec<Step> {
    let body = json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "hi" }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output },
    })
    .to_string();
    let length = body.len();
    vec![
        Step::send(format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-ratelimit-remaining-requests: 77\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )),
        Step::Close,
    ]
}

async fn ask(gateway: &Gateway, more: Value) -> Reply {
    let mut body = json!({ "messages": [{ "role": "user", "content": "hello" }] });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    gateway.client().ask(Shape::OpenAi, "openai/gpt", &body).await
}

/// The last request that the provider got.
fn last_asked(upstream: &Scripted) -> Value {
    let requests = upstream.requests();
    let text = String::from_utf8_lossy(requests.last().expect("it was asked")).into_owned();
    serde_json::from_str(text.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
}
