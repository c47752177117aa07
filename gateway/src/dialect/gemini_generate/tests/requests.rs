//! Requests.

use serde_json::{Value, json};

use super::{canonical, read};
use crate::domain::Framing;
use crate::error::Kind;

#[track_caller]
fn check(gemini: Value, expected: Value) {
    assert_eq!(canonical(&gemini).unwrap(), expected);
}

#[track_caller]
fn refuses(gemini: Value, param: &str) {
    let error = canonical(&gemini).unwrap_err();
    assert_eq!((error.kind, error.param.as_deref()), (Kind::InvalidRequest, Some(param)), "{error}");
}

#[test]
fn the_model_comes_from_the_path_and_the_framing_from_the_query() {
    let body = r#"{"contents":[],"generation_config":{"max_output_tokens":"7"}}"#;
    let envelope =
        read("/v1beta/models/google/gemini%2D3:streamGenerateContent", Some("key=x&alt=sse"), body).unwrap();
    assert_eq!(envelope.model, "google/gemini-3");
    assert_eq!((envelope.stream, envelope.framing), (true, Framing::Sse));
    assert_eq!(envelope.max_output, Some(7));
    let envelope = read("/v1/models/a:8b:streamGenerateContent", None, body).unwrap();
    assert_eq!((envelope.model.as_str(), envelope.framing), ("a:8b", Framing::JsonArray));
    assert!(!read("/v1beta/models/m:generateContent", None, body).unwrap().stream);
    assert_eq!(read("/v1beta/models/m:other", None, body).unwrap_err().kind, Kind::PathNotFound);
}

#[test]
fn a_bad_body_is_told_with_its_place() {
    let path = "/v1beta/models/m:generateContent";
    let bad = |body: &str| read(path, None, body).unwrap_err();
    assert_eq!(bad("{}").param.as_deref(), Some("contents"));
    assert!(bad("{\"contents\":[").message.starts_with("the body is not JSON"));
    let located = bad(r#"{"contents":[],"generationConfig":{"maxOutputTokens":[]}}"#);
    assert_eq!(located.param.as_deref(), Some("generationConfig.maxOutputTokens"));
    refuses(json!({"contents": [{"parts": [{"text": 1}]}]}), "contents[0].parts[0].text");
    refuses(json!({"contents": [{"role": "system", "parts": []}]}), "contents[0].role");
    refuses(
        json!({"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {}}}]}]}),
        "contents[0].parts[0].functionResponse",
    );
    refuses(
        json!({"contents": [], "tools": [{"functionDeclarations": [{"description": "d"}]}]}),
        "tools[0].functionDeclarations[0].name",
    );
}

#[test]
fn both_spellings_and_single_elements_are_read() {
    check(
        json!({
            "system_instruction": {"parts": {"text": "be kind"}},
            "contents": {"role": "USER", "parts": {"inline_data": {"mime_type": "image/png", "data": "-_8="}}},
            "generation_config": {"top_p": 0.5, "top_k": 40.0, "stop_sequences": ["x"], "candidate_count": 2,
                "thinking_config": {"thinking_budget": -1, "include_thoughts": true}}
        }),
        json!({
            "messages": [
                {"role": "system", "content": "be kind"},
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,+/8="}}]}
            ],
            "top_p": 0.5, "top_k": 40, "stop": ["x"], "n": 2,
            "reasoning": {"mode": "adaptive", "include": true}
        }),
    );
}

#[test]
fn media_become_what_other_vendors_understand() {
    check(
        json!({"contents": [{"parts": [
            {"inlineData": {"mimeType": "audio/wav", "data": "AA=="}},
            {"inlineData": {"mimeType": "application/pdf", "data": "AA==", "displayName": "a.pdf"}},
            {"fileData": {"mimeType": "image/webp", "fileUri": "https://x.example/a"}},
            {"fileData": {"mimeType": "image/webp", "fileUri": "gs://bucket/a"}},
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://x.example/v"}, "videoMetadata": {"fps": 2}},
            {"text": "see"}
        ]}]}),
        json!({"messages": [{"role": "user", "content": [
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}},
            {"type": "image_url", "image_url": {"url": "https://x.example/a"}},
            {"type": "file", "file": {"file_url": "gs://bucket/a", "mime_type": "image/webp"}},
            {"type": "file", "file": {"file_url": "https://x.example/v", "mime_type": "video/mp4"},
                "extra_content": {"google": {"videoMetadata": {"fps": 2}}}},
            {"type": "text", "text": "see"}
        ]}]}),
    );
}

#[test]
fn calls_without_ids_meet_their_results_by_name_and_order() {
    check(
        json!({"contents": [
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "a", "args": {"x": 1}}, "thoughtSignature": "c2ln"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "b"}}, {"functionCall": {"id": "own", "name": "a", "args": {}}}]},
            {"role": "user", "parts": [
                {"text": "and then"},
                {"functionResponse": {"id": "own", "name": "a", "response": {"result": "third"}}},
                {"functionResponse": {"name": "b", "response": {"error": {"code": 5}}}},
                {"functionResponse": {"name": "a", "response": {"temp": 3}, "willContinue": false,
                    "parts": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}}]}}
            ]}
        ]}),
        json!({"messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_gemini_0", "type": "function", "function": {"name": "a", "arguments": "{\"x\":1}"},
                    "extra_content": {"google": {"thought_signature": "c2ln"}}},
                {"id": "call_gemini_1", "type": "function", "function": {"name": "b", "arguments": "{}"}},
                {"id": "own", "type": "function", "function": {"name": "a", "arguments": "{}"}}
            ]},
            {"role": "tool", "tool_call_id": "own", "name": "a", "content": "third"},
            {"role": "tool", "tool_call_id": "call_gemini_1", "name": "b", "content": "{\"code\":5}", "is_error": true},
            {"role": "tool", "tool_call_id": "call_gemini_0", "name": "a", "content": [
                {"type": "text", "text": "{\"temp\":3}"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
            ], "extra_content": {"google": {"functionResponse": {"willContinue": false}}}},
            {"role": "user", "content": "and then"}
        ]}),
    );
}

#[test]
fn thoughts_keep_their_signature_and_their_place() {
    let foreign = super::super::state::seal("anthropic", false, "sig");
    check(
        json!({"contents": [{"role": "model", "parts": [
            {"text": "Hel"}, {"text": "lo"},
            {"text": "hm", "thought": true}, {"text": "m", "thought": true},
            {"text": "", "thought": true, "thoughtSignature": foreign},
            {"text": "signed", "thoughtSignature": "YQ=="},
            {"executableCode": {"language": "PYTHON", "code": "1"}},
            {"text": "", "thoughtSignature": "Yg=="}
        ]}]}),
        json!({"messages": [{"role": "assistant",
            "content": [
                {"type": "text", "text": "Hello"},
                {"type": "text", "text": "signed", "extra_content": {"google": {"thought_signature": "YQ=="}}},
                {"type": "vendor", "vendor": "gemini", "value": {"executableCode": {"language": "PYTHON", "code": "1"}}}
            ],
            "reasoning_details": [
                {"type": "reasoning.text", "text": "hmm", "signature": "sig", "format": "anthropic"}
            ],
            "extra_content": {"google": {"thought_signature": "Yg=="}},
            "order": ["content:0", "reasoning:0", "content:1", "content:2"]
        }]}),
    );
}

#[test]
fn schemas_become_json_schema_in_their_order() {
    let body = r#"{"contents":[],"tools":[{"functionDeclarations":[{"name":"f","behavior":"BLOCKING","parameters":
        {"type":"OBJECT","properties":{"type":{"type":"STRING","nullable":true},"b":{"type":"ARRAY","items":{"type":"INTEGER"},"minItems":"1"}},"required":["b"]}}]}]}"#;
    let envelope = read("/v1beta/models/m:generateContent", None, body).unwrap();
    let text = String::from_utf8(super::super::request::canonical(&envelope).unwrap().to_vec()).unwrap();
    let expected = concat!(
        r#""parameters":{"type":"object","properties":{"type":{"type":["string","null"]},"#,
        r#""b":{"type":"array","items":{"type":"integer"},"minItems":1}},"required":["b"]}}"#,
        r#","vendor":{"gemini":{"behavior":"BLOCKING"}}"#
    );
    assert!(text.contains(expected), "{text}");
    let deep = format!("{}{}", r#"{"items":"#.repeat(80), "{}") + &"}".repeat(80);
    let body = json!({"contents": [], "generationConfig": {
        "responseSchema": serde_json::from_str::<Value>(&deep).unwrap()
    }});
    refuses(body, "generationConfig.responseSchema");
}

#[test]
fn tools_and_settings_are_mapped_and_the_rest_is_kept() {
    check(
        json!({
            "contents": [{"parts": [{"text": "x"}]}],
            "tools": [{"googleSearch": {}}, {"functionDeclarations": [
                {"name": "f", "description": "d", "parametersJsonSchema": {"type": "object", "oneOf": []}}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]},
                "retrievalConfig": {"languageCode": "de"}},
            "safetySettings": [{"category": "C", "threshold": "T"}],
            "cachedContent": "cachedContents/1",
            "serviceTier": "standard",
            "generationConfig": {"temperature": 0, "maxOutputTokens": 5, "seed": 1, "presencePenalty": 0.1,
                "frequencyPenalty": 0.2, "responseLogprobs": true, "logprobs": 3,
                "responseMimeType": "application/json", "responseJsonSchema": {"type": "object"},
                "responseModalities": ["TEXT", "IMAGE"], "mediaResolution": "LOW",
                "thinkingConfig": {"thinkingLevel": "LOW", "later": 1}}
        }),
        json!({
            "messages": [{"role": "user", "content": "x"}],
            "tools": [
                {"type": "vendor", "vendor": "gemini", "value": {"googleSearch": {}}},
                {"type": "function", "function": {"name": "f", "description": "d",
                    "parameters": {"type": "object", "oneOf": []}}}
            ],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "service_tier": "default",
            "temperature": 0, "max_completion_tokens": 5, "seed": 1, "presence_penalty": 0.1, "frequency_penalty": 0.2,
            "logprobs": true, "top_logprobs": 3, "reasoning_effort": "low", "modalities": ["text", "image"],
            "response_format": {"type": "json_schema", "json_schema": {"name": "response", "schema": {"type": "object"}}},
            "vendor": {"gemini": {
                "toolConfig": {"retrievalConfig": {"languageCode": "de"}},
                "safetySettings": [{"category": "C", "threshold": "T"}],
                "cachedContent": "cachedContents/1",
                "generationConfig": {"mediaResolution": "LOW", "thinkingConfig": {"later": 1}}
            }}
        }),
    );
}

#[test]
fn each_mode_of_calling_has_a_choice() {
    let allowed = |mode: &str| {
        json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [
            {"type": "function", "function": {"name": "a"}}, {"type": "function", "function": {"name": "b"}}]}})
    };
    for (config, expected) in [
        (json!({"mode": "NONE"}), json!("none")),
        (json!({"mode": "AUTO"}), json!("auto")),
        (json!({"mode": "any"}), json!("required")),
        (json!({"mode": "ANY", "allowedFunctionNames": ["a", "b"]}), allowed("required")),
        (json!({"mode": "VALIDATED", "allowed_function_names": ["a", "b"]}), allowed("auto")),
        (json!({"mode": "MODE_UNSPECIFIED"}), Value::Null),
    ] {
        let body = json!({"contents": [], "toolConfig": {"functionCallingConfig": config}});
        assert_eq!(canonical(&body).unwrap()["tool_choice"], expected, "{config}");
    }
    let body = json!({"contents": [], "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}}});
    let vendor = canonical(&body).unwrap()["vendor"]["gemini"].clone();
    assert_eq!(vendor, json!({"toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}}}));
    refuses(
        json!({"contents": [], "toolConfig": {"functionCallingConfig": {"mode": "SOME"}}}),
        "toolConfig.functionCallingConfig.mode",
    );
}
