//! Cases 20 to 25: refusals, and reasoning that must come back as it was or not at all.

use serde_json::{Map, Value, json};

use crate::support::translation::*;

const SIGNATURE: &str = "c2lnbmF0dXJl";
const THOUGHT: &str = "the tide turns";

#[test]
fn case_20_a_refusal_is_a_filtered_answer_and_no_error() {
    let asked = chat(json!([user("hello")]), json!({}));
    let answer = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
        "content": [{ "type": "text", "text": "I can" }], "stop_reason": "refusal", "stop_sequence": null,
        "usage": { "input_tokens": 1, "output_tokens": 2 } });
    let client = ANTHROPIC.answers(CHAT, &asked, &answer);
    assert_eq!(client["choices"][0]["finish_reason"], "content_filter", "{client}");
    let stream = anthropic_stream(&["I can"]).replace("end_turn", "refusal");
    let events = data(&ANTHROPIC.streams(CHAT, &with(asked, json!({ "stream": true })), [stream.as_bytes()]));
    assert!(
        events.iter().any(|event| event["choices"][0]["finish_reason"] == "content_filter"),
        "{events:?}"
    );
}

fn thinking() -> Value {
    json!([
        { "type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE },
        { "type": "tool_use", "id": "toolu_1", "name": "weather", "input": { "city": "Rome" } },
    ])
}

/// Deltas of a chat stream put together, as a client that keeps what it gets does it.
fn gathered(stream: &str) -> Value {
    let mut message = json!({ "role": "assistant", "content": null });
    for event in data(stream) {
        for (name, value) in event["choices"][0]["delta"].as_object().into_iter().flatten() {
            match value {
                Value::Array(list) => list.iter().for_each(|piece| add(&mut message[name], piece)),
                Value::String(text) if name != "role" => {
                    let so_far = message[name].as_str().unwrap_or_default().to_owned();
                    message[name] = json!(so_far + text);
                }
                _ => {}
            }
        }
    }
    message
}

/// One piece of a list: texts grow, the rest is put in.
fn add(list: &mut Value, piece: &Value) {
    let index = usize::try_from(piece["index"].as_u64().unwrap_or(0)).unwrap();
    if list.is_null() {
        *list = json!([]);
    }
    let list = list.as_array_mut().unwrap();
    while list.len() <= index {
        list.push(json!({}));
    }
    grow(list[index].as_object_mut().unwrap(), piece.as_object().unwrap());
}

fn grow(whole: &mut Map<String, Value>, piece: &Map<String, Value>) {
    for (name, value) in piece.iter().filter(|(name, _)| *name != "index") {
        let before = whole.entry(name).or_insert(Value::Null);
        match (before, value) {
            (Value::Object(before), Value::Object(more)) => grow(before, more),
            (before @ Value::String(_), Value::String(more))
                if ["arguments", "text", "signature", "data"].contains(&name.as_str()) =>
            {
                *before = json!(before.as_str().unwrap().to_owned() + more);
            }
            (before, value) => *before = value.clone(),
        }
    }
}

#[test]
fn case_21_a_signed_thought_survives_the_tool_loop_of_a_chat_client() {
    let fields = json!({ "tools": [function("weather")], "reasoning": { "max_tokens": 2048 }, "max_completion_tokens": 9000 });
    let asked = chat(json!([user("weather?")]), fields.clone());
    let answer = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": thinking(),
        "stop_reason": "tool_use", "stop_sequence": null, "usage": { "input_tokens": 1, "output_tokens": 2 } });
    let whole = ANTHROPIC.answers(CHAT, &asked, &answer)["choices"][0]["message"].clone();
    let block = |index: u64, start: Value, deltas: Vec<Value>| {
        let mut events =
            vec![json!({ "type": "content_block_start", "index": index, "content_block": start })];
        events.extend(
            deltas
                .into_iter()
                .map(|delta| json!({ "type": "content_block_delta", "index": index, "delta": delta })),
        );
        events.push(json!({ "type": "content_block_stop", "index": index }));
        events
    };
    let thought = vec![
        json!({ "type": "thinking_delta", "thinking": "the tide " }),
        json!({ "type": "thinking_delta", "thinking": "turns" }),
        json!({ "type": "signature_delta", "signature": SIGNATURE }),
    ];
    let arguments = vec![
        json!({ "type": "input_json_delta", "partial_json": "{\"city\":" }),
        json!({ "type": "input_json_delta", "partial_json": "\"Rome\"}" }),
    ];
    let text = anthropic_stream(&[]);
    let (start, _) = text.split_once("event: content_block_start").unwrap();
    let end = &text[text.find("event: message_delta").unwrap()..].replace("end_turn", "tool_use");
    let middle = [
        block(0, json!({ "type": "thinking", "thinking": "", "signature": "" }), thought),
        block(1, json!({ "type": "tool_use", "id": "toolu_1", "name": "weather", "input": {} }), arguments),
    ];
    let stream = format!("{start}{}{end}", sse(&middle.concat()));
    let streamed =
        gathered(&ANTHROPIC.streams(CHAT, &with(asked, json!({ "stream": true })), [stream.as_bytes()]));
    for message in [whole, streamed] {
        let turns = json!([user("weather?"), message, result("toolu_1", "rain")]);
        let again = ANTHROPIC.gets(CHAT, &chat(turns, fields.clone()));
        assert_eq!(again.body["messages"][1]["content"], thinking(), "{message}: {again:?}");
        assert!(again.body["thinking"].is_object(), "{again:?}");
    }
}

#[test]
fn case_22_geminis_signature_survives_the_tool_loops_of_chat_messages_and_responses() {
    let part = json!({ "functionCall": { "id": "c1", "name": "weather", "args": { "city": "Rome" } }, "thoughtSignature": SIGNATURE });
    let answer = json!({ "candidates": [{ "index": 0, "finishReason": "STOP",
        "content": { "role": "model", "parts": [part] } }], "responseId": "r" });
    let signed = |asked: &Asked| {
        let calls = asked.body["contents"][1]["parts"].as_array().unwrap();
        assert!(
            calls.iter().any(
                |part| part["thoughtSignature"] == SIGNATURE && part["functionCall"]["name"] == "weather"
            ),
            "{asked:?}"
        );
    };
    let tools = json!({ "tools": [function("weather")] });
    let first = chat(json!([user("weather?")]), tools.clone());
    let message = GOOGLE_3.answers(CHAT, &first, &answer)["choices"][0]["message"].clone();
    signed(&GOOGLE_3.gets(CHAT, &chat(json!([user("weather?"), message, result("c1", "rain")]), tools)));

    let tools = json!({ "tools": [{ "name": "weather", "input_schema": { "type": "object" } }] });
    let first = messages(json!([user("weather?")]), tools.clone());
    let content = GOOGLE_3.answers(MESSAGES, &first, &answer)["content"].clone();
    let results = json!([{ "type": "tool_result", "tool_use_id": "c1", "content": "rain" }]);
    let turns = json!([user("weather?"), { "role": "assistant", "content": content }, user(results)]);
    signed(&GOOGLE_3.gets(MESSAGES, &messages(turns, tools)));

    let tools = json!([{ "type": "function", "name": "weather", "parameters": { "type": "object" } }]);
    let first = json!({ "model": "m", "input": [user("weather?")], "tools": tools });
    let output = GOOGLE_3.answers(RESPONSES, &first, &answer)["output"].clone();
    let mut input = vec![user("weather?")];
    input.extend(output.as_array().unwrap().clone());
    input.push(json!({ "type": "function_call_output", "call_id": "c1", "output": "rain" }));
    signed(&GOOGLE_3.gets(RESPONSES, &json!({ "model": "m", "input": input, "tools": tools })));
}

/// An OpenAI-like vendor's answer with reasoning and a call, returned by a Messages client.
fn returned(vendor: Vendor, reasoning: Value) -> Value {
    let tools = json!({ "tools": [{ "name": "weather", "input_schema": { "type": "object" } }] });
    let first = messages(json!([user("weather?")]), tools.clone());
    let message = with(calling(json!([call("c1", "weather", "{}")])), reasoning);
    let answer = json!({ "id": "c", "object": "chat.completion", "created": 1, "model": "d",
        "choices": [{ "index": 0, "message": message, "finish_reason": "tool_calls" }] });
    let content = vendor.answers(MESSAGES, &first, &answer)["content"].clone();
    let results = json!([{ "type": "tool_result", "tool_use_id": "c1", "content": "rain" }]);
    let turns = json!([user("weather?"), { "role": "assistant", "content": content }, user(results)]);
    vendor.gets(MESSAGES, &messages(turns, tools)).body["messages"][1].clone()
}

#[test]
fn case_23_deepseeks_reasoning_goes_back_with_its_calls() {
    let deepseek = Vendor { options: r#"{"keep":["reasoning_content"]}"#, ..OPENAI };
    let message = returned(deepseek, json!({ "reasoning_content": THOUGHT }));
    assert_eq!(message["reasoning_content"], THOUGHT, "{message}");
    assert_eq!(message["tool_calls"][0]["id"], "c1", "{message}");
}

#[test]
fn case_24_openrouters_reasoning_details_go_back_unchanged() {
    let openrouter = Vendor { options: r#"{"keep":["reasoning_details","reasoning"]}"#, ..OPENAI };
    let details = json!([{ "type": "reasoning.text", "text": THOUGHT, "signature": SIGNATURE, "format": "anthropic-claude-v1" }]);
    let message = returned(openrouter, json!({ "reasoning_details": details }));
    let back = &message["reasoning_details"][0];
    assert_eq!(
        (&back["text"], &back["signature"], &back["format"]),
        (&json!(THOUGHT), &json!(SIGNATURE), &json!("anthropic-claude-v1")),
        "{message}"
    );
}

#[test]
fn case_25_thoughts_in_the_history_never_reach_openai_and_never_become_text() {
    let turns = json!([user("weather?"), { "role": "assistant", "content": [
        { "type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE }, { "type": "text", "text": "rain" } ] }, user("and now?")]);
    for vendor in [OPENAI, AZURE] {
        let asked = vendor.gets(MESSAGES, &messages(turns.clone(), json!({})));
        let sent = asked.body.to_string();
        assert!(!sent.contains(THOUGHT) && !sent.contains(SIGNATURE), "{asked:?}");
        assert!(
            !keys(&asked.body).iter().any(|name| name.contains("reasoning") || name.contains("thinking")),
            "{asked:?}"
        );
        assert!(asked.lost("reasoning"), "{asked:?}");
    }
}
