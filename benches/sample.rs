//! What is measured: requests of an agent, and streams of 64 events.
#![expect(dead_code, reason = "each bench takes what it needs")]

use std::fmt::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use causeway::adapter::{self, Limits, Pool, Registry, Runtime, Source};
use causeway::domain::{Envelope, RequestHead};
use plugin_sdk::{Operation, Route};
use serde_json::{Value, json};

/// What a machine with other work may need for a call; the limit is not what is measured.
const LIMITS: Limits = Limits { memory: 64 << 20, budget: Duration::from_secs(5) };

/// The head of an OpenAI client's request.
pub fn head() -> RequestHead {
    RequestHead {
        method: http::Method::POST,
        path: "/v1/chat/completions".to_owned(),
        query: None,
        headers: http::HeaderMap::new(),
    }
}

/// An agent's conversation of about this many bytes: system prompt, six tools, turns with tool calls and results.
pub fn request(bytes: usize) -> Bytes {
    let mut messages = vec![
        json!({ "role": "system", "content": "You are a careful assistant. Read the files before you change them." }),
        json!({ "role": "user", "content": "Please find out why the build fails, and put it right." }),
    ];
    let mut turn = 0;
    let mut length = body(&messages, bytes).len();
    while length < bytes {
        turn += 1;
        let call = format!("call_{turn:04}");
        let output = format!("src/part_{turn}.rs:{}: \"expected `;`\", found `}}`\n", turn * 7).repeat(8);
        messages.push(json!({ "role": "assistant", "content": null, "tool_calls": [{ "id": call, "type": "function",
            "function": { "name": "read_file", "arguments": "{\"path\":\"src/part.rs\",\"from\":1,\"to\":80}" } }] }));
        messages.push(json!({ "role": "tool", "tool_call_id": call, "content": output }));
        // The two new messages and their commas.
        length += messages.iter().rev().take(2).map(|message| message.to_string().len() + 1).sum::<usize>();
    }
    body(&messages, bytes).into()
}

fn body(messages: &[Value], bytes: usize) -> Vec<u8> {
    let tool = |name: &str| {
        json!({ "type": "function", "function": { "name": name, "description": "Does what its name says to one file",
            "parameters": { "type": "object", "properties": { "path": { "type": "string" }, "from": { "type": "integer" },
                "to": { "type": "integer" } }, "required": ["path"] } } })
    };
    // A small request has a small toolbox.
    let names = ["read_file", "write_file", "list_files", "search", "run", "patch"];
    let tools: Vec<Value> =
        names.iter().take(if bytes > 4_000 { 6 } else { 2 }).map(|name| tool(name)).collect();
    json!({ "model": "fast", "stream": true, "max_tokens": 4096, "temperature": 0.2, "messages": messages, "tools": tools })
        .to_string()
        .into_bytes()
}

/// What Anthropic answers whole.
pub fn answer() -> Bytes {
    let text = "The build fails because a semicolon is missing in src/part.rs. ".repeat(20);
    let answer = json!({ "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{ "type": "text", "text": text },
            { "type": "tool_use", "id": "toolu_01", "name": "patch", "input": { "path": "src/part.rs", "text": ";" } }],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": { "input_tokens": 1200, "output_tokens": 320, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 0 } });
    answer.to_string().into()
}

/// Anthropic's stream of 64 events: 58 of them text.
pub fn anthropic_events() -> Vec<Bytes> {
    let mut events = vec![
        event(
            "message_start",
            &json!({ "type": "message_start", "message": { "id": "msg_01", "type": "message",
            "role": "assistant", "model": "claude-sonnet-4-5", "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": { "input_tokens": 1200, "output_tokens": 1 } } }),
        ),
        event(
            "content_block_start",
            &json!({ "type": "content_block_start", "index": 0,
            "content_block": { "type": "text", "text": "" } }),
        ),
        event("ping", &json!({ "type": "ping" })),
    ];
    for number in 0..58 {
        let text = format!(" word number {number}");
        events.push(event(
            "content_block_delta",
            &json!({ "type": "content_block_delta", "index": 0,
            "delta": { "type": "text_delta", "text": text } }),
        ));
    }
    events.push(event("content_block_stop", &json!({ "type": "content_block_stop", "index": 0 })));
    events.push(event(
        "message_delta",
        &json!({ "type": "message_delta",
        "delta": { "stop_reason": "end_turn", "stop_sequence": null }, "usage": { "output_tokens": 180 } }),
    ));
    events.push(event("message_stop", &json!({ "type": "message_stop" })));
    events
}

/// OpenAI's stream of 64 events: 60 of them text.
pub fn openai_events() -> Vec<Bytes> {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({ "id": "chatcmpl-01", "object": "chat.completion.chunk", "created": 1795221727, "model": "gpt-5",
            "service_tier": "default", "choices": choices, "usage": usage });
        Bytes::from(format!("data: {chunk}\n\n"))
    };
    let said = |delta: Value, finish: Value| json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
    let mut events =
        vec![chunk(said(json!({ "role": "assistant", "content": "" }), Value::Null), Value::Null)];
    for number in 0..60 {
        let text = format!(" word number {number}");
        events.push(chunk(said(json!({ "content": text }), Value::Null), Value::Null));
    }
    events.push(chunk(said(json!({}), json!("stop")), Value::Null));
    events.push(chunk(
        json!([]),
        json!({ "prompt_tokens": 1200, "completion_tokens": 180, "total_tokens": 1380 }),
    ));
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}

fn event(name: &str, data: &Value) -> Bytes {
    let mut text = String::new();
    let _ = write!(text, "event: {name}\ndata: {data}\n\n");
    text.into()
}

/// The same bytes as reads of 4 KiB.
pub fn in_reads(events: &[Bytes]) -> Vec<Bytes> {
    let all = Bytes::from(events.concat());
    (0..all.len()).step_by(4096).map(|at| all.slice(at..all.len().min(at + 4096))).collect()
}

/// The facts the OpenAI dialect finds in [`request`].
pub fn envelope(body: Bytes) -> Envelope {
    Envelope { stream: true, include_usage: true, ..Envelope::whole(body, "fast".to_owned(), None) }
}

/// What is decided about the attempt, natively.
pub fn route() -> Route {
    Route {
        model: "claude-sonnet-4-5".to_owned(),
        streaming: true,
        dialect: "openai-chat".to_owned(),
        headers: Vec::new(),
    }
}

/// The same for the sandbox.
pub fn sandbox_route() -> adapter::Route {
    let Route { model, streaming, .. } = route();
    adapter::Route { model, streaming, dialect: "openai-chat", headers: Vec::new() }
}

/// Natively there is only chat to ask for.
pub const CHAT: Operation = Operation::Chat;

/// The bundled adapter for Anthropic: its instances are kept warm.
pub fn warm() -> Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| pool(&Source::Bundled)).clone()
}

/// The same component as anybody's file: a fresh instance for each exchange.
pub fn fresh() -> Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("adapters").join("anthropic.wasm");
    POOL.get_or_init(|| pool(&Source::File { path, digest: None })).clone()
}

fn pool(source: &Source) -> Pool {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    let compiled = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    let registry =
        REGISTRY.get_or_init(|| Registry::new(Runtime::start(Some(&compiled)).expect("an engine")));
    let loaded = registry.load("anthropic", source, LIMITS).expect("the bundled adapter");
    Pool::open(loaded, "{}".to_owned(), LIMITS).expect("an instance")
}
