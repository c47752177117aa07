//! How much text a body or an event holds, in bytes of English; for the estimate that stands in where a provider does not count.
//!
//! Any dialect's JSON is looked at the same way: the values of strings, without names, kinds and opaque state.

use memchr::memchr2;

use super::word::Word;

/// A string this long without a space is no text but data, such as a picture in base64.
const DATA: usize = 1024;
/// What data counts for, whatever its length: about a thousand tokens, which is what vendors take for a picture.
const DATA_BYTES: u64 = 4096;
/// Members whose strings are no text of anybody.
const SILENT: [&[u8]; 14] = [
    b"id",
    b"type",
    b"role",
    b"object",
    b"model",
    b"status",
    b"item_id",
    b"call_id",
    b"tool_call_id",
    b"tool_use_id",
    b"stop_reason",
    b"signature",
    b"thoughtSignature",
    b"encrypted_content",
];

/// Where the text of an answer stands.
static ANSWERS: [Word; 4] =
    [Word::new("\"message\""), Word::new("\"parts\""), Word::new("\"output\""), Word::new("\"content\"")];
static DELTA: Word = Word::new("\"delta\"");
static PARTS: Word = Word::new("\"parts\"");

/// The text of a whole request.
pub fn asked(body: &[u8]) -> u64 {
    text_in(body)
}

/// The text of one event of a stream, in any dialect: what stands in `delta` (OpenAI, Anthropic) or `parts` (Gemini).
pub fn streamed(event: &[u8]) -> u64 {
    match below(event, &DELTA) {
        0 => below(event, &PARTS),
        bytes => bytes,
    }
}

/// The text of a whole answer, in any dialect.
pub fn answered(body: &[u8]) -> u64 {
    ANSWERS.iter().map(|name| below(body, name)).find(|bytes| *bytes > 0).unwrap_or(0)
}

/// Whether a whole answer has any text, in any dialect.
pub fn says_something(body: &[u8]) -> bool {
    ANSWERS.iter().any(|name| {
        name.places(body).any(|at| {
            let behind = body.get(at + name.len()..).unwrap_or_default();
            let mut says = false;
            if let Some(value) = behind.trim_ascii_start().strip_prefix(b":") {
                walk_while(value, |text| {
                    says = !text.is_empty();
                    !says
                });
            }
            says
        })
    })
}

/// The text in all values of members with this name. Quotes inside strings are escaped, so names are found, never text.
fn below(data: &[u8], name: &Word) -> u64 {
    let mut sum = 0;
    let mut rest = data;
    while let Some(at) = name.find(rest) {
        rest = rest.get(at + name.len()..).unwrap_or_default();
        if let Some(value) = rest.trim_ascii_start().strip_prefix(b":") {
            sum += text_in(value);
            rest = value.get(length_of(value)..).unwrap_or_default();
        }
    }
    sum
}

/// The text in the JSON value that `data` begins with.
fn text_in(data: &[u8]) -> u64 {
    let mut sum = 0;
    walk(data, |text| {
        let data = text.len() > DATA && memchr::memchr(b' ', text).is_none();
        sum += if data || text.starts_with(b"data:") { DATA_BYTES } else { weight(text) };
    });
    sum
}

/// A text in bytes of English that make as many tokens: where a letter takes three bytes or four, as in Chinese and Japanese
/// or of pictograms, it is about one token or two of its own.
fn weight(text: &[u8]) -> u64 {
    if text.is_ascii() {
        return text.len() as u64;
    }
    let letter = |lead: u8| text.iter().filter(|byte| **byte >= lead).count() as u64;
    // Three bytes weigh four, four weigh eight.
    text.len() as u64 + letter(0xE0) + 3 * letter(0xF0)
}

/// The length of the JSON value that `data` begins with.
fn length_of(data: &[u8]) -> usize {
    walk(data, |_| {})
}

/// Shows every string that is a value, and says where the value that `data` begins with ends. Broken JSON ends it.
pub(super) fn walk(data: &[u8], mut show: impl FnMut(&[u8])) -> usize {
    walk_while(data, |text| {
        show(text);
        true
    })
}

/// The same for as long as whoever is shown a string wants to see more.
fn walk_while(data: &[u8], mut show: impl FnMut(&[u8]) -> bool) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    let mut silent = false;
    while let Some(&byte) = data.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let Some(length) = string_length(data.get(at..).unwrap_or_default()) else { break };
                let text = data.get(at..at + length).unwrap_or_default();
                at += length + 1;
                if data.get(at..).unwrap_or_default().trim_ascii_start().starts_with(b":") {
                    silent = SILENT.contains(&text);
                    continue;
                }
                let goes_on = silent || show(text);
                if depth == 0 || !goes_on {
                    break;
                }
            }
            b'{' | b'[' => {
                depth += 1;
                // What is nested has names of its own.
                silent = false;
            }
            b'}' | b']' if depth <= 1 => break,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => break,
            _ => {}
        }
    }
    at
}

/// Up to the quote that closes a string.
pub(super) fn string_length(data: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let found = at + memchr2(b'"', b'\\', data.get(at..)?)?;
        if data.get(found) == Some(&b'"') {
            return Some(found);
        }
        at = found + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_counted_in_the_events_of_every_dialect() {
        for (event, bytes) in [
            (
                r#"{"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"four"},"finish_reason":null}],"obfuscation":"aaaa"}"#,
                4,
            ),
            (r#"{"choices":[{"delta":{"content":"ab"}},{"delta":{"content":"c\"d"}}]}"#, 6),
            (
                r#"{"choices":[{"delta":{"tool_calls":[{"id":"call_1","function":{"name":"now","arguments":"{\"a\":1}"}}]}}]}"#,
                12,
            ),
            (r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"é🦀"}}"#, 10),
            (r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"你好"}}"#, 8),
            (r#"{"type":"content_block_delta","delta":{"type":"signature_delta","signature":"abc"}}"#, 0),
            (r#"{"type":"response.output_text.delta","item_id":"i","delta":"hello","logprobs":[]}"#, 5),
            (
                r#"{"candidates":[{"content":{"parts":[{"text":"hi"},{"text":"you","thoughtSignature":"zzz"}],"role":"model"}}]}"#,
                5,
            ),
            (r#"{"choices":[{"delta":{"content":"cut"#, 0),
            ("[DONE]", 0),
        ] {
            assert_eq!(streamed(event.as_bytes()), bytes, "{event}");
        }
    }

    #[test]
    fn text_is_counted_in_whole_answers_and_requests() {
        for (answer, bytes) in [
            (
                r#"{"id":"1","choices":[{"message":{"role":"assistant","content":"hello"}},{"message":{"content":"you"}}]}"#,
                8,
            ),
            (
                r#"{"type":"message","role":"assistant","content":[{"type":"text","text":"hello"}],"model":"m"}"#,
                5,
            ),
            (r#"{"candidates":[{"content":{"parts":[{"text":"hello"}]}}],"modelVersion":"m"}"#, 5),
            (
                r#"{"object":"response","output":[{"type":"message","content":[{"type":"output_text","text":"hello"}]}]}"#,
                5,
            ),
        ] {
            assert_eq!(answered(answer.as_bytes()), bytes, "{answer}");
        }
        let picture = "A".repeat(9000);
        let request = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"text","text":"look"}},{{"image_url":{{"url":"data:image/png;base64,{picture}"}}}},{{"data":"{picture}"}}]}}]}}"#
        );
        assert_eq!(asked(request.as_bytes()), 4 + 2 * DATA_BYTES);
    }
}
