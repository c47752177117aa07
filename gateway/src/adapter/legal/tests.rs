//! What is taken and what is refused.

use super::*;

#[test]
fn only_methods_of_apis() {
    assert_eq!(method("POST").unwrap(), Method::POST);
    for said in ["", "post", "CONNECT", "TRACE", "POST ", "POST / HTTP/1.1\r\n\r\nGET"] {
        assert!(method(said).is_err(), "{said:?}");
    }
}

#[test]
fn a_path_stays_where_it_belongs() {
    for said in [
        "/v1/chat/completions",
        "/v1beta/models/a.b:generateContent?alt=sse&x=%20",
        "/v1/models/a..b",
        "/...",
    ] {
        assert_eq!(path(said.to_owned()).unwrap(), said);
    }
    for said in [
        "",
        "v1",
        "//evil.example/v1",
        "http://evil.example/",
        "/v1 x",
        "/v1\r\nhost: x",
        "/ü",
        "/v1#x",
        "/v1\\x",
        "/..",
        "/v1/../admin",
        "/v1/./x",
        "/v1/%2e%2E/admin",
        "/v1/.%2e?x",
        "/v1/..?x=/",
    ] {
        assert!(path(said.to_owned()).is_err(), "{said:?}");
    }
}

#[test]
fn a_key_goes_into_no_header_of_ours() {
    for said in ["x-api-key", "api-key", "Authorization", "x-goog-api-key"] {
        assert!(credential_header(said).is_ok(), "{said:?}");
    }
    for said in ["", "a b", "host", "Transfer-Encoding", "content-length", "connection", "cookie"] {
        assert!(credential_header(said).is_err(), "{said:?}");
    }
    assert!(credential_query("key".to_owned()).is_ok());
    for said in ["", "a&b", "a=b", "a#", "a b", "a\r\n", "a/b"] {
        assert!(credential_query(said.to_owned()).is_err(), "{said:?}");
    }
}

#[test]
fn words_are_cut() {
    let long = "ü".repeat(10_000);
    let error =
        GatewayError { code: Some(long.clone()), ..GatewayError::plugin(long.clone()) }.context(&long);
    let short = short(error);
    assert!(short.message.len() <= LONGEST_MESSAGE + 4 && short.message.ends_with("ü …"));
    assert!(short.context.len() <= LONGEST_MESSAGE + 4);
    assert_eq!(short.code.unwrap().len(), LONGEST_WORD + 4);
    assert!(method(&long).unwrap_err().message.len() < 2 * LONGEST_WORD);
}
