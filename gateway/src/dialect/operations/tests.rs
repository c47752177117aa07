//! Operations: what is read, what is refused and where, what goes on, what comes back.

use bytes::Bytes;
use serde_json::{Value, json};

use super::at;
use crate::dialect::{AnswerFacts, Dialect};
use crate::domain::{Envelope, Operation, RequestHead};
use crate::error::{GatewayError, Kind};

fn read_as(path: &str, content_type: &str, body: &[u8]) -> Result<Envelope, GatewayError> {
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", content_type.parse().unwrap());
    let head = RequestHead { method: http::Method::POST, path: path.to_owned(), query: None, headers };
    dialect(path).read(&head, Bytes::copy_from_slice(body))
}

fn read(path: &str, body: &Value) -> Result<Envelope, GatewayError> {
    read_as(path, "application/json", body.to_string().as_bytes())
}

fn dialect(path: &str) -> &'static dyn Dialect {
    at(path).unwrap_or_else(|| panic!("no operation at {path}"))
}

fn answered(path: &str, request: &Value, canonical: &Value) -> Value {
    let facts =
        AnswerFacts { request_id: "R1".into(), created: 1, model: "public".into(), ..AnswerFacts::default() };
    let envelope = read(path, request).unwrap();
    let body = dialect(path).whole_for(&facts, &envelope, canonical.to_string().as_bytes()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn canonical(path: &str, request: &Value) -> Value {
    serde_json::from_slice(&dialect(path).canonical(&read(path, request).unwrap()).unwrap()).unwrap()
}

const GEMINI_MANY: &str = "/v1beta/models/a%2Fb:batchEmbedContents";
const GEMINI_ONE: &str = "/v1beta/models/m:embedContent";
const GEMINI_COUNT: &str = "/v1beta/models/m:countTokens";

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    let table = [
        ("/v1/embeddings", json!({"input": "x"}), "model"),
        ("/v1/embeddings", json!({"model": "", "input": "x"}), "model"),
        ("/v1/embeddings", json!({"model": "m"}), "input"),
        ("/v1/embeddings", json!({"model": "m", "input": ""}), "input"),
        ("/v1/embeddings", json!({"model": "m", "input": []}), "input"),
        ("/v1/embeddings", json!({"model": "m", "input": {"a": 1}}), "input"),
        ("/v1/embeddings", json!({"model": "m", "input": ["a", ""]}), "input[1]"),
        ("/v1/embeddings", json!({"model": "m", "input": ["a", 1]}), "input[1]"),
        ("/v1/embeddings", json!({"model": "m", "input": [1, -1]}), "input[1]"),
        ("/v1/embeddings", json!({"model": "m", "input": [[1], []]}), "input[1]"),
        ("/v1/embeddings", json!({"model": "m", "input": [true]}), "input[0]"),
        ("/v1/embeddings", json!({"model": "m", "input": "x", "encoding_format": "hex"}), "encoding_format"),
        ("/v1/embeddings", json!({"model": "m", "input": "x", "dimensions": -5}), "dimensions"),
        ("/v1/moderations", json!({"input": 5}), "input"),
        ("/v1/moderations", json!({"input": []}), "input"),
        ("/v2/rerank", json!({"model": "m", "query": "", "documents": ["a"]}), "query"),
        ("/v2/rerank", json!({"model": "m", "query": "q", "documents": []}), "documents"),
        ("/v2/rerank", json!({"model": "m", "query": "q", "documents": ["a", 7]}), "documents[1]"),
        ("/v2/rerank", json!({"model": "m", "query": "q", "documents": ["a"], "top_n": 0}), "top_n"),
        ("/v1/images/generations", json!({"model": "m"}), "prompt"),
        ("/v1/images/generations", json!({"model": "m", "prompt": "p", "n": 0}), "n"),
        ("/v1/images/generations", json!({"model": "m", "prompt": "p", "stream": "yes"}), "stream"),
        ("/v1/audio/speech", json!({"model": "m", "voice": "v"}), "input"),
        ("/v1/audio/speech", json!({"model": "m", "input": "i"}), "voice"),
        (
            "/v1/audio/speech",
            json!({"model": "m", "input": "i", "voice": "v", "response_format": "ogg"}),
            "response_format",
        ),
        ("/api/embed", json!({"model": "m", "input": [1]}), "input"),
        ("/api/embeddings", json!({"model": "m", "prompt": ["a"]}), "prompt"),
        ("/v1/messages/count_tokens", json!({"model": "m"}), "messages"),
        (GEMINI_ONE, json!({}), "content"),
        (GEMINI_MANY, json!({"requests": []}), "requests"),
        (
            GEMINI_MANY,
            json!({"requests": [{"content": {"parts": [{"text": "a"}]}}, {}]}),
            "requests[1].content",
        ),
    ];
    for (path, body, place) in table {
        let error = read(path, &body).expect_err(&format!("{path} {body}"));
        assert_eq!(error.param.as_deref(), Some(place), "{path} {body}: {error}");
        assert_eq!(error.kind, Kind::InvalidRequest, "{path} {body}: {error}");
    }
    for body in [&b"nonsense"[..], b"[]", b"\xff", b""] {
        let error = read_as("/v1/embeddings", "application/json", body).unwrap_err();
        assert_eq!(error.kind, Kind::InvalidRequest);
    }
}

#[test]
fn a_model_left_out_is_put_in_when_another_is_meant() {
    let envelope = read("/v1/moderations", &json!({"input": "x"})).unwrap();
    assert_eq!(envelope.model, "omni-moderation-latest");
    assert_eq!(envelope.body_for("omni-moderation-latest"), envelope.body);
    let body: Value = serde_json::from_slice(&envelope.body_for("other\"")).unwrap();
    assert_eq!(body, json!({"model": "other\"", "input": "x"}));
}

#[test]
fn vectors_come_as_the_client_asked() {
    let floats = json!({"data": [{"index": 1, "embedding": [0.5]}, {"index": 0, "embedding": [1.0, -2.0]}],
        "usage": {"prompt_tokens": 3, "total_tokens": 3}});
    let packed = json!({"data": [{"embedding": "AACAPwAAAMA="}], "usage": null});
    let plain = json!({"model": "m", "input": ["a", "b"]});
    let body = answered("/v1/embeddings", &plain, &floats);
    assert_eq!(body["data"][0], json!({"object": "embedding", "index": 0, "embedding": [1.0, -2.0]}));
    assert_eq!(body["data"][1]["embedding"], json!([0.5]));
    assert_eq!((&body["model"], &body["usage"]["prompt_tokens"]), (&json!("public"), &json!(3)));
    let base64 = json!({"model": "m", "input": [1, 2], "encoding_format": "base64"});
    assert_eq!(answered("/v1/embeddings", &base64, &floats)["data"][0]["embedding"], "AACAPwAAAMA=");
    assert_eq!(answered("/v1/embeddings", &base64, &packed)["data"][0]["embedding"], "AACAPwAAAMA=");
    assert_eq!(answered("/v1/embeddings", &plain, &packed)["data"][0]["embedding"], json!([1.0, -2.0]));
    // Nobody counted: two texts of a byte each.
    let counted = answered("/v1/embeddings", &plain, &packed);
    assert_eq!(counted["usage"], json!({"prompt_tokens": 1, "total_tokens": 1}));
    let ollama = answered("/api/embed", &json!({"model": "m", "input": "a"}), &floats);
    assert_eq!(
        ollama,
        json!({"model": "public", "embeddings": [[1.0, -2.0], [0.5]], "prompt_eval_count": 3})
    );
    let legacy = answered("/api/embeddings", &json!({"model": "m", "prompt": "a"}), &packed);
    assert_eq!(legacy, json!({"embedding": [1.0, -2.0]}));
    let content = json!({"content": {"parts": [{"text": "a"}]}});
    assert_eq!(answered(GEMINI_ONE, &content, &packed), json!({"embedding": {"values": [1.0, -2.0]}}));
    let many = answered(GEMINI_MANY, &json!({"requests": [content]}), &floats);
    assert_eq!(many, json!({"embeddings": [{"values": [1.0, -2.0]}, {"values": [0.5]}]}));
}

#[test]
fn embeddings_of_other_dialects_become_openais() {
    let request = |text: &str| {
        json!({"model": "models/x", "content": {"parts": [{"text": text}, {"text": "!"}]},
        "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 64})
    };
    let body = json!({"requests": [request("a"), request("b")]});
    let read = read(GEMINI_MANY, &body).unwrap();
    assert_eq!((read.model.as_str(), read.passable), ("a/b", false));
    assert_eq!(
        canonical(GEMINI_MANY, &body),
        json!({"model": "a/b", "input": ["a!", "b!"], "encoding_format": "float", "input_type": "search_query", "dimensions": 64})
    );
    let mut other = request("c");
    other["taskType"] = json!("CLUSTERING");
    let envelope = super::tests::read(GEMINI_MANY, &json!({"requests": [request("a"), other]})).unwrap();
    assert_eq!(dialect(GEMINI_MANY).canonical(&envelope).unwrap_err().kind, Kind::Unsupported);
    assert_eq!(
        canonical("/api/embed", &json!({"model": "m", "input": "a", "truncate": false, "keep_alive": "5m"})),
        json!({"model": "m", "input": "a", "truncate": "none", "vendor": {"ollama": {"keep_alive": "5m"}}})
    );
}

#[test]
fn a_conversation_is_counted_without_a_limit() {
    let body =
        json!({"model": "m", "system": "be brief", "messages": [{"role": "user", "content": "12345678"}]});
    let path = "/v1/messages/count_tokens";
    let chat = canonical(path, &body);
    assert_eq!(chat["messages"][1]["content"], "12345678");
    let counted = dialect(path).estimate(&read(path, &body).unwrap()).unwrap();
    // Two texts of eight bytes are two tokens each, two messages four each, and the names of the fields.
    let counted: Value = serde_json::from_slice(&counted).unwrap();
    let tokens = counted["input_tokens"].as_u64().unwrap();
    assert!((12..30).contains(&tokens), "{tokens}");
    let short = json!({"contents": [{"role": "user", "parts": [{"text": "12345678"}]}]});
    let long = json!({"generateContentRequest": {"model": "models/m", "contents": short["contents"],
        "systemInstruction": {"parts": [{"text": "be brief"}]}}});
    assert!(read(GEMINI_COUNT, &short).unwrap().passable);
    assert!(!read(GEMINI_COUNT, &long).unwrap().passable);
    assert_eq!(canonical(GEMINI_COUNT, &long)["messages"][0]["content"], "be brief");
    let answer = answered(GEMINI_COUNT, &short, &json!({"input_tokens": 7}));
    assert_eq!(answer, json!({"totalTokens": 7}));
    assert_eq!(answered(path, &body, &json!({"input_tokens": 7})), json!({"input_tokens": 7}));
}

const FORM: &str = "multipart/form-data; boundary=XX";

fn form(fields: &[(&str, Option<&str>, &str)]) -> Vec<u8> {
    let mut body = String::new();
    for (name, file, value) in fields {
        let file =
            file.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: audio/wav")).unwrap_or_default();
        body.push_str(&format!(
            "--XX\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str("--XX--\r\n");
    body.into_bytes()
}

#[test]
fn a_form_goes_on_with_another_models_name_and_nothing_else_changed() {
    let path = "/v1/audio/transcriptions";
    let body = form(&[
        ("file", Some("a.wav"), "RIFF"),
        ("model", None, "whisper"),
        ("response_format", None, "srt"),
    ]);
    let envelope = read_as(path, FORM, &body).unwrap();
    assert_eq!((envelope.model.as_str(), envelope.raw), ("whisper", true));
    let expected = String::from_utf8(body.clone()).unwrap().replace("whisper", "gpt-4o-transcribe");
    assert_eq!(envelope.body_for("gpt-4o-transcribe"), expected.as_bytes());
    assert_eq!(envelope.content_type.as_ref().unwrap(), FORM);
    let canonical = dialect(path).canonical(&envelope).unwrap();
    let canonical: Value = serde_json::from_slice(&canonical).unwrap();
    assert_eq!(
        canonical,
        json!({"file": {"filename": "a.wav", "content_type": "audio/wav", "data": "UklGRg=="}, "model": "whisper",
            "response_format": "srt"})
    );
    let plain = form(&[("model", None, "m"), ("file", Some("a"), "x")]);
    assert!(!read_as(path, FORM, &plain).unwrap().raw);
    for (fields, place) in [
        (&[("file", Some("a"), "x")][..], "model"),
        (&[("model", None, "m")], "file"),
        (&[("model", None, "m"), ("file", Some("a"), "")], "file"),
        (&[("model", None, "m"), ("model", None, "n"), ("file", Some("a"), "x")], "model"),
        (
            &[("model", None, "m"), ("file", Some("a"), "x"), ("response_format", None, "doc")],
            "response_format",
        ),
    ] {
        let error = read_as(path, FORM, &form(fields)).unwrap_err();
        assert_eq!(error.param.as_deref(), Some(place), "{fields:?}: {error}");
    }
    let edit = form(&[
        ("image[]", Some("a"), "x"),
        ("image[]", Some("b"), "y"),
        ("model", None, "m"),
        ("prompt", None, "p"),
        ("n", None, "2"),
    ]);
    let envelope = read_as("/v1/images/edits", FORM, &edit).unwrap();
    let canonical: Value =
        serde_json::from_slice(&dialect("/v1/images/edits").canonical(&envelope).unwrap()).unwrap();
    assert_eq!((canonical["image"].as_array().unwrap().len(), &canonical["n"]), (2, &json!(2)));
}

#[test]
fn the_host_adds_what_an_adapter_cannot_know() {
    let request = json!({"model": "m", "query": "q", "documents": ["a", {"text": "b", "id": 7}], "return_documents": true});
    let results =
        json!({"results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]});
    let ranked = answered("/v2/rerank", &request, &results);
    assert_eq!(ranked["results"][0]["document"], json!({"text": "b", "id": 7}));
    assert_eq!(ranked["results"][1]["document"], json!({"text": "a"}));
    let plain = json!({"model": "m", "query": "q", "documents": ["a", "b"]});
    assert_eq!(answered("/v2/rerank", &plain, &results), results);
    let drawn = answered(
        "/v1/images/generations",
        &json!({"model": "m", "prompt": "p"}),
        &json!({"created": 0, "data": []}),
    );
    assert_eq!(drawn["created"], 1);
}

#[test]
fn every_operation_has_its_word() {
    for (path, operation) in [
        ("/v1/embeddings", Operation::Embeddings),
        ("/v1/moderations", Operation::Moderation),
        ("/v1/images/edits", Operation::ImageEdit),
        ("/v1/images/variations", Operation::ImageVariation),
        ("/v1/audio/speech", Operation::Speech),
        ("/v1/audio/translations", Operation::Translation),
        ("/v1/rerank", Operation::Rerank),
        (GEMINI_COUNT, Operation::CountTokens),
    ] {
        assert_eq!(dialect(path).operation(), operation, "{path}");
    }
    assert!(at("/v1/chat/completions").is_none());
}

#[test]
fn usage_is_found_in_answers_that_pass() {
    let usage = |path: &str, body: Value| dialect(path).whole_usage(body.to_string().as_bytes());
    let embedded =
        usage("/v1/embeddings", json!({"data": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}}));
    assert_eq!(embedded.unwrap().input, Some(5));
    let drawn = usage(
        "/v1/images/generations",
        json!({"data": [{"b64_json": "x"}], "usage": {"input_tokens": 9, "output_tokens": 100, "input_tokens_details": {"image_tokens": 4}}}),
    )
    .unwrap();
    assert_eq!((drawn.input, drawn.output, drawn.image_input), (Some(9), Some(100), Some(4)));
    let ranked =
        usage("/v2/rerank", json!({"results": [], "meta": {"tokens": {"input_tokens": 8}}})).unwrap();
    assert_eq!(ranked.input, Some(8));
    let heard =
        usage("/v1/audio/transcriptions", json!({"text": "t", "usage": {"type": "duration", "seconds": 3}}));
    assert_eq!(heard.unwrap().input, None);
}
