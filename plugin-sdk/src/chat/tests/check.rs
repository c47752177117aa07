//! Each fault is found and named; what some provider takes is let through.

use super::*;

fn fault(fields: &str) -> Option<(String, String)> {
    let body = format!("{{{fields}}}");
    let failure = ChatRequest::parse(body.as_bytes()).err()?;
    assert_eq!(failure.kind, FailureKind::InvalidRequest, "{}", failure.message);
    Some((failure.param.unwrap_or_default(), failure.message))
}

fn refused(fields: &str, path: &str) {
    let found = fault(fields);
    assert_eq!(found.as_ref().map(|(path, _)| &**path), Some(path), "{fields}: {found:?}");
}

fn user(part: &str) -> String {
    format!(r#""messages":[{{"role":"user","content":[{{"type":"text","text":"a"}},{part}]}}]"#)
}

#[test]
fn numbers_that_cannot_be() {
    let with = |field: &str| format!(r#""messages":[{{"role":"user","content":"a"}}],{field}"#);
    for field in ["max_tokens", "max_completion_tokens", "n", "top_k", "top_logprobs", "temperature", "top_p"]
    {
        refused(&with(&format!(r#""{field}":-1"#)), field);
    }
    refused(&with(r#""n":0"#), "n");
    refused(&with(r#""max_tokens":"many""#), "max_tokens");
    refused(&with(r#""temperature":"hot""#), "temperature");
    refused(&with(r#""reasoning":{"max_tokens":-1}"#), "reasoning.max_tokens");
    refused(r#""messages":[]"#, "messages");
    assert_eq!(fault(&with(r#""seed":-1,"presence_penalty":-2,"temperature":0"#)), None);
}

#[test]
fn media_that_cannot_be() {
    let url = "messages[0].content[1].image_url.url";
    refused(&user(r#"{"type":"image_url","image_url":{}}"#), url);
    refused(&user(r#"{"type":"image_url","image_url":{"url":"cat.png"}}"#), url);
    refused(&user(r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,a*b"}}"#), url);
    refused(&user(r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,"}}"#), url);
    refused(&user(r#"{"type":"image_url","image_url":{"url":"data:image/png,abc"}}"#), url);
    let audio = "messages[0].content[1].input_audio.data";
    refused(&user(r#"{"type":"input_audio","input_audio":{"format":"wav"}}"#), audio);
    refused(&user(r#"{"type":"input_audio","input_audio":{"data":"\u0000","format":"wav"}}"#), audio);
    refused(
        &user(r#"{"type":"file","file":{"file_data":"data:application/pdf;base64,(("}}"#),
        "messages[0].content[1].file.file_data",
    );
    refused(&user(r#"{"type":"file","file":{"filename":"a.pdf"}}"#), "messages[0].content[1].file");
    assert_eq!(fault(&user(r#"{"type":"image_url","image_url":{"url":"gs://bucket/a.png"}}"#)), None);
    assert_eq!(
        fault(&user(r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AA\nA="}}"#)),
        None
    );
    assert_eq!(fault(&user(r#"{"type":"file","file":{"file_data":"AAAA"}}"#)), None);
}

#[test]
fn calls_and_results_that_do_not_fit() {
    let turn = |call: &str, result: &str| {
        format!(
            r#""messages":[{{"role":"user","content":"a"}},{{"role":"assistant","content":null,"tool_calls":[{call}]}},{{"role":"tool","content":"r"{result}}}]"#
        )
    };
    let call = |arguments: &str| {
        let arguments = serde_json::Value::from(arguments);
        format!(r#"{{"id":"c","type":"function","function":{{"name":"f","arguments":{arguments}}}}}"#)
    };
    let answered = r#","tool_call_id":"c""#;
    for arguments in ["[1]", "7", "\"x\"", "{\"a\":", "{}}"] {
        refused(&turn(&call(arguments), answered), "messages[1].tool_calls[0].function.arguments");
    }
    for arguments in ["", " ", "null", "{}", " {\"a\":{}} "] {
        assert_eq!(fault(&turn(&call(arguments), answered)), None, "{arguments}");
    }
    refused(&turn(&call("{}"), r#","tool_call_id":"d""#), "messages[2].tool_call_id");
    refused(&turn(&call("{}"), ""), "messages[2].tool_call_id");
    refused(
        &turn(r#"{"type":"function","function":{"name":"f","arguments":""}}"#, answered),
        "messages[1].tool_calls[0].id",
    );
    refused(
        &turn(r#"{"id":"c","type":"function","function":{"arguments":""}}"#, answered),
        "messages[1].tool_calls[0].function.name",
    );
    let before = r#""messages":[{"role":"tool","tool_call_id":"c","content":"r"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":""}}]}]"#;
    refused(before, "messages[0].tool_call_id");
}

#[test]
fn schemas_that_cannot_be() {
    let with = |field: &str| format!(r#""messages":[{{"role":"user","content":"a"}}],{field}"#);
    let tool = |parameters: &str| {
        with(&format!(
            r#""tools":[{{"type":"function","function":{{"name":"f","parameters":{parameters}}}}}]"#
        ))
    };
    for schema in ["7", "\"object\"", "[]"] {
        refused(&tool(schema), "tools[0].function.parameters");
    }
    let deep = |levels: usize| format!("{}{}", r#"{"items":"#.repeat(levels) + "{}", "}".repeat(levels));
    refused(&tool(&deep(200_000)), "tools[0].function.parameters");
    assert_eq!(fault(&tool(&deep(50))), None);
    assert_eq!(fault(&tool("true")), None);
    assert_eq!(fault(&tool(r##"{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$ref":"#/$defs/a"}}}}"##)), None);
    let format = |schema: &str| {
        with(&format!(
            r#""response_format":{{"type":"json_schema","json_schema":{{"name":"n","schema":{schema}}}}}"#
        ))
    };
    refused(&format("[]"), "response_format.json_schema.schema");
    refused(&with(r#""response_format":{"type":"json_schema"}"#), "response_format.json_schema");
    refused(&with(r#""tools":[{"type":"function"}]"#), "tools[0].function");
    refused(
        &with(r#""tools":[{"type":"function","function":{"description":"d"}}]"#),
        "tools[0].function.name",
    );
    let tools = r#""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"g"}}"#;
    refused(&with(tools), "tool_choice");
}
