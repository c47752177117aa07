//! Keys that are exchanged for access tokens first, at a token endpoint on loopback.

use std::fmt::Write;

use causeway::mock::Settings;
use serde_json::{Value, json};

use crate::support::gateway::good;
use crate::support::upstream::{Scripted, Step};
use crate::support::{Gateway, KEY, Shape, upstream};

const SECRET: &str = "client-secret-0123456789abcdef";

/// An answer of a token endpoint.
fn says(status: u16, body: &Value) -> Vec<Step> {
    let body = body.to_string();
    vec![Step::send(format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ))]
}

fn token(token: &str, lifetime: u64) -> Vec<Step> {
    says(200, &json!({ "access_token": token, "expires_in": lifetime, "token_type": "Bearer" }))
}

/// One model `m` at a provider whose credential is a directory's token; `spare/m` behind it where `spare` is given.
fn configuration(mock: &str, directory: &str, spare: bool) -> String {
    let mut text = format!(
        "[keys.tests]\nsecret = \"{KEY}\"\n[providers.azure]\nplugin = \"azure-openai\"\nurl = \"{mock}\"\n\
         credential = {{ kind = \"azure-ad\", tenant = \"acme\", client_id = \"robot\", client_secret = \"${{SECRET}}\", \
         authority = \"{directory}\" }}\n[models.m]\ntargets = [\"azure/mock\"]\nretry = {{ attempts = 1 }}\n"
    );
    if spare {
        write!(
            text,
            "fallback = [\"spare/mock\"]\n[providers.spare]\nplugin = \"openai\"\nurl = \"{mock}\"\nkeys = [\"sk-spare-0123456789\"]\n"
        )
        .unwrap();
    }
    text
}

async fn start(text: &str) -> Gateway {
    Gateway::start_with(text, &[("SECRET", SECRET)]).await
}

fn silent_about(gateway: &Gateway, secrets: &[&str]) {
    let lines = gateway.lines().join("\n");
    for secret in secrets {
        assert!(!lines.contains(secret), "{secret} is in the log:\n{lines}");
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_for_everybody() {
    let mock = upstream::mock();
    let directory = Scripted::start(token("token-of-the-directory-1", 3600)).await;
    let gateway = start(&configuration(&upstream::url(&mock), &directory.url(), false)).await;
    let asks = (0..40).map(|_| {
        let client = gateway.client();
        tokio::spawn(async move { client.ask(Shape::OpenAi, "m", &Shape::OpenAi.says("hello")).await })
    });
    for ask in asks.collect::<Vec<_>>() {
        good(&ask.await.unwrap());
    }
    let calls = directory.requests();
    assert_eq!(calls.len(), 1);
    let call = String::from_utf8_lossy(&calls[0]);
    assert!(call.starts_with("POST /acme/oauth2/v2.0/token HTTP/1.1\r\n"), "{call}");
    assert!(call.ends_with(
        "grant_type=client_credentials&client_id=robot&client_secret=client-secret-0123456789abcdef\
         &scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"
    ));
    assert_eq!(mock.requests().len(), 40);
    for request in mock.requests() {
        assert_eq!(request.header("authorization"), "Bearer token-of-the-directory-1");
        assert_eq!(request.header("api-key"), "");
    }
    silent_about(&gateway, &[SECRET, "token-of-the-directory"]);
}

#[tokio::test]
async fn a_token_that_has_ended_or_was_refused_is_fetched_again() {
    // The mock takes the third token only; the first ends at once.
    let key = Some(causeway::domain::Secret::new("token-of-the-directory-3"));
    let mock = upstream::mock_with(Settings { key, ..Settings::default() });
    let directory = Scripted::start(Vec::new()).await;
    directory.play_each(vec![
        token("token-of-the-directory-1", 0),
        token("token-of-the-directory-2", 3600),
        token("token-of-the-directory-3", 3600),
    ]);
    let gateway = start(&configuration(&upstream::url(&mock), &directory.url(), false)).await;
    for (status, calls) in [(502, 1), (502, 2), (200, 3), (200, 3)] {
        let reply = gateway.client().ask(Shape::OpenAi, "m", &Shape::OpenAi.says("hello")).await;
        assert_eq!((reply.status, directory.requests().len()), (status, calls), "{}", reply.text());
        assert!(!reply.text().contains("token-of-the-directory"), "{}", reply.text());
    }
    silent_about(&gateway, &[SECRET, "token-of-the-directory"]);
}

#[tokio::test]
async fn a_directory_that_refuses_fails_the_target_and_tells_no_secret() {
    let mock = upstream::mock();
    let refusal = json!({
        "error": "invalid_client",
        "error_description": format!("AADSTS7000215: Invalid client secret provided: {SECRET}"),
    });
    let directory = Scripted::start(says(401, &refusal)).await;
    for spare in [false, true] {
        let gateway = start(&configuration(&upstream::url(&mock), &directory.url(), spare)).await;
        let reply = gateway.client().ask(Shape::OpenAi, "m", &Shape::OpenAi.says("hello")).await;
        assert!(!reply.text().contains(SECRET), "{}", reply.text());
        if spare {
            good(&reply);
        } else {
            assert_eq!(reply.status, 502, "{}", reply.text());
        }
        let lines = gateway.request_line(reply.header("x-request-id")).await.to_string();
        // The line of a request that another provider answered tells the kind of each failure, and no more.
        let told = if spare { "azure/mock invalid_api_key" } else { "invalid_client" };
        assert!(lines.contains(told), "{lines}");
        silent_about(&gateway, &[SECRET]);
    }
    // Nothing went out without a token but to the spare provider.
    assert_eq!(mock.requests().len(), 1);
}
