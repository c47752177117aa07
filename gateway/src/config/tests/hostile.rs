//! Broken, cut and random texts: an answer each time, never a panic, never a secret.

use super::*;

/// A text, read with everything at hand; whatever is said must point into it.
fn survive(text: &str) {
    let Err(error) = parse(text, "a.toml", &[], &environment) else { return };
    assert!(!error.problems.is_empty());
    for problem in &error.problems {
        if let Some(span) = &problem.span {
            assert!(span.start <= span.end && span.end <= text.len(), "{problem:?}");
            error.place(span.start);
        }
    }
    assert_eq!(error.source.len(), text.len());
    assert!(!error.to_string().is_empty());
}

#[test]
fn a_file_cut_anywhere_never_panics() {
    let text = file("example.toml");
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)).step_by(3) {
        survive(&text[..end]);
    }
}

#[test]
fn a_changed_byte_never_panics() {
    let text = file("example.toml");
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..1_000 {
        let mut bytes = text.clone().into_bytes();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(0..bytes.len());
            match random.u8(0..4) {
                0 => bytes[at] = random.u8(..),
                1 => bytes[at] = *random.choice(b"[]{}=\"'#,.$\n").expect("a choice"),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, random.u8(32..127)),
            }
        }
        survive(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn swapped_lines_never_panic() {
    let text = file("example.toml");
    let mut random = fastrand::Rng::with_seed(2);
    for _ in 0..200 {
        let mut lines: Vec<&str> = text.lines().collect();
        for _ in 0..8 {
            let (one, other) = (random.usize(0..lines.len()), random.usize(0..lines.len()));
            lines.swap(one, other);
        }
        survive(&lines.join("\n"));
    }
}

#[test]
fn odd_texts_are_answered() {
    for text in [
        "",
        "\u{feff}",
        "\0",
        "=",
        "[",
        "[[a]]",
        "a.b.c = 1",
        "\u{feff}version = 1",
        "version = 99999999999999999999",
        "version = nan",
        "version = inf",
        "server = 1",
        "providers = []",
        "models = [[[[[[]]]]]]",
        "[[providers]]",
        "providers.a.options.b = nan",
        "keys.a.secret = 2024-01-01",
        "[providers.\"\"]",
        "[models.\"\"]",
        "\"\" = 1",
        "[providers.ü]\nurl = \"http://ü/ß\"",
        "admin.password = \"é\"",
        "x = '''\n",
        "log = { level = \"ünfo\" }",
    ] {
        survive(text);
    }
    survive(&"[".repeat(10_000));
    survive(&format!("a = {}", "[".repeat(10_000)));
    survive(&format!("{}a = 1", "a.".repeat(2_000)));
    survive(&format!("[{}a]", "a.".repeat(2_000)));
    survive(&format!("a = {}1{}", "[".repeat(79), "]".repeat(79)));
}
