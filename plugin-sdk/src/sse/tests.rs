//! The WHATWG rules, at every cut.

use super::*;

fn events_of(slices: &[&[u8]]) -> Vec<(String, String)> {
    let mut splitter = Splitter::default();
    let mut events = Vec::new();
    let mut take = |event: Event<'_>| {
        events
            .push((event.name.to_owned(), String::from_utf8(event.data.to_vec()).expect("whole characters")));
        Ok(())
    };
    for slice in slices {
        splitter.push(slice, &mut take).expect("splits");
    }
    splitter.finish(&mut take).expect("splits");
    events
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> =
        expected.iter().map(|(name, data)| ((*name).to_owned(), (*data).to_owned())).collect();
    let bytes = text.as_bytes();
    assert_eq!(events_of(&[bytes]), expected, "whole");
    for at in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(at);
        assert_eq!(events_of(&[head, tail]), expected, "cut at {at}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(events_of(&single), expected, "byte by byte");
}

#[test]
fn every_line_end_is_understood() {
    check("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\n", &[("", "a"), ("", "b"), ("", "c"), ("", "d")]);
}

#[test]
fn a_byte_order_mark_is_skipped_once() {
    check("\u{feff}data: a\n\n\u{feff}data: b\n\n", &[("", "a")]);
}

#[test]
fn several_data_lines_are_joined_and_the_blank_is_optional() {
    check("data:a\ndata:  b\ndata\n\ndata:\n\n", &[("", "a\n b\n"), ("", "")]);
}

#[test]
fn names_belong_to_their_event_in_any_order() {
    check(
        "event: x\ndata: 1\n\ndata: 2\nevent: y\n\nevent: z\n\ndata: 3\n\n",
        &[("x", "1"), ("y", "2"), ("", "3")],
    );
}

#[test]
fn comments_and_unknown_fields_are_skipped() {
    check(": hello\n\nid: 7\nretry: 1\ndatum: x\ndata: a\n: more\n\n:\n\n", &[("", "a")]);
}

#[test]
fn multi_byte_characters_survive_every_cut() {
    check("event: gräße\ndata: {\"t\":\"ü😀漢\"}\r\n\r\n", &[("gräße", "{\"t\":\"ü😀漢\"}")]);
}

#[test]
fn a_missing_end_is_forgiven_at_the_end() {
    check("data: a\n\ndata: b", &[("", "a"), ("", "b")]);
    check("data: a\n\ndata: b\r", &[("", "a"), ("", "b")]);
}

#[test]
fn an_endless_event_is_refused() {
    let mut splitter = Splitter::default();
    splitter.push(b"data: ", |_| Ok(())).expect("small");
    let block = vec![b'x'; 1024 * 1024];
    let outcome = (0..17).try_for_each(|_| splitter.push(&block, |_| Ok(())));
    assert!(outcome.is_err());
}
