//! Ollama's questions about models, and requests that only load one.

use serde_json::json;

use super::{chat, gateway};
use crate::support::gateway::good;
use crate::support::{Gateway, KEY, Shape, provider, upstream};

const NARROW: &str = "cw-key-with-few-models-0123456789";

async fn listing() -> Gateway {
    let text = [
        format!("[keys.all]\nsecret = \"{KEY}\"\n[keys.few]\nsecret = \"{NARROW}\"\nmodels = [\"b*\"]\n"),
        provider("one", Shape::OpenAi, "http://127.0.0.1:9"),
        ["a", "b", "b-2"].map(|name| format!("[models.{name}]\ntargets = [\"one/m\"]\n")).concat(),
    ];
    Gateway::start(&text.concat()).await
}

#[tokio::test]
async fn the_models_a_key_may_use_are_listed_and_shown() {
    let gateway = listing().await;
    for (key, expected) in [(KEY, vec!["a", "b", "b-2"]), (NARROW, vec!["b", "b-2"])] {
        let client = gateway.client().with("authorization", &format!("Bearer {key}"));
        let list = good(&client.get("/api/tags").await);
        let models = list["models"].as_array().unwrap();
        let names: Vec<_> = models.iter().map(|model| model["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected);
        for model in models {
            assert_eq!(model["model"], model["name"]);
            // `ollama list` cuts twelve digits from it.
            assert_eq!(model["digest"].as_str().unwrap().len(), 64);
            assert!(model["details"]["family"].is_string() && model["size"].is_u64(), "{model}");
        }
        assert_eq!(good(&client.get("/api/ps").await), json!({ "models": [] }));
        let shown = good(&client.post("/api/show", &json!({ "model": "b" })).await);
        assert_eq!(shown["capabilities"], json!(["completion", "tools", "vision", "thinking"]));
        assert_eq!(shown["model_info"]["general.basename"], "b");
        let status = async |body| client.post("/api/show", &body).await.status;
        assert_eq!(status(json!({ "name": "b-2" })).await, 200, "old clients call it `name`");
        assert_eq!(status(json!({ "model": "a" })).await, if key == KEY { 200 } else { 403 });
        assert_eq!(status(json!({ "model": "" })).await, 400);
    }
    let nobody = gateway.client();
    for path in ["/api/tags", "/api/ps"] {
        let reply = nobody.get(path).await;
        assert_eq!(reply.status, 401);
        assert!(reply.json()["error"].is_string(), "{}", reply.text());
    }
}

#[tokio::test]
async fn a_client_that_knocks_is_answered() {
    let gateway = listing().await;
    let version = good(&gateway.client().get("/api/version").await);
    assert!(version["version"].as_str().unwrap().starts_with("0."), "{version}");
    for path in ["/", "/ollama", "/ollama/"] {
        let ollama = gateway.client().with("user-agent", "ollama/0.12.11 (amd64 linux) Go/go1.24.1");
        let reply = ollama.get(path).await;
        assert_eq!((reply.status, reply.text().as_str()), (200, "Ollama is running"), "{path}");
        assert_eq!(gateway.client().open("HEAD", path, b"").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn loading_a_model_asks_no_provider() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    for stream in [true, false] {
        let loaded = super::told(&chat(&gateway, "ollama/mock", stream, json!({})).await);
        assert_eq!(loaded.last["done_reason"], "load");
        let body = json!({ "messages": [], "keep_alive": 0 });
        let unloaded = super::told(&chat(&gateway, "openai/mock", stream, body).await);
        assert_eq!(unloaded.last["done_reason"], "unload");
    }
    let body = json!({ "model": "gemini/mock" });
    let loaded = super::told(&gateway.client().with_key().post("/api/generate", &body).await);
    assert_eq!((&loaded.last["response"], &loaded.last["done_reason"]), (&json!(""), &json!("load")));
    assert_eq!(chat(&gateway, "nothing", true, json!({})).await.status, 404);
    assert!(mock.requests().is_empty(), "a provider was asked");
}
