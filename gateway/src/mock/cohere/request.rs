//! A Cohere request as a prompt.

use serde_json::Value;

use crate::mock::prompt::{Choice, Format, Prompt, Reasoning, ToolResult};
use crate::mock::settings::bare;
use crate::mock::vendor::{described, flag, list, text};

pub(super) fn read(body: &Value) -> Prompt {
    let mut prompt = Prompt {
        model: text(body, "model").to_owned(),
        stream: flag(body, "stream"),
        limit: body.get("max_tokens").and_then(Value::as_u64),
        candidates: 1,
        stops: list(body, "stop_sequences").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        choice: match text(body, "tool_choice") {
            "REQUIRED" => Choice::Required,
            "NONE" => Choice::None,
            _ => Choice::Auto,
        },
        format: format(body.get("response_format").unwrap_or(&Value::Null)),
        reasoning: reasoning(body),
        ..Prompt::default()
    };
    for tool in list(body, "tools") {
        let function = tool.get("function").unwrap_or(&Value::Null);
        prompt.tool(text(function, "name"), function.get("parameters").unwrap_or(&Value::Null));
    }
    for document in list(body, "documents") {
        let shown = document.as_str().map_or_else(|| document.to_string(), str::to_owned);
        prompt.count(&shown);
        prompt
            .files
            .push(document.pointer("/data/title").and_then(Value::as_str).unwrap_or("text").to_owned());
    }
    let mut names: Vec<(&str, &str)> = Vec::new();
    let mut before = "";
    for message in list(body, "messages") {
        let role = text(message, "role");
        // The results of one turn are messages of their own.
        if role != "system" && !(role == "tool" && before == "tool") {
            prompt.next_turn();
        }
        before = role;
        for call in list(message, "tool_calls") {
            let function = call.get("function").unwrap_or(&Value::Null);
            names.push((text(call, "id"), text(function, "name")));
            prompt.count(text(function, "name"));
            prompt.count(text(function, "arguments"));
        }
        let said = content(message, &mut prompt);
        match role {
            "user" => prompt.say(&said),
            "system" => prompt.instruct(&said),
            "tool" => {
                prompt.count(&said);
                let id = text(message, "tool_call_id");
                let name = names.iter().rev().find(|(call, _)| *call == id).map_or("?", |(_, name)| name);
                let failed = said.starts_with("Error:");
                prompt.results.push(ToolResult { name: name.to_owned(), text: said, failed });
            }
            _ => prompt.count(&said),
        }
    }
    prompt
}

fn reasoning(body: &Value) -> Reasoning {
    match body.pointer("/thinking/type").and_then(Value::as_str) {
        Some("disabled") => Reasoning::Off,
        Some("enabled") => Reasoning::Shown,
        _ if bare(text(body, "model")).contains("think") => Reasoning::Shown,
        _ => Reasoning::Off,
    }
}

fn format(format: &Value) -> Format {
    match (text(format, "type"), format.get("json_schema")) {
        ("json_object", Some(schema)) => Format::Schema(schema.clone()),
        ("json_object", None) => Format::Json,
        _ => Format::Text,
    }
}

/// The text of a message; what else is in it is noted.
fn content(message: &Value, prompt: &mut Prompt) -> String {
    if let Some(content) = message.get("content").and_then(Value::as_str) {
        return content.to_owned();
    }
    let mut said: Vec<String> = Vec::new();
    for block in list(message, "content") {
        match text(block, "type") {
            "text" => said.push(text(block, "text").to_owned()),
            "document" => said.push(block.get("document").unwrap_or(&Value::Null).to_string()),
            "image_url" => {
                let url = block.pointer("/image_url/url").and_then(Value::as_str).unwrap_or_default();
                prompt.images.push(described(url));
            }
            "thinking" => prompt.count(text(block, "thinking")),
            _ => {}
        }
    }
    said.join(" ")
}
