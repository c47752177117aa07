//! Requests: Converse in, canonical chat out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{canonical, canonical_of, read, turns};
use crate::dialect::Dialect;
use crate::dialect::bedrock_converse::BedrockConverse;
use crate::domain::Framing;
use crate::error::Kind;

#[test]
fn the_facts_stand_in_the_path_and_in_one_field() {
    let body = r#"{"messages":[],"inferenceConfig":{"maxTokens":77}}"#;
    let envelope = read("/model/eu.anthropic.claude%3A0%2Fx/converse-stream", body).expect("facts");
    assert_eq!((envelope.model.as_str(), envelope.stream), ("eu.anthropic.claude:0/x", true));
    assert_eq!((envelope.max_output, envelope.framing), (Some(77), Framing::EventStream));
    assert!(envelope.passable && envelope.include_usage);
    let envelope = read("/model/arn:aws:bedrock:eu:1:x/y/converse", body).expect("facts");
    assert_eq!((envelope.model.as_str(), envelope.stream), ("arn:aws:bedrock:eu:1:x/y", false));
}

#[test]
fn what_is_no_request_is_refused_with_its_place() {
    let wrong = |path: &str, body: &str| read(path, body).expect_err(body);
    assert_eq!(wrong("/model//converse", "{}").kind, Kind::PathNotFound);
    assert_eq!(wrong("/model/m/invoke", "{}").kind, Kind::PathNotFound);
    for body in ["", "[]", "{", "{} x", "\"x\"", r#"{"messages":[],"messages":[]}"#] {
        assert_eq!(wrong("/model/m/converse", body).kind, Kind::InvalidRequest, "{body}");
    }
    let error = wrong("/model/m/converse", r#"{"inferenceConfig":{"maxTokens":"x"}}"#);
    assert_eq!(error.param.as_deref(), Some("inferenceConfig.maxTokens"));
}

#[test]
fn wrong_fields_are_named() {
    let user = |block: Value| json!([{ "role": "user", "content": [block] }]);
    for (body, path) in [
        (json!({}), "messages"),
        (json!({ "messages": {} }), "messages"),
        (json!({ "messages": [{ "role": "tool", "content": [] }] }), "messages[0].role"),
        (json!({ "messages": [{ "role": "user" }] }), "messages[0].content"),
        (json!({ "messages": [{ "role": "user", "content": "x" }] }), "messages[0].content"),
        (json!({ "messages": user(json!({})) }), "messages[0].content[0]"),
        (json!({ "messages": user(json!({ "text": "a", "image": {} })) }), "messages[0].content[0]"),
        (json!({ "messages": user(json!({ "text": 1 })) }), "messages[0].content[0].text"),
        (json!({ "messages": user(json!({ "image": {} })) }), "messages[0].content[0].image.format"),
        (
            json!({ "messages": user(json!({ "image": { "format": "png", "source": {} } })) }),
            "messages[0].content[0].image.source",
        ),
        (
            json!({ "messages": user(json!({ "document": { "format": "exe", "name": "n", "source": { "text": "" } } })) }),
            "messages[0].content[0].document.format",
        ),
        (json!({ "messages": user(json!({ "toolUse": {} })) }), "messages[0].content[0].toolUse"),
        (
            json!({ "messages": user(json!({ "toolResult": { "content": [] } })) }),
            "messages[0].content[0].toolResult.toolUseId",
        ),
        (
            json!({ "messages": [{ "role": "assistant", "content": [{ "toolUse": { "toolUseId": "a", "name": "b", "input": [] } }] }] }),
            "messages[0].content[0].toolUse.input",
        ),
        (
            json!({ "messages": [], "inferenceConfig": { "stopSequences": "x" } }),
            "inferenceConfig.stopSequences",
        ),
        (json!({ "messages": [], "toolConfig": { "toolChoice": { "none": {} } } }), "toolConfig.toolChoice"),
        (
            json!({ "messages": [], "outputConfig": { "textFormat": { "type": "json_schema", "structure": { "jsonSchema": { "schema": "{" } } } } }),
            "outputConfig.textFormat.structure.jsonSchema.schema",
        ),
    ] {
        let error = canonical_of("m", &body).expect_err(path);
        assert_eq!((error.kind, error.param.as_deref()), (Kind::InvalidRequest, Some(path)), "{body}");
    }
}

#[test]
fn every_setting_finds_its_name_and_the_rest_stays_bedrocks() {
    let chat = canonical(json!({
        "system": [{ "text": "be" }, { "text": "brief" }, { "cachePoint": { "type": "default", "ttl": "1h" } }],
        "inferenceConfig": { "maxTokens": 9, "temperature": 0.0, "topP": 1, "stopSequences": ["x"], "odd": 1 },
        "toolConfig": {
            "tools": [
                { "toolSpec": { "name": "f", "description": "d", "inputSchema": { "json": { "type": "object" } }, "strict": true } },
                { "cachePoint": { "type": "default" } },
                { "systemTool": { "name": "nova_grounding" } },
            ],
            "toolChoice": { "tool": { "name": "f" } },
        },
        "outputConfig": { "effort": "low", "textFormat": { "type": "json_schema", "structure": { "jsonSchema": {
            "name": "n", "description": "e", "schema": "{\"type\":\"object\"}",
        } } } },
        "additionalModelRequestFields": {
            "thinking": { "type": "enabled", "budget_tokens": 2048 }, "top_k": 5, "anthropic_beta": ["b"],
        },
        "serviceTier": { "type": "flex" },
        "guardrailConfig": { "guardrailIdentifier": "g", "guardrailVersion": "1" },
        "performanceConfig": { "latency": "optimized" },
        "requestMetadata": { "team": "a" },
        "promptVariables": { "v": { "text": "t" } },
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
    }));
    assert_eq!(
        chat,
        json!({
            "model": "m",
            "messages": [{ "role": "system", "content": [
                { "type": "text", "text": "be" },
                { "type": "text", "text": "brief", "cache_control": { "type": "ephemeral", "ttl": "1h" } },
            ] }],
            "tools": [
                { "type": "function", "function": {
                    "name": "f", "description": "d", "parameters": { "type": "object" }, "strict": true,
                }, "cache_control": { "type": "ephemeral" } },
                { "type": "vendor", "vendor": "bedrock", "value": { "systemTool": { "name": "nova_grounding" } } },
            ],
            "tool_choice": { "type": "function", "function": { "name": "f" } },
            "max_completion_tokens": 9, "temperature": 0.0, "top_p": 1, "top_k": 5, "stop": ["x"],
            "reasoning": { "mode": "enabled", "max_tokens": 2048, "include": true },
            "reasoning_effort": "low",
            "response_format": { "type": "json_schema", "json_schema": {
                "name": "n", "description": "e", "schema": { "type": "object" }, "strict": true,
            } },
            "service_tier": "flex",
            "vendor": { "bedrock": {
                "inferenceConfig": { "odd": 1 },
                "additionalModelRequestFields": { "anthropic_beta": ["b"] },
                "guardrailConfig": { "guardrailIdentifier": "g", "guardrailVersion": "1" },
                "performanceConfig": { "latency": "optimized" },
                "requestMetadata": { "team": "a" },
                "promptVariables": { "v": { "text": "t" } },
                "additionalModelResponseFieldPaths": ["/stop_sequence"],
            } },
        })
    );
}

#[test]
fn the_makers_words_for_thinking_are_understood() {
    let fields = |fields: Value| canonical(json!({ "additionalModelRequestFields": fields }));
    assert_eq!(fields(json!({ "reasoning_effort": "high" }))["reasoning_effort"], "high");
    assert_eq!(fields(json!({ "output_config": { "effort": "max" } }))["reasoning_effort"], "max");
    assert_eq!(fields(json!({ "inferenceConfig": { "topK": 3 } }))["top_k"], 3);
    assert_eq!(fields(json!({ "k": 4 }))["top_k"], 4);
    let nova = fields(json!({ "reasoningConfig": { "type": "enabled", "maxReasoningEffort": "low" } }));
    assert_eq!((&nova["reasoning_effort"], nova.get("vendor")), (&json!("low"), None));
    let off = fields(json!({ "reasoningConfig": { "type": "disabled" } }));
    assert_eq!(off["reasoning_effort"], "none");
    // What is not understood to its end stays.
    let odd = fields(json!({ "thinking": { "type": "adaptive", "odd": 1 } }));
    assert_eq!(odd["reasoning"]["mode"], "adaptive");
    assert_eq!(odd["vendor"]["bedrock"]["additionalModelRequestFields"]["thinking"]["odd"], 1);
}

#[test]
fn one_text_is_a_string() {
    let said = turns(json!([
        { "role": "user", "content": [{ "text": "h\u{e9} \"y\"\n" }] },
        { "role": "assistant", "content": [{ "text": "a" }, { "text": "b" }] },
        { "role": "system", "content": [{ "text": "in the middle" }] },
    ]));
    assert_eq!(
        said,
        json!([
            { "role": "user", "content": "h\u{e9} \"y\"\n" },
            { "role": "assistant", "content": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }] },
            { "role": "system", "content": "in the middle" },
        ])
    );
}

#[test]
fn media_become_parts() {
    let said = turns(json!([{ "role": "user", "content": [
        { "image": { "format": "webp", "source": { "bytes": "AA==" } } },
        { "image": { "format": "png", "source": { "s3Location": { "uri": "s3://b/k", "bucketOwner": "1" } } } },
        { "video": { "format": "mov", "source": { "bytes": "AA==" } } },
        { "audio": { "format": "wav", "source": { "bytes": "AA==" } } },
        { "document": { "format": "md", "name": "n", "source": { "text": "hi" }, "context": "c", "citations": { "enabled": true } } },
        { "document": { "name": "t", "source": { "content": [{ "text": "a" }, { "text": "b" }] } } },
        { "guardContent": { "text": { "text": "look", "qualifiers": ["query"] } } },
        { "searchResult": { "source": "s", "title": "t", "content": [] } },
        { "cachePoint": { "type": "default" } },
    ] }]));
    let file = |data: &str, mime: &str| json!(format!("data:{mime};base64,{}", STANDARD.encode(data)));
    assert_eq!(
        said[0]["content"],
        json!([
            { "type": "image_url", "image_url": { "url": "data:image/webp;base64,AA==" } },
            { "type": "image_url", "image_url": { "url": "s3://b/k" }, "vendor": { "bedrock": { "source": { "bucketOwner": "1" } } } },
            { "type": "file", "file": { "file_data": "data:video/quicktime;base64,AA==" } },
            { "type": "input_audio", "input_audio": { "data": "AA==", "format": "wav" } },
            { "type": "file", "file": {
                "file_data": file("hi", "text/markdown"), "filename": "n.md", "title": "n", "context": "c", "citations": true,
            } },
            { "type": "file", "file": { "file_data": file("a\nb", "text/plain"), "filename": "t.txt", "title": "t" },
                "vendor": { "bedrock": { "source": { "content": true } } } },
            { "type": "text", "text": "look", "vendor": { "bedrock": { "guardContent": { "qualifiers": ["query"] } } } },
            { "type": "vendor", "vendor": "bedrock", "value": { "searchResult": { "source": "s", "title": "t", "content": [] } },
                "cache_control": { "type": "ephemeral" } },
        ])
    );
}

#[test]
fn results_come_first_and_each_is_a_message() {
    let said = turns(json!([{ "role": "user", "content": [
        { "text": "see" },
        { "toolResult": { "toolUseId": "a", "content": [{ "json": { "x": [1.0] } }], "status": "error" } },
        { "cachePoint": { "type": "default" } },
        { "toolResult": { "toolUseId": "b", "content": [{ "text": "t" }, { "image": { "format": "png", "source": { "bytes": "AA==" } } }], "status": "success" } },
    ] }]));
    assert_eq!(
        said,
        json!([
            { "role": "tool", "tool_call_id": "a", "content": "{\"x\":[1.0]}", "is_error": true, "cache_control": { "type": "ephemeral" } },
            { "role": "tool", "tool_call_id": "b", "content": [
                { "type": "text", "text": "t" },
                { "type": "image_url", "image_url": { "url": "data:image/png;base64,AA==" } },
            ] },
            { "role": "user", "content": "see" },
        ])
    );
}

#[test]
fn the_assistants_blocks_keep_their_order() {
    let said = turns(json!([{ "role": "assistant", "content": [
        { "text": "first" },
        { "reasoningContent": { "reasoningText": { "text": "hm", "signature": "s" } } },
        { "toolUse": { "toolUseId": "a", "name": "f", "input": { "x": 1.0 } } },
        { "toolUse": { "toolUseId": "w", "name": "web", "input": {}, "type": "server_tool_use" } },
        { "citationsContent": { "content": [{ "text": "cited" }], "citations": [{ "title": "t" }] } },
        { "reasoningContent": { "redactedContent": "AA==" } },
    ] }]));
    assert_eq!(
        said[0],
        json!({
            "role": "assistant",
            "content": [
                { "type": "text", "text": "first" },
                { "type": "vendor", "vendor": "bedrock", "value":
                    { "toolUse": { "toolUseId": "w", "name": "web", "input": {}, "type": "server_tool_use" } } },
                { "type": "text", "text": "cited" },
            ],
            "reasoning_details": [
                { "type": "reasoning.text", "text": "hm", "signature": "s", "format": "bedrock" },
                { "type": "reasoning.encrypted", "data": "AA==", "format": "bedrock" },
            ],
            "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "f", "arguments": "{\"x\":1.0}" } }],
            "annotations": [{ "type": "vendor", "vendor": "bedrock", "value": { "title": "t" } }],
            "order": ["content:0", "reasoning:0", "tool_call:0", "content:1", "content:2", "reasoning:1"],
        })
    );
}

#[test]
fn a_signature_belongs_to_whom_the_models_name_says() {
    let turn = json!({ "messages": [{ "role": "assistant", "content": [
        { "reasoningContent": { "reasoningText": { "text": "hm", "signature": "s" } } },
    ] }] });
    for (model, format) in [("my-claude", "anthropic"), ("nova", "bedrock")] {
        let chat = canonical_of(model, &turn).expect("a legal request");
        assert_eq!(chat["messages"][0]["reasoning_details"][0]["format"], format);
    }
}

#[test]
fn state_of_others_comes_home_and_never_passes_through() {
    let bound = format!(
        "causeway:bound:{}",
        json!({ "to": { "call": "a" }, "extra_content": { "google": { "thought_signature": "g" } } })
    );
    let body = json!({ "messages": [{ "role": "assistant", "content": [
        { "reasoningContent": { "reasoningText": { "text": "hm", "signature": "causeway:anthropic:s" } } },
        { "reasoningContent": { "redactedContent": STANDARD.encode("causeway:openai:e") } },
        { "reasoningContent": { "redactedContent": STANDARD.encode(bound) } },
        { "toolUse": { "toolUseId": "a", "name": "f", "input": {} } },
    ] }] });
    let chat = canonical_of("m", &body).expect("a legal request");
    assert_eq!(
        chat["messages"][0],
        json!({
            "role": "assistant", "content": null,
            "reasoning_details": [
                { "type": "reasoning.text", "text": "hm", "signature": "s", "format": "anthropic" },
                { "type": "reasoning.encrypted", "data": "e", "format": "openai" },
            ],
            "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" },
                "extra_content": { "google": { "thought_signature": "g" } } }],
        })
    );
    assert!(!read("/model/m/converse", &body.to_string()).expect("facts").passable);
    let redacted = json!({ "messages": [], "x": STANDARD.encode("causeway:openai:e") });
    assert!(!read("/model/m/converse", &redacted.to_string()).expect("facts").passable);
}

#[test]
fn errors_say_their_type_in_a_header() {
    let error = crate::error::GatewayError::invalid("messages[0]", "wrong");
    assert_eq!(BedrockConverse.error(&error, "r"), br#"{"message":"messages[0]: wrong"}"#);
    for (kind, status, word) in [
        (Kind::InvalidRequest, 400, "ValidationException"),
        (Kind::Authentication, 403, "AccessDeniedException"),
        (Kind::ModelNotFound, 404, "ResourceNotFoundException"),
        (Kind::MethodNotAllowed, 405, "ValidationException"),
        (Kind::Timeout, 408, "ModelTimeoutException"),
        (Kind::Provider, 424, "ModelErrorException"),
        (Kind::RateLimited, 429, "ThrottlingException"),
        (Kind::Internal, 500, "InternalServerException"),
        (Kind::Overloaded, 503, "ServiceUnavailableException"),
    ] {
        let error = crate::error::GatewayError::client(kind, "x");
        assert_eq!(BedrockConverse.error_status(&error), status, "{word}");
        assert_eq!(BedrockConverse.error_headers(&error), [("x-amzn-errortype", word)]);
    }
}
