//! Lines, whole and in pieces.

use super::Splitter;

fn lines(slices: &[&[u8]]) -> Vec<String> {
    let mut splitter = Splitter::default();
    let mut found = Vec::new();
    let mut each = |line: &[u8]| {
        found.push(String::from_utf8_lossy(line).into_owned());
        Ok(())
    };
    for slice in slices {
        splitter.push(slice, &mut each).expect("short lines");
    }
    splitter.finish(&mut each).expect("short lines");
    found
}

#[test]
fn lines_do_not_depend_on_how_they_were_cut() {
    let bytes = "{\"a\":\"é\"}\r\n\n  \n{\"b\":2}\n{\"c\":3}".as_bytes();
    let whole = lines(&[bytes]);
    assert_eq!(whole, ["{\"a\":\"é\"}", "{\"b\":2}", "{\"c\":3}"]);
    assert_eq!(lines(&bytes.chunks(1).collect::<Vec<_>>()), whole);
    for at in 1..bytes.len() {
        let (head, tail) = bytes.split_at(at);
        assert_eq!(lines(&[head, tail]), whole, "cut at {at}");
    }
}

#[test]
fn a_line_that_never_ends_is_refused() {
    let mut splitter = Splitter::default();
    let piece = vec![b'x'; super::MAX_LINE];
    assert!(splitter.push(&piece, |_| Ok(())).is_ok());
    assert!(splitter.push(b"xx", |_| Ok(())).is_err());
}
