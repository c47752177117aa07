//! Ollama on both sides: its clients with every provider, and every client with it as the provider.

use serde_json::{Value, json};

use super::support::client::Reply;
use super::support::question::PNG;
use super::support::upstream;
use super::support::{Gateway, KEY, Shape, configuration, provider_key};

mod error;
mod model;
mod passage;
mod provider;
mod round;

/// Providers of all vendors, Ollama's among them, each behind `<provider>/<model of the mock>`.
const PROVIDERS: [&str; 4] = ["openai", "anthropic", "gemini", "ollama"];

async fn gateway(upstream: &str) -> Gateway {
    let ollama = format!(
        "[providers.ollama]\nplugin = \"ollama\"\nurl = \"{upstream}/v1\"\nkeys = [\"{}\"]\n\
         [models.\"ollama/*\"]\ntargets = [\"ollama/*\"]\nretry = {{ attempts = 1 }}\n",
        provider_key("ollama")
    );
    Gateway::start(&(configuration(upstream) + &ollama)).await
}

/// What one of Ollama's answers says, whole or gathered from its lines.
#[derive(Debug, Default)]
struct Told {
    text: String,
    thinking: String,
    calls: Vec<Value>,
    /// The last object.
    last: Value,
}

impl Told {
    /// Names and arguments of the calls.
    fn called(&self) -> Vec<(&str, &Value)> {
        let functions = self.calls.iter().map(|call| &call["function"]);
        functions.map(|function| (function["name"].as_str().unwrap(), &function["arguments"])).collect()
    }

    /// The message as a client keeps it. Ollama's own Python client drops the ids of calls.
    fn kept(&self, with_ids: bool) -> Value {
        let mut calls = self.calls.clone();
        for call in calls.iter_mut().filter(|_| !with_ids) {
            call.as_object_mut().unwrap().remove("id");
        }
        json!({ "role": "assistant", "content": self.text, "thinking": self.thinking, "tool_calls": calls })
    }
}

/// The objects of an answer, after its framing was checked.
#[track_caller]
fn objects(reply: &Reply) -> Vec<Value> {
    let text = reply.text();
    if reply.header("content-type") == "application/json" {
        return vec![reply.json()];
    }
    assert_eq!(reply.header("content-type"), "application/x-ndjson", "{text}");
    assert!(text.ends_with('\n'), "{text}");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// A good answer to `/api/chat` or `/api/generate`.
#[track_caller]
fn told(reply: &Reply) -> Told {
    assert!(reply.status == 200 && reply.complete, "{} {}", reply.status, reply.text());
    let objects = objects(reply);
    let mut told = Told::default();
    let (last, before) = objects.split_last().expect("no object");
    assert!(before.iter().all(|line| line["done"] == false), "{objects:#?}");
    assert!(last["done"] == true && last["done_reason"].is_string(), "{last}");
    assert!(last["model"].is_string() && last["created_at"].as_str().unwrap().ends_with('Z'), "{last}");
    for object in &objects {
        let message = if object["message"].is_object() { &object["message"] } else { object };
        let text = if message["content"].is_string() { &message["content"] } else { &message["response"] };
        told.text.push_str(text.as_str().unwrap());
        told.thinking.push_str(message["thinking"].as_str().unwrap_or_default());
        told.calls.extend(message["tool_calls"].as_array().into_iter().flatten().cloned());
    }
    told.last = last.clone();
    told
}

/// One request to `/api/chat`. Without a word about it, the answer is streamed.
async fn chat(gateway: &Gateway, model: &str, stream: bool, mut body: Value) -> Reply {
    body["model"] = json!(model);
    if !stream {
        body["stream"] = json!(false);
    }
    gateway.client().with_key().post("/api/chat", &body).await
}

fn says(text: &str) -> Value {
    json!({ "messages": [{ "role": "user", "content": text }] })
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn with_tools(body: Value) -> Value {
    // Ollama's tools are OpenAI's.
    Shape::OpenAi.with_tools(body)
}

/// Asks every provider, whole and streamed.
async fn each(model: &str, body: Value, check: impl Fn(&Told, &str)) {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    for provider in PROVIDERS {
        for stream in [true, false] {
            let reply = chat(&gateway, &format!("{provider}/{model}"), stream, body.clone()).await;
            check(&told(&reply), &format!("{provider}, streamed: {stream}"));
        }
    }
}

#[tokio::test]
async fn text_and_system_prompts_arrive() {
    let body = json!({ "messages": [
        { "role": "system", "content": "be a harbour master" }, { "role": "user", "content": "ahoy ⛵" },
    ] });
    each("mock", body, |told, case| {
        let expected = "You said: \"ahoy ⛵\". The system prompt is: \"be a harbour master\". ";
        assert!(told.text.starts_with(expected), "{case}: {told:?}");
        assert_eq!(told.last["done_reason"], "stop", "{case}");
        assert!(told.calls.is_empty() && told.thinking.is_empty(), "{case}: {told:?}");
        let counted = |name: &str| told.last[name].as_u64().unwrap_or_default() > 0;
        assert!(counted("prompt_eval_count") && counted("eval_count"), "{case}: {told:?}");
        assert!(counted("total_duration"), "{case}: {told:?}");
    })
    .await;
}

#[tokio::test]
async fn tools_are_called_with_objects() {
    each("mock", with_tools(says("both in parallel")), |told, case| {
        let (weather, time) = (json!({ "city": "x", "unit": "celsius" }), json!({ "zone": "y" }));
        assert_eq!(told.called(), [("get_weather", &weather), ("get_time", &time)], "{case}");
        assert_eq!((told.text.as_str(), &told.last["done_reason"]), ("", &json!("stop")), "{case}");
    })
    .await;
}

#[tokio::test]
async fn results_go_back_with_and_without_ids() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    for provider in PROVIDERS {
        for (model, with_ids) in [("mock", true), ("mock", false), ("mock-think", true)] {
            let asked = format!("{provider}/{model}");
            let mut body = with_tools(says("both in parallel"));
            let first = told(&chat(&gateway, &asked, true, body.clone()).await);
            let messages = body["messages"].as_array_mut().unwrap();
            messages.push(first.kept(with_ids));
            // In the other order: by name they still find their calls.
            for (call, result) in first.calls.iter().zip(["sunny, 21°", "noon"]).rev() {
                let mut message =
                    json!({ "role": "tool", "tool_name": call["function"]["name"], "content": result });
                if with_ids && call["id"].is_string() {
                    message["tool_call_id"] = call["id"].clone();
                }
                messages.push(message);
            }
            let told = told(&chat(&gateway, &asked, false, body).await);
            for expected in
                ["The tool get_weather returned: \"sunny, 21°\".", "The tool get_time returned: \"noon\"."]
            {
                assert!(told.text.contains(expected), "{asked} {with_ids}: {told:?}");
            }
        }
    }
}

#[tokio::test]
async fn thoughts_are_shown_when_they_are_wanted() {
    each("mock-think", with(says("hello"), "think", json!(true)), |told, case| {
        assert!(told.thinking.contains("A mock has no thoughts"), "{case}: {told:?}");
        assert!(told.text.starts_with("You said: \"hello\"."), "{case}: {told:?}");
    })
    .await;
}

#[tokio::test]
async fn pictures_options_and_formats_arrive() {
    let shown = json!({ "messages": [{ "role": "user", "content": "look", "images": [PNG] }] });
    each("mock", shown, |told, case| {
        let expected = "You said: \"look\". I see 1 image(s): image/png of 68 bytes.";
        assert!(told.text.starts_with(expected), "{case}: {told:?}");
    })
    .await;
    let limited = with(says("hello"), "options", json!({ "num_predict": 3 }));
    each("mock", limited, |told, case| {
        assert_eq!(
            (told.text.as_str(), &told.last["done_reason"]),
            ("You said: \"h", &json!("length")),
            "{case}"
        );
    })
    .await;
    let stopped = with(says("hello"), "options", json!({ "stop": ["built-in"] }));
    each("mock", stopped, |told, case| {
        assert!(told.text.ends_with("This is Causeway's "), "{case}: {told:?}");
    })
    .await;
    let schema = json!({
        "type": "object", "required": ["city"], "additionalProperties": false,
        "properties": { "city": { "type": "string" } },
    });
    each("mock", with(says("tell me"), "format", schema), |told, case| {
        let answer: Value =
            serde_json::from_str(&told.text).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert!(answer["city"].is_string(), "{case}: {told:?}");
    })
    .await;
}

#[tokio::test]
async fn a_prompt_is_completed_by_every_provider() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    for provider in PROVIDERS {
        for stream in [true, false] {
            let mut body = json!({ "model": format!("{provider}/mock-think"), "prompt": "ahoy", "system": "be brief", "think": true });
            if !stream {
                body["stream"] = json!(false);
            }
            let told = told(&gateway.client().with_key().post("/api/generate", &body).await);
            let expected = "You said: \"ahoy\". The system prompt is: \"be brief\". ";
            assert!(told.text.starts_with(expected), "{provider}: {told:?}");
            assert!(told.thinking.contains("A mock has no thoughts"), "{provider}: {told:?}");
            assert!(told.last["response"].is_string() && told.last.get("message").is_none(), "{provider}");
        }
    }
}

#[tokio::test]
async fn what_ollama_alone_knows_reaches_ollama_and_is_reported_elsewhere() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    let body = with(says("hi"), "options", json!({ "num_ctx": 8192, "mirostat": 1 }));
    let body = with(body, "keep_alive", json!("10m"));
    for provider in PROVIDERS {
        let reply = chat(&gateway, &format!("{provider}/mock"), false, body.clone()).await;
        told(&reply);
        let request = mock.requests().pop().unwrap();
        if provider == "ollama" {
            let mut expected = with(body.clone(), "model", json!("mock"));
            expected["stream"] = json!(false);
            assert_eq!((request.path.as_str(), request.json()), ("/api/chat", expected));
            assert_eq!(request.header("authorization"), format!("Bearer {}", provider_key("ollama")));
        } else {
            assert_eq!(reply.header("x-causeway-lossy"), "vendor.ollama", "{provider}");
        }
    }
    assert!(!mock.requests().iter().any(|request| format!("{:?}", request.headers).contains(KEY)));
}
