//! The four forms of `input`, and what is refused.

use super::*;

fn read(input: &str) -> Result<Vec<String>, Failure> {
    let body = format!(r#"{{"model":"m","input":{input}}}"#);
    let request = EmbeddingRequest::parse(body.as_bytes())?;
    Ok(request.input.0.iter().map(|entry| serde_json::to_string(entry).unwrap_or_default()).collect())
}

#[test]
fn one_entry_is_one_vector() {
    assert_eq!(read(r#""a\nb""#).expect("reads"), [r#""a\nb""#]);
    assert_eq!(read(r#"["a","b"]"#).expect("reads"), [r#""a""#, r#""b""#]);
    assert_eq!(read("[1,2]").expect("reads"), ["[1,2]"]);
    assert_eq!(read("[[1,2],[3]]").expect("reads"), ["[1,2]", "[3]"]);
    assert_eq!(read(r#"[{"content":"a","title":"t"}]"#).expect("reads"), [r#"{"content":"a","title":"t"}"#]);
}

#[test]
fn nothing_is_refused_with_its_path() {
    for (input, path) in [
        ("[]", "input"),
        (r#"["a",""]"#, "input[1]"),
        ("[[]]", "input[0]"),
        (r#"[{"title":"t"}]"#, "input[0]"),
        ("[-1]", "input[0]"),
        ("[1.5]", "input[0]"),
        (r#"["a",true]"#, "input[1]"),
        (
            r#"[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,*"}}]}]"#,
            "input[0].content[0].image_url.url",
        ),
    ] {
        let failure = read(input).expect_err(input);
        assert_eq!(failure.param.as_deref(), Some(path), "{input}: {}", failure.message);
    }
    let failure = read(r#"["a",1]"#).expect_err("mixed");
    assert!(failure.message.contains("mixed"), "{}", failure.message);
}

#[test]
fn tokens_are_refused_where_text_is_wanted() {
    let request = EmbeddingRequest::parse(br#"{"input":["a",[1]]}"#).expect("reads");
    let failure = request.texts("acme", &mut Losses::default()).expect_err("tokens");
    assert_eq!(failure.kind, crate::FailureKind::Unsupported);
    assert_eq!(failure.param.as_deref(), Some("input[1]"));
}
