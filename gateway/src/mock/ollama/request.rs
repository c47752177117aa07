//! An Ollama request as a prompt.

use serde_json::Value;

use super::Ollama;
use crate::mock::prompt::{Format, Prompt, Reasoning, ToolResult};
use crate::mock::settings::bare;
use crate::mock::vendor::{flag, inline, list, text};

pub(super) fn read(form: Ollama, body: &Value) -> Prompt {
    let options = body.get("options").unwrap_or(&Value::Null);
    let mut prompt = Prompt {
        model: text(body, "model").to_owned(),
        stream: body.get("stream") != Some(&Value::Bool(false)),
        limit: options.get("num_predict").and_then(Value::as_u64),
        candidates: 1,
        stops: list(options, "stop").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        format: match body.get("format") {
            Some(Value::String(word)) if word == "json" => Format::Json,
            Some(schema @ Value::Object(_)) => Format::Schema(schema.clone()),
            _ => Format::Text,
        },
        ..Prompt::default()
    };
    prompt.reasoning = reasoning(body.get("think"), &prompt.model);
    prompt.extras.log_probabilities = flag(body, "logprobs");
    for tool in list(body, "tools") {
        let function = tool.get("function").unwrap_or(&Value::Null);
        prompt.tool(text(function, "name"), function.get("parameters").unwrap_or(&Value::Null));
    }
    match form {
        Ollama::Chat => messages(&mut prompt, list(body, "messages")),
        Ollama::Generate => {
            let system = text(body, "system");
            if !system.is_empty() {
                prompt.instruct(system);
            }
            prompt.say(text(body, "prompt"));
            pictures(&mut prompt, body);
        }
    }
    prompt
}

/// A model that can think does so unless it is told not to.
fn reasoning(think: Option<&Value>, model: &str) -> Reasoning {
    match think {
        Some(Value::Bool(false)) => Reasoning::Off,
        Some(Value::Bool(true) | Value::String(_)) => Reasoning::Shown,
        _ if bare(model).contains("think") => Reasoning::Shown,
        _ => Reasoning::Off,
    }
}

fn messages(prompt: &mut Prompt, messages: &[Value]) {
    let mut names: Vec<(String, String)> = Vec::new();
    let mut in_results = false;
    for message in messages {
        let (role, content) = (text(message, "role"), text(message, "content"));
        let is_result = role == "tool";
        if !((is_result && in_results) || role == "system") {
            prompt.next_turn();
        }
        in_results = is_result;
        match role {
            "system" => prompt.instruct(content),
            "user" => prompt.say(content),
            "assistant" => {
                prompt.count(content);
                for call in list(message, "tool_calls") {
                    let function = call.get("function").unwrap_or(&Value::Null);
                    names.push((text(call, "id").to_owned(), text(function, "name").to_owned()));
                    prompt.count(text(function, "name"));
                    prompt.count(&function.get("arguments").map(Value::to_string).unwrap_or_default());
                }
            }
            _ => {
                prompt.count(content);
                let (id, named) = (text(message, "tool_call_id"), text(message, "tool_name"));
                let called = names.iter().rev().find(|(call, _)| !id.is_empty() && call == id);
                let name = called.map_or(named, |(_, name)| name).to_owned();
                prompt.results.push(ToolResult { name, text: content.to_owned(), failed: false });
            }
        }
        pictures(prompt, message);
    }
}

fn pictures(prompt: &mut Prompt, message: &Value) {
    for image in list(message, "images").iter().filter_map(Value::as_str) {
        let mime = if image.starts_with("iVBOR") { "image/png" } else { "image" };
        prompt.images.push(inline(mime, image));
    }
}
