//! Usage of a stream, asked for on the gateway's own account: `stream_options.include_usage` put into the client's
//! bytes, and what it adds to the stream found again.
//!
//! Source: OpenAI's reference of `stream_options`: with `include_usage` one more chunk with `choices: []` and the totals
//! comes last, and every other chunk carries `usage: null`.

use std::ops::Range;

use serde_json::value::RawValue;

use crate::dialect::object::Object;
use crate::dialect::word::Word;
use crate::domain::Edit;

static STREAM_OPTIONS: Word = Word::new("\"stream_options\"");
static USAGE: Word = Word::new("\"usage\"");

const ASKED: &str = "\"include_usage\":true";

/// The edit that asks for usage in a body that does not.
pub(super) fn ask(body: &[u8]) -> Option<Edit> {
    let start = body.iter().position(|byte| *byte == b'{')? + 1;
    // In front: should an escaped spelling of the key stand behind it, that one counts, as it did before.
    let fresh = || Some((start..start, "\"stream_options\":{\"include_usage\":true},".into()));
    if !STREAM_OPTIONS.is_in(body) {
        return fresh();
    }
    let text = std::str::from_utf8(body).ok()?;
    let request: Object<'_> = serde_json::from_str(text).ok()?;
    let Some((_, options)) = request.0.iter().find(|(name, _)| name == "stream_options") else {
        // The name stands in a nested place.
        return fresh();
    };
    let span = span_of(options, text);
    if options.get() == "null" {
        return Some((span, format!("{{{ASKED}}}").into()));
    }
    let members: Object<'_> = serde_json::from_str(options.get()).ok()?;
    if let Some((_, flag)) = members.0.iter().find(|(name, _)| name == "include_usage") {
        return Some((span_of(flag, text), "true".into()));
    }
    let inside = span.start + 1;
    let comma = if members.is_empty() { "" } else { "," };
    Some((inside..inside, format!("{ASKED}{comma}").into()))
}

/// What an event says only because usage was asked for: all of the last chunk, the `"usage":null` of any other.
pub(super) fn span(data: &[u8]) -> Option<Range<usize>> {
    USAGE.find(data)?;
    let text = std::str::from_utf8(data).ok()?;
    let chunk: Object<'_> = serde_json::from_str(text).ok()?;
    let mut reports = chunk.0.iter().filter(|(name, _)| name == "usage");
    let (Some((_, usage)), None) = (reports.next(), reports.next()) else { return None };
    if usage.get() == "null" {
        return member(text, span_of(usage, text));
    }
    let choices = chunk.get("choices")?.get().strip_prefix('[')?.strip_suffix(']')?;
    let last = usage.get().starts_with('{') && choices.trim_ascii().is_empty();
    last.then_some(0..data.len())
}

/// A member with its name and one comma.
fn member(text: &str, value: Range<usize>) -> Option<Range<usize>> {
    let before = text.get(..value.start)?.trim_ascii_end().strip_suffix(':')?.trim_ascii_end();
    let name = before.strip_suffix('"')?.rfind('"')?;
    let front = text.get(..name)?.trim_ascii_end();
    if let Some(front) = front.strip_suffix(',') {
        return Some(front.len()..value.end);
    }
    let behind = text.get(value.end..)?;
    let comma = behind.trim_ascii_start().starts_with(',');
    let end = if comma { value.end + behind.find(',')? + 1 } else { value.end };
    Some(name..end)
}

fn span_of(raw: &RawValue, text: &str) -> Range<usize> {
    let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
    start..start + raw.get().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: &str) -> String {
        let (span, text) = ask(body.as_bytes()).expect("an edit");
        let asked = format!("{}{text}{}", &body[..span.start], &body[span.end..]);
        let tree: serde_json::Value = serde_json::from_str(&asked).expect("JSON");
        assert_eq!(tree["stream_options"]["include_usage"], true, "{asked}");
        asked
    }

    #[test]
    fn usage_is_asked_for_and_every_other_byte_stays() {
        for (body, expected) in [
            (
                r#" { "model" : "m", "x":1.0e0}"#,
                r#" {"stream_options":{"include_usage":true}, "model" : "m", "x":1.0e0}"#,
            ),
            (
                r#"{"stream_options" : { "include_obfuscation":false } ,"m":1}"#,
                r#"{"stream_options" : {"include_usage":true, "include_obfuscation":false } ,"m":1}"#,
            ),
            (r#"{"stream_options":{ }}"#, r#"{"stream_options":{"include_usage":true }}"#),
            (r#"{"stream_options": null}"#, r#"{"stream_options": {"include_usage":true}}"#),
            (
                r#"{"stream_options":{"a":1,"include_usage": false}}"#,
                r#"{"stream_options":{"a":1,"include_usage": true}}"#,
            ),
            (
                r#"{"tools":[{"stream_options":{}}],"m":1}"#,
                r#"{"stream_options":{"include_usage":true},"tools":[{"stream_options":{}}],"m":1}"#,
            ),
        ] {
            assert_eq!(asked(body), expected);
        }
    }

    #[test]
    fn what_was_not_asked_for_is_found_and_nothing_else() {
        let left = |event: &str| {
            let span = span(event.as_bytes());
            span.map(|span| format!("{}{}", &event[..span.start], &event[span.end..]))
        };
        for (event, expected) in [
            (r#"{"choices":[{"delta":{}}],"usage":null,"x":"a"}"#, r#"{"choices":[{"delta":{}}],"x":"a"}"#),
            (r#"{"choices":[{"delta":{}}] , "usage" : null}"#, r#"{"choices":[{"delta":{}}] }"#),
            (r#"{ "usage":null , "choices":[{"delta":{}}]}"#, r#"{  "choices":[{"delta":{}}]}"#),
            (r#"{"usage":null}"#, "{}"),
            (r#"{"choices":[ ],"usage":{"prompt_tokens":1}}"#, ""),
        ] {
            assert_eq!(left(event).as_deref(), Some(expected), "{event}");
        }
        for event in [
            r#"{"choices":[{"delta":{"content":"\"usage\":null"}}]}"#,
            r#"{"choices":[{"delta":{"usage":null}}]}"#,
            r#"{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1}}"#,
            r#"{"choices":[],"prompt_filter_results":[]}"#,
            "[DONE]",
        ] {
            assert_eq!(left(event), None, "{event}");
        }
    }
}
