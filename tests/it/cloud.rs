//! The dialects of AWS and Cohere: over every provider, untouched over their own, and never a clean end after a failure.

mod passing;

use causeway::domain::event_stream;
use causeway::mock::Running;
use serde_json::{Value, json};

use super::support::client::{Client, Reply};
use super::support::{Gateway, KEY, in_path, upstream};

/// Providers, each behind `<provider>/<model of the mock>`; `guarded` is Bedrock with a guardrail, `keyed` with an API key.
fn configuration(upstream: &str) -> String {
    let mut text = format!("[keys.tests]\nsecret = \"{KEY}\"\n");
    let region = "options = { region = \"eu-central-1\" }";
    for (name, plugin, key, options) in [
        ("openai", "openai", "sk-1", ""),
        ("anthropic", "anthropic", "sk-1", ""),
        ("gemini", "gemini", "sk-1", ""),
        ("cohere", "cohere", "sk-1", ""),
        ("bedrock", "bedrock", "AKIDEXAMPLE:secret", region),
        ("keyed", "bedrock", "sk-bedrock", "options = { auth = \"bearer\" }"),
        (
            "guarded",
            "bedrock",
            "AKIDEXAMPLE:secret",
            "options = { region = \"eu-central-1\", guardrail = { id = \"g\", version = \"1\" } }",
        ),
    ] {
        text.push_str(&format!(
            "[providers.{name}]\nplugin = \"{plugin}\"\nurl = \"{upstream}\"\nkeys = [\"{key}\"]\n{options}\n\
             [models.\"{name}/*\"]\ntargets = [\"{name}/*\"]\nretry = {{ attempts = 1 }}\n"
        ));
    }
    text
}

async fn start() -> (Running, Gateway) {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    (mock, gateway)
}

fn converse(model: &str, stream: bool) -> String {
    format!("/model/{}/converse{}", in_path(model), if stream { "-stream" } else { "" })
}

fn says(text: &str) -> Value {
    json!({ "messages": [{ "role": "user", "content": [{ "text": text }] }] })
}

fn asks(model: &str, text: &str, stream: bool) -> Value {
    json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": text }] })
}

/// The frames that came whole: message type, name and payload.
fn frames(mut bytes: &[u8]) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    while let Some(prelude) = bytes.first_chunk() {
        let length = event_stream::length(prelude).unwrap();
        let (frame, behind) = bytes.split_at_checked(length).expect("half a frame");
        let frame = event_stream::read(frame).unwrap();
        let payload = serde_json::from_slice(frame.payload).unwrap();
        found.push((frame.message_type.to_owned(), frame.name.to_owned(), payload));
        bytes = behind;
    }
    assert!(bytes.is_empty());
    found
}

const OVER: [&str; 6] = ["openai", "anthropic", "gemini", "cohere", "bedrock", "guarded"];

#[tokio::test]
async fn a_stream_of_frames_over_every_provider() {
    let (_mock, gateway) = start().await;
    for provider in OVER {
        // Three bytes at a time, through characters and frames.
        for model in ["mock", "mock@fault=trickle:3"] {
            let path = converse(&format!("{provider}/{model}"), true);
            let reply = gateway.client().with_key().post(&path, &says("h\u{e9}llo ⛵")).await;
            assert_eq!(reply.header("content-type"), "application/vnd.amazon.eventstream", "{provider}");
            assert!(reply.complete && !reply.header("x-amzn-requestid").is_empty());
            let told = frames(&reply.body);
            let names: Vec<_> = told.iter().map(|(_, name, _)| name.as_str()).collect();
            assert_eq!(names.first(), Some(&"messageStart"), "{provider}");
            assert!(
                names.ends_with(&["contentBlockStop", "messageStop", "metadata"]),
                "{provider}: {names:?}"
            );
            let text: String =
                told.iter().filter_map(|(_, _, event)| event["delta"]["text"].as_str()).collect();
            assert!(text.starts_with("You said: \"h\u{e9}llo ⛵\"."), "{provider}: {text}");
            let usage = &told.last().unwrap().2["usage"];
            let line = gateway.request_line(reply.header("x-request-id")).await;
            assert_eq!(
                (&line["in"], &line["out"]),
                (&usage["inputTokens"], &usage["outputTokens"]),
                "{line}"
            );
            assert_eq!(line["translated"], json!(provider != "bedrock"), "{line}");
        }
    }
}

#[tokio::test]
async fn a_stream_of_coheres_events_over_every_provider() {
    let (_mock, gateway) = start().await;
    for provider in OVER {
        let body = asks(&format!("{provider}/mock"), "h\u{e9}llo ⛵", true);
        let reply = gateway.client().with_key().post("/cohere/v2/chat", &body).await;
        let events = reply.events();
        let (last, before) = events.split_last().unwrap();
        assert!(reply.complete && last.data == "[DONE]", "{provider}: {}", reply.text());
        assert_eq!(
            (before[0].name.as_str(), before.last().unwrap().name.as_str()),
            ("message-start", "message-end")
        );
        let pieces = before.iter().map(|event| event.json()["delta"]["message"]["content"]["text"].take());
        let text: String = pieces.filter_map(|piece| piece.as_str().map(str::to_owned)).collect();
        assert!(text.starts_with("You said: \"h\u{e9}llo ⛵\"."), "{provider}: {text}");
        let line = gateway.request_line(reply.header("x-request-id")).await;
        assert_eq!(line["translated"], json!(provider != "cohere"), "{line}");
    }
}

/// A stream that was broken off ends with an exception and without a last chunk.
fn broken_frames(reply: &Reply, case: &str) {
    if reply.status != 200 {
        // Nothing had been sent yet.
        assert!(reply.complete && !reply.header("x-amzn-errortype").is_empty(), "{case}: {}", reply.text());
        assert!(reply.json()["message"].is_string(), "{case}");
        return;
    }
    let told = frames(&reply.body);
    let (last, before) = told.split_last().unwrap_or_else(|| panic!("no frame: {case}"));
    assert!(!reply.complete, "a body with a proper end: {case}");
    assert!(last.0 == "exception" && last.2["message"].is_string(), "{case}: {last:?}");
    assert!(before.iter().all(|(kind, name, _)| kind == "event" && name != "metadata"), "{case}");
}

fn broken_events(reply: &Reply, case: &str) {
    if reply.status != 200 {
        let error = reply.json();
        assert!(reply.complete && error["message"].is_string(), "{case}: {error}");
        assert_eq!(error["id"], reply.header("x-request-id"), "{case}");
        return;
    }
    let events = reply.events();
    let last = events.last().unwrap_or_else(|| panic!("no event: {case}")).json();
    assert!(!reply.complete, "a body with a proper end: {case}");
    assert_eq!(
        (&last["type"], &last["delta"]["finish_reason"]),
        (&json!("message-end"), &json!("ERROR")),
        "{case}"
    );
    assert!(last["delta"]["error"].is_string(), "{case}: {last}");
}

#[tokio::test]
async fn a_provider_that_dies_at_any_event_is_an_error_and_no_end() {
    let (_mock, gateway) = start().await;
    let client = gateway.client().with_key();
    for provider in OVER {
        for fault in ["cut", "error-event"] {
            let mut broken = 0;
            for after in 0..20 {
                let model = format!("{provider}/mock@chunks=3@fault={fault}:{after}");
                let reply = client.post(&converse(&model, true), &says("hello")).await;
                let whole = reply.status == 200 && reply.complete;
                if whole {
                    assert_eq!(frames(&reply.body).last().unwrap().1, "metadata");
                } else {
                    broken_frames(&reply, &model);
                    broken += 1;
                }
                let reply = client.post("/v2/chat", &asks(&model, "hello", true)).await;
                if !(reply.status == 200 && reply.complete) {
                    broken_events(&reply, &model);
                }
                if whole && after > 8 {
                    break;
                }
            }
            assert!(broken >= 4, "{provider} {fault}: only {broken} streams were broken");
        }
    }
}

#[tokio::test]
async fn refusals_are_told_in_the_dialects_own_words() {
    let (_mock, gateway) = start().await;
    let client = gateway.client();
    let path = converse("openai/mock", false);
    let signed = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-central-1/bedrock/aws4_request, SignedHeaders=host, Signature=00";
    let reply = client.clone().with("authorization", signed).post(&path, &says("x")).await;
    assert_eq!((reply.status, reply.header("x-amzn-errortype")), (403, "AccessDeniedException"));
    assert!(
        reply.json()["message"].as_str().unwrap().contains("AWS_BEARER_TOKEN_BEDROCK"),
        "{}",
        reply.text()
    );
    let client = client.with_key();
    for (path, status, word) in [
        ("/bedrock/unknown", 404, "UnknownOperationException"),
        ("/model/x/invoke", 404, "UnknownOperationException"),
        ("/bedrock/model/unknown-model/converse", 404, "ResourceNotFoundException"),
    ] {
        let reply = client.post(path, &says("x")).await;
        assert_eq!(
            (reply.status, reply.header("x-amzn-errortype")),
            (status, word),
            "{path}: {}",
            reply.text()
        );
    }
    let reply = client.get(&path).await;
    assert_eq!((reply.status, reply.header("x-amzn-errortype")), (405, "ValidationException"));
    for path in ["/v2/unknown", "/cohere/unknown"] {
        let reply = client.post(path, &json!({})).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.json()["message"].is_string() && reply.json()["id"].is_string(), "{}", reply.text());
    }
    let reply =
        client.post("/v2/chat", &json!({ "model": "openai/mock", "messages": [{ "role": "x" }] })).await;
    assert_eq!(
        (reply.status, reply.json()["message"].as_str().unwrap().starts_with("messages[0].")),
        (400, true)
    );
}

/// The body the provider got last.
fn sent(mock: &Running) -> Value {
    serde_json::from_slice(&mock.requests().pop().unwrap().body).unwrap()
}

#[tokio::test]
async fn what_was_translated_once_is_translated_the_same_way_again() {
    let (mock, gateway) = start().await;
    let client: Client = gateway.client().with_key();
    let rich = json!({
        "system": [{ "text": "be brief" }, { "cachePoint": { "type": "default" } }],
        "messages": [
            { "role": "user", "content": [
                { "text": "look" }, { "image": { "format": "png", "source": { "bytes": "AAAA" } } },
                { "document": { "format": "txt", "name": "n", "source": { "bytes": "aGk=" } } },
            ] },
            { "role": "assistant", "content": [
                { "text": "let me" }, { "toolUse": { "toolUseId": "a", "name": "f", "input": { "x": 1.0 } } },
            ] },
            { "role": "user", "content": [
                { "toolResult": { "toolUseId": "a", "content": [{ "text": "no" }], "status": "error" } }, { "text": "and?" },
            ] },
        ],
        "inferenceConfig": { "maxTokens": 9, "temperature": 0.5, "stopSequences": ["x"] },
        "toolConfig": { "tools": [{ "toolSpec": { "name": "f", "inputSchema": { "json": { "type": "object" } } } }], "toolChoice": { "any": {} } },
        "additionalModelRequestFields": { "top_k": 5 },
        "requestMetadata": { "team": "a" },
    });
    let path = converse("guarded/claude-sonnet-4-5-mock", false);
    let reply = client.post(&path, &rich).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut once = sent(&mock);
    assert_eq!(once["guardrailConfig"], json!({ "guardrailIdentifier": "g", "guardrailVersion": "1" }));
    once.as_object_mut().unwrap().remove("guardrailConfig");
    assert_eq!(once, rich);
    client.post(&path, &once).await;
    let mut twice = sent(&mock);
    twice.as_object_mut().unwrap().remove("guardrailConfig");
    assert_eq!(twice, once);

    // State of others keeps a body from passing through; it is dropped on the way, and nothing else is.
    let mut rich = json!({
        "model": "cohere/mock", "stream": false, "max_tokens": 9, "k": 5, "p": 0.5, "stop_sequences": ["x"], "tool_choice": "REQUIRED",
        "tools": [{ "type": "function", "function": { "name": "f", "parameters": { "type": "object" } } }],
        "documents": [{ "data": { "title": "t", "snippet": "words" } }], "safety_mode": "STRICT",
        "messages": [
            { "role": "system", "content": "be brief" },
            { "role": "user", "content": [{ "type": "text", "text": "look" }, { "type": "image_url", "image_url": { "url": "https://x/y.png" } }] },
            { "role": "assistant", "tool_plan": "I will", "tool_calls": [
                { "id": "a", "type": "function", "function": { "name": "f", "arguments": "{\"x\":1.0}" } },
            ] },
            { "role": "tool", "tool_call_id": "a", "content": "no" },
        ],
    });
    let wanted = {
        let mut wanted = rich.clone();
        wanted["model"] = json!("mock");
        wanted
    };
    let state = json!({ "to": "message", "extra_content": { "google": {} } });
    for _ in 0..2 {
        rich["messages"][2]["tool_calls"][0]["signature"] = json!(format!("causeway:bound:{state}"));
        let reply = client.post("/v2/chat", &rich).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(!reply.header("x-causeway-lossy").is_empty());
        let sent = sent(&mock);
        assert_eq!(sent, wanted);
        rich = sent;
        rich["model"] = json!("cohere/mock");
    }
}
