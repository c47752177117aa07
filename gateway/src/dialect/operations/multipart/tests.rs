//! Forms: places, names, and what is refused.

use super::*;

fn head(content_type: &str) -> RequestHead {
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", content_type.parse().unwrap());
    RequestHead { method: http::Method::POST, path: String::new(), query: None, headers }
}

const TYPE: &str = "multipart/form-data; boundary=\"--a'b\"";

fn body() -> Bytes {
    Bytes::from_static(
        b"preamble\r\n----a'b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\"; c.wav\"\r\n\
          Content-Type: audio/wav\r\n\r\nRIFF\r\n--\0\xff\r\n----a'b\r\ncontent-disposition:form-data;name=model\r\n\r\n\
          whisper-1\r\n----a'b--\r\nepilogue",
    )
}

#[test]
fn every_part_is_a_place_in_the_body() {
    let body = body();
    let form = Form::read(&head(TYPE), &body).unwrap();
    let file = form.one("file").unwrap().unwrap();
    assert_eq!(file.filename.as_deref(), Some("a \"b\"; c.wav"));
    assert_eq!(file.content_type.as_deref(), Some("audio/wav"));
    assert_eq!(&body[file.place.clone()], b"RIFF\r\n--\0\xff");
    assert_eq!(form.text(&body, "model").unwrap(), Some("whisper-1"));
    assert!(form.text(&body, "file").unwrap_err().message.contains("UTF-8"));
    assert!(form.one("prompt").unwrap().is_none());
}

#[test]
fn a_form_cut_anywhere_is_refused_and_never_read_wrongly() {
    let body = body();
    let end = body.len() - "--\r\nepilogue".len();
    for length in 0..end {
        let cut = body.slice(..length);
        let read = Form::read(&head(TYPE), &cut);
        assert!(read.is_err(), "cut at {length}: {read:?}");
    }
}

#[test]
fn what_is_no_form_is_refused_by_name() {
    for content_type in [
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=a",
        "multipart/form-data; boundary=",
    ] {
        let error = Form::read(&head(content_type), &body()).unwrap_err();
        assert!(error.message.contains("multipart/form-data"), "{content_type}: {error}");
    }
    let twice = body().to_vec();
    let twice = String::from_utf8_lossy(&twice).replace("name=\"file\"", "name=\"model\"").into_bytes();
    let form = Form::read(&head(TYPE), &twice.into()).unwrap();
    assert!(form.one("model").unwrap_err().message.contains("twice"));
}
