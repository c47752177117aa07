//! Frames: what is written is what AWS writes, and what is broken is told.

use super::{Frame, PRELUDE, event, exception, length, read};

#[test]
fn a_frame_has_the_bytes_that_aws_documents() {
    let mut out = Vec::new();
    event(&mut out, "x", b"{}");
    let headers = b"\x0b:event-type\x07\x00\x01x\x0d:content-type\x07\x00\x10application/json\x0d:message-type\x07\x00\x05event";
    let total = u32::try_from(PRELUDE + headers.len() + 2 + 4).expect("a small frame");
    let mut wanted = total.to_be_bytes().to_vec();
    wanted.extend(u32::try_from(headers.len()).expect("few headers").to_be_bytes());
    wanted.extend(crc32fast::hash(&wanted).to_be_bytes());
    wanted.extend(headers);
    wanted.extend(b"{}");
    wanted.extend(crc32fast::hash(&wanted).to_be_bytes());
    assert_eq!(out, wanted);
}

#[test]
fn a_frame_is_read_back() {
    let mut out = Vec::new();
    exception(&mut out, "throttlingException", br#"{"message":"slow"}"#);
    let frame = read(&out).expect("a whole frame");
    let wanted = Frame {
        message_type: "exception",
        name: "throttlingException",
        error_message: "",
        payload: br#"{"message":"slow"}"#,
    };
    assert_eq!(frame, wanted);
    assert_eq!(length(out.first_chunk().expect("a prelude")), Ok(out.len()));
}

#[test]
fn a_wrong_byte_anywhere_is_noticed() {
    let mut whole = Vec::new();
    event(&mut whole, "messageStart", br#"{"role":"assistant"}"#);
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 1;
        assert!(read(&broken).is_err(), "byte {at}");
        assert!(read(&whole[..at]).is_err(), "cut at {at}");
    }
}
