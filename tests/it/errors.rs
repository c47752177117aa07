//! What a provider refuses reaches the client with its meaning: status class, code, field, wait and limits, in the
//! client's own words.

use serde_json::{Value, json};

use super::support::gateway::good;
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, KEY, Shape, configuration, provider, steady};

fn answer(status: &str, headers: &str, body: &Value) -> Vec<Step> {
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    vec![Step::send(head), Step::send(body), Step::Close]
}

async fn gateway(scripted: &Scripted) -> Gateway {
    Gateway::start(&steady(&configuration(&scripted.url()))).await
}

#[tokio::test]
async fn an_unknown_model_is_refused_as_each_api_refuses_it() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = gateway(&scripted).await;
    let client = gateway.client().with_key();
    let chat = json!({ "model": "nobody", "messages": [] });
    let responses = json!({ "model": "nobody", "input": "x" });
    for (path, body, status) in [("/v1/chat/completions", chat, 404), ("/v1/responses", responses, 400)] {
        let reply = client.post(path, &body).await;
        let error = &reply.json()["error"];
        assert_eq!(reply.status, status, "{path}: {error}");
        assert_eq!(
            (&error["code"], &error["param"]),
            (&json!("model_not_found"), &json!("model")),
            "{error}"
        );
    }
    assert!(scripted.requests().is_empty());
}

#[tokio::test]
async fn overload_is_overload_whatever_it_is_called() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = gateway(&scripted).await;
    let server_error = json!({ "error": { "message": "busy", "type": "server_error", "code": null } });
    let overloaded =
        json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    let unavailable = json!({ "error": { "code": 503, "message": "busy", "status": "UNAVAILABLE" } });
    for (provider, status, body) in [
        (Shape::OpenAi, "503 Service Unavailable", &server_error),
        (Shape::Anthropic, "529 Overloaded", &overloaded),
        (Shape::Gemini, "503 Service Unavailable", &unavailable),
    ] {
        scripted.play(answer(status, "", body));
        for (dialect, expected) in [(Shape::OpenAi, 503), (Shape::Anthropic, 529), (Shape::Gemini, 503)] {
            for stream in [false, true] {
                let model = format!("{}/m", provider.word());
                let question = dialect.says("x");
                let reply = match stream {
                    true => gateway.client().stream(dialect, &model, &question).await.rest().await,
                    false => gateway.client().ask(dialect, &model, &question).await,
                };
                assert_eq!(reply.status, expected, "{dialect:?}→{provider:?}: {}", reply.text());
                dialect.error(&reply.json());
            }
        }
    }
    scripted.play(answer("500 Internal Server Error", "", &server_error));
    assert_eq!(gateway.client().ask(Shape::OpenAi, "openai/m", &Shape::OpenAi.says("x")).await.status, 502);
}

/// Limits as each vendor tells them: one request of fifty left, tokens back in seven seconds or long ago.
const OPENAI_LIMITS: &str = "x-ratelimit-limit-requests: 50\r\nx-ratelimit-remaining-requests: 1\r\nx-ratelimit-reset-tokens: 7s\r\nset-cookie: a=b\r\n";
const ANTHROPIC_LIMITS: &str = "anthropic-ratelimit-requests-limit: 50\r\nanthropic-ratelimit-requests-remaining: 1\r\nanthropic-ratelimit-tokens-reset: 2020-01-01T00:00:00Z\r\nanthropic-organization-id: secret\r\n";

#[tokio::test]
async fn limits_and_waits_come_in_the_clients_words_with_errors() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = gateway(&scripted).await;
    let openai =
        json!({ "error": { "message": "slow down", "type": "requests", "code": "rate_limit_exceeded" } });
    let anthropic =
        json!({ "type": "error", "error": { "type": "rate_limit_error", "message": "slow down" } });
    for (provider, limits, body) in
        [(Shape::OpenAi, OPENAI_LIMITS, &openai), (Shape::Anthropic, ANTHROPIC_LIMITS, &anthropic)]
    {
        scripted.play(answer("429 Too Many Requests", &format!("{limits}retry-after: 7\r\n"), body));
        for dialect in Shape::ALL {
            let model = format!("{}/m", provider.word());
            let reply = gateway.client().ask(dialect, &model, &dialect.says("x")).await;
            let case = format!("{dialect:?}→{provider:?}: {:?} {}", reply.headers, reply.text());
            assert_eq!(reply.status, 429, "{case}");
            assert_eq!(
                (reply.header("retry-after"), reply.header("retry-after-ms")),
                ("7", "7000"),
                "{case}"
            );
            assert_eq!(reply.header("x-should-retry"), "true", "{case}");
            let (left, all, reset) = match dialect {
                Shape::Anthropic => (
                    "anthropic-ratelimit-requests-remaining",
                    "anthropic-ratelimit-requests-limit",
                    "anthropic-ratelimit-tokens-reset",
                ),
                _ => (
                    "x-ratelimit-remaining-requests",
                    "x-ratelimit-limit-requests",
                    "x-ratelimit-reset-tokens",
                ),
            };
            assert_eq!((reply.header(left), reply.header(all)), ("1", "50"), "{case}");
            match (dialect, provider) {
                (Shape::Anthropic, _) => assert!(reply.header(reset).ends_with('Z'), "{case}"),
                (_, Shape::Anthropic) => assert_eq!(reply.header(reset), "0s", "{case}"),
                _ => assert_eq!(reply.header(reset), "7s", "{case}"),
            }
            assert!(!reply.headers.iter().any(|(_, value)| value == "secret" || value == "a=b"), "{case}");
            if dialect == Shape::Gemini {
                let error = reply.json();
                let details = error["error"]["details"].as_array().unwrap();
                let kind = "type.googleapis.com/google.rpc.RetryInfo";
                let info = details.iter().find(|detail| detail["@type"] == kind);
                assert_eq!(info.unwrap_or_else(|| panic!("{case}"))["retryDelay"], "7s", "{case}");
            }
        }
    }
}

#[tokio::test]
async fn limits_come_in_the_clients_words_with_answers() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for (dialect, name) in [
        (Shape::OpenAi, "x-ratelimit-remaining-requests"),
        (Shape::Gemini, "x-ratelimit-remaining-requests"),
        (Shape::Anthropic, "anthropic-ratelimit-requests-remaining"),
    ] {
        let whole = gateway.client().ask(dialect, "anthropic/mock", &dialect.says("x")).await;
        good(&whole);
        let stream =
            gateway.client().stream(dialect, "anthropic/mock", &dialect.says("x")).await.rest().await;
        for reply in [whole, stream] {
            assert!(reply.header(name).parse::<u64>().is_ok(), "{dialect:?}: {:?}", reply.headers);
            let foreign = if dialect == Shape::Anthropic { "x-ratelimit-" } else { "anthropic-" };
            assert!(!reply.headers.iter().any(|(name, _)| name.starts_with(foreign)), "{:?}", reply.headers);
        }
    }
}

#[tokio::test]
async fn code_and_field_stay() {
    let error = json!({ "error": { "message": "Unsupported value: 'temperature'", "type": "invalid_request_error",
        "param": "temperature", "code": "unsupported_value" } });
    let scripted = Scripted::start(answer("400 Bad Request", "", &error)).await;
    let gateway = gateway(&scripted).await;
    for dialect in Shape::ALL {
        let reply = gateway.client().ask(dialect, "openai/m", &dialect.says("x")).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        let body = reply.json();
        match dialect {
            Shape::OpenAi => {
                for field in ["type", "param", "code"] {
                    assert_eq!(body["error"][field], error["error"][field], "{body}");
                }
            }
            Shape::Anthropic => assert_eq!(body["error"]["type"], "invalid_request_error", "{body}"),
            Shape::Gemini => {
                assert_eq!(body["error"]["status"], "INVALID_ARGUMENT", "{body}");
                let violation = &body["error"]["details"][1]["fieldViolations"][0];
                assert_eq!(violation["field"], "temperature", "{body}");
            }
        }
    }
}

#[tokio::test]
async fn a_vendors_beta_headers_go_to_that_vendor_alone() {
    let (one, two) = (upstream::mock(), upstream::mock());
    let text = [
        format!("[keys.tests]\nsecret = \"{KEY}\"\n"),
        provider("one", Shape::Anthropic, &upstream::url(&one)),
        provider("two", Shape::OpenAi, &upstream::url(&two)),
        "[models.both]\ntargets = [\"one/mock@fault=status:500\"]\nfallback = [\"two/mock\"]\nretry = { attempts = 1 }\n"
            .to_owned(),
    ];
    let gateway = Gateway::start(&text.concat()).await;
    let client =
        gateway.client().with("anthropic-beta", "context-1m-2025-08-07").with("openai-beta", "assistants=v2");
    for dialect in [Shape::Anthropic, Shape::OpenAi] {
        let reply = client.ask(dialect, "both", &dialect.says("x")).await;
        good(&reply);
        let (first, second) = (one.requests().pop().unwrap(), two.requests().pop().unwrap());
        assert_eq!(first.header("anthropic-beta"), "context-1m-2025-08-07", "{dialect:?}");
        assert_eq!(first.header("openai-beta"), "", "{dialect:?}");
        assert_eq!(second.header("anthropic-beta"), "", "{dialect:?}");
    }
}
