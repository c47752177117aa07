//! An OpenAI request as a prompt.

use serde_json::Value;

use crate::mock::prompt::{Choice, Format, Prompt, Reasoning, ToolResult};
use crate::mock::settings::bare;
use crate::mock::vendor::{described, flag, given, inline, list, text};

pub(super) fn read(body: &Value) -> Prompt {
    let mut prompt = Prompt {
        model: text(body, "model").to_owned(),
        stream: flag(body, "stream"),
        one_call: body.get("parallel_tool_calls") == Some(&Value::Bool(false)),
        limit: ["max_completion_tokens", "max_tokens"].iter().find_map(|name| body.get(*name)?.as_u64()),
        candidates: body.get("n").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(1),
        stops: stops(body.get("stop")),
        choice: choice(body),
        format: format(body),
        ..Prompt::default()
    };
    let options = body.get("stream_options").unwrap_or(&Value::Null);
    prompt.extras.include_usage = flag(options, "include_usage");
    prompt.extras.plain_events = options.get("include_obfuscation") == Some(&Value::Bool(false));
    prompt.extras.log_probabilities = flag(body, "logprobs");
    for tool in list(body, "tools") {
        let function = tool.get("function").unwrap_or(&Value::Null);
        prompt.tool(text(function, "name"), function.get("parameters").unwrap_or(&Value::Null));
    }
    if prompt.tools.is_empty() {
        for function in list(body, "functions") {
            prompt.extras.functions = true;
            prompt.tool(text(function, "name"), function.get("parameters").unwrap_or(&Value::Null));
        }
    }
    prompt.reasoning = reasoning(body, &prompt.model);
    messages(&mut prompt, list(body, "messages"));
    if given(body, "prompt_cache_key").is_some() {
        // The mock "finds" half of a prompt with a cache key, always.
        prompt.cached.read = prompt.tokens() / 2;
    }
    prompt
}

fn reasoning(body: &Value, model: &str) -> Reasoning {
    match text(body, "reasoning_effort") {
        "none" => Reasoning::Off,
        "" | "minimal" if !bare(model).contains("think") => Reasoning::Off,
        _ => Reasoning::Shown,
    }
}

fn stops(stop: Option<&Value>) -> Vec<String> {
    match stop {
        Some(Value::String(stop)) => vec![stop.clone()],
        Some(Value::Array(stops)) => stops.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn choice(body: &Value) -> Choice {
    let wanted = given(body, "tool_choice").or_else(|| given(body, "function_call")).unwrap_or(&Value::Null);
    match wanted {
        Value::String(word) if word == "none" => Choice::None,
        Value::String(word) if word == "required" => Choice::Required,
        Value::Object(_) => {
            let name =
                wanted.pointer("/function/name").or_else(|| wanted.get("name")).and_then(Value::as_str);
            let allowed = wanted.get("allowed_tools").unwrap_or(&Value::Null);
            match name {
                Some(name) => Choice::Among(vec![name.to_owned()]),
                None if text(allowed, "mode") == "required" => {
                    let names =
                        list(allowed, "tools").iter().filter_map(|tool| tool.pointer("/function/name"));
                    Choice::Among(names.filter_map(Value::as_str).map(str::to_owned).collect())
                }
                None => Choice::Auto,
            }
        }
        _ => Choice::Auto,
    }
}

fn format(body: &Value) -> Format {
    let format = body.get("response_format").unwrap_or(&Value::Null);
    match text(format, "type") {
        "json_object" => Format::Json,
        "json_schema" => Format::Schema(format.pointer("/json_schema/schema").cloned().unwrap_or_default()),
        _ => Format::Text,
    }
}

fn messages(prompt: &mut Prompt, messages: &[Value]) {
    let mut names: Vec<(String, String)> = Vec::new();
    let mut in_results = false;
    for message in messages {
        let role = text(message, "role");
        let is_result = matches!(role, "tool" | "function");
        let continues = (is_result && in_results) || matches!(role, "system" | "developer");
        if !continues {
            prompt.next_turn();
        }
        in_results = is_result;
        match role {
            "system" | "developer" => each_text(message, |text| prompt.instruct(text)),
            "user" => user(prompt, message),
            "assistant" => {
                each_text(message, |text| prompt.count(text));
                for call in list(message, "tool_calls") {
                    let function = call.get("function").unwrap_or(&Value::Null);
                    names.push((text(call, "id").to_owned(), text(function, "name").to_owned()));
                    prompt.count(text(function, "name"));
                    prompt.count(text(function, "arguments"));
                }
            }
            _ => {
                let mut result = String::new();
                each_text(message, |text| result.push_str(text));
                prompt.count(&result);
                let id = text(message, "tool_call_id");
                let name = names.iter().rev().find(|(call, _)| call == id).map(|(_, name)| name.clone());
                let name = name.unwrap_or_else(|| text(message, "name").to_owned());
                prompt.results.push(ToolResult { name, text: result, failed: false });
            }
        }
    }
}

fn each_text(message: &Value, mut take: impl FnMut(&str)) {
    match message.get("content") {
        Some(Value::String(content)) => take(content),
        Some(Value::Array(parts)) => {
            for part in parts {
                take(text(part, if text(part, "type") == "refusal" { "refusal" } else { "text" }));
            }
        }
        _ => {}
    }
}

fn user(prompt: &mut Prompt, message: &Value) {
    if let Some(Value::String(content)) = message.get("content") {
        prompt.say(content);
    }
    for part in list(message, "content") {
        match text(part, "type") {
            "image_url" => {
                let url = part.pointer("/image_url/url").and_then(Value::as_str).unwrap_or_default();
                prompt.images.push(described(url));
            }
            "input_audio" => {
                let audio = part.get("input_audio").unwrap_or(&Value::Null);
                prompt.sounds.push(inline(text(audio, "format"), text(audio, "data")));
            }
            "file" => {
                let file = part.get("file").unwrap_or(&Value::Null);
                let name =
                    ["filename", "file_id"].iter().map(|name| text(file, name)).find(|name| !name.is_empty());
                let data = described(text(file, "file_data"));
                prompt.files.push(
                    format!("{} {data}", name.unwrap_or("a file without a name")).trim_end().to_owned(),
                );
            }
            _ => prompt.say(text(part, "text")),
        }
    }
}
