//! AWS's published vectors: the test suite of Signature Version 4, and the worked example of its manual.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue, Method, header};

use super::{hex, hmac, region_of, sign, signing_key};
use crate::domain::Secret;
use crate::upstream::Provider;
use crate::upstream::credential::Draft;

const KEY: &str = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

/// 30 August 2015, 12:36:00 UTC.
fn then() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_440_938_160)
}

struct Case<'c> {
    key: &'c str,
    service: &'c str,
    host: &'c str,
    method: Method,
    path: &'c str,
    content_type: Option<&'static str>,
    body: &'c [u8],
}

impl Default for Case<'_> {
    fn default() -> Self {
        Self {
            key: KEY,
            service: "service",
            host: "example.amazonaws.com",
            method: Method::GET,
            path: "/",
            content_type: None,
            body: b"",
        }
    }
}

fn signed(case: &Case<'_>, region: &str) -> Result<HeaderMap, String> {
    let (mut headers, mut path) = (HeaderMap::new(), case.path.to_owned());
    if let Some(kind) = case.content_type {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    // Headers of others are not signed.
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    let mut draft = Draft {
        method: &case.method,
        host: case.host,
        region: None,
        path: &mut path,
        headers: &mut headers,
        body: case.body,
    };
    let outcome = sign(case.service, region, &Secret::new(case.key), &mut draft, then());
    outcome.map(|()| headers).map_err(|error| error.message.to_string())
}

fn check(case: &Case<'_>, names: &str, signature: &str) {
    let headers = signed(case, "us-east-1").expect("it can be signed");
    let expected = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{}/aws4_request, SignedHeaders={names}, Signature={signature}",
        case.service
    );
    assert_eq!(headers["authorization"], *expected, "{} {}", case.method, case.path);
    assert_eq!(headers["x-amz-date"], "20150830T123600Z");
}

#[test]
fn get_vanilla() {
    let signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    check(&Case::default(), "host;x-amz-date", signature);
}

#[test]
fn get_vanilla_query_order_key_case() {
    let case = Case { path: "/?Param2=value2&Param1=value1", ..Case::default() };
    check(&case, "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

#[test]
fn post_vanilla() {
    let case = Case { method: Method::POST, ..Case::default() };
    check(&case, "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

#[test]
fn post_x_www_form_urlencoded() {
    let case = Case {
        method: Method::POST,
        content_type: Some("application/x-www-form-urlencoded"),
        body: b"Param1=value1",
        ..Case::default()
    };
    let signature = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
    check(&case, "content-type;host;x-amz-date", signature);
}

#[test]
fn a_session_token_is_sent_and_signed() {
    let key = format!("{KEY}:{TOKEN}");
    let case = Case { key: &key, method: Method::POST, ..Case::default() };
    let names = "host;x-amz-date;x-amz-security-token";
    check(&case, names, "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
    let headers = signed(&case, "us-east-1").expect("it can be signed");
    assert_eq!(headers["x-amz-security-token"], TOKEN);
    assert!(headers["x-amz-security-token"].is_sensitive() && headers["authorization"].is_sensitive());
}

#[test]
fn the_worked_example_of_the_manual() {
    let case = Case {
        service: "iam",
        host: "iam.amazonaws.com",
        path: "/?Action=ListUsers&Version=2010-05-08",
        content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
        ..Case::default()
    };
    let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    check(&case, "content-type;host;x-amz-date", signature);
    let key = signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ["20150830", "us-east-1", "iam"]);
    assert_eq!(hex(&key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

#[test]
fn hmac_of_a_long_key() {
    // RFC 4231, case 6.
    let digest = hmac(&[0xAA; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
    assert_eq!(hex(&digest), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

#[test]
fn a_path_is_encoded_once_more_than_on_the_wire() {
    assert_eq!(super::encoded("/model/a.b-v1%3A0/converse"), "/model/a.b-v1%253A0/converse");
}

#[test]
fn the_region_is_found_in_the_host() {
    for (host, region) in [
        ("bedrock-runtime.eu-central-1.amazonaws.com", Some("eu-central-1")),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com:443", Some("us-gov-west-1")),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
        ("vpce-0a-b1.bedrock-runtime.us-east-1.vpce.amazonaws.com", Some("us-east-1")),
        ("iam.amazonaws.com", None),
        ("proxy.example", None),
    ] {
        assert_eq!(region_of(host), region, "{host}");
    }
    let found = Case { host: "bedrock-runtime.eu-west-1.amazonaws.com", ..Case::default() };
    let headers = signed(&found, "").expect("the host tells the region");
    let authorization = headers["authorization"].to_str().expect("ASCII");
    assert!(authorization.contains("/20150830/eu-west-1/service/"), "{authorization}");
    let unknown = Case { host: "proxy.example", ..Case::default() };
    assert!(signed(&unknown, "").expect_err("no region").contains("`region`"));
}

#[test]
fn a_key_of_another_kind_is_refused_without_repeating_it() {
    for key in ["sk-hunter2", ":hunter2", "hunter2:"] {
        let message = signed(&Case { key, ..Case::default() }, "us-east-1").expect_err(key);
        assert!(
            message.contains("ACCESS_KEY_ID:SECRET_ACCESS_KEY") && !message.contains("hunter2"),
            "{message}"
        );
    }
}

#[test]
fn what_aws_repeats_of_a_key_is_scrubbed() {
    let key = Secret::new(format!("{KEY}:{TOKEN}"));
    let provider = Provider::new("bedrock", "https://example.amazonaws.com", vec![key]).expect("a URL");
    let mut text = format!("The canonical string should have been 'x-amz-security-token:{TOKEN}'");
    provider.scrub(&mut text);
    assert_eq!(text, "The canonical string should have been 'x-amz-security-token:***'");
}
