//! The mock's answers beyond chat.

use super::*;

fn ask(path: &str, fields: Value) -> Result<Made, Complaint> {
    answer(at(path).unwrap(), &fields, 5)
}

fn said(path: &str, fields: Value) -> Value {
    serde_json::from_slice(&ask(path, fields).ok().unwrap().body).unwrap()
}

#[test]
fn the_same_text_has_the_same_vector_in_every_shape() {
    let openai = said("/v1/embeddings", json!({"model": "m", "input": ["a", "b"]}));
    let first = &openai["data"][0]["embedding"];
    assert_ne!(first, &openai["data"][1]["embedding"]);
    assert_eq!(
        first,
        &said("/v2/embed", json!({"model": "m", "texts": ["a"], "input_type": "x"}))["embeddings"]["float"]
            [0]
    );
    assert_eq!(first, &said("/api/embed", json!({"model": "m", "input": "a"}))["embeddings"][0]);
    let content = json!({"model": "models/m", "content": {"parts": [{"text": "a"}]}});
    assert_eq!(first, &said("/v1beta/models/m:embedContent", content.clone())["embedding"]["values"]);
    let batch = said("/v1beta/models/m:batchEmbedContents", json!({"requests": [content]}));
    assert_eq!(first, &batch["embeddings"][0]["values"]);
}

#[test]
fn a_ranking_follows_the_words() {
    let ranked = said(
        "/v2/rerank",
        json!({"query": "red fish", "documents": ["dog", "a red fish", {"text": "red"}], "top_n": 2}),
    );
    assert_eq!(ranked["results"][0], json!({"index": 1, "relevance_score": 1.0}));
    assert_eq!(ranked["results"].as_array().unwrap().len(), 2);
}

#[test]
fn a_form_is_read_and_a_broken_one_is_refused() {
    let body = b"--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n--X\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--X--\r\n";
    let form = fields("multipart/form-data; boundary=X", &Bytes::from_static(body)).ok().unwrap();
    assert_eq!(form, json!({"file": {"filename": "a.wav", "size": 4}, "model": "m"}));
    let heard = answer(at("/v1/audio/transcriptions").unwrap(), &form, 0).ok().unwrap();
    assert!(String::from_utf8_lossy(&heard.body).contains("a.wav says in 4 bytes"));
    assert!(fields("multipart/form-data; boundary=X", &Bytes::from_static(&body[..60])).is_err());
}

#[test]
fn what_is_missing_is_refused() {
    for (path, body) in [
        ("/v1/embeddings", json!({"model": "m"})),
        ("/v2/embed", json!({"model": "m", "texts": ["a"]})),
        ("/v1/images/generations", json!({"prompt": "p", "n": 11})),
        ("/v1/audio/speech", json!({"input": "i"})),
        ("/v1/moderations", json!({})),
    ] {
        assert!(ask(path, body.clone()).is_err_and(|complaint| complaint.status == 400), "{path} {body}");
    }
}
