//! Byte-exact at every cut, in both framings; nothing behind a failure.

use super::*;
use crate::dialect::AnswerFacts;
use crate::domain::{Envelope, RequestHead};

/// A dialect in which an event says what it is.
struct Plain;

impl Dialect for Plain {
    fn id(&self) -> &'static str {
        "plain"
    }
    fn read(&self, _: &RequestHead, _: Bytes) -> Result<Envelope, GatewayError> {
        unreachable!("not read")
    }
    fn canonical(&self, _: &Envelope) -> Result<Bytes, GatewayError> {
        unreachable!("not read")
    }
    fn whole(&self, _: &AnswerFacts, _: &[u8]) -> Result<Vec<u8>, GatewayError> {
        unreachable!("not written")
    }
    fn stream(&self, _: &AnswerFacts, _: &Envelope) -> Box<dyn StreamWriter> {
        Box::new(Nothing)
    }
    fn error(&self, error: &GatewayError, _: &str) -> Vec<u8> {
        format!("{{\"error\":\"{}\"}}", error.message).into_bytes()
    }
    fn whole_usage(&self, _: &[u8]) -> Option<Usage> {
        None
    }
    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        let text = std::str::from_utf8(data).expect("whole characters");
        usage.update(Usage { output: Some(usage.output.unwrap_or(0) + 1), ..Usage::default() });
        match text {
            _ if text.contains("quiet") => Passing::Quiet,
            _ if text.contains("end") => Passing::End,
            _ if text.contains("fail") => Passing::Failed(GatewayError::upstream(Kind::Provider, "no")),
            _ => Passing::Content,
        }
    }
}

struct Nothing;

impl StreamWriter for Nothing {
    fn chunk(&mut self, _: &[u8], _: &mut Vec<u8>) -> Result<(), GatewayError> {
        Ok(())
    }
    fn finish(&mut self, _: &mut Vec<u8>) {}
    fn fail(&mut self, _: &GatewayError, _: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<failed>");
    }
}

/// All that was forwarded, and the passage after it.
fn play(framing: Framing, slices: &[&[u8]]) -> (String, Passage<'static>) {
    let mut passage = Passage::new(&Plain, framing);
    let mut out = Vec::new();
    for slice in slices {
        let forward = passage.push(&Bytes::copy_from_slice(slice));
        out.extend_from_slice(&forward.held);
        out.extend_from_slice(&forward.fresh);
    }
    out.extend_from_slice(&passage.finish());
    (String::from_utf8(out).expect("whole characters"), passage)
}

/// The same at every cut: what is forwarded, usage, content, end, failure.
fn check(framing: Framing, text: &str, forwarded: &str, facts: (u64, bool, bool, bool)) {
    let bytes = text.as_bytes();
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    let pairs = (0..=bytes.len()).map(|at| vec![&bytes[..at], &bytes[at..]]);
    for slices in pairs.chain([single]) {
        let (out, passage) = play(framing, &slices);
        assert_eq!(out, forwarded, "first slice {}", slices[0].len());
        let failed = passage.failure().is_some();
        let seen = (passage.usage().output.unwrap_or(0), passage.has_content(), passage.has_ended(), failed);
        assert_eq!(seen, facts, "first slice {}", slices[0].len());
        assert_eq!(passage.has_forwarded(), !forwarded.trim().is_empty());
    }
}

#[test]
fn events_pass_byte_for_byte() {
    let text =
        ": hi\n\ndata: {\"quiet\":1}\r\n\r\ndata:{\"ü\":\"😀\"}\n\nevent: x\ndata: {}\n\ndata: end\n\n";
    check(Framing::Sse, text, text, (4, true, true, false));
}

#[test]
fn half_an_event_is_never_forwarded() {
    check(Framing::Sse, "data: {\"a\":1}\n\ndata: {\"b\":", "data: {\"a\":1}\n\n", (1, true, false, false));
    check(Framing::Sse, "data: {\"a\":1}\n\nda", "data: {\"a\":1}\n\n", (1, true, false, false));
}

#[test]
fn a_missing_last_blank_line_is_added() {
    check(
        Framing::Sse,
        "data: {\"a\":1}\n\ndata: {\"end\":1}",
        "data: {\"a\":1}\n\ndata: {\"end\":1}\n\n",
        (2, true, true, false),
    );
    check(Framing::Sse, "data: {\"end\":1}\n", "data: {\"end\":1}\n\n", (1, true, true, false));
    // CR and LF together would be one line end.
    check(Framing::Sse, "data: {\"end\":1}\r", "data: {\"end\":1}\r\n\n", (1, true, true, false));
}

#[test]
fn a_failure_and_what_follows_stay_behind() {
    let text = "data: {\"a\":1}\n\ndata: {\"fail\":1}\n\ndata: end\n\n";
    check(Framing::Sse, text, "data: {\"a\":1}\n\n", (2, true, false, true));
}

#[test]
fn array_elements_pass_with_what_stands_before_them() {
    let text = "[{\"a\":\"}],{\\\"\\\\\",\"b\":[[{}],\"]\"]}\n,\r\n{\"c\":{\"ü\":[]}}\n,\r\n{\"end\":1}\n]\n";
    check(Framing::JsonArray, text, text, (3, true, true, false));
}

#[test]
fn a_cut_array_stops_behind_an_element() {
    check(Framing::JsonArray, "[{\"a\":1},\r\n{\"b\":\"x", "[{\"a\":1}", (1, true, false, false));
    let (_, passage) = play(Framing::JsonArray, &[b"[{\"a\":1},{\"fail\":1}]"]);
    let mut out = Vec::new();
    passage.fail(&mut Nothing, &GatewayError::upstream(Kind::Provider, "cut"), "r", &mut out);
    assert_eq!(out, b",\r\n{\"error\":\"cut\"}]");
}

#[test]
fn what_is_no_array_fails() {
    check(Framing::JsonArray, "<html>", "", (0, false, false, true));
    check(Framing::JsonArray, "{\"error\":1}", "", (0, false, false, true));
}

#[test]
fn an_error_before_anything_was_sent_is_the_writers() {
    let (out, passage) = play(Framing::JsonArray, &[b"[{\"fail\":1}]"]);
    assert_eq!(out, "");
    let mut written = Vec::new();
    passage.fail(&mut Nothing, &GatewayError::upstream(Kind::Provider, "cut"), "r", &mut written);
    assert_eq!(written, b"<failed>");
}

#[test]
fn an_endless_event_is_refused() {
    let mut passage = Passage::new(&Plain, Framing::Sse);
    let block = Bytes::from(vec![b'x'; 1024 * 1024]);
    for _ in 0..17 {
        assert!(passage.push(&block).is_empty());
    }
    assert_eq!(passage.failure().map(|error| error.kind), Some(Kind::Malformed));
}
