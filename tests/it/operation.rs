//! Everything beyond conversations: embeddings, rerank, moderations, images, sound, token counts.

use serde_json::{Value, json};

use super::support::gateway::good;
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, configuration};

async fn gateway() -> (Gateway, impl Sized) {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    (gateway, mock)
}

async fn ask(gateway: &Gateway, path: &str, body: &Value) -> Value {
    good(&gateway.client().with_key().post(path, body).await)
}

const FORM: &str = "multipart/form-data; boundary=XX";

fn form(fields: &[(&str, Option<&str>, &str)]) -> Vec<u8> {
    let mut body = String::new();
    for (name, file, value) in fields {
        let file =
            file.map(|file| format!("; filename=\"{file}\"\r\ncontent-type: audio/wav")).unwrap_or_default();
        body.push_str(&format!(
            "--XX\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
        ));
    }
    (body + "--XX--\r\n").into_bytes()
}

#[tokio::test]
async fn vectors_are_the_providers_own_in_every_dialect() {
    let (gateway, _mock) = gateway().await;
    let openai = json!({"model": "openai/mock", "input": ["one", "two"], "dimensions": 16});
    let openai = ask(&gateway, "/v1/embeddings", &openai).await;
    let vector = &openai["data"][0]["embedding"];
    assert_eq!(vector.as_array().unwrap().len(), 16);
    let gemini = json!({"content": {"parts": [{"text": "one"}]}, "outputDimensionality": 16});
    let gemini = ask(&gateway, "/v1beta/models/openai%2Fmock:embedContent", &gemini).await;
    assert_eq!(&gemini["embedding"]["values"], vector);
    let ollama = json!({"model": "openai/mock", "input": ["one"], "dimensions": 16});
    let ollama = ask(&gateway, "/api/embed", &ollama).await;
    assert_eq!(&ollama["embeddings"][0], vector);
    // Tokens, and numbers packed as OpenAI's SDKs ask for them.
    let packed = json!({"model": "openai/mock", "input": [[1, 2], [3]], "encoding_format": "base64"});
    let packed = ask(&gateway, "/embeddings", &packed).await;
    assert_eq!(
        (packed["data"].as_array().unwrap().len(), packed["data"][1]["embedding"].is_string()),
        (2, true)
    );
}

#[tokio::test]
async fn pictures_come_back_and_forms_pass_as_they_are() {
    let (gateway, _mock) = gateway().await;
    let drawn = json!({"model": "openai/mock", "prompt": "a lighthouse", "n": 2, "size": "512x512"});
    let drawn = ask(&gateway, "/v1/images/generations", &drawn).await;
    assert_eq!((drawn["data"].as_array().unwrap().len(), &drawn["size"]), (2, &json!("512x512")));
    let fields =
        [("image", Some("a.png"), "pixels"), ("model", None, "openai/mock"), ("prompt", None, "redder")];
    for path in ["/v1/images/edits", "/v1/images/variations"] {
        let client = gateway.client().with_key().with("content-type", FORM);
        let reply = client.send("POST", path, &form(&fields)).await;
        assert_eq!(good(&reply)["data"].as_array().unwrap().len(), 1, "{path}");
    }
}

#[tokio::test]
async fn sound_comes_as_its_own_type_and_never_cut_unnoticed() {
    let (gateway, _mock) = gateway().await;
    for (format, content_type, front) in [
        ("mp3", "audio/mpeg", &b"ID3"[..]),
        ("wav", "audio/wav", b"RIFF"),
        ("opus", "audio/ogg", b"OggS"),
        ("pcm", "audio/pcm", b"\0"),
    ] {
        let body = json!({"model": "openai/mock", "input": "x".repeat(500), "voice": "alloy", "response_format": format});
        let reply = gateway.client().with_key().post("/v1/audio/speech", &body).await;
        assert_eq!((reply.status, reply.header("content-type"), reply.complete), (200, content_type, true));
        assert!(
            reply.body.starts_with(front) && reply.body.len() > 200_000,
            "{format}: {}",
            reply.body.len()
        );
    }
    let cut = json!({"model": "openai/mock@fault=cut", "input": "x".repeat(500), "voice": "alloy"});
    let reply = gateway.client().with_key().post("/v1/audio/speech", &cut).await;
    assert!(reply.status != 200 || !reply.complete, "{} {}", reply.status, reply.body.len());
}

#[tokio::test]
async fn speech_becomes_text_in_every_format() {
    let (gateway, _mock) = gateway().await;
    for (format, content_type, heard) in [
        ("json", "application/json", "\"text\":\"This is what a.wav says in 4 bytes.\""),
        ("verbose_json", "application/json", "\"segments\""),
        ("text", "text/plain; charset=utf-8", "This is what"),
        ("srt", "text/plain; charset=utf-8", "00:00:00,000 --> 00:00:01,000"),
        ("vtt", "text/plain; charset=utf-8", "WEBVTT"),
    ] {
        let fields = [
            ("model", None, "openai/mock"),
            ("file", Some("a.wav"), "RIFF"),
            ("response_format", None, format),
        ];
        for path in ["/v1/audio/transcriptions", "/v1/audio/translations"] {
            let client = gateway.client().with_key().with("content-type", FORM);
            let reply = client.send("POST", path, &form(&fields)).await;
            assert_eq!((reply.status, reply.header("content-type")), (200, content_type), "{format}");
            assert!(reply.text().contains(heard), "{format}: {}", reply.text());
        }
    }
    let fields = [("model", None, "openai/mock"), ("file", Some("a.wav"), "RIFF"), ("stream", None, "true")];
    let client = gateway.client().with_key().with("content-type", FORM);
    let reply = client.send("POST", "/v1/audio/transcriptions", &form(&fields)).await;
    assert!(reply.header("content-type").starts_with("text/event-stream"), "{:?}", reply.headers);
    assert!(reply.text().contains("transcript.text.done"), "{}", reply.text());
}

#[tokio::test]
async fn texts_are_judged() {
    let (gateway, _mock) = gateway().await;
    let body = json!({"model": "openai/mock", "input": ["peace", "violence"]});
    let judged = ask(&gateway, "/v1/moderations", &body).await;
    assert_eq!(
        (&judged["results"][0]["flagged"], &judged["results"][1]["flagged"]),
        (&json!(false), &json!(true))
    );
}

#[tokio::test]
async fn tokens_are_counted_by_the_provider_or_estimated_here() {
    let (gateway, _mock) = gateway().await;
    let claude = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "How many tokens is this?"}]});
    for model in ["anthropic/mock", "gemini/mock", "openai/mock"] {
        let reply = gateway.client().with_key().post("/v1/messages/count_tokens", &claude(model)).await;
        let counted = good(&reply)["input_tokens"].as_u64().unwrap();
        assert!((4..40).contains(&counted), "{model}: {counted}");
        let estimated = reply.header("x-causeway-model") == "causeway/estimate";
        assert_eq!(estimated, model == "openai/mock", "{model}: {:?}", reply.headers);
        let path = format!("/v1beta/models/{}:countTokens", model.replace('/', "%2F"));
        let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "How many tokens is this?"}]}]});
        let counted = ask(&gateway, &path, &gemini).await;
        assert!((4..40).contains(&counted["totalTokens"].as_u64().unwrap()), "{model}: {counted}");
    }
}

#[tokio::test]
async fn what_a_provider_cannot_do_is_told_in_the_clients_shape() {
    let (gateway, _mock) = gateway().await;
    let body = json!({"model": "anthropic/mock", "input": "x"});
    let reply = gateway.client().with_key().post("/v1/embeddings", &body).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("cannot do embeddings"), "{}", reply.text());
    let reply = gateway.client().with_key().post("/api/embed", &body).await;
    assert!(reply.json()["error"].as_str().unwrap().contains("cannot do embeddings"), "{}", reply.text());
    let content = json!({"content": {"parts": [{"text": "x"}]}});
    let reply =
        gateway.client().with_key().post("/v1beta/models/anthropic%2Fmock:embedContent", &content).await;
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!(400)), "{}", reply.text());
    for (path, method) in [("/v1/embeddings", "GET"), ("/v1/audio/speech", "GET")] {
        assert_eq!(gateway.client().with_key().send(method, path, b"").await.status, 405, "{path}");
    }
    assert_eq!(gateway.client().post("/v1/embeddings", &body).await.status, 401);
}

#[tokio::test]
async fn the_next_target_takes_the_form_when_the_first_one_fails() {
    let broken = Scripted::start(vec![Step::send(
        "HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/html\r\ncontent-length: 3\r\n\r\nno!",
    )])
    .await;
    let mock = upstream::mock();
    let configuration = format!(
        "{}[providers.broken]\nplugin = \"openai\"\nurl = \"{}\"\nkeys = [\"x\"]\n\
         [models.ears]\ntargets = [\"broken/first\"]\nfallback = [\"openai/second\"]\nretry.attempts = 1\n",
        configuration(&upstream::url(&mock)),
        broken.url()
    );
    let gateway = Gateway::start(&configuration).await;
    let fields = [("file", Some("a.wav"), "RIFF"), ("model", None, "ears")];
    let client = gateway.client().with_key().with("content-type", FORM);
    let reply = client.send("POST", "/v1/audio/transcriptions", &form(&fields)).await;
    assert!(good(&reply)["text"].as_str().unwrap().contains("4 bytes"), "{}", reply.text());
    assert_eq!(reply.header("x-causeway-model"), "openai/second");
}
