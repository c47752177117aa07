//! The canonical form is reached twice: Ollama's request → canonical → Ollama's request, as its adapter writes it, →
//! canonical again.

use bytes::Bytes;
use causeway::adapter::{Lease, Limits, Pool, Registry, Route, Runtime, Source};
use causeway::dialect::Dialect as _;
use causeway::dialect::ollama_chat::OllamaChat;
use causeway::domain::{Operation, RequestHead};
use http::HeaderMap;
use serde_json::{Value, json};

use super::PNG;

/// Requests that say everything Ollama has a place for.
fn requests() -> Vec<Value> {
    let function = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments });
    vec![
        json!({ "messages": [{ "role": "user", "content": "hi" }] }),
        json!({
            "messages": [
                { "role": "system", "content": "be \"brief\"\n" },
                { "role": "user", "content": "look", "images": [PNG] },
                { "role": "assistant", "content": "", "thinking": "hm", "tool_calls": [
                    { "id": "a", "function": function("f", json!({ "x": [1, 2.5, null] })) },
                    { "id": "b", "function": function("g", json!({})) },
                ] },
                { "role": "tool", "content": "1", "tool_name": "f", "tool_call_id": "a" },
                { "role": "tool", "content": "2", "tool_name": "g", "tool_call_id": "b" },
                { "role": "assistant", "content": "so" },
                { "role": "user", "content": "on", "mood": "good" },
            ],
            "tools": [{ "type": "function", "function": {
                "name": "f", "description": "d", "parameters": { "type": "object", "properties": {} },
            } }],
            "format": { "type": "object", "properties": { "a": { "type": "string" } } },
            "think": true, "logprobs": true, "top_logprobs": 2, "keep_alive": "10m", "truncate": false,
            "options": {
                "num_predict": 5, "temperature": 0.5, "top_p": 0.25, "top_k": 3, "seed": 1, "stop": ["x", "y"],
                "frequency_penalty": 0.5, "presence_penalty": 0.5, "num_ctx": 8192, "min_p": 0.125,
            },
        }),
        json!({
            "messages": [{ "role": "user", "content": "hi" }], "format": "json", "think": false,
            "options": { "num_predict": -1, "seed": -1, "top_k": 0 },
        }),
        json!({ "model": "gpt-oss:20b", "messages": [{ "role": "user", "content": "hi" }], "think": "low" }),
    ]
}

fn canonical(body: &[u8]) -> Bytes {
    let head = RequestHead {
        method: http::Method::POST,
        path: "/api/chat".into(),
        query: None,
        headers: HeaderMap::new(),
    };
    let envelope = OllamaChat.read(&head, Bytes::copy_from_slice(body)).unwrap();
    OllamaChat.canonical(&envelope).unwrap()
}

/// The adapter, as it ships.
fn adapter() -> Lease {
    let limits = Limits { budget: std::time::Duration::from_secs(5), ..Limits::default() };
    let registry = Registry::new(Runtime::start(None).unwrap());
    let loaded = registry.load("ollama", &Source::Bundled, limits).unwrap();
    Pool::open(loaded, "{}".to_owned(), limits).unwrap().checkout().unwrap()
}

#[test]
fn a_request_through_the_adapter_says_the_same() {
    let mut lease = adapter();
    for streaming in [true, false] {
        for mut request in requests() {
            let model = request["model"].as_str().unwrap_or("m").to_owned();
            request["model"] = json!(model);
            request["stream"] = json!(streaming);
            let first = canonical(request.to_string().as_bytes());
            let route = Route { model, streaming, dialect: "ollama-chat", headers: Vec::new() };
            let translator = lease.translator().unwrap();
            let (again, losses) = translator.translate_request(&route, Operation::Chat, &first).unwrap();
            assert!(losses.is_empty(), "{losses:?}");
            let second = canonical(&again.body);
            let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
            assert_eq!(read(&second), read(&first), "{}", String::from_utf8_lossy(&again.body));
        }
    }
}
