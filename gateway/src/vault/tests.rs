//! What a client drops comes back to its owner, and to nobody else.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Provenance, Turn, Vault};
use crate::store::{Memory, clock};

fn vault() -> Vault {
    Vault::new(Arc::new(Memory::new(clock())))
}

fn claude() -> Provenance {
    Provenance { vendor: "anthropic".to_owned(), provider: "main".to_owned(), model: "claude".to_owned() }
}

fn details() -> Value {
    json!([{ "type": "reasoning.text", "text": "hm", "signature": "sig", "format": "anthropic" }])
}

fn calls(extra: Option<Value>) -> Value {
    let mut call =
        json!({ "id": "call_1", "type": "function", "function": { "name": "f", "arguments": "{\"a\":1}" } });
    if let Some(extra) = extra {
        call["extra_content"] = extra;
    }
    json!([call, { "id": "call_2", "type": "function", "function": { "name": "g", "arguments": "" } }])
}

fn answer(message: Value) -> Vec<u8> {
    json!({ "choices": [{ "index": 0, "message": message, "finish_reason": "tool_calls" }] })
        .to_string()
        .into_bytes()
}

/// What a client sends that keeps nothing but what OpenAI's API names.
fn request(arguments: &str) -> Vec<u8> {
    let mut calls = calls(None);
    calls[0]["function"]["arguments"] = json!(arguments);
    json!({ "model": "m", "messages": [
        { "role": "user", "content": "q" },
        { "role": "assistant", "content": "text", "reasoning_details": null, "tool_calls": calls },
        { "role": "tool", "tool_call_id": "call_1", "content": "r" },
    ]})
    .to_string()
    .into_bytes()
}

fn keep(vault: &Vault, tenant: &str, message: Value) {
    let mut turn = Turn::default();
    turn.take(&answer(message));
    assert!(turn.has_ended());
    vault.keep(tenant, &claude(), turn);
}

async fn restored(vault: &Vault, tenant: &str, to: &Provenance, request: &[u8]) -> Option<Value> {
    let recalled = vault.recall(tenant, request).await;
    Some(serde_json::from_slice(&recalled.restored(to, request)?).unwrap())
}

#[tokio::test]
async fn what_was_dropped_comes_back() {
    let vault = vault();
    let extra = json!({ "google": { "thought_signature": "s" } });
    let message = json!({ "content": "text", "reasoning_details": details(), "tool_calls": calls(Some(extra.clone())),
        "order": ["content:0", "reasoning:0", "tool_call:0", "tool_call:1"] });
    keep(&vault, "a", message);
    for arguments in ["{\"a\":1}", "{ \"a\": 1 }"] {
        let back = restored(&vault, "a", &claude(), &request(arguments)).await.unwrap();
        let message = &back["messages"][1];
        assert_eq!(message["reasoning_details"], details());
        assert_eq!(message["tool_calls"][0]["extra_content"], extra);
        assert_eq!(message["tool_calls"][1].get("extra_content"), None);
        assert_eq!(message["order"], json!(["content:0", "reasoning:0", "tool_call:0", "tool_call:1"]));
        assert_eq!((&message["content"], &message["role"]), (&json!("text"), &json!("assistant")));
        assert_eq!((&back["model"], &back["messages"][0]["content"]), (&json!("m"), &json!("q")));
    }
}

#[tokio::test]
async fn nobody_else_gets_it() {
    let vault = vault();
    keep(&vault, "a", json!({ "content": null, "reasoning_details": details(), "tool_calls": calls(None) }));
    let asked = request("{\"a\":1}");
    assert!(restored(&vault, "a", &claude(), &asked).await.is_some());
    assert!(restored(&vault, "b", &claude(), &asked).await.is_none(), "another key");
    for other in [
        Provenance { provider: "second".to_owned(), ..claude() },
        Provenance { vendor: "gemini".to_owned(), ..claude() },
        Provenance { model: "claude-2".to_owned(), ..claude() },
    ] {
        assert!(restored(&vault, "a", &other, &asked).await.is_none(), "{other:?}");
    }
    assert!(restored(&vault, "a", &claude(), &request("{\"a\":2}")).await.is_none(), "another call");
}

#[tokio::test]
async fn what_the_client_kept_is_not_touched() {
    let vault = vault();
    keep(&vault, "a", json!({ "content": null, "reasoning_details": details(), "tool_calls": calls(None) }));
    let mut asked: Value = serde_json::from_slice(&request("{\"a\":1}")).unwrap();
    asked["messages"][1]["reasoning_details"] = json!([{ "type": "reasoning.text", "text": "mine" }]);
    assert!(restored(&vault, "a", &claude(), asked.to_string().as_bytes()).await.is_none());
}

#[tokio::test]
async fn calls_without_state_are_not_kept() {
    let vault = vault();
    let plain = json!([{ "type": "reasoning.text", "text": "hm" }]);
    keep(&vault, "a", json!({ "content": null, "reasoning_details": plain, "tool_calls": calls(None) }));
    assert!(restored(&vault, "a", &claude(), &request("{\"a\":1}")).await.is_none());
}

#[tokio::test]
async fn pieces_of_a_stream_are_one_turn() {
    let vault = vault();
    let mut turn = Turn::default();
    let deltas = [
        json!({ "role": "assistant", "content": "" }),
        json!({ "content": "te" }),
        json!({ "reasoning_details": [{ "index": 0, "type": "reasoning.text", "text": "h", "format": "anthropic" }] }),
        json!({ "reasoning_details": [{ "index": 0, "text": "m" }] }),
        json!({ "reasoning_details": [{ "index": 0, "signature": "sig" }] }),
        json!({ "content": "xt" }),
        json!({ "tool_calls": [{ "index": 0, "id": "call_1", "function": { "name": "f", "arguments": "" } }] }),
        json!({ "tool_calls": [{ "index": 0, "function": { "arguments": "{\"a\"" } }] }),
        json!({ "tool_calls": [{ "index": 1, "id": "call_2", "function": { "name": "g", "arguments": "{}" } }] }),
        json!({ "tool_calls": [{ "index": 0, "function": { "arguments": ":1}" } }] }),
    ];
    for delta in deltas {
        turn.take(json!({ "choices": [{ "index": 0, "delta": delta }] }).to_string().as_bytes());
        assert!(!turn.has_ended());
    }
    turn.take(br#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#);
    assert!(turn.has_ended());
    vault.keep("a", &claude(), turn);
    let back = restored(&vault, "a", &claude(), &request("{\"a\":1}")).await.unwrap();
    assert_eq!(back["messages"][1]["reasoning_details"], details());
    // All text comes back in one piece, where it began.
    assert_eq!(
        back["messages"][1]["order"],
        json!(["content:0", "reasoning:0", "tool_call:0", "tool_call:1"])
    );
}

#[tokio::test]
async fn signed_parts_come_back_as_parts() {
    let vault = vault();
    let parts = json!([{ "type": "text", "text": "te" },
        { "type": "text", "text": "xt", "extra_content": { "google": { "thought_signature": "s" } } }]);
    keep(&vault, "a", json!({ "content": parts, "tool_calls": calls(None) }));
    let back = restored(&vault, "a", &claude(), &request("{\"a\":1}")).await.unwrap();
    assert_eq!(back["messages"][1]["content"], parts);
}
