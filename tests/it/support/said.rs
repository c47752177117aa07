//! What an answer says, in no vendor's words: so that nine pairs of dialect and provider can be held to one table.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::sse::Event;

/// What an answer says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) reasoning: String,
    pub(crate) calls: Vec<Call>,
    /// `stop`, `length`, `tools` or `filter`.
    pub(crate) finish: &'static str,
    pub(crate) tokens: Option<Tokens>,
    /// The model's name, as the answer tells it.
    pub(crate) model: String,
}

/// One call of a tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

/// Tokens, cached ones and reasoning included in the totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) input: u64,
    pub(crate) output: u64,
}

impl Said {
    /// Names and arguments of the calls.
    pub(crate) fn called(&self) -> Vec<(&str, &Value)> {
        self.calls.iter().map(|call| (call.name.as_str(), &call.arguments)).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

#[track_caller]
fn object(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap_or_else(|error| panic!("{error}: arguments {arguments:?}"))
}

#[track_caller]
fn finish(word: &str) -> &'static str {
    match word {
        "stop" | "end_turn" | "stop_sequence" | "STOP" => "stop",
        "length" | "max_tokens" | "MAX_TOKENS" => "length",
        "tool_calls" | "tool_use" => "tools",
        "content_filter" | "refusal" | "SAFETY" | "PROHIBITED_CONTENT" => "filter",
        _ => panic!("an unknown end: {word:?}"),
    }
}

fn openai_tokens(usage: &Value) -> Option<Tokens> {
    usage.is_object().then(|| {
        let tokens =
            Tokens { input: number(&usage["prompt_tokens"]), output: number(&usage["completion_tokens"]) };
        assert_eq!(number(&usage["total_tokens"]), tokens.input + tokens.output, "{usage}");
        tokens
    })
}

/// A `chat.completion`.
#[track_caller]
pub(crate) fn openai(answer: &Value) -> Said {
    assert_eq!(answer["object"], "chat.completion", "{answer}");
    assert!(answer["id"].is_string() && answer["created"].is_u64(), "{answer}");
    let choice = &answer["choices"][0];
    let message = &choice["message"];
    assert_eq!(message["role"], "assistant", "{answer}");
    let calls = list(&message["tool_calls"]).iter().map(|call| {
        assert_eq!(call["type"], "function", "{answer}");
        let function = &call["function"];
        let (id, name) = (text(&call["id"]).to_owned(), text(&function["name"]).to_owned());
        Call { id, name, arguments: object(text(&function["arguments"])) }
    });
    Said {
        text: text(&message["content"]).to_owned(),
        reasoning: text(&message["reasoning_content"]).to_owned(),
        calls: calls.collect(),
        finish: if text(&message["refusal"]).is_empty() { finish(text(&choice["finish_reason"])) } else { "filter" },
        tokens: openai_tokens(&answer["usage"]),
        model: text(&answer["model"]).to_owned(),
    }
}

/// `chat.completion.chunk`s and `[DONE]`.
#[track_caller]
pub(crate) fn openai_stream(events: &[Event]) -> Said {
    let (last, chunks) = events.split_last().expect("an empty stream");
    assert_eq!(last.data, "[DONE]", "{events:#?}");
    let (mut said, mut refused) = (Said::default(), false);
    let mut arguments: BTreeMap<u64, String> = BTreeMap::new();
    for event in chunks {
        let chunk = event.json();
        assert_eq!(chunk["object"], "chat.completion.chunk", "{event:?}");
        text(&chunk["model"]).clone_into(&mut said.model);
        said.tokens = openai_tokens(&chunk["usage"]).or(said.tokens);
        let Some(choice) = list(&chunk["choices"]).first() else { continue };
        let delta = &choice["delta"];
        assert_eq!(said.finish, "", "a chunk behind the end: {event:?}");
        said.text.push_str(text(&delta["content"]));
        said.reasoning.push_str(text(&delta["reasoning_content"]));
        refused |= !text(&delta["refusal"]).is_empty();
        for call in list(&delta["tool_calls"]) {
            let index = number(&call["index"]);
            if call["id"].is_string() {
                assert_eq!(index, said.calls.len() as u64, "{event:?}");
                let (id, name) = (text(&call["id"]).to_owned(), text(&call["function"]["name"]).to_owned());
                said.calls.push(Call { id, name, arguments: Value::Null });
            }
            arguments.entry(index).or_default().push_str(text(&call["function"]["arguments"]));
        }
        if let Some(word) = choice["finish_reason"].as_str() {
            said.finish = if refused { "filter" } else { finish(word) };
        }
    }
    for (call, text) in said.calls.iter_mut().zip(arguments.values()) {
        call.arguments = object(text);
    }
    assert_ne!(said.finish, "", "{events:#?}");
    said
}

fn anthropic_tokens(usage: &Value) -> Option<Tokens> {
    usage.is_object().then(|| {
        let cached =
            number(&usage["cache_read_input_tokens"]) + number(&usage["cache_creation_input_tokens"]);
        Tokens { input: number(&usage["input_tokens"]) + cached, output: number(&usage["output_tokens"]) }
    })
}

/// A `message`.
#[track_caller]
pub(crate) fn anthropic(answer: &Value) -> Said {
    assert_eq!((&answer["type"], &answer["role"]), (&json!("message"), &json!("assistant")), "{answer}");
    assert!(answer["id"].is_string() && answer.get("stop_sequence").is_some(), "{answer}");
    let mut said = Said {
        finish: finish(text(&answer["stop_reason"])),
        tokens: anthropic_tokens(&answer["usage"]),
        model: text(&answer["model"]).to_owned(),
        ..Said::default()
    };
    for block in list(&answer["content"]) {
        match text(&block["type"]) {
            "text" => said.text.push_str(text(&block["text"])),
            "thinking" => said.reasoning.push_str(text(&block["thinking"])),
            "redacted_thinking" => {}
            "tool_use" => {
                let (id, name) = (text(&block["id"]).to_owned(), text(&block["name"]).to_owned());
                assert!(block["input"].is_object(), "{block}");
                said.calls.push(Call { id, name, arguments: block["input"].clone() });
            }
            other => panic!("an unknown block {other:?}: {answer}"),
        }
    }
    said
}

/// The events of a `message`, in the order they must have.
#[track_caller]
pub(crate) fn anthropic_stream(events: &[Event]) -> Said {
    let mut message = Value::Null;
    let mut open: Option<(u64, String)> = None;
    let (mut blocks, mut stopped) = (0, false);
    for event in events {
        let json = event.json();
        assert_eq!(event.name, text(&json["type"]), "{event:?}");
        assert!(!stopped, "an event behind the end: {event:?}");
        match event.name.as_str() {
            "ping" => {}
            "message_start" => {
                assert!(message.is_null(), "a second start");
                message = json["message"].clone();
            }
            "content_block_start" => {
                assert!(open.is_none() && number(&json["index"]) == blocks, "{event:?}");
                open = Some((blocks, String::new()));
                message["content"].as_array_mut().expect("no content").push(json["content_block"].clone());
                blocks += 1;
            }
            "content_block_delta" => {
                let (index, input) = open.as_mut().expect("a delta outside a block");
                assert_eq!(number(&json["index"]), *index, "{event:?}");
                let block = message["content"].as_array_mut().and_then(|content| content.last_mut()).unwrap();
                add(block, input, &json["delta"]);
            }
            "content_block_stop" => {
                let (index, input) = open.take().expect("a stop outside a block");
                assert_eq!(number(&json["index"]), index, "{event:?}");
                let block = message["content"].as_array_mut().and_then(|content| content.last_mut()).unwrap();
                if !input.is_empty() {
                    block["input"] = object(&input);
                }
            }
            "message_delta" => {
                assert!(open.is_none(), "an open block at the end");
                for field in ["stop_reason", "stop_sequence"] {
                    message[field] = json["delta"][field].clone();
                }
                for (name, count) in json["usage"].as_object().into_iter().flatten() {
                    message["usage"][name] = count.clone();
                }
            }
            "message_stop" => stopped = true,
            other => panic!("an unknown event {other:?}"),
        }
    }
    assert!(stopped, "no message_stop: {events:#?}");
    anthropic(&message)
}

fn add(block: &mut Value, input: &mut String, delta: &Value) {
    let (field, kind) = match text(&delta["type"]) {
        "text_delta" => ("text", "text"),
        "thinking_delta" => ("thinking", "thinking"),
        "signature_delta" => ("signature", "thinking"),
        "input_json_delta" => ("partial_json", "tool_use"),
        other => panic!("an unknown delta {other:?}"),
    };
    assert_eq!(block["type"], kind, "{delta}");
    let piece = text(&delta[field]);
    if field == "partial_json" {
        input.push_str(piece);
    } else {
        block[field] = json!(format!("{}{piece}", text(&block[field])));
    }
}

fn gemini_tokens(usage: &Value) -> Option<Tokens> {
    usage.is_object().then(|| {
        let output = number(&usage["candidatesTokenCount"]) + number(&usage["thoughtsTokenCount"]);
        Tokens {
            input: number(&usage["promptTokenCount"]) + number(&usage["toolUsePromptTokenCount"]),
            output,
        }
    })
}

/// A `GenerateContentResponse`.
#[track_caller]
pub(crate) fn gemini(answer: &Value) -> Said {
    let mut said = Said::default();
    add_gemini(&mut said, answer);
    if said.finish == "stop" && !said.calls.is_empty() {
        // Google says STOP for calls too.
        said.finish = "tools";
    }
    assert_ne!(said.finish, "", "{answer}");
    said
}

/// The chunks of one.
#[track_caller]
pub(crate) fn gemini_stream(events: &[Event]) -> Said {
    let mut said = Said::default();
    for event in events {
        assert!(event.name.is_empty(), "{event:?}");
        add_gemini(&mut said, &event.json());
    }
    if said.finish == "stop" && !said.calls.is_empty() {
        said.finish = "tools";
    }
    assert_ne!(said.finish, "", "{events:#?}");
    said
}

#[track_caller]
fn add_gemini(said: &mut Said, chunk: &Value) {
    assert!(
        chunk["candidates"].is_array()
            || chunk["promptFeedback"].is_object()
            || chunk["usageMetadata"].is_object(),
        "{chunk}"
    );
    said.tokens = gemini_tokens(&chunk["usageMetadata"]).or(said.tokens);
    text(&chunk["modelVersion"]).clone_into(&mut said.model);
    let candidate = &chunk["candidates"][0];
    for part in list(&candidate["content"]["parts"]) {
        if part["functionCall"].is_object() {
            let call = &part["functionCall"];
            let (id, name) = (text(&call["id"]).to_owned(), text(&call["name"]).to_owned());
            said.calls.push(Call { id, name, arguments: call["args"].clone() });
        } else if part["thought"] == true {
            said.reasoning.push_str(text(&part["text"]));
        } else {
            said.text.push_str(text(&part["text"]));
        }
    }
    if let Some(word) = candidate["finishReason"].as_str() {
        said.finish = finish(word);
    } else if chunk["promptFeedback"]["blockReason"].is_string() {
        said.finish = "filter";
    }
}
