//! What a request comes to at most, for whoever must be able to pay for it: read from its bytes, whatever its dialect.

use std::cell::LazyCell;

use memchr::memmem;
use serde::Deserialize;

use super::told;
use super::word::Word;

/// A shorter string is taken for text, whatever it is.
const SHORT: usize = 1024;
/// Tokens of a picture: more than any vendor takes for one.
const PICTURE: u64 = 4_096;
/// Bytes of sound in base64 for which no vendor takes more than one token.
const SOUND: u64 = 32;

/// Members whose strings are the bytes of something and never text to a model.
const DATA: [&[u8]; 4] = [b"\"url\"", b"\"data\"", b"\"image_url\"", b"\"bytes\""];

/// A picture.
static NAMED: Word = Word::new("\"image_url\"");
/// How dialects ask for several answers at once.
static SEVERAL: [Word; 4] = [
    Word::new("\"n\""),
    Word::new("\"best_of\""),
    Word::new("\"candidateCount\""),
    Word::new("\"candidate_count\""),
];

/// Tokens of a request: a token of text has one byte at least. Pictures count as such, sound by its length, and documents
/// by the byte, like text.
pub fn tokens(body: &[u8]) -> u64 {
    // Looked for only where there is data at all.
    let says = |words: &[&[u8]]| words.iter().any(|word| memmem::find(body, word).is_some());
    let documents = LazyCell::new(|| says(&[b"application/pdf", b"\"document\"", b"\"file_data\""]));
    let sound = LazyCell::new(|| says(&[b"audio"]));
    let mut discount = 0;
    if body.len() > SHORT {
        told::walk(body, |text| {
            let bytes = text.len() as u64;
            if text.len() <= SHORT || !is_data(body, text) {
                return;
            }
            let tokens = match () {
                () if text.starts_with(b"data:image/") => PICTURE,
                () if *documents => bytes,
                () if *sound => PICTURE.max(bytes.div_ceil(SOUND)),
                () => PICTURE,
            };
            discount += bytes.saturating_sub(tokens);
        });
    }
    // A picture that is only named has no bytes here.
    let named = NAMED.places(body).count() as u64;
    (body.len() as u64).saturating_sub(discount).saturating_add(named.saturating_mul(PICTURE))
}

/// Whether a string of a body is the value of a member that holds data.
fn is_data(body: &[u8], text: &[u8]) -> bool {
    let start = text.as_ptr().addr().saturating_sub(body.as_ptr().addr());
    let before = body.get(..start.saturating_sub(1)).unwrap_or_default().trim_ascii_end();
    let Some(name) = before.strip_suffix(b":") else { return false };
    DATA.iter().any(|known| name.trim_ascii_end().ends_with(known))
}

/// How many answers a request wants at once.
pub fn versions(body: &[u8]) -> u64 {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Wanted {
        n: Option<u64>,
        best_of: Option<u64>,
        #[serde(rename = "generationConfig", alias = "generation_config")]
        config: Option<Config>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Config {
        #[serde(rename = "candidateCount", alias = "candidate_count")]
        candidates: Option<u64>,
    }
    const FIELD: &[u8] = b"name=\"n\"\r\n\r\n";
    let form = (!body.starts_with(b"{")).then(|| memmem::find(body, FIELD)).flatten();
    if let Some(at) = form {
        let digits = body.get(at + FIELD.len()..).unwrap_or_default();
        let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
        let count = std::str::from_utf8(digits.get(..end).unwrap_or_default());
        return count.ok().and_then(|count| count.parse().ok()).unwrap_or(1).max(1);
    }
    if !SEVERAL.iter().any(|name| name.is_in(body)) {
        return 1;
    }
    let Ok(wanted) = serde_json::from_slice::<Wanted>(body) else { return 1 };
    let candidates = wanted.config.and_then(|config| config.candidates);
    [wanted.n, wanted.best_of, candidates].into_iter().flatten().max().unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_no_more_tokens_than_bytes_and_pictures_are_no_text() {
        let long = "A".repeat(50_000);
        let text = format!(r#"{{"messages":[{{"role":"user","content":"{long}"}}]}}"#);
        assert_eq!(tokens(text.as_bytes()), text.len() as u64);
        // A text that looks like data is text all the same.
        let sly = format!(r#"{{"content":[{{"type":"text","text":"data:image/png;base64,{long}"}}]}}"#);
        assert_eq!(tokens(sly.as_bytes()), sly.len() as u64);
        for picture in [
            format!(r#"{{"image_url":{{"url": "data:image/png;base64,{long}"}}}}"#),
            format!(r#"{{"source":{{"type":"base64","media_type":"image/png","data":"{long}"}}}}"#),
        ] {
            let tokens = tokens(picture.as_bytes());
            assert!((PICTURE..3 * PICTURE).contains(&tokens), "{tokens}");
        }
        let document = format!(r#"{{"media_type":"application/pdf","data":"{long}"}}"#);
        assert_eq!(tokens(document.as_bytes()), document.len() as u64);
        let sound = format!(r#"{{"input_audio":{{"format":"mp3","data":"{long}{long}{long}{long}"}}}}"#);
        assert!((200_000 / SOUND..10_000).contains(&tokens(sound.as_bytes())));
        let named = br#"{"image_url":{"url":"https://example.com/a.png"}}"#;
        assert_eq!(tokens(named), named.len() as u64 + PICTURE);
    }

    #[test]
    fn answers_that_are_wanted_at_once_are_counted() {
        for (body, expected) in [
            (r#"{"model":"m"}"#, 1),
            (r#"{"n":3}"#, 3),
            (r#"{"n":0}"#, 1),
            (r#"{"n":2,"best_of": 5}"#, 5),
            (r#"{"generationConfig":{"candidateCount":4}}"#, 4),
            (r#"{"tools":[{"parameters":{"properties":{"n":{"type":"integer"}}}}]}"#, 1),
            ("--b\r\ncontent-disposition: form-data; name=\"n\"\r\n\r\n7\r\n--b--", 7),
        ] {
            assert_eq!(versions(body.as_bytes()), expected, "{body}");
        }
    }
}
