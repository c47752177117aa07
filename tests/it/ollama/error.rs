//! What goes wrong is told in one text, as Ollama does: as a body, or as the last line of a stream.

use serde_json::{Value, json};

use super::{PROVIDERS, chat, gateway, objects, says, with};
use crate::support::client::Reply;
use crate::support::upstream;

/// The text of an error, after its form was checked.
#[track_caller]
fn text(body: &Value) -> String {
    let fields: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["error"], "{body}");
    body["error"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

#[tokio::test]
async fn a_refusal_is_one_text_with_a_status() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    let client = gateway.client();
    let known = client.clone().with_key();
    let chat = |body: Value| (known.clone(), "/api/chat", body);
    let messages = json!([{ "role": "user", "content": "hi" }]);
    for ((client, path, body), status, said) in [
        ((client, "/api/chat", json!({ "model": "ollama/mock" })), 401, "key"),
        (chat(json!({ "model": "nothing", "messages": messages })), 404, "model not found"),
        (chat(json!({ "messages": messages })), 400, "model is required"),
        (chat(json!({ "model": "openai/mock", "messages": messages, "think": "hard" })), 400, "true, false"),
        (chat(json!({ "model": "openai/unknown", "messages": messages })), 404, "not found"),
        (chat(json!({ "model": "ollama/unknown", "messages": messages })), 404, "model 'unknown' not found"),
        ((known.clone(), "/api/pull", json!({ "model": "x" })), 404, "/api/pull"),
        ((known.clone(), "/ollama/api/show", json!({ "model": "x" })), 404, "model 'x' not found"),
        (
            (known.clone(), "/api/generate", json!({ "model": "openai/mock", "prompt": "x", "raw": true })),
            400,
            "raw",
        ),
    ] {
        let reply = client.post(path, &body).await;
        assert_eq!(reply.status, status, "{path} {body}: {}", reply.text());
        assert!(text(&reply.json()).contains(said), "{path} {body}: {}", reply.text());
    }
    let reply = known.get("/api/chat").await;
    assert_eq!((reply.status, text(&reply.json()).is_empty()), (405, false));
}

/// A stream that broke: what was said before, and the error.
#[track_caller]
fn broken(reply: &Reply, case: &str) -> (Vec<Value>, String) {
    assert!(reply.status == 200 && !reply.complete, "{case}: {} {}", reply.status, reply.text());
    let mut objects = objects(reply);
    let error = text(&objects.pop().unwrap_or_else(|| panic!("{case}: nothing")));
    assert!(objects.iter().all(|object| object["done"] == false), "{case}: {objects:?}");
    (objects, error)
}

#[tokio::test]
async fn a_stream_that_breaks_ends_in_an_error_and_no_last_object() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    for provider in PROVIDERS {
        for fault in ["cut:4", "error-event:4"] {
            let asked = format!("{provider}/mock@chunks=9@fault={fault}");
            let reply = chat(&gateway, &asked, true, says("hi")).await;
            let (before, error) = broken(&reply, &asked);
            assert!(!before.is_empty() && !error.is_empty(), "{asked}: {before:?} {error:?}");
        }
    }
}

#[tokio::test]
async fn a_provider_that_fails_at_once_is_an_error_whole_and_streamed() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    for provider in PROVIDERS {
        for (fault, status) in
            [("status:429", 429), ("status:500", 502), ("garbage", 502), ("html", 502), ("close", 502)]
        {
            for stream in [true, false] {
                let asked = format!("{provider}/mock@fault={fault}");
                let reply = chat(&gateway, &asked, stream, says("hi")).await;
                assert_eq!(reply.status, status, "{asked}, streamed: {stream}: {}", reply.text());
                assert!(!text(&reply.json()).is_empty(), "{asked}");
            }
        }
    }
}

#[tokio::test]
async fn bytes_that_trickle_are_the_same_lines() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    for provider in PROVIDERS {
        let asked = format!("{provider}/mock@fault=trickle:1");
        let told =
            super::told(&chat(&gateway, &asked, true, with(says("hi ⛵"), "think", json!(false))).await);
        assert!(told.text.starts_with("You said: \"hi ⛵\"."), "{asked}: {told:?}");
    }
}
