//! Every loss is named once, and nothing is named that a client gets.

use super::*;
use crate::dialect::Dialect;
use crate::dialect::anthropic_messages::AnthropicMessages;
use crate::dialect::gemini_generate::GeminiGenerate;
use crate::dialect::openai_chat::OpenAiChat;
use crate::dialect::openai_responses::OpenAiResponses;

fn lost(dialect: &dyn Dialect, canonical: &str) -> String {
    let Some(keeps) = dialect.keeps() else { return String::new() };
    let fields: Vec<_> =
        Lost::new(keeps).of(canonical.as_bytes()).into_iter().map(|loss| loss.field).collect();
    fields.join(" ")
}

/// What each dialect loses: Anthropic's, Gemini's, Responses'. OpenAI's chat loses nothing.
fn check(canonical: &str, expected: [&str; 3]) {
    let dialects: [&dyn Dialect; 3] = [&AnthropicMessages, &GeminiGenerate, &OpenAiResponses];
    for (dialect, expected) in dialects.into_iter().zip(expected) {
        assert_eq!(lost(dialect, canonical), expected, "{} {canonical}", dialect.id());
    }
    assert_eq!(lost(&OpenAiChat, canonical), "");
}

#[test]
fn a_plain_answer_loses_nothing() {
    check(
        r#"{"id":"1","object":"chat.completion","created":0,"model":"m","system_fingerprint":"f","prompt_filter_results":[1],"choices":[{"index":0,"message":{"role":"assistant","content":"hi","refusal":null,"annotations":[],"reasoning_content":"r","tool_calls":[{"id":"1"}]},"logprobs":null,"finish_reason":"stop","vendor":{"x":{"safetyRatings":[]}}}],"usage":{"prompt_tokens":1,"vendor":{"y":{"z":1}}}}"#,
        ["", "", ""],
    );
}

#[test]
fn what_has_no_place_is_named() {
    let message = |message: &str| format!(r#"{{"choices":[{{"index":0,"message":{message}}}]}}"#);
    check(
        r#"{"choices":[{"index":0,"message":{"content":"a"}},{"index":1,"message":{"content":"b"}}]}"#,
        ["choices[1]", "", "choices[1]"],
    );
    check(
        r#"{"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":0}]}}]}"#,
        ["choices[0].logprobs", "", ""],
    );
    check(
        &message(r#"{"annotations":[{"type":"url_citation","url_citation":{"url":"u"}}]}"#),
        ["choices[0].message.annotations", "", ""],
    );
    check(
        &message(r#"{"annotations":[{"type":"vendor","vendor":"anthropic","value":{}}]}"#),
        ["", "choices[0].message.annotations", ""],
    );
    check(
        &message(r#"{"audio":{"data":"x"},"invented":1}"#),
        [
            "choices[0].message.audio choices[0].message.invented",
            "choices[0].message.audio choices[0].message.invented",
            "choices[0].message.audio choices[0].message.invented",
        ],
    );
    check(
        &message(
            r#"{"content":[{"type":"text","text":"a"},{"type":"input_audio","input_audio":{}},{"type":"image_url","image_url":{"url":"u"}},{"type":"vendor","vendor":"gemini","value":{}}]}"#,
        ),
        ["choices[0].message.content[1] choices[0].message.content[3]", "", "choices[0].message.content[1]"],
    );
    check(
        r#"{"citations":["u"],"choices":[{"index":0,"message":{},"vendor":{"gemini":{"groundingMetadata":{},"safetyRatings":[]}}}]}"#,
        [
            "citations choices[0].vendor.gemini.groundingMetadata",
            "citations",
            "citations choices[0].vendor.gemini.groundingMetadata",
        ],
    );
}

#[test]
fn a_stream_names_each_loss_once_and_sees_it_behind_plain_text() {
    let mut lost = Lost::new(AnthropicMessages.keeps().expect("not everything"));
    let line = |text: &str, more: &str| {
        format!(r#"{{"id":"1","choices":[{{"index":0,"delta":{{"content":"{text}"{more}}}}}]}}"#)
    };
    let note = r#","annotations":[{"type":"url_citation"}]"#;
    for (line, count) in [
        (line("a", ""), 0),
        (line("b\\\"c", ""), 0),
        // Text that looks like the end of a string and a field behind it.
        (line("d\\\",\\\"audio\\\":1", ""), 0),
        (line("e", note), 1),
        (line("f", note), 0),
        (line("g", r#","audio":1"#), 1),
    ] {
        assert_eq!(lost.of(line.as_bytes()).len(), count, "{line}");
    }
    assert!(lost.is_plain(line("any", "").as_bytes()));
    assert!(!lost.is_plain(line("any", note).as_bytes()));
}
