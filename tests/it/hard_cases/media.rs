//! Cases 32 to 34: pictures, documents and sound.

use causeway::error::Kind;
use serde_json::{Value, json};

use crate::support::translation::*;

fn shown(part: Value) -> Value {
    chat(json!([user(json!([{ "type": "text", "text": "what" }, part]))]), json!({}))
}

fn picture(url: &str) -> Value {
    shown(json!({ "type": "image_url", "image_url": { "url": url } }))
}

#[test]
fn case_32_a_picture_keeps_its_kind_in_itself_and_by_its_address() {
    let body = picture("data:image/webp;base64,UklGRg==");
    for (vendor, place, value) in [
        (ANTHROPIC, "/messages/0/content/1/source/media_type", "image/webp"),
        (ANTHROPIC, "/messages/0/content/1/source/data", "UklGRg=="),
        (AZURE, "/messages/0/content/1/image_url/url", "data:image/webp;base64,UklGRg=="),
        (BEDROCK, "/messages/0/content/1/image/format", "webp"),
        (BEDROCK, "/messages/0/content/1/image/source/bytes", "UklGRg=="),
        (GOOGLE, "/contents/0/parts/1/inlineData/mimeType", "image/webp"),
        (MISTRAL, "/messages/0/content/1/image_url", "data:image/webp;base64,UklGRg=="),
        (OLLAMA, "/messages/0/images/0", "UklGRg=="),
    ] {
        let asked = vendor.gets(CHAT, &body);
        assert!(asked.body.pointer(place).is_some_and(|found| texts(found) == [value]), "{asked:?}");
    }
    let body = picture("https://images.example/heron.webp");
    for (vendor, place) in [
        (ANTHROPIC, "/messages/0/content/1/source/url"),
        (AZURE, "/messages/0/content/1/image_url/url"),
        (GOOGLE, "/contents/0/parts/1/fileData/fileUri"),
    ] {
        let asked = vendor.gets(CHAT, &body);
        assert_eq!(asked.body.pointer(place), Some(&json!("https://images.example/heron.webp")), "{asked:?}");
    }
    for vendor in [BEDROCK, OLLAMA] {
        assert_eq!(vendor.asked(CHAT, &body).unwrap_err().kind, Kind::Unsupported, "{vendor:?}");
    }
}

#[test]
fn case_33_a_pdf_arrives_as_a_document_or_is_refused() {
    let file = json!({ "filename": "tides.pdf", "file_data": "data:application/pdf;base64,JVBERg==" });
    let body = shown(json!({ "type": "file", "file": file }));
    for (vendor, place, value) in [
        (
            ANTHROPIC,
            "/messages/0/content/1/source",
            json!({ "type": "base64", "media_type": "application/pdf", "data": "JVBERg==" }),
        ),
        (AZURE, "/messages/0/content/1/file/file_data", json!("data:application/pdf;base64,JVBERg==")),
        (BEDROCK, "/messages/0/content/1/document/format", json!("pdf")),
        (
            GOOGLE,
            "/contents/0/parts/1/inlineData",
            json!({ "mimeType": "application/pdf", "data": "JVBERg==" }),
        ),
        (MISTRAL, "/messages/0/content/1/document_url", json!("data:application/pdf;base64,JVBERg==")),
    ] {
        let asked = vendor.gets(CHAT, &body);
        assert_eq!(asked.body.pointer(place), Some(&value), "{asked:?}");
    }
    for vendor in [COHERE, OLLAMA] {
        assert_eq!(vendor.asked(CHAT, &body).unwrap_err().kind, Kind::Unsupported, "{vendor:?}");
    }
}

#[test]
fn case_34_sound_is_refused_where_it_cannot_be_heard() {
    let body =
        shown(json!({ "type": "input_audio", "input_audio": { "data": "UklGRg==", "format": "wav" } }));
    for vendor in [ANTHROPIC, BEDROCK, COHERE, OLLAMA] {
        let refused = vendor.asked(CHAT, &body).unwrap_err();
        assert_eq!(refused.kind, Kind::Unsupported, "{vendor:?}");
        assert!(refused.param.is_some_and(|param| param.starts_with("messages[0].content[1]")), "{vendor:?}");
    }
    assert_eq!(
        GOOGLE.gets(CHAT, &body).body["contents"][0]["parts"][1]["inlineData"]["mimeType"],
        "audio/wav"
    );
}
