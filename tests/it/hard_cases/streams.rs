//! Cases 35 to 39: streams as networks and vendors really send them.

use causeway::adapter::Ending;
use serde_json::{Value, json};

use crate::support::translation::*;

fn asking(path: &str) -> Value {
    match path {
        MESSAGES => messages(json!([user("hello")]), json!({ "stream": true })),
        _ => chat(json!([user("hello")]), json!({ "stream": true })),
    }
}

#[test]
fn case_35_done_stands_once_at_the_end_of_chat_and_never_in_messages() {
    let chat = ANTHROPIC.streams(CHAT, &asking(CHAT), [anthropic_stream(&["hello"]).as_bytes()]);
    assert!(chat.ends_with("data: [DONE]\n\n") && chat.matches("[DONE]").count() == 1, "{chat}");
    let chat = AZURE.streams(CHAT, &asking(CHAT), [openai_stream(&["hello"]).as_bytes()]);
    assert!(chat.ends_with("data: [DONE]\n\n") && chat.matches("[DONE]").count() == 1, "{chat}");
    let messages = OPENAI.streams(MESSAGES, &asking(MESSAGES), [openai_stream(&["hello"]).as_bytes()]);
    assert!(
        !messages.contains("[DONE]") && messages.matches("event: message_stop").count() == 1,
        "{messages}"
    );
}

#[test]
fn case_36_pings_comments_line_ends_and_missing_ends_change_nothing() {
    for (vendor, plain) in
        [(ANTHROPIC, anthropic_stream(&["hel", "lo"])), (OPENAI, openai_stream(&["hel", "lo"]))]
    {
        let expected = vendor.chunks([plain.as_bytes()]).unwrap();
        assert!(matches!(expected.ending, Some(Ending::Complete)), "{expected:?}");
        let pings = match vendor.adapter {
            "anthropic" => plain.replace("\n\n", "\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n"),
            _ => plain.replace("\n\n", "\n\n: ping\n\n"),
        };
        for (what, stream) in [
            ("pings", pings),
            ("comments", format!(":hello\n\n{}", plain.replace("\n\n", "\n\n: OPENROUTER PROCESSING\n\n"))),
            ("CRLF", plain.replace('\n', "\r\n")),
            ("CR", plain.replace('\n', "\r")),
            ("no space", plain.replace("data: ", "data:")),
            ("data before event", swapped(&plain)),
            ("padding", plain.replace("}\n\n", "}      \n\n")),
            ("no last line feed", plain.trim_end().to_owned()),
            ("a byte order mark", format!("\u{feff}{plain}")),
        ] {
            let step = vendor.chunks([stream.as_bytes()]).unwrap();
            assert_eq!(
                String::from_utf8(step.chunks),
                String::from_utf8(expected.chunks.clone()),
                "{vendor:?}: {what}"
            );
            assert!(matches!(step.ending, Some(Ending::Complete)), "{vendor:?}: {what}: {:?}", step.ending);
        }
    }
}

/// `data:` before `event:`, as one vendor sends it.
fn swapped(stream: &str) -> String {
    let event = |event: &str| match event.split_once('\n') {
        Some((name, data)) => format!("{data}\n{name}\n\n"),
        None => format!("{event}\n\n"),
    };
    stream.split("\n\n").filter(|part| !part.is_empty()).map(event).collect()
}

#[test]
fn case_37_small_pieces_cut_letters_and_frames_without_harm() {
    let texts = ["ünï", "🌊 日本", "語"];
    let anthropic = anthropic_stream(&texts).into_bytes();
    let openai = openai_stream(&texts).into_bytes();
    let bedrock = event_stream(&texts);
    for (vendor, stream) in [(ANTHROPIC, &anthropic), (AZURE, &openai), (BEDROCK, &bedrock)] {
        for size in [1, 3] {
            let client = vendor.streams(CHAT, &asking(CHAT), stream.chunks(size));
            assert_eq!(chat_text(&client), "ünï🌊 日本語", "{vendor:?} in pieces of {size}");
            assert!(client.ends_with("data: [DONE]\n\n"), "{client}");
        }
    }
}

/// A stream of Bedrock's: one frame an event, with its checksums.
fn event_stream(texts: &[&str]) -> Vec<u8> {
    let mut stream = frame("messageStart", &json!({ "role": "assistant" }));
    for text in texts {
        stream.extend(frame(
            "contentBlockDelta",
            &json!({ "contentBlockIndex": 0, "delta": { "text": text } }),
        ));
    }
    stream.extend(frame("contentBlockStop", &json!({ "contentBlockIndex": 0 })));
    stream.extend(frame("messageStop", &json!({ "stopReason": "end_turn" })));
    let usage = json!({ "usage": { "inputTokens": 1, "outputTokens": 2, "totalTokens": 3 } });
    stream.extend(frame("metadata", &usage));
    stream
}

#[test]
fn case_38_one_event_may_be_very_large() {
    let text = "tide ".repeat(300_000);
    for (vendor, stream) in [(ANTHROPIC, anthropic_stream(&[&text])), (AZURE, openai_stream(&[&text]))] {
        let client = vendor.streams(CHAT, &asking(CHAT), stream.as_bytes().chunks(16_384));
        assert!(chat_text(&client) == text, "{vendor:?}: {} bytes came", client.len());
        assert!(client.ends_with("data: [DONE]\n\n"), "{vendor:?}");
    }
}

#[test]
fn case_39_an_error_or_a_cut_in_the_middle_never_looks_like_an_end() {
    let anthropic = anthropic_stream(&["hello"]);
    let openai = openai_stream(&["hello"]);
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"too much\"}}\n\n";
    let middle = anthropic.find("event: content_block_stop").unwrap();
    let (before, _) = openai.split_once("data: [DONE]").unwrap();
    let (before, _) = before.rsplit_once("\n\ndata: ").unwrap().0.rsplit_once("\n\ndata: ").unwrap();
    let streams = [
        (ANTHROPIC, format!("{}{error}", &anthropic[..middle]), "too much"),
        (ANTHROPIC, anthropic[..middle].to_owned(), "cut"),
        (AZURE, format!("{before}\n\ndata: {{\"error\":{{\"message\":\"too much\"}}}}\n\n"), "too much"),
        (AZURE, format!("{before}\n\n"), "cut"),
    ];
    for (vendor, stream, why) in streams {
        let chat = vendor.streams(CHAT, &asking(CHAT), [stream.as_bytes()]);
        assert!(!chat.contains("[DONE]"), "{vendor:?}: {chat}");
        assert!(data(&chat).last().unwrap()["error"].to_string().contains(why), "{vendor:?}: {chat}");
        let messages = vendor.streams(MESSAGES, &asking(MESSAGES), [stream.as_bytes()]);
        assert!(!messages.contains("message_stop"), "{vendor:?}: {messages}");
        assert_eq!(data(&messages).last().unwrap()["type"], "error", "{vendor:?}: {messages}");
    }
}
