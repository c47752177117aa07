//! Bedrock's own answers, passing through, cut at every byte.

use bytes::Bytes;
use serde_json::json;

use crate::dialect::Dialect;
use crate::dialect::bedrock_converse::BedrockConverse;
use crate::dialect::passage::Passage;
use crate::domain::event_stream::{event, exception};
use crate::domain::{Framing, Usage};
use crate::error::Kind;

fn stream() -> Vec<u8> {
    let mut out = Vec::new();
    event(&mut out, "messageStart", br#"{"role":"assistant","p":"abc"}"#);
    event(&mut out, "contentBlockDelta", br#"{"contentBlockIndex":0,"delta":{"text":"hi"}}"#);
    event(&mut out, "contentBlockStop", br#"{"contentBlockIndex":0}"#);
    event(&mut out, "messageStop", br#"{"stopReason":"end_turn"}"#);
    let usage = json!({ "usage": { "inputTokens": 433, "outputTokens": 9, "cacheReadInputTokens": 16,
        "cacheWriteInputTokens": 2752, "cacheDetails": [{ "ttl": "1h", "inputTokens": 52 }], "totalTokens": 3210 } });
    event(&mut out, "metadata", usage.to_string().as_bytes());
    out
}

fn wanted() -> Usage {
    Usage {
        input: Some(3201),
        output: Some(9),
        cache_read: Some(16),
        cache_write: Some(2752),
        cache_write_long: Some(52),
        ..Usage::default()
    }
}

#[test]
fn bytes_cut_anywhere_come_out_as_they_went_in() {
    let whole = Bytes::from(stream());
    for cut in 0..=whole.len() {
        let mut passage = Passage::new(&BedrockConverse, Framing::EventStream);
        let mut out = Vec::new();
        for slice in [whole.slice(..cut), whole.slice(cut..)] {
            let forward = passage.push(&slice);
            out.extend_from_slice(&forward.held);
            out.extend_from_slice(&forward.fresh);
        }
        assert!(passage.finish().is_empty() && passage.failure().is_none(), "cut at {cut}");
        assert_eq!(out, whole, "cut at {cut}");
        assert!(passage.has_ended() && passage.has_content(), "cut at {cut}");
        assert_eq!(passage.usage(), wanted());
    }
}

#[test]
fn a_stream_of_single_bytes_is_the_same() {
    let whole = stream();
    let mut passage = Passage::new(&BedrockConverse, Framing::EventStream);
    let mut out = Vec::new();
    for byte in &whole {
        let forward = passage.push(&Bytes::copy_from_slice(&[*byte]));
        out.extend_from_slice(&forward.held);
        out.extend_from_slice(&forward.fresh);
    }
    assert_eq!(out, whole);
    assert!(passage.has_ended());
}

#[test]
fn a_stream_that_stops_early_has_not_ended_and_half_a_frame_is_not_forwarded() {
    let whole = Bytes::from(stream());
    // Behind `messageStop` a clean end is a success, though nothing was counted.
    let told = whole.len() - 300;
    for cut in 1..whole.len() {
        let mut passage = Passage::new(&BedrockConverse, Framing::EventStream);
        let forward = passage.push(&whole.slice(..cut));
        assert!(!passage.has_ended(), "cut at {cut}");
        assert!(passage.finish().is_empty(), "cut at {cut}");
        let at_a_boundary = forward.fresh.len() == cut;
        assert!(cut > told || !passage.has_ended() || at_a_boundary, "cut at {cut}");
    }
    let mut stopped = Vec::new();
    event(&mut stopped, "messageStop", br#"{"stopReason":"end_turn"}"#);
    let mut passage = Passage::new(&BedrockConverse, Framing::EventStream);
    passage.push(&Bytes::from(stopped));
    assert!(!passage.has_ended());
    passage.finish();
    assert!(passage.has_ended() && passage.usage() == Usage::default());
}

#[test]
fn an_exception_is_held_back_and_told() {
    let mut bytes = stream();
    bytes.truncate(0);
    event(&mut bytes, "messageStart", b"{}");
    let before = bytes.len();
    exception(&mut bytes, "throttlingException", br#"{"message":"too many"}"#);
    let mut passage = Passage::new(&BedrockConverse, Framing::EventStream);
    let forward = passage.push(&Bytes::from(bytes));
    assert_eq!(forward.fresh.len(), before);
    let failure = passage.failure().expect("a failure");
    assert_eq!((failure.kind, failure.message.as_str()), (Kind::RateLimited, "too many"));
    assert_eq!(failure.code.as_deref(), Some("throttlingException"));
}

#[test]
fn bytes_that_are_no_frames_are_a_failure() {
    for bytes in [&b"data: {\"x\":1}\n\n data"[..], b"<html><body>502 Bad Gateway</body></html>"] {
        let mut passage = Passage::new(&BedrockConverse, Framing::EventStream);
        assert!(passage.push(&Bytes::copy_from_slice(bytes)).is_empty());
        assert_eq!(passage.failure().map(|failure| failure.kind), Some(Kind::Malformed));
    }
    // The prelude is right, the frame is not.
    let mut bytes = stream();
    bytes[40] ^= 1;
    let mut passage = Passage::new(&BedrockConverse, Framing::EventStream);
    passage.push(&Bytes::from(bytes));
    assert_eq!(passage.failure().map(|failure| failure.kind), Some(Kind::Malformed));
}

#[test]
fn usage_of_a_whole_answer() {
    let body = br#"{"output":{},"usage":{"inputTokens":1,"outputTokens":2,"cacheReadInputTokenCount":3}}"#;
    let usage = BedrockConverse.whole_usage(body).expect("usage");
    assert_eq!((usage.input, usage.output, usage.cache_read), (Some(4), Some(2), Some(3)));
    assert_eq!(BedrockConverse.whole_usage(b"{}"), None);
}
