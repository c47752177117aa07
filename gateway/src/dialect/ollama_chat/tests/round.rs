//! What was answered comes back as it was: canonical answer → Ollama's message → the next request → canonical message.

use serde_json::{Value, json};

use super::{facts, lines, read, with};
use crate::dialect::Dialect as _;
use crate::dialect::ollama_chat::OllamaChat;

/// Messages that Ollama has a place for.
fn messages() -> Vec<Value> {
    let call = |id: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": "f", "arguments": arguments } });
    let signed = json!([{ "type": "reasoning.text", "text": "hm", "signature": "s", "format": "anthropic" }]);
    vec![
        json!({ "role": "assistant", "content": "plain \"text\" \n \u{fc}" }),
        json!({ "role": "assistant", "content": "t", "reasoning_content": "hm" }),
        json!({ "role": "assistant", "content": "t", "reasoning_content": "hm", "reasoning_details": signed }),
        json!({ "role": "assistant", "content": null, "tool_calls": [call("a", "{}"), call("b", r#"{"x":[1,2.5]}"#)] }),
        json!({ "role": "assistant", "content": "both", "tool_calls": [call("a", r#"{"ä":"\n"}"#)] }),
        json!({ "role": "assistant", "content": "m", "extra_content": { "google": { "thought_signature": "z" } } }),
    ]
}

#[test]
fn a_whole_answer_returns_as_it_was() {
    for message in messages() {
        let answer = json!({ "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }] });
        let told = OllamaChat.whole(&facts(), answer.to_string().as_bytes()).expect("written");
        let told: Value = serde_json::from_slice(&told).expect("JSON");
        let again = with(&format!(r#""messages":[{}]"#, told["message"]));
        assert_eq!(again["messages"], json!([message]));
    }
}

#[test]
fn a_gathered_stream_returns_as_it_was() {
    for message in messages() {
        let mut delta = message.clone();
        for list in ["tool_calls", "reasoning_details"] {
            for (index, item) in
                delta.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().enumerate()
            {
                item["index"] = index.into();
            }
        }
        let envelope = read(r#"{"model":"m","messages":[]}"#).expect("reads");
        let (mut writer, mut out) = (OllamaChat.stream(&facts(), &envelope), Vec::new());
        for chunk in [json!({ "index": 0, "delta": delta }), json!({ "delta": {}, "finish_reason": "stop" })]
        {
            writer.chunk(json!({ "choices": [chunk] }).to_string().as_bytes(), &mut out).expect("canonical");
        }
        writer.finish(&mut out);
        // As a client gathers it.
        let mut gathered = json!({ "role": "assistant", "content": "" });
        for line in lines(&out) {
            for (name, value) in line["message"].as_object().expect("a message") {
                match (value, &mut gathered[name]) {
                    (Value::String(text), Value::String(before)) if name != "role" => before.push_str(text),
                    (Value::Array(more), Value::Array(before)) => before.extend(more.iter().cloned()),
                    (value, place) => *place = value.clone(),
                }
            }
        }
        let again = with(&format!(r#""messages":[{gathered}]"#));
        assert_eq!(again["messages"], json!([message]));
    }
}
