//! Frames from bytes, however they are cut, and what is no frame.

use super::{Frame, Frames, crc32};

/// A header of text.
fn text(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![name.len() as u8];
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(7);
    bytes.extend_from_slice(&(value.len() as u16).to_be_bytes());
    bytes.extend_from_slice(value.as_bytes());
    bytes
}

fn message(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = ((16 + headers.len() + payload.len()) as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&crc32(&bytes).to_be_bytes());
    bytes.extend_from_slice(headers);
    bytes.extend_from_slice(payload);
    bytes.extend_from_slice(&crc32(&bytes).to_be_bytes());
    bytes
}

fn event(name: &str, payload: &[u8]) -> Vec<u8> {
    let headers = [text(":event-type", name), text(":message-type", "event")].concat();
    message(&headers, payload)
}

/// Names and payloads, or the message of the failure.
fn read(slices: &[&[u8]]) -> (Vec<(String, Vec<u8>)>, Option<String>) {
    let (mut frames, mut found) = (Frames::default(), Vec::new());
    for slice in slices {
        let take = |frame: Frame<'_>| {
            found.push((frame.name.to_owned(), frame.payload.to_vec()));
            Ok(())
        };
        if let Err(failure) = frames.push(slice, take) {
            return (found, Some(failure.message));
        }
    }
    (found, None)
}

#[test]
fn the_checksum_is_the_usual_one() {
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    assert_eq!(crc32(b""), 0);
}

#[test]
fn an_empty_message_as_aws_publishes_it() {
    // From the test vectors of AWS's SDKs: no headers, no payload.
    let bytes = [0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xC2, 0x48, 0xEB, 0x7D, 0x98, 0xC8, 0xFF];
    assert_eq!(read(&[&bytes]), (vec![(String::new(), Vec::new())], None));
}

#[test]
fn frames_are_found_however_they_are_cut() {
    let bytes = [event("a", b"{}"), event("b", b""), event("c", "grüß".as_bytes())].concat();
    let whole = read(&[&bytes]);
    assert_eq!(whole.0.len(), 3);
    for at in 0..bytes.len() {
        let (head, tail) = bytes.split_at(at);
        assert_eq!(read(&[head, tail]), whole, "cut at {at}");
    }
}

#[test]
fn headers_of_all_types_are_stepped_over() {
    let mut headers = Vec::new();
    for (kind, length) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)] {
        headers.extend_from_slice(&[1, b'x', kind]);
        headers.extend(std::iter::repeat_n(0xAA, length));
    }
    headers.extend_from_slice(&[1, b'y', 6, 0, 2, 0xFF, 0xFF]);
    headers.extend(text(":event-type", "messageStop"));
    assert_eq!(read(&[&message(&headers, b"{}")]).0, [("messageStop".to_owned(), b"{}".to_vec())]);
}

#[test]
fn every_flipped_bit_is_noticed() {
    let good = event("a", b"{}");
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        let (found, failure) = read(&[&bytes]);
        assert!(found.is_empty() && failure.is_some(), "byte {at}");
    }
}

#[test]
fn headers_that_lie_about_their_length_are_refused() {
    for headers in [&b"\x09ab"[..], b"\x01a", b"\x01a\x07\x00", b"\x01a\x07\x00\x09abc", b"\x01a\x63"] {
        let (found, failure) = read(&[&message(headers, b"")]);
        assert!(found.is_empty() && failure.is_some_and(|text| text.contains("header")), "{headers:?}");
    }
    let mut prelude = [0, 0, 0, 8, 0, 0, 0, 0].to_vec();
    prelude.extend_from_slice(&crc32(&prelude).to_be_bytes());
    assert!(read(&[&prelude]).1.is_some_and(|text| text.contains("length")));
}
