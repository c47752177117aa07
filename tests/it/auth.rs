//! Who may ask, what wrong requests are told, and that no secret ever shows.

use serde_json::{Value, json};

use super::support::client::{Client, Reply};
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, KEY, Shape, configuration, provider, provider_key};

const NARROW: &str = "cw-key-with-few-models-0123456789";

async fn gateway(upstream: &str) -> Gateway {
    let keys = format!("[keys.narrow]\nsecret = \"{NARROW}\"\nmodels = [\"openai/*\"]\n");
    let models = "[models.harbour-large]\ntargets = [\"openai/mock\"]\n[models.harbour-small]\ntargets = [\"openai/mock\"]\n";
    Gateway::start(&[&configuration(upstream), &keys, models].concat()).await
}

/// Holds a refusal to what every dialect promises: its form, its status, and one request id in head and body.
#[track_caller]
fn refused(dialect: Shape, reply: &Reply, status: u16, case: &str) -> (String, String) {
    let case = format!("{}: {case}: {}", dialect.word(), reply.text());
    assert_eq!(reply.status, status, "{case}");
    assert!(reply.complete && reply.header("content-type").starts_with("application/json"), "{case}");
    let id = reply.header("x-request-id");
    assert!(!id.is_empty() && dialect.request_id(&reply.json()) == id, "{case}: {id:?}");
    if dialect == Shape::Anthropic {
        assert_eq!(reply.header("request-id"), id, "{case}");
    }
    dialect.error(&reply.json())
}

/// The word each dialect has for a status: OpenAI's code, Anthropic's type, Google's status.
const WORDS: [(u16, [&str; 3]); 5] = [
    (401, ["invalid_api_key", "authentication_error", "UNAUTHENTICATED"]),
    (403, ["permission_denied", "permission_error", "PERMISSION_DENIED"]),
    (404, ["model_not_found", "not_found_error", "NOT_FOUND"]),
    (400, ["invalid_request", "invalid_request_error", "INVALID_ARGUMENT"]),
    (405, ["method_not_allowed", "invalid_request_error", "UNIMPLEMENTED"]),
];

#[track_caller]
fn word(dialect: Shape, status: u16) -> &'static str {
    let at = Shape::ALL.iter().position(|shape| *shape == dialect).unwrap();
    WORDS.iter().find(|(known, _)| *known == status).unwrap().1[at]
}

fn bearer(client: &Client, key: &str) -> Client {
    client.clone().with("authorization", &format!("Bearer {key}"))
}

#[tokio::test]
async fn keys_and_models_are_refused_in_the_dialect_of_the_path() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    let client = gateway.client();
    for dialect in Shape::ALL {
        let post = async |client: Client, model: &str| {
            client.post(&dialect.path(model, false), &dialect.named(&dialect.says("hi"), model, false)).await
        };
        for (case, client, model, status) in [
            ("no key", client.clone(), "openai/mock", 401),
            ("an empty key", bearer(&client, ""), "openai/mock", 401),
            ("another scheme", client.clone().with("authorization", "Basic Y3c6Y3c="), "openai/mock", 401),
            ("a wrong key", bearer(&client, "cw-wrong-key-0123456789"), "openai/mock", 401),
            ("a part of a key", bearer(&client, &KEY[..KEY.len() - 1]), "openai/mock", 401),
            ("a forbidden model", bearer(&client, NARROW), "anthropic/mock", 403),
            ("an unknown model", bearer(&client, KEY), "nothing-like-it", 404),
            ("a model of no length", bearer(&client, KEY), "harbor-smal", 404),
        ] {
            let reply = post(client, model).await;
            let (kind, _) = refused(dialect, &reply, status, case);
            assert_eq!(kind, word(dialect, status), "{case}");
        }
        // Close ones are named, but only those the key may use.
        let (_, message) =
            refused(dialect, &post(bearer(&client, KEY), "harbor-smal").await, 404, "a typing error");
        assert!(message.contains("harbor-smal") && message.contains("harbour-small"), "{message}");
        let (_, message) =
            refused(dialect, &post(bearer(&client, NARROW), "harbor-smal").await, 404, "another's model");
        assert!(!message.contains("harbour-small"), "{message}");
    }
    assert!(mock.requests().is_empty());
}

/// Bodies that are wrong, and the words that must show where.
const WRONG: [(Shape, &str, &[&str]); 17] = [
    (Shape::OpenAi, "", &[]),
    (Shape::OpenAi, "{", &[]),
    (Shape::OpenAi, "[]", &[]),
    (Shape::OpenAi, "{\"messages\":[]}", &["model"]),
    (Shape::OpenAi, "{\"model\":5,\"messages\":[]}", &["model"]),
    (Shape::OpenAi, "{\"model\":\"anthropic/mock\"}", &["messages"]),
    (
        Shape::OpenAi,
        "{\"model\":\"anthropic/mock\",\"messages\":[{\"role\":\"user\",\"content\":7}]}",
        &["messages[0].content"],
    ),
    (Shape::Anthropic, "{\"model\":\"openai/mock\",\"messages\":[}", &[]),
    (Shape::Anthropic, "{\"max_tokens\":5,\"messages\":[]}", &["model"]),
    (
        Shape::Anthropic,
        "{\"model\":\"openai/mock\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
        &["max_tokens"],
    ),
    (Shape::Anthropic, "{\"model\":\"openai/mock\",\"max_tokens\":5}", &["messages"]),
    (
        Shape::Anthropic,
        "{\"model\":\"openai/mock\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]}",
        &["messages[0].content[0]", "text"],
    ),
    (Shape::Gemini, "nonsense", &[]),
    (Shape::Gemini, "{}", &["contents"]),
    (Shape::Gemini, "{\"contents\":7}", &["contents"]),
    (Shape::Gemini, "{\"contents\":[{\"parts\":[{\"text\":7}]}]}", &["contents[0].parts[0].text"]),
    (
        Shape::Gemini,
        "{\"contents\":[{\"parts\":[{\"text\":\"a\"}]}],\"generationConfig\":{\"maxOutputTokens\":\"many\"}}",
        &["generationConfig.maxOutputTokens"],
    ),
];

#[tokio::test]
async fn a_wrong_body_is_told_where_it_is_wrong() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    let mut lacking = Vec::new();
    for (dialect, body, places) in WRONG {
        let reply = gateway
            .client()
            .with_key()
            .send("POST", &dialect.path("openai/mock", false), body.as_bytes())
            .await;
        if reply.status != 400 {
            lacking.push(format!("{body}: {} {}", reply.status, reply.text()));
            continue;
        }
        let (kind, message) = refused(dialect, &reply, 400, body);
        assert_eq!(kind, word(dialect, 400), "{body}");
        let shown = match dialect {
            Shape::OpenAi => format!("{} {message}", reply.json()["error"]["param"]),
            Shape::Anthropic => message,
            Shape::Gemini => format!("{} {message}", reply.json()["error"]["details"]),
        };
        if !places.iter().all(|place| shown.contains(place)) {
            lacking.push(format!("{body}: {shown}"));
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_in_the_dialect_of_the_path() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    let client = gateway.client().with_key();
    for (dialect, path) in [
        (Shape::OpenAi, "/v1/nothing"),
        (Shape::OpenAi, "/nothing"),
        (Shape::OpenAi, "/v1/chat/completions/more"),
        (Shape::Anthropic, "/v1/messages/nothing"),
        (Shape::Gemini, "/v1beta/nothing"),
        (Shape::Gemini, "/v1beta/models/openai%2Fmock:doNothing"),
    ] {
        for method in ["POST", "GET"] {
            refused(dialect, &client.send(method, path, b"{}").await, 404, path);
        }
    }
    for dialect in Shape::ALL {
        for method in ["GET", "PUT", "DELETE", "PATCH"] {
            let reply = client.send(method, &dialect.path("openai/mock", false), b"").await;
            let (kind, _) = refused(dialect, &reply, 405, method);
            assert_eq!(kind, word(dialect, 405));
            assert!(!reply.header("allow").is_empty());
        }
    }
    let reply = client.send("POST", "/v1/models", b"{}").await;
    refused(Shape::OpenAi, &reply, 405, "POST /v1/models");
}

#[tokio::test]
async fn a_key_is_taken_in_all_five_places() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    for dialect in Shape::ALL {
        let body = dialect.named(&dialect.says("hi"), "openai/mock", false);
        let path = dialect.path("openai/mock", false);
        for (name, value) in [
            ("authorization", format!("Bearer {KEY}")),
            ("authorization", format!("bearer  {KEY} ")),
            ("x-api-key", KEY.to_owned()),
            ("x-goog-api-key", KEY.to_owned()),
            ("api-key", KEY.to_owned()),
        ] {
            let reply = gateway.client().with(name, &value).post(&path, &body).await;
            assert_eq!(reply.status, 200, "{dialect:?} {name}: {}", reply.text());
        }
        let reply = gateway.client().post(&format!("{path}?key={KEY}"), &body).await;
        assert_eq!(reply.status, 200, "{dialect:?} ?key=: {}", reply.text());
        // Some clients send an empty one beside the real one.
        let both = gateway.client().with("authorization", "Bearer ").with("x-api-key", KEY);
        assert_eq!(both.post(&path, &body).await.status, 200, "{dialect:?}");
    }
}

#[tokio::test]
async fn a_request_id_is_the_clients_own_if_it_is_harmless() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    for dialect in Shape::ALL {
        for (sent, taken) in
            [("my-id_1.2", true), (&"x".repeat(128), true), (&"x".repeat(129), false), ("a b<>", false)]
        {
            let client = gateway.client().with_key().with("x-request-id", sent);
            let path = dialect.path("openai/mock", false);
            let reply = client.post(&path, &dialect.named(&dialect.says("hi"), "openai/mock", false)).await;
            assert_eq!(reply.header("x-request-id") == sent, taken, "{dialect:?} {sent}");
            gateway.request_line(reply.header("x-request-id")).await;
        }
    }
}

/// Texts that must never show: the client's key, each provider's key, what was asked and what was answered.
fn canaries() -> Vec<String> {
    let mut canaries =
        vec![KEY.to_owned(), NARROW.to_owned(), "canary-question".to_owned(), "canary-answer".to_owned()];
    canaries.extend(["openai", "anthropic", "gemini", "echo"].map(provider_key));
    canaries
}

/// A provider that shows its own key in an error behind the beginning of a stream.
async fn late_echo() -> Scripted {
    let chunk = "{\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"hi\"}}]}";
    let error = json!({ "error": { "message": format!("bad key {}", provider_key("echo")), "type": "server_error" } });
    let stream = format!("{}data: {chunk}\n\n", upstream::stream_head());
    let pause = std::time::Duration::from_millis(30);
    Scripted::start(vec![
        Step::send(stream),
        Step::Wait(pause),
        Step::send(format!("data: {error}\n\n")),
        Step::Close,
    ])
    .await
}

/// A provider that answers every request with its own key in the error.
async fn echo(status: u16) -> Scripted {
    let key = provider_key("echo");
    let body = json!({ "error": { "message": format!("Incorrect API key provided: {key}."), "type": "invalid_request_error", "param": null, "code": "bad" } }).to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nx-key: {key}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Scripted::start(vec![Step::send(head), Step::send(body), Step::Close]).await
}

#[tokio::test]
async fn no_secret_shows_anywhere() {
    let settings = causeway::mock::Settings { text: Some("canary-answer".to_owned()), ..Default::default() };
    let mock = upstream::mock_with(settings);
    let (unauthorised, wrong, broken, late) =
        (echo(401).await, echo(400).await, echo(500).await, late_echo().await);
    let mut text = configuration(&upstream::url(&mock));
    text.push_str(&format!(
        "[keys.narrow]\nsecret = \"{NARROW}\"\nmodels = [\"openai/*\"]\n[log]\nlevel = \"debug\"\n"
    ));
    for (name, scripted) in [("e401", &unauthorised), ("e400", &wrong), ("e500", &broken), ("late", &late)] {
        text.push_str(
            &provider(name, Shape::OpenAi, &scripted.url())
                .replace(&provider_key(name), &provider_key("echo")),
        );
        text.push_str(&format!("[models.{name}]\ntargets = [\"{name}/m\"]\nretry = {{ attempts = 1 }}\n"));
    }
    let gateway = Gateway::start(&text).await;
    let mut shown = Vec::new();
    for dialect in Shape::ALL {
        let question = dialect.says("canary-question");
        let models = [
            "openai/mock",
            "anthropic/mock",
            "gemini/mock",
            "gemini/mock@fault=cut:3",
            "e401",
            "e400",
            "e500",
            "late",
            "unknown",
        ];
        for model in models {
            for stream in [true, false] {
                let reply = if stream {
                    gateway.client().stream(dialect, model, &question).await.rest().await
                } else {
                    gateway.client().ask(dialect, model, &question).await
                };
                let head = reply
                    .headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}\n"))
                    .collect::<String>();
                shown.push((format!("{}→{model}", dialect.word()), head + &reply.text()));
            }
        }
        let path = dialect.path("openai/mock", false);
        let body = dialect.named(&question, "openai/mock", false);
        gateway.client().post(&format!("{path}?key={KEY}"), &body).await;
        gateway.client().with("x-api-key", NARROW).post(&dialect.path("anthropic/mock", false), &body).await;
    }
    let secrets: Vec<_> = canaries().into_iter().filter(|canary| !canary.starts_with("canary-")).collect();
    for (case, text) in &shown {
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{case} shows a secret: {text}");
    }
    // The last line of the log may still be on its way.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let metrics = gateway.metrics().await;
    let log = gateway.lines().join("\n");
    for canary in canaries() {
        assert!(!metrics.contains(&canary), "the metrics show {canary}");
        let line = log.lines().find(|line| line.contains(&canary));
        assert!(line.is_none(), "the log shows {canary}: {line:?}");
    }
}

#[tokio::test]
async fn a_provider_gets_its_own_key_and_nothing_of_the_clients() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    let client = gateway
        .client()
        .with("x-api-key", KEY)
        .with("cookie", "session=secret")
        .with("x-forwarded-for", "203.0.113.7")
        .with("proxy-authorization", "Basic c2VjcmV0")
        .with("x-internal", "private")
        .with("openai-organization", "org-of-the-client");
    for (dialect, provider) in Shape::pairs() {
        let model = format!("{}/mock", provider.word());
        let path = dialect.path(&model, false);
        for path in [path.clone(), format!("{path}?key={KEY}&secret=s")] {
            let reply = client.post(&path, &dialect.named(&dialect.says("hi"), &model, false)).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            let request = mock.requests().pop().unwrap();
            let all = format!("{} {} {:?} {:?}", request.path, request.query, request.headers, request.body);
            assert!(all.contains(&provider_key(provider.word())), "{all}");
            for private in [KEY, "session=secret", "203.0.113.7", "c2VjcmV0", "private", "secret=s"] {
                assert!(!all.contains(private), "{dialect:?}→{provider:?} got {private}: {all}");
            }
        }
    }
}

#[tokio::test]
async fn a_body_is_not_read_before_the_key_is_known() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    let mut open = gateway.client().connect().await;
    // The body never comes; the answer does.
    open.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n").await;
    assert!(open.head().await);
    let reply = open.rest().await;
    refused(Shape::OpenAi, &reply, 401, "a body that never comes");
    assert_eq!(reply.json()["error"]["type"], Value::from("invalid_request_error"));
}
