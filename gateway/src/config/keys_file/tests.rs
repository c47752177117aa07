//! Lines of a file of keys, right and wrong.

use super::*;

fn read(line: &str) -> Result<Option<(String, Option<String>)>, String> {
    KeyLine::read(line).map(|line| {
        line.map(|line| (line.secret.expose().to_owned(), line.note.map(|note| note.to_string())))
    })
}

#[test]
fn a_line_is_a_key_and_perhaps_a_note() {
    let key = |note: Option<&str>| Ok(Some(("sk-1".to_owned(), note.map(str::to_owned))));
    assert_eq!(read("sk-1"), key(None));
    assert_eq!(read("  sk-1\t\r"), key(None));
    assert_eq!(read("sk-1 # of team a"), key(Some("of team a")));
    assert_eq!(read("sk-1  #"), key(None));
    assert_eq!(read("sk-1 #a # b"), key(Some("a # b")));
    // Without white space before it a `#` belongs to the key.
    assert_eq!(read("sk#1"), Ok(Some(("sk#1".to_owned(), None))));
    assert_eq!(read(""), Ok(None));
    assert_eq!(read("   "), Ok(None));
    assert_eq!(read("# sk-1"), Ok(None));
}

#[test]
fn what_is_no_key_is_refused_without_being_repeated() {
    for line in
        ["sk-1 sk-2", "sk-\u{e4}", "{\"type\": \"authorized_user\"}", "{not json", &"x".repeat(20_000)]
    {
        let why = read(line).expect_err(line);
        assert!(!why.contains("sk-"), "{why}");
    }
}

#[test]
fn a_line_that_is_written_is_read_as_the_same() {
    for line in ["sk-1", "sk-1  # note", "AKIA:secret/with+signs=  # aws"] {
        let read = KeyLine::read(line).expect("a line").expect("a key");
        assert_eq!(KeyLine::read(&read.written()), Ok(Some(read)));
    }
}

#[test]
fn lines_are_numbered_and_long_ones_are_not_kept() {
    let long = "y".repeat(5 << 20);
    let text = format!("sk-1\n\n# none\nsk-2 # two\n{long}\nsk-3");
    let mut seen = Vec::new();
    each_line_of(text.as_bytes(), |number, line| match line {
        Ok(None) => {}
        Ok(Some(line)) => seen.push((number, line.secret.expose().to_owned())),
        Err(why) => seen.push((number, why)),
    })
    .expect("text");
    let told: Vec<(usize, &str)> = seen.iter().map(|(number, text)| (*number, text.as_str())).collect();
    assert_eq!(told, [(1, "sk-1"), (4, "sk-2"), (5, "is too long for a key"), (6, "sk-3")]);
}
