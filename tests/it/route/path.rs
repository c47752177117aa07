//! A provider's `url`, with or without its version segment, and the paths clients may use.

use serde_json::json;

use super::{answered, begin, model, plain, provider, upstream};
use crate::support::client::Reply;
use crate::support::{Gateway, Shape};

#[tokio::test]
async fn a_providers_url_may_end_in_its_version_or_not() {
    const PATHS: [(Shape, &str, &str); 13] = [
        (Shape::OpenAi, "", "/v1/chat/completions"),
        (Shape::OpenAi, "/", "/v1/chat/completions"),
        (Shape::OpenAi, "/v1", "/v1/chat/completions"),
        (Shape::OpenAi, "/v1/", "/v1/chat/completions"),
        (Shape::OpenAi, "/openai/v1", "/openai/v1/chat/completions"),
        (Shape::OpenAi, "/api", "/api/v1/chat/completions"),
        (Shape::OpenAi, "/api/v4", "/api/v4/chat/completions"),
        (Shape::Anthropic, "", "/v1/messages"),
        (Shape::Anthropic, "/v1", "/v1/messages"),
        (Shape::Anthropic, "/x/", "/x/v1/messages"),
        (Shape::Gemini, "", "/v1beta/models/mock:generateContent"),
        (Shape::Gemini, "/v1beta", "/v1beta/models/mock:generateContent"),
        (Shape::Gemini, "/x/v1", "/x/v1/models/mock:generateContent"),
    ];
    let mock = upstream::mock();
    let mut text = begin();
    for (index, (shape, end, _)) in PATHS.iter().enumerate() {
        let name = format!("p{index}");
        text.push_str(&provider(&name, *shape, &format!("{}{end}", upstream::url(&mock))));
        text.push_str(&model(&name, &[&format!("{name}/mock")], &[], ""));
    }
    let gateway = Gateway::start(&text).await;
    for (index, (shape, end, path)) in PATHS.into_iter().enumerate() {
        // Passed on and translated.
        for dialect in Shape::ALL {
            let reply = gateway.client().ask(dialect, &format!("p{index}"), &dialect.says("hello")).await;
            assert_eq!(reply.status, 200, "{shape:?} {end:?}: {}", reply.text());
            assert_eq!(mock.requests().pop().unwrap().path, path, "{shape:?} {end:?} {dialect:?}");
        }
    }
}

#[tokio::test]
async fn clients_may_write_the_path_as_their_libraries_do() {
    const PATHS: [(Shape, &str); 9] = [
        (Shape::OpenAi, "/v1/chat/completions"),
        (Shape::OpenAi, "/chat/completions"),
        (Shape::OpenAi, "/v1/v1/chat/completions"),
        (Shape::OpenAi, "/openai/v1/chat/completions"),
        (Shape::OpenAi, "/v1/chat/completions/"),
        (Shape::Anthropic, "/v1/messages?beta=true"),
        (Shape::Anthropic, "/anthropic/v1/messages"),
        (Shape::Gemini, "/v1beta/models/openai/mock:generateContent"),
        (Shape::Gemini, "/gemini/v1beta/models/openai%2Fmock:generateContent"),
    ];
    let (_mock, gateway) = plain().await;
    let client = gateway.client().with_key();
    for (dialect, path) in PATHS {
        let reply: Reply = client.post(path, &dialect.named(&dialect.says("hello"), "openai/mock", false)).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        answered(dialect, &reply, false);
    }
    let body = json!({});
    for path in ["//v1/messages", "/v1/./messages", "/v1/../v1/messages", "/v1/%2e%2e/messages", "/v1;x/messages", "/v1\\messages"] {
        let reply = client.post(path, &body).await;
        assert!([400, 404].contains(&reply.status), "{path}: {}", reply.status);
    }
}
