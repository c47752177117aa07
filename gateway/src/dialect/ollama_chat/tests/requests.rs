//! Requests: facts, and the canonical form.

use serde_json::json;

use super::{blamed, canonical, facts, read, with};
use crate::dialect::Dialect as _;
use crate::dialect::ollama_chat::OllamaChat;
use crate::domain::Framing;

#[test]
fn the_facts_are_found_wherever_they_stand() {
    let body = r#"{"messages":[{"role":"user","content":"\"model\":\"x\""}],"options":{"num_predict":7},"mod\u0065l": "a\"b"}"#;
    let envelope = read(body).expect("reads");
    assert_eq!(envelope.model, "a\"b");
    assert!(envelope.stream, "Ollama streams unless it is told otherwise");
    assert_eq!(envelope.framing, Framing::Ndjson);
    assert_eq!(envelope.max_output, Some(7));
    assert_eq!(&body[envelope.model_span.clone().expect("in the body")], r#""a\"b""#);
    assert!(!read(r#"{"model":"m","stream":false}"#).expect("reads").stream);
    assert_eq!(read(r#"{"model":"m","options":{"num_predict":-1}}"#).expect("reads").max_output, None);
}

#[test]
fn refusals_say_where() {
    let path = |body: &str| read(body).expect_err(body).param.unwrap_or_default();
    assert_eq!(path("{}"), "model");
    assert_eq!(path(r#"{"model":""}"#), "model");
    assert_eq!(path(r#"{"model":1}"#), "model");
    assert_eq!(path(r#"{"model":"m","stream":"no"}"#), "stream");
    assert_eq!(path(r#"{"model":"m","model":"n"}"#), "model");
    for (fields, expected) in [
        (r#""messages":{}"#, "messages"),
        (r#""messages":[{"content":"x"}]"#, "messages[0].role"),
        (r#""messages":[{"role":"robot","content":"x"}]"#, "messages[0].role"),
        (r#""messages":[{"role":"user","content":["x"]}]"#, "messages[0].content"),
        (r#""messages":[{"role":"user","content":"x","images":["?"]}]"#, "messages[0].images[0]"),
        (r#""messages":[{"role":"tool","content":"x"}]"#, "messages[0].tool_call_id"),
        (r#""messages":[{"role":"tool","content":"x","tool_name":"f"}]"#, "messages[0].tool_name"),
        (r#""messages":[{"role":"assistant","tool_calls":[{}]}]"#, "messages[0].tool_calls[0].function"),
        (
            r#""messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":[]}}]}]"#,
            "messages[0].tool_calls[0].function.arguments",
        ),
        (r#""tools":{}"#, "tools"),
        (r#""format":"xml""#, "format"),
        (r#""think":"hard""#, "think"),
        (r#""think":1"#, "think"),
        (r#""options":{"temperature":"hot"}"#, "options.temperature"),
        (r#""options":{"stop":[1]}"#, "options.stop"),
        (r#""logprobs":1"#, "logprobs"),
    ] {
        assert_eq!(blamed(fields).0, expected, "{fields}");
    }
}

#[test]
fn options_have_canonical_names_or_stay_ollamas_own() {
    let chat = with(
        r#""messages":[],"keep_alive":"5m","truncate":false,"unheard":{"of":1},
        "options":{"num_predict":9,"temperature":0.50,"top_p":0.9,"top_k":40,"seed":7,"stop":["a","b"],
        "frequency_penalty":0.1,"presence_penalty":0.2,"num_ctx":8192,"min_p":0.05,"mirostat":null}"#,
    );
    let expected = json!({
        "model": "m", "messages": [], "max_completion_tokens": 9, "temperature": 0.5, "top_p": 0.9, "top_k": 40,
        "seed": 7, "stop": ["a", "b"], "frequency_penalty": 0.1, "presence_penalty": 0.2,
        "vendor": { "ollama": {
            "keep_alive": "5m", "truncate": false, "unheard": { "of": 1 },
            "options": { "num_ctx": 8192, "min_p": 0.05 },
        } },
    });
    assert_eq!(chat, expected);
}

#[test]
fn numbers_that_are_words_of_ollamas_stay_its_own() {
    let chat = with(r#""messages":[],"options":{"num_predict":-1,"seed":-1,"top_k":0,"stop":[]}"#);
    let own = json!({ "options": { "num_predict": -1, "seed": -1, "top_k": 0 } });
    assert_eq!(chat, json!({ "model": "m", "messages": [], "vendor": { "ollama": own } }));
    assert_eq!(
        with(r#""messages":[],"options":{},"keep_alive":null"#),
        json!({ "model": "m", "messages": [] })
    );
}

#[test]
fn thinking_formats_and_probabilities_are_canonical() {
    for (fields, expected) in [
        (r#""think":true"#, json!({ "reasoning": { "mode": "enabled", "include": true } })),
        (r#""think":false"#, json!({ "reasoning": { "mode": "disabled" } })),
        (r#""think":"max""#, json!({ "reasoning_effort": "max", "reasoning": { "include": true } })),
        (r#""format":"json""#, json!({ "response_format": { "type": "json_object" } })),
        (r#""format":"""#, json!({})),
        (
            r#""format":{"type":"object"}"#,
            json!({ "response_format": {
                "type": "json_schema", "json_schema": { "name": "response", "schema": { "type": "object" } },
            } }),
        ),
        (r#""logprobs":true,"top_logprobs":3"#, json!({ "logprobs": true, "top_logprobs": 3 })),
        (r#""logprobs":false,"top_logprobs":3"#, json!({})),
    ] {
        let mut whole = json!({ "model": "m", "messages": [] });
        whole.as_object_mut().expect("an object").extend(expected.as_object().expect("an object").clone());
        assert_eq!(with(&format!(r#""messages":[],{fields}"#)), whole, "{fields}");
    }
    let streamed = canonical(r#"{"model":"m","messages":[]}"#);
    assert_eq!(streamed["stream"], true);
}

#[test]
fn results_find_their_calls_by_id_by_name_or_by_place() {
    let chat = with(
        r#""messages":[
        {"role":"USER","content":"go"},
        {"role":"assistant","content":"","thinking":"hm","tool_calls":[
            {"function":{"name":"a","arguments":{"x":1}}},
            {"id":"own","type":"function","function":{"index":1,"name":"b","arguments":{}}},
            {"function":{"name":"b","arguments":"{\"y\":2}"}}]},
        {"role":"tool","content":"B","tool_call_id":"own"},
        {"role":"tool","content":"B2","tool_name":"b"},
        {"role":"tool","content":"A"}],
        "tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object"}}}]"#,
    );
    let call = |id: &str, name: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
    let result = |id: &str, name: &str, text: &str| json!({ "role": "tool", "tool_call_id": id, "name": name, "content": text });
    let expected = json!([
        { "role": "user", "content": "go" },
        { "role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [
            call("call_1_0", "a", r#"{"x":1}"#), call("own", "b", "{}"), call("call_1_2", "b", r#"{"y":2}"#),
        ] },
        result("own", "b", "B"),
        result("call_1_2", "b", "B2"),
        result("call_1_0", "a", "A"),
    ]);
    assert_eq!(chat["messages"], expected);
    let tools =
        json!([{ "type": "function", "function": { "name": "a", "parameters": { "type": "object" } } }]);
    assert_eq!(chat["tools"], tools);
}

#[test]
fn images_get_their_type_from_their_first_bytes() {
    for (data, mime) in [
        ("iVBORw0KGgoAAAA", "image/png"),
        ("/9j/4AAQ", "image/jpeg"),
        ("R0lGODlh", "image/gif"),
        ("UklGRiQAAABXRUJQVlA4", "image/webp"),
    ] {
        let chat = with(&format!(r#""messages":[{{"role":"user","content":"what?","images":["{data}"]}}]"#));
        let url = format!("data:{mime};base64,{data}");
        let content = json!([
            { "type": "image_url", "image_url": { "url": url } },
            { "type": "text", "text": "what?" },
        ]);
        assert_eq!(chat["messages"][0]["content"], content);
        // A data URL says its type itself.
        let again = with(&format!(r#""messages":[{{"role":"user","content":"what?","images":["{url}"]}}]"#));
        assert_eq!(again["messages"][0]["content"], content);
    }
}

#[test]
fn fields_without_a_name_stay_where_they_stood() {
    let chat = with(
        r#""messages":[{"role":"user","content":"x","mood":"good"},
        {"role":"assistant","content":"y","reasoning_details":[{"type":"reasoning.text"}],"extra_content":{"google":{}},
         "tool_calls":[{"id":"c","extra_content":{"google":{"thought_signature":"s"}},"function":{"name":"f","arguments":{},"since":1}}]}]"#,
    );
    assert_eq!(chat["messages"][0]["vendor"], json!({ "ollama": { "mood": "good" } }));
    let answer = &chat["messages"][1];
    assert_eq!(answer["reasoning_details"], json!([{ "type": "reasoning.text" }]));
    assert_eq!(answer["extra_content"], json!({ "google": {} }));
    assert_eq!(answer["tool_calls"][0]["extra_content"], json!({ "google": { "thought_signature": "s" } }));
    assert_eq!(answer["tool_calls"][0]["vendor"], json!({ "ollama": { "since": 1 } }));
}

#[test]
fn a_request_without_messages_only_loads_the_model() {
    let loads = |fields: &str| {
        let envelope = read(&format!(r#"{{"model":"m"{fields}}}"#)).expect("reads");
        let answer = OllamaChat.without_model(&envelope, facts().created)?;
        Some(serde_json::from_slice::<serde_json::Value>(&answer).expect("JSON"))
    };
    let message = json!({ "role": "assistant", "content": "" });
    let mut expected = json!({
        "model": "m", "created_at": "2023-11-14T22:13:20Z", "message": message, "done": true, "done_reason": "load",
    });
    for fields in ["", r#","messages":[]"#, r#","messages":[ ],"keep_alive":"5m""#, r#","messages":null"#] {
        assert_eq!(loads(fields).as_ref(), Some(&expected), "{fields}");
    }
    expected["done_reason"] = "unload".into();
    for nothing in ["0", "0.0", "\"0\"", "\"0s\""] {
        assert_eq!(
            loads(&format!(r#","messages":[],"keep_alive":{nothing}"#)).as_ref(),
            Some(&expected),
            "{nothing}"
        );
    }
    assert_eq!(loads(r#","messages":[{"role":"user","content":"x"}]"#), None);
    // A field of that name somewhere else means nothing.
    assert_eq!(loads(r#","tools":[{"messages":{}}],"messages":[{"role":"user","content":"x"}]"#), None);
}
