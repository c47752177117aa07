//! What bodies of every API ask for, and how long they are thought to be.

use bytes::Bytes;
use serde_json::{Value, json};

use super::tokens;
use crate::dialect::{self, Dialect};
use crate::domain::{Asks, Json, RequestHead};

/// What a body sent to a path asks for.
fn asks(path: &str, body: &Value) -> Asks {
    let head = RequestHead {
        method: http::Method::POST,
        path: path.to_owned(),
        query: None,
        headers: http::HeaderMap::new(),
    };
    let dialect: &dyn Dialect =
        dialect::of(&head).map(|api| api.dialect).unwrap_or_else(|error| panic!("{error}"));
    let body = Bytes::from(body.to_string());
    let envelope = dialect.read(&head, body).unwrap_or_else(|error| panic!("{path}: {error}"));
    dialect.asks(&envelope)
}

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const MESSAGES: &str = "/v1/messages";
const GEMINI: &str = "/v1beta/models/gemini-pro:generateContent";
const OLLAMA: &str = "/api/chat";
const BEDROCK: &str = "/model/nova/converse";
const COHERE: &str = "/v2/chat";

/// The words for everything a body asks for, in order.
fn words(path: &str, body: &Value) -> String {
    asks(path, body).abilities().to_string()
}

/// A body of each API with `fields` beside its conversation.
fn plain(path: &str, fields: &Value) -> Value {
    let mut body = match path {
        RESPONSES => json!({ "model": "m", "input": "hello" }),
        GEMINI => json!({ "contents": [{ "role": "user", "parts": [{ "text": "hello" }] }] }),
        BEDROCK => json!({ "messages": [{ "role": "user", "content": [{ "text": "hello" }] }] }),
        _ => json!({ "model": "m", "max_tokens": 9, "messages": [{ "role": "user", "content": "hello" }] }),
    };
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields.clone());
    }
    body
}

/// A body of each API whose user says `content`.
fn said(path: &str, content: Value) -> Value {
    let message = json!({ "role": "user", "content": content });
    match path {
        RESPONSES => json!({ "model": "m", "input": [message] }),
        GEMINI => json!({ "contents": [{ "role": "user", "parts": content }] }),
        _ => json!({ "model": "m", "max_tokens": 9, "messages": [message] }),
    }
}

#[test]
fn a_plain_question_asks_for_nothing() {
    for path in [CHAT, RESPONSES, MESSAGES, GEMINI, OLLAMA, BEDROCK, COHERE] {
        let found = asks(path, &plain(path, &json!({})));
        assert_eq!((found.abilities().to_string().as_str(), found.messages), ("", 1), "{path}");
        assert!((1..10).contains(&found.input_tokens), "{path}: {}", found.input_tokens);
        assert!(found.body_bytes > 20);
    }
}

#[test]
fn tools_on_offer_are_asked_for() {
    let schema = json!({ "type": "object", "properties": { "image": { "type": "string" } } });
    let function = json!({ "name": "f", "parameters": schema });
    for (path, fields) in [
        (CHAT, json!({ "tools": [{ "type": "function", "function": function }] })),
        (CHAT, json!({ "functions": [function] })),
        (RESPONSES, json!({ "tools": [{ "type": "web_search" }] })),
        (MESSAGES, json!({ "tools": [{ "name": "f", "input_schema": schema }] })),
        (GEMINI, json!({ "tools": [{ "functionDeclarations": [function] }] })),
        (OLLAMA, json!({ "tools": [{ "type": "function", "function": function }] })),
        (
            BEDROCK,
            json!({ "toolConfig": { "tools": [{ "toolSpec": { "name": "f", "inputSchema": { "json": schema } } }] } }),
        ),
        (COHERE, json!({ "tools": [{ "type": "function", "function": function }] })),
    ] {
        assert_eq!(words(path, &plain(path, &fields)), "tools", "{path} {fields}");
    }
    assert_eq!(words(CHAT, &plain(CHAT, &json!({ "tools": [] }))), "");
}

#[test]
fn calls_and_results_in_the_conversation_need_tools_too() {
    let call = json!({ "id": "c", "type": "function", "function": { "name": "f", "arguments": "{\"type\":\"image\"}" } });
    let result = json!({ "role": "tool", "tool_call_id": "c", "content": "4" });
    for (path, body) in [
        (CHAT, json!({ "model": "m", "messages": [{ "role": "assistant", "tool_calls": [call] }, result] })),
        (
            RESPONSES,
            json!({ "model": "m", "input": [{ "type": "function_call_output", "call_id": "c", "output": "4" }] }),
        ),
        (MESSAGES, said(MESSAGES, json!([{ "type": "tool_result", "tool_use_id": "c", "content": "4" }]))),
        (
            MESSAGES,
            said(
                MESSAGES,
                json!([{ "type": "tool_use", "id": "c", "name": "f", "input": { "type": "image" } }]),
            ),
        ),
        (
            GEMINI,
            said(
                GEMINI,
                json!([{ "functionCall": { "name": "f", "args": { "image": 1, "type": "file" } } }]),
            ),
        ),
        (
            BEDROCK,
            said(
                BEDROCK,
                json!([{ "toolResult": { "toolUseId": "c", "content": [{ "json": { "image": {} } }] } }]),
            ),
        ),
        (
            COHERE,
            json!({ "model": "m", "messages": [{ "role": "tool", "tool_call_id": "c",
            "content": [{ "type": "document", "document": { "data": "4 degrees" } }] }] }),
        ),
    ] {
        assert_eq!(words(path, &body), "tools", "{path} {body}");
    }
}

#[test]
fn pictures_files_and_sound_are_found_wherever_they_stand() {
    let url = "data:image/png;base64,iVBORw0KGgo=";
    for (path, content, word) in [
        (CHAT, json!([{ "type": "image_url", "image_url": { "url": url } }]), "images"),
        (
            CHAT,
            json!([{ "type": "file", "file": { "file_data": "data:application/pdf;base64,JVBE" } }]),
            "documents",
        ),
        (
            CHAT,
            json!([{ "type": "input_audio", "input_audio": { "data": "UklGRg==", "format": "wav" } }]),
            "audio-input",
        ),
        (RESPONSES, json!([{ "type": "input_image", "image_url": url }]), "images"),
        (RESPONSES, json!([{ "type": "input_file", "file_id": "file-1" }]), "documents"),
        (
            MESSAGES,
            json!([{ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "iVBO" } }]),
            "images",
        ),
        (
            MESSAGES,
            json!([{ "type": "document", "source": { "type": "url", "url": "https://a.example/b.pdf" } }]),
            "documents",
        ),
        (GEMINI, json!([{ "inlineData": { "mimeType": "image/png", "data": "iVBO" } }]), "images"),
        (GEMINI, json!([{ "inline_data": { "data": "iVBO", "mime_type": "audio/wav" } }]), "audio-input"),
        (
            GEMINI,
            json!([{ "fileData": { "mimeType": "application/pdf", "fileUri": "gs://a/b" } }]),
            "documents",
        ),
        (BEDROCK, json!([{ "image": { "format": "png", "source": { "bytes": "iVBO" } } }]), "images"),
        (
            BEDROCK,
            json!([{ "document": { "format": "pdf", "name": "a", "source": { "bytes": "JVBE" } } }]),
            "documents",
        ),
        (COHERE, json!([{ "type": "image_url", "image_url": { "url": url } }]), "images"),
    ] {
        assert_eq!(words(path, &said(path, content.clone())), word, "{path} {content}");
    }
    let seen = asks(
        MESSAGES,
        &said(
            MESSAGES,
            json!([{ "type": "tool_result", "tool_use_id": "c", "content": [
        { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "iVBO" } },
    ] }]),
        ),
    );
    assert_eq!(seen.abilities().to_string(), "tools, images", "a screenshot");
    let ollama = json!({ "model": "m", "messages": [{ "role": "user", "content": "look", "images": ["iVBORw0KGgo="] }] });
    assert_eq!(words(OLLAMA, &ollama), "images");
    let generate = json!({ "model": "m", "prompt": "look", "images": ["iVBORw0KGgo="] });
    assert_eq!(words("/api/generate", &generate), "images");
    let papers = plain(COHERE, &json!({ "documents": [{ "data": { "text": "all about owls" } }] }));
    assert_eq!(words(COHERE, &papers), "documents");
}

#[test]
fn each_api_says_json_in_its_own_words() {
    let schema = json!({ "type": "object" });
    for (path, fields, json) in [
        (CHAT, json!({ "response_format": { "type": "json_object" } }), Json::Object),
        (
            CHAT,
            json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "a", "schema": schema } } }),
            Json::Schema,
        ),
        (CHAT, json!({ "response_format": { "type": "text" } }), Json::No),
        (
            RESPONSES,
            json!({ "text": { "format": { "type": "json_schema", "name": "a", "schema": schema } } }),
            Json::Schema,
        ),
        (RESPONSES, json!({ "text": { "format": { "type": "text" } } }), Json::No),
        (MESSAGES, json!({ "output_format": { "type": "json_schema", "schema": schema } }), Json::Schema),
        (
            MESSAGES,
            json!({ "output_config": { "format": { "type": "json_schema", "schema": schema } } }),
            Json::Schema,
        ),
        (GEMINI, json!({ "generationConfig": { "responseMimeType": "application/json" } }), Json::Object),
        (
            GEMINI,
            json!({ "generationConfig": { "responseSchema": schema, "responseMimeType": "application/json" } }),
            Json::Schema,
        ),
        (
            GEMINI,
            json!({ "generation_config": { "response_mime_type": "application/json", "response_json_schema": schema } }),
            Json::Schema,
        ),
        (OLLAMA, json!({ "format": "json" }), Json::Object),
        (OLLAMA, json!({ "format": schema }), Json::Schema),
        (OLLAMA, json!({ "format": "" }), Json::No),
        (
            BEDROCK,
            json!({ "outputConfig": { "textFormat": { "type": "json_schema", "structure": { "jsonSchema": { "schema": "{}" } } } } }),
            Json::Schema,
        ),
        (COHERE, json!({ "response_format": { "type": "json_object" } }), Json::Object),
        (COHERE, json!({ "response_format": { "type": "json_object", "schema": schema } }), Json::Schema),
    ] {
        assert_eq!(asks(path, &plain(path, &fields)).json, json, "{path} {fields}");
    }
}

#[test]
fn thinking_and_speaking_are_wishes() {
    for (path, fields, word) in [
        (CHAT, json!({ "reasoning_effort": "high" }), "reasoning"),
        (CHAT, json!({ "reasoning_effort": "none" }), ""),
        (CHAT, json!({ "modalities": ["text", "audio"] }), "audio-output"),
        (RESPONSES, json!({ "reasoning": { "effort": "low", "summary": "auto" } }), "reasoning"),
        (RESPONSES, json!({ "reasoning": { "summary": "auto" } }), ""),
        (MESSAGES, json!({ "thinking": { "type": "enabled", "budget_tokens": 2048 } }), "reasoning"),
        (MESSAGES, json!({ "thinking": { "type": "disabled" } }), ""),
        (
            GEMINI,
            json!({ "generationConfig": { "thinkingConfig": { "thinkingBudget": 0, "includeThoughts": true } } }),
            "",
        ),
        (GEMINI, json!({ "generationConfig": { "thinkingConfig": { "thinkingBudget": -1 } } }), "reasoning"),
        (GEMINI, json!({ "generationConfig": { "responseModalities": ["AUDIO"] } }), "audio-output"),
        (OLLAMA, json!({ "think": true }), "reasoning"),
        (OLLAMA, json!({ "think": false }), ""),
        (
            BEDROCK,
            json!({ "additionalModelRequestFields": { "thinking": { "type": "enabled" } } }),
            "reasoning",
        ),
        (COHERE, json!({ "thinking": { "type": "enabled" } }), "reasoning"),
    ] {
        assert_eq!(words(path, &plain(path, &fields)), word, "{path} {fields}");
    }
}

#[test]
fn an_operation_says_itself_what_it_takes() {
    let edit = asks("/v1/images/edits", &json!({ "model": "m", "prompt": "a hat", "image": "x" }));
    assert!(edit.images && edit.abilities().is_empty());
    let speech = asks("/v1/audio/speech", &json!({ "model": "m", "input": "good morning", "voice": "v" }));
    assert!(speech.audio_output && speech.input_tokens >= 2 && speech.abilities().is_empty());
    let vectors = asks("/v1/embeddings", &json!({ "model": "m", "input": [[7, 8, 9], [1, 2]] }));
    assert_eq!(vectors.input_tokens, 5);
    let counted = asks("/v1/messages/count_tokens", &plain(MESSAGES, &json!({ "system": "be brief" })));
    assert!(counted.input_tokens > 4 && counted.messages == 1);
}

#[test]
fn base64_is_not_text_and_text_is() {
    let data = "QUJD".repeat(50_000);
    let picture =
        json!([{ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": data } }]);
    assert!(asks(MESSAGES, &said(MESSAGES, picture)).input_tokens < 1_100);
    let url = format!("data:image/png;base64,{data}");
    let linked =
        json!([{ "type": "image_url", "image_url": { "url": url } }, { "type": "text", "text": url }]);
    assert!(asks(CHAT, &said(CHAT, linked)).input_tokens < 1_100);
    let text = "the owl sleeps by day ".repeat(400);
    let paper = json!([{ "type": "document", "source": { "type": "text", "media_type": "text/plain", "data": text } }]);
    assert!(asks(MESSAGES, &said(MESSAGES, paper)).input_tokens > 2_000);
}

#[test]
fn what_cannot_be_read_is_not_asked() {
    for fields in [
        json!({ "response_format": 7 }),
        json!({ "reasoning": [] }),
        json!({ "tools": "all" }),
        json!({ "modalities": 1 }),
    ] {
        let found = asks(CHAT, &plain(CHAT, &fields));
        assert_eq!((found.messages, found.json), (1, Json::No), "{fields}");
    }
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{deep}}}]}}"#);
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    assert!(!asks(CHAT, &body).tools);
}

#[test]
fn an_estimate_is_near_what_tokenizers_say() {
    // The counts are those of words and marks, which is what tokenizers make of such texts.
    for (text, from, to) in [
        ("", 0, 0),
        ("The quick brown fox jumps over the lazy dog.", 9, 11),
        ("internationalization", 2, 5),
        ("1234567890", 4, 4),
        ("fn main() {\n    println!(\"hi\");\n}\n", 10, 16),
        ("你好，世界", 3, 6),
        ("Привет, мир", 3, 6),
        ("    \n\n\n", 1, 3),
    ] {
        let tokens = tokens::of(text);
        assert!((from..=to).contains(&tokens), "{text:?}: {tokens}");
    }
}
