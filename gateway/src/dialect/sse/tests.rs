//! Boundaries at every cut, and the data between them.

use super::*;

/// The ends found, as offsets into the whole.
fn ends(slices: &[&[u8]]) -> Vec<usize> {
    let mut boundary = Boundary::default();
    let mut found = Vec::new();
    let mut before = 0;
    for slice in slices {
        let mut from = 0;
        while let Some(end) = boundary.next_end(slice, from) {
            found.push(before + end);
            from = end;
        }
        before += slice.len();
    }
    found
}

fn check(text: &str, expected: &[&str]) {
    let bytes = text.as_bytes();
    let whole = ends(&[bytes]);
    let events: Vec<&str> = whole
        .iter()
        .scan(0, |from, end| {
            let event = &text[*from..*end];
            *from = *end;
            Some(event)
        })
        .collect();
    assert_eq!(events, expected);
    for at in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(at);
        let cut = ends(&[head, tail]);
        // Between CR and LF a cut moves the LF to the next event; nothing else may change.
        assert_eq!(cut.len(), whole.len(), "cut at {at}");
        for (cut, whole) in cut.iter().zip(&whole) {
            assert!(cut == whole || (cut + 1 == *whole && bytes[*cut] == b'\n' && at == *cut), "cut at {at}");
        }
    }
}

#[test]
fn a_blank_line_ends_an_event() {
    check(
        "data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: ü\n",
        &["data: a\n\n", "data: b\r\n\r\n", "data: c\r\r"],
    );
}

#[test]
fn comments_and_extra_blank_lines_are_events_without_data() {
    check(": hello\n\n\ndata: 1\n\n", &[": hello\n\n", "\n", "data: 1\n\n"]);
    assert_eq!(data_of(b": hello\n\n"), None);
    assert_eq!(data_of(b"\n"), None);
}

#[test]
fn data_lines_are_joined() {
    assert_eq!(data_of(b"event: x\r\ndata:a\r\nid: 1\r\ndata:  b\r\n\r\n").as_deref(), Some(&b"a\n b"[..]));
    assert_eq!(data_of(b"data\n\n").as_deref(), Some(&b""[..]));
    assert_eq!(data_of("\u{feff}data: a\n\n".as_bytes()).as_deref(), Some(&b"a"[..]));
    assert!(matches!(data_of(b"data: a\n\n"), Some(Cow::Borrowed(b"a"))));
}
