//! A provider's URL may end in its version segment or not.

use super::BaseUrl;

#[test]
fn the_version_segment_stands_once() {
    for (url, path, expected) in [
        ("https://api.openai.com", "/v1/chat/completions", "/v1/chat/completions"),
        ("https://api.openai.com/v1", "/v1/chat/completions", "/v1/chat/completions"),
        ("https://api.openai.com/v1/", "/v1/chat/completions", "/v1/chat/completions"),
        ("https://api.groq.com/openai/v1", "/v1/chat/completions", "/openai/v1/chat/completions"),
        ("https://example.org/api/paas/v4", "/v1/chat/completions", "/api/paas/v4/chat/completions"),
        ("https://g.example/v1beta", "/v1beta/models/m:generateContent", "/v1beta/models/m:generateContent"),
        ("http://10.0.0.1:8000/prefix", "/v1/messages", "/prefix/v1/messages"),
        ("https://example.org/v1", "/rerank", "/v1/rerank"),
        ("http://localhost:11434/v1", "/api/chat", "/api/chat"),
        ("http://localhost:11434/v1/", "/api/chat", "/api/chat"),
        ("http://localhost:11434/api", "/api/chat", "/api/chat"),
        ("https://proxy.example/ollama/v1", "/api/chat", "/ollama/api/chat"),
        ("https://api.cohere.com/v1", "/v2/chat", "/v2/chat"),
        ("https://api.cohere.com/v2", "/v2/chat", "/v2/chat"),
        ("https://proxy.example/cohere/v1/", "/v2/chat", "/cohere/v2/chat"),
    ] {
        let base = BaseUrl::parse(url).expect(url);
        assert_eq!(base.path(path), expected, "{url}");
    }
}

#[test]
fn a_segment_in_front_of_the_version_stands_once() {
    let v1 = "/openai/v1/chat/completions";
    let classic = "/openai/deployments/v1/chat/completions?api-version=2024-10-21";
    for (url, path, expected) in [
        ("https://acme.openai.azure.com", v1, v1),
        ("https://acme.openai.azure.com/", v1, v1),
        ("https://acme.openai.azure.com/openai", v1, v1),
        ("https://acme.openai.azure.com/openai/", v1, v1),
        ("https://acme.openai.azure.com/openai/v1", v1, v1),
        ("https://acme.openai.azure.com/openai/v1/", v1, v1),
        ("https://proxy.example/azure", v1, "/azure/openai/v1/chat/completions"),
        ("https://proxy.example/azure/openai/v2", v1, "/azure/openai/v2/chat/completions"),
        ("https://proxy.example/notopenai", v1, "/notopenai/openai/v1/chat/completions"),
        ("https://acme.openai.azure.com", classic, classic),
        ("https://acme.openai.azure.com/openai", classic, classic),
        ("https://acme.openai.azure.com/openai/v1", classic, classic),
        ("https://bedrock-runtime.eu-central-1.amazonaws.com", "/model/m/converse", "/model/m/converse"),
        ("https://proxy.example/bedrock", "/model/m/converse", "/bedrock/model/m/converse"),
    ] {
        let base = BaseUrl::parse(url).expect(url);
        assert_eq!(base.path(path), expected, "{url}");
    }
}

#[test]
fn a_whole_address_says_where_everything_is() {
    let chat = "/v1/chat/completions";
    for (url, path, expected) in [
        ("https://api.example.com/chat/completions", chat, "/chat/completions"),
        ("https://api.example.com/chat/completions/", chat, "/chat/completions"),
        ("https://api.example.com/chat/completions", "/chat/completions", "/chat/completions"),
        ("https://api.example.com/chat/completions", "/v1/embeddings", "/embeddings"),
        ("https://api.example.com/x/v1/chat/completions", chat, "/x/v1/chat/completions"),
        ("https://api.example.com/x/v1/chat/completions", "/v1/embeddings", "/x/v1/embeddings"),
        ("https://api.example.com/v1/openai/chat/completions", chat, "/v1/openai/chat/completions"),
        ("https://api.example.com/v1/openai/chat/completions", "/v1/embeddings", "/v1/openai/embeddings"),
    ] {
        let base = BaseUrl::parse(url).expect(url);
        assert_eq!(base.path(path), expected, "{url}");
    }
}

#[test]
fn what_is_no_url_is_refused_without_repeating_it() {
    for url in ["ftp://x", "not a url", "https://user:secret@host", "http://host?key=secret", "/v1"] {
        let error = BaseUrl::parse(url).expect_err(url);
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
