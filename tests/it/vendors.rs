//! Vendors by name, and credentials that are tokens.

mod tokens;

use std::fmt::Write;

use causeway::config::preset;
use causeway::mock::Settings;

use super::support::gateway::good;
use super::support::{Gateway, KEY, Shape, upstream};

/// The preset's URL with another origin.
fn moved(url: &str, origin: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    format!("{origin}/{}", path.replace(['{', '}'], ""))
}

/// Where chat completions are below a preset's URL.
fn chat_path(url: &str) -> String {
    let path = moved(url, "");
    match path.strip_suffix("/chat/completions") {
        Some(_) => path,
        None if path.rsplit('/').next().unwrap().starts_with('v') => format!("{path}/chat/completions"),
        None => format!("{}/v1/chat/completions", path.trim_end_matches('/')),
    }
}

#[tokio::test]
async fn every_vendor_of_the_list_answers_by_its_name_alone() {
    // Keys come in headers the mock does not know.
    let mock = upstream::mock_with(Settings { require_key: false, ..Settings::default() });
    let mut text = format!("[keys.tests]\nsecret = \"{KEY}\"\n");
    for (name, preset) in preset::list() {
        write!(
            text,
            "[providers.{name}]\nurl = \"{}\"\nkeys = [\"key-of-{name}\"]\n[models.\"{name}/*\"]\ntargets = [\"{name}/*\"]\n",
            moved(&preset.url, &upstream::url(&mock))
        )
        .unwrap();
    }
    let gateway = Gateway::start(&text).await;
    for (name, preset) in preset::list() {
        // Passed on, and translated with the preset's options.
        for dialect in [Shape::OpenAi, Shape::Anthropic] {
            let reply = gateway.client().ask(dialect, &format!("{name}/mock"), &dialect.says("hello")).await;
            good(&reply);
            let request = mock.requests().pop().unwrap();
            assert_eq!(request.path, chat_path(&preset.url), "{name} {dialect:?}");
            let header = preset.credential.as_ref().and_then(|credential| credential.header.as_deref());
            match header {
                Some(header) => {
                    assert_eq!(request.header(header), format!("key-of-{name}"), "{name} {dialect:?}");
                    assert_eq!(request.header("authorization"), "", "{name} {dialect:?}");
                }
                None => assert_eq!(request.header("authorization"), format!("Bearer key-of-{name}")),
            }
        }
        let cap = preset.options.get("max_tokens_field").and_then(|field| field.as_str());
        let body = mock.requests().pop().unwrap().json();
        assert_eq!(body[cap.unwrap_or("max_completion_tokens")], 4096, "{name}: {body}");
    }
}

#[tokio::test]
async fn an_operator_says_how_a_key_is_sent_and_adds_headers() {
    let mock = upstream::mock_with(Settings { require_key: false, ..Settings::default() });
    let url = upstream::url(&mock);
    let mut text = format!("[keys.tests]\nsecret = \"{KEY}\"\n");
    let ways = [
        ("plain", "plugin = \"openai\""),
        ("header", "plugin = \"openai\"\ncredential = { header = \"api-key\" }"),
        ("query", "plugin = \"openai\"\ncredential = { query = \"key\" }"),
        ("none", "plugin = \"openai\"\ncredential = { kind = \"none\" }"),
        ("bearer", "plugin = \"anthropic\"\ncredential = { kind = \"bearer\" }"),
    ];
    for (name, way) in ways {
        write!(
            text,
            "[providers.{name}]\n{way}\nurl = \"{url}\"\nkeys = [\"sk-operator-0123456789\"]\n\
             headers = {{ \"X-Team\" = \"${{TEAM}}\", \"anthropic-beta\" = \"of-the-operator\" }}\n\
             [models.{name}]\ntargets = [\"{name}/mock\"]\n"
        )
        .unwrap();
    }
    let gateway = Gateway::start_with(&text, &[("TEAM", "team-secret-0123456789")]).await;
    for (name, _) in ways {
        for dialect in Shape::ALL {
            let client = gateway.client().with("anthropic-beta", "of-the-client");
            good(&client.ask(dialect, name, &dialect.says("hello")).await);
            let request = mock.requests().pop().unwrap();
            let sent =
                ["authorization", "api-key", "x-api-key"].map(|header| request.header(header).to_owned());
            let (bearer, key) = ("Bearer sk-operator-0123456789", "sk-operator-0123456789");
            let expected = match name {
                "plain" | "bearer" => [bearer, "", ""],
                "header" => ["", key, ""],
                _ => ["", "", ""],
            };
            assert_eq!(sent, expected, "{name} {dialect:?}");
            assert_eq!(request.query, if name == "query" { format!("key={key}") } else { String::new() });
            assert_eq!(request.header("x-team"), "team-secret-0123456789", "{name} {dialect:?}");
            assert_eq!(request.header("anthropic-beta"), "of-the-operator", "{name} {dialect:?}");
        }
    }
    let lines = gateway.lines().join("\n");
    assert!(!lines.contains("team-secret") && !lines.contains("sk-operator"), "{lines}");
}
