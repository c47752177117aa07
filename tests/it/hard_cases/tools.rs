//! Cases 17 to 19 and 31: tools, their schemas, and who may call them.

use causeway::error::Kind;
use serde_json::{Value, json};

use crate::support::translation::*;

fn with_schema(schema: Value) -> Value {
    let tool = json!({ "type": "function", "function": { "name": "f", "description": "does", "parameters": schema } });
    chat(json!([user("hello")]), json!({ "tools": [tool] }))
}

#[test]
fn case_17_a_strict_tool_is_taken_by_everybody() {
    let schema = json!({ "type": "object", "properties": {}, "required": [], "additionalProperties": false });
    let mut body = with_schema(schema);
    body["tools"][0]["function"]["strict"] = json!(true);
    for vendor in ALL {
        let asked = vendor.gets(CHAT, &body);
        let kept = keys(&asked.body).iter().any(|name| name.contains("strict"));
        assert!(kept || asked.lost("strict"), "{asked:?}");
    }
}

#[test]
fn case_18_a_schema_keeps_references_constants_unions_and_lists_of_types() {
    let schema = json!({
        "type": "object",
        "properties": {
            "node": { "$ref": "#/$defs/node" },
            "kind": { "const": "tidal" },
            "size": { "oneOf": [{ "type": "integer", "enum": [1, 2] }, { "type": "null" }] },
            "name": { "type": ["string", "null"] },
        },
        "$defs": { "node": { "type": "object", "properties": { "value": { "type": "integer" } } } },
    });
    for (vendor, place) in [
        (ANTHROPIC, "/tools/0/input_schema"),
        (BEDROCK, "/toolConfig/tools/0/toolSpec/inputSchema/json"),
        (COHERE, "/tools/0/function/parameters"),
        (MISTRAL, "/tools/0/function/parameters"),
        (OLLAMA, "/tools/0/function/parameters"),
    ] {
        let asked = vendor.gets(CHAT, &with_schema(schema.clone()));
        assert_eq!(asked.body.pointer(place), Some(&schema), "{asked:?}");
    }
    // Gemini knows a part of JSON Schema; the rest is said in other words (plugins/gemini/README.md).
    let rewritten = json!({
        "type": "object",
        "properties": {
            "node": { "type": "object", "properties": { "value": { "type": "integer" } } },
            "kind": { "type": "string", "enum": ["tidal"] },
            "size": { "anyOf": [{ "type": "integer", "enum": [1, 2] }, { "type": "null" }] },
            "name": { "type": ["string", "null"] },
        },
    });
    let asked = GOOGLE.gets(CHAT, &with_schema(schema));
    let place = "/tools/0/functionDeclarations/0/parametersJsonSchema";
    assert_eq!(asked.body.pointer(place), Some(&rewritten), "{asked:?}");
}

#[test]
fn case_19_a_schema_that_holds_itself_is_kept_and_a_very_deep_one_breaks_nothing() {
    let itself = json!({ "type": "object", "properties": { "next": { "$ref": "#" } } });
    for vendor in ALL {
        let asked = vendor.gets(CHAT, &with_schema(itself.clone()));
        assert!(keys(&asked.body).contains(&"$ref") || asked.lost("parameters"), "{vendor:?}: {asked:?}");
    }
    let deep = |depth: usize| {
        let (open, close) = (r#"{"items":"#.repeat(depth), "}".repeat(depth));
        format!("{open}{{}}{close}")
    };
    for depth in [50, 5000] {
        let body = with_schema(json!("schema")).to_string().replace("\"schema\"", &deep(depth));
        let gemini = format!(
            r#"{{"contents":[{{"parts":[{{"text":"x"}}]}}],"tools":[{{"functionDeclarations":[{{"name":"f","parameters":{}}}]}}]}}"#,
            deep(depth)
        );
        for (path, body) in [(CHAT, &body), (GEMINI, &gemini)] {
            for vendor in [ANTHROPIC, GOOGLE, AZURE] {
                if let Err(error) = vendor.asked_raw(path, body) {
                    assert_eq!(error.kind, Kind::InvalidRequest, "{vendor:?} {path} {depth}: {error}");
                }
            }
        }
    }
}

#[test]
fn case_31_every_tool_choice_has_the_vendors_own_word() {
    let named = json!({ "type": "function", "function": { "name": "weather" } });
    let mode = "/toolConfig/functionCallingConfig/mode";
    for (vendor, choice, place, word) in [
        (ANTHROPIC, json!("required"), "/tool_choice/type", json!("any")),
        (ANTHROPIC, json!("none"), "/tool_choice/type", json!("none")),
        (ANTHROPIC, named.clone(), "/tool_choice/name", json!("weather")),
        (AZURE, json!("required"), "/tool_choice", json!("required")),
        (BEDROCK, json!("required"), "/toolConfig/toolChoice", json!({ "any": {} })),
        (BEDROCK, named.clone(), "/toolConfig/toolChoice/tool/name", json!("weather")),
        (COHERE, json!("required"), "/tool_choice", json!("REQUIRED")),
        (COHERE, json!("none"), "/tool_choice", json!("NONE")),
        (COHERE, named.clone(), "/tool_choice", json!("REQUIRED")),
        (GOOGLE, json!("required"), mode, json!("ANY")),
        (GOOGLE, json!("none"), mode, json!("NONE")),
        (GOOGLE, named.clone(), "/toolConfig/functionCallingConfig/allowedFunctionNames", json!(["weather"])),
        (MISTRAL, json!("required"), "/tool_choice", json!("any")),
        (MISTRAL, named, "/tool_choice/function/name", json!("weather")),
    ] {
        let tools = json!([function("weather"), function("clock")]);
        let body = chat(json!([user("hello")]), json!({ "tools": tools, "tool_choice": choice }));
        let asked = vendor.gets(CHAT, &body);
        assert_eq!(asked.body.pointer(place), Some(&word), "{choice}: {asked:?}");
    }
    // Bedrock and Ollama have no word for none: the tools are left out.
    for vendor in [BEDROCK, OLLAMA] {
        let fields = json!({ "tools": [function("weather")], "tool_choice": "none" });
        let asked = vendor.gets(CHAT, &chat(json!([user("hello")]), fields));
        assert!(!asked.body.to_string().contains("weather"), "{asked:?}");
    }
    // Cohere has no word for auto: it is what happens without one.
    let fields = json!({ "tools": [function("weather")], "tool_choice": "auto" });
    assert!(COHERE.gets(CHAT, &chat(json!([user("hello")]), fields)).body.get("tool_choice").is_none());
}
