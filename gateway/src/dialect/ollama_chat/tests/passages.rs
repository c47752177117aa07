//! Ollama's own lines on their way through.

use super::read;
use crate::dialect::ollama_chat::OllamaChat;
use crate::dialect::passage::Passage;
use crate::dialect::{Dialect as _, Passing};
use crate::domain::{Framing, Usage};
use crate::error::Kind;
use bytes::Bytes;

const LAST: &str = r#"{"model":"m","message":{"role":"assistant","content":""},"done": true,"done_reason":"stop","prompt_eval_count":3,"eval_count":2}"#;

fn look(line: &str) -> (Passing, Usage) {
    let mut usage = Usage::default();
    (OllamaChat.passing(line.as_bytes(), &mut usage), usage)
}

#[test]
fn a_line_is_judged_by_what_it_says() {
    let said = |message: &str| look(&format!(r#"{{"model":"m","message":{message},"done":false}}"#)).0;
    assert!(matches!(said(r#"{"role":"assistant","content":"\"done\":true"}"#), Passing::Content));
    assert!(matches!(said(r#"{"role":"assistant","content":""}"#), Passing::Quiet));
    assert!(matches!(said(r#"{"role":"assistant","content":"","thinking":"x"}"#), Passing::Content));
    // An argument of that name is not the end.
    let call = r#"{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"done":true,"error":"x"}}}]}"#;
    assert!(matches!(said(call), Passing::Content));
    let (passing, usage) = look(LAST);
    assert!(matches!(passing, Passing::End));
    assert_eq!(usage, Usage { input: Some(3), output: Some(2), ..Usage::default() });
    assert_eq!(OllamaChat.whole_usage(LAST.as_bytes()), Some(usage));
    assert_eq!(OllamaChat.whole_usage(b"{}"), None);
}

#[test]
fn an_error_in_a_line_is_a_failure_of_its_kind() {
    for (line, kind) in [
        (r#"{"error":"an error was encountered while running the model"}"#, Kind::Provider),
        (r#"{"error":{"message":"server busy, please try again"}}"#, Kind::Overloaded),
        (r#"{"error":"model 'x' not found"}"#, Kind::ModelNotFound),
        (r#"{"error":"\"x\" does not support thinking"}"#, Kind::Unsupported),
        (r#"{"error":"input exceeds the context length"}"#, Kind::ContextLength),
        (r#"{"error":"you have reached your weekly usage limit"}"#, Kind::Quota),
        ("nonsense", Kind::Malformed),
    ] {
        let Passing::Failed(error) = look(line).0 else { panic!("{line} is no failure") };
        assert_eq!(error.kind, kind, "{line}");
    }
    assert!(matches!(look(r#"{"message":{"content":"x"},"error":null,"done":false}"#).0, Passing::Content));
}

#[test]
fn lines_pass_whole_wherever_the_bytes_are_cut() {
    let first = r#"{"model":"m","message":{"role":"assistant","content":"ü"},"done":false}"#;
    for ending in ["\n", ""] {
        let stream = format!("{first}\n{LAST}{ending}");
        for cut in 0..=stream.len() {
            let mut passage = Passage::new(&OllamaChat, Framing::Ndjson);
            let mut passed = Vec::new();
            for piece in [&stream.as_bytes()[..cut], &stream.as_bytes()[cut..]] {
                let forward = passage.push(&Bytes::copy_from_slice(piece));
                passed.extend_from_slice(&forward.held);
                passed.extend_from_slice(&forward.fresh);
            }
            passed.extend_from_slice(&passage.finish());
            assert_eq!(passed, format!("{first}\n{LAST}\n").into_bytes(), "cut at {cut}");
            assert!(passage.has_ended() && passage.has_content(), "cut at {cut}");
            assert_eq!(passage.usage().output, Some(2));
        }
    }
}

#[test]
fn an_error_stops_the_stream_before_its_line() {
    let envelope = read(r#"{"model":"m","messages":[]}"#).expect("reads");
    let mut passage = Passage::new(&OllamaChat, envelope.framing);
    let forward =
        passage.push(&Bytes::from_static(b"{\"message\":{\"content\":\"a\"}}\n{\"error\":\"gone\"}\n"));
    assert_eq!(forward.fresh, "{\"message\":{\"content\":\"a\"}}\n");
    let error = passage.failure().expect("it failed").clone();
    assert_eq!(error.message, "gone");
    let mut out = Vec::new();
    let mut writer = OllamaChat.stream(&super::facts(), &envelope);
    passage.fail(writer.as_mut(), &error, "R", &mut out);
    assert_eq!(out, b"{\"error\":\"gone\"}\n");
    let mut half = Passage::new(&OllamaChat, envelope.framing);
    half.push(&Bytes::from_static(b"{\"message\":"));
    assert!(half.finish().is_empty() && !half.has_ended());
}
