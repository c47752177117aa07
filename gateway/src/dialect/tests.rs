//! Which path means what, and in whose words it is refused.

use http::{HeaderMap, Method};

use super::{Endpoint, of, routed_path, speaker};
use crate::domain::RequestHead;
use crate::error::Kind;

fn head(method: &Method, path: &str, headers: &[(&'static str, &'static str)]) -> RequestHead {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().expect("header"));
    }
    RequestHead { method: method.clone(), path: path.to_owned(), query: None, headers: map }
}

#[test]
fn vendors_prefixes_and_version_segments_are_put_right() {
    for (path, routed) in [
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/chat/completions/", "/v1/chat/completions"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/openai/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/v1/messages", "/v1/messages"),
        ("/anthropic/v1/messages", "/v1/messages"),
        ("/messages", "/v1/messages"),
        ("/responses", "/v1/responses"),
        ("/openai/v1/responses", "/v1/responses"),
        ("/gemini/v1beta/models/m:generateContent", "/v1beta/models/m:generateContent"),
        ("/models", "/v1/models"),
        ("/models/gpt-5", "/v1/models/gpt-5"),
        ("/", ""),
        ("/modelsx", "/modelsx"),
        ("/completions", "/v1/completions"),
        ("/openai/v1/completions", "/v1/completions"),
        ("/api/chat", "/api/chat"),
        ("/ollama/api/chat", "/api/chat"),
        ("/ollama/v1/chat/completions", "/v1/chat/completions"),
        ("/ollama", ""),
        ("/ollama/", ""),
    ] {
        assert_eq!(routed_path(path).expect(path), routed, "{path}");
    }
}

#[test]
fn paths_that_two_readers_could_read_differently_are_refused() {
    for path in [
        "//v1/models",
        "/v1/./models",
        "/v1/../admin",
        "/v1/%2e%2e/x",
        "/a%5Cb",
        "/a;b",
        "/a\\b",
        "x",
        "/a%00",
    ] {
        assert_eq!(routed_path(path).expect_err(path).kind, Kind::PathNotFound, "{path}");
    }
}

#[test]
fn a_path_and_its_method_name_an_endpoint_and_a_dialect() {
    let (get, post) = (Method::GET, Method::POST);
    for (method, path, headers, expected) in [
        (&post, "/v1/chat/completions", &[][..], Ok(("openai-chat", Endpoint::Converse))),
        (&post, "/v1/responses", &[], Ok(("openai-responses", Endpoint::Converse))),
        (&post, "/v1/messages", &[], Ok(("anthropic-messages", Endpoint::Converse))),
        (&post, "/v1/messages", &[("x-goog-api-key", "k")], Ok(("anthropic-messages", Endpoint::Converse))),
        (&post, "/v1/chat/completions", &[("x-goog-api-key", "k")], Ok(("openai-chat", Endpoint::Converse))),
        (
            &post,
            "/v1/chat/completions",
            &[("anthropic-version", "v")],
            Ok(("openai-chat", Endpoint::Converse)),
        ),
        (&get, "/v1/models", &[("x-goog-api-key", "k")], Ok(("gemini-generate", Endpoint::Models))),
        (&post, "/v1beta/models/a/b:streamGenerateContent", &[], Ok(("gemini-generate", Endpoint::Converse))),
        (&get, "/v1/models", &[], Ok(("openai-chat", Endpoint::Models))),
        (
            &get,
            "/v1/models",
            &[("anthropic-version", "2023-06-01")],
            Ok(("anthropic-messages", Endpoint::Models)),
        ),
        (
            &post,
            "/v1/responses",
            &[("anthropic-version", "2023-06-01"), ("x-goog-api-key", "k")],
            Ok(("openai-responses", Endpoint::Converse)),
        ),
        (&get, "/v1beta/models", &[], Ok(("gemini-generate", Endpoint::Models))),
        (&get, "/v1/models/openai/gpt-5", &[], Ok(("openai-chat", Endpoint::Model))),
        (&get, "", &[], Ok(("openai-chat", Endpoint::Probe))),
        (&post, "/v1/completions", &[], Ok(("openai-completions", Endpoint::Converse))),
        (&post, "/api/chat", &[("x-goog-api-key", "k")], Ok(("ollama-chat", Endpoint::Converse))),
        (&post, "/api/generate", &[], Ok(("ollama-generate", Endpoint::Converse))),
        (&get, "/api/tags", &[], Ok(("ollama-chat", Endpoint::Models))),
        (&post, "/api/show", &[], Ok(("ollama-chat", Endpoint::Show))),
        (&get, "/api/ps", &[], Ok(("ollama-chat", Endpoint::Loaded))),
        (&get, "/api/version", &[], Ok(("ollama-chat", Endpoint::Version))),
        (&get, "/api/chat", &[], Err(Kind::MethodNotAllowed)),
        (&get, "/api/show", &[], Err(Kind::MethodNotAllowed)),
        (&post, "/api/version", &[], Err(Kind::MethodNotAllowed)),
        (&post, "/api/pull", &[], Err(Kind::PathNotFound)),
        (&get, "/v1/chat/completions", &[], Err(Kind::MethodNotAllowed)),
        (&get, "/v1/responses", &[], Err(Kind::MethodNotAllowed)),
        (&get, "/v1/responses/resp_1", &[], Err(Kind::PathNotFound)),
        (&post, "/v1/models", &[], Err(Kind::MethodNotAllowed)),
        (&post, "/v1/nothing", &[], Err(Kind::PathNotFound)),
        (&post, "/v1beta/models/m:predict", &[], Err(Kind::PathNotFound)),
    ] {
        let found = of(&head(method, path, headers));
        let found = found.map(|api| (api.dialect.id(), api.endpoint)).map_err(|error| error.kind);
        assert_eq!(found, expected, "{method} {path}");
    }
}

#[test]
fn an_unknown_path_is_refused_in_the_words_of_its_neighbours() {
    for (path, dialect) in [
        ("/v1/unknown", "openai-chat"),
        ("/v1/responses/resp_1", "openai-responses"),
        ("/v1/messages/unknown", "anthropic-messages"),
        ("/v1beta/unknown", "gemini-generate"),
        ("/v1/completions/unknown", "openai-completions"),
        ("/api/pull", "ollama-chat"),
    ] {
        assert_eq!(speaker(&head(&Method::POST, path, &[])).id(), dialect);
    }
}
