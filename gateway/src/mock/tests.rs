//! Tests of the mock: what it says, what it refuses, and how its connections end.

mod answers;
mod cloud;
mod connections;
mod refusals;

use bytes::Bytes;
use hyper::Request;
use serde_json::{Value, json};

use super::Settings;
use super::decide::{Answer, Desk, Verdict};
use super::fault::Fault;
use super::sample;
use super::script::Step;
use super::settings::{Knobs, percent_decoded};

/// The paths of the three vendors, Gemini's with a place for the model.
const OPENAI: &str = "/v1/chat/completions";
const ANTHROPIC: &str = "/v1/messages";

fn gemini(model: &str, call: &str) -> String {
    format!("/v1beta/models/{model}:{call}")
}

/// One request to a desk, without a network.
fn put(desk: &Desk, path: &str, body: &Value) -> Answer {
    let request = Request::post(format!("http://mock{path}"))
        .header("authorization", "Bearer key")
        .header("x-goog-api-key", "key")
        .header("anthropic-version", "2023-06-01");
    let (head, ()) = request.body(()).unwrap().into_parts();
    match desk.decide(&head, Some(&Bytes::from(body.to_string())), 0) {
        Verdict::Answer(answer) => answer,
        Verdict::Hang => panic!("it hangs"),
        Verdict::Close => panic!("it closes"),
    }
}

fn body(answer: &Answer) -> String {
    let sent = answer.steps.iter().filter_map(|step| match step {
        Step::Send(bytes) => Some(bytes.as_ref()),
        _ => None,
    });
    String::from_utf8(sent.collect::<Vec<_>>().concat()).unwrap()
}

/// Status and JSON of a whole answer.
fn ask(desk: &Desk, path: &str, request: &Value) -> (u16, Value) {
    let answer = put(desk, path, request);
    (answer.status, serde_json::from_str(&body(&answer)).unwrap())
}

/// The JSON of each event of a stream.
fn events(desk: &Desk, path: &str, request: &Value) -> Vec<Value> {
    let answer = put(desk, path, request);
    assert_eq!(answer.status, 200, "{}", body(&answer));
    let text = body(&answer);
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn desk() -> Desk {
    Desk::new(Settings::default())
}

#[test]
fn a_fault_is_written_as_it_is_read() {
    for text in [
        "status:529",
        "cut:3",
        "cut-bytes:7",
        "hang",
        "hang:0",
        "garbage",
        "html",
        "empty",
        "blank",
        "error-event:2",
        "close",
        "slow:50",
        "trickle:3",
    ] {
        assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
    }
    assert_eq!("slow-body".parse(), Ok(Fault::Slow(500)));
    for text in
        ["", "status", "status:200", "status:x", "cut", "cut:-1", "garbage:1", "trickle:0", "nonsense"]
    {
        assert!(text.parse::<Fault>().is_err(), "{text}");
    }
}

#[test]
fn a_models_name_wins_over_headers_and_they_over_settings() {
    let settings =
        Settings { chunks: 1, rate: 1.0, text: Some("settings".to_owned()), ..Settings::default() };
    let mut headers = hyper::HeaderMap::new();
    headers.insert("x-mock-rate", "2".parse().unwrap());
    headers.insert("x-mock-text", "header".parse().unwrap());
    let knobs = Knobs::of(&settings, &headers, "mock@text=a%20name@fault=cut:3@first-token=20ms").unwrap();
    assert_eq!((knobs.chunks, knobs.text.as_deref()), (1, Some("a name")));
    assert!((knobs.rate - 2.0).abs() < f64::EPSILON);
    assert_eq!((knobs.fault, knobs.first_token.as_millis()), (Some(Fault::Cut(3)), 20));
    for model in ["mock@x=1", "mock@rate=-1", "mock@first-token=9h", "mock@chunks=100000@piece=8000000"] {
        assert!(Knobs::of(&settings, &headers, model).is_err(), "{model}");
    }
}

#[test]
fn percent_escapes_are_read_and_other_text_stays() {
    for (text, read) in [("a%20b", "a b"), ("100%", "100%"), ("%zz", "%zz"), ("%C3%A4", "ä"), ("%2", "%2")] {
        assert_eq!(percent_decoded(text), read);
    }
}

#[test]
fn a_sample_satisfies_its_schema() {
    for (schema, first, second) in [
        (json!({}), json!("x"), json!("y")),
        (json!({"type": "integer", "minimum": 5}), json!(5), json!(5)),
        (json!({"type": "NUMBER"}), json!(1.0), json!(2.0)),
        (json!({"type": ["string", "null"], "minLength": 3}), json!("xxx"), json!("yyy")),
        (json!({"enum": ["a", "b"]}), json!("a"), json!("b")),
        (json!({"const": 7}), json!(7), json!(7)),
        (json!({"type": "boolean"}), json!(true), json!(false)),
        (json!({"type": "array", "items": {"type": "integer"}}), json!([1]), json!([2])),
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a"]}),
            json!({"a": "x"}),
            json!({"a": "y"}),
        ),
        (
            json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/n"}]}}, "required": ["next"]}}}),
            json!({"next": null}),
            json!({"next": null}),
        ),
    ] {
        assert_eq!(sample::of(&schema, 0), first, "{schema}");
        assert_eq!(sample::of(&schema, 1), second, "{schema}");
    }
}

#[test]
fn a_schema_without_an_end_ends() {
    let schema = json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "array", "minItems": 2, "items": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}}}});
    assert!(sample::of(&schema, 0).is_array());
    assert_eq!(sample::of(&json!({"$ref": "#"}), 0), Value::Null);
}

#[test]
fn every_so_many_requests_fail() {
    let desk = Desk::new(Settings { error_rate: 0.25, ..Settings::default() });
    let request = json!({"model": "mock", "messages": [{"role": "user", "content": "hi"}]});
    let failed = (0..100).filter(|_| put(&desk, OPENAI, &request).status == 500).count();
    assert_eq!(failed, 25);
}
