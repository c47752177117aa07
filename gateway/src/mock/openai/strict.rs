//! What OpenAI refuses. Only rules that catch a wrong translation; the words are close to the real ones.

use serde_json::Value;

use crate::mock::settings::bare;
use crate::mock::vendor::{Complaint, flag, given, list, text};

type Checked = Result<(), Complaint>;

const FIELDS: &[&str] = &[
    "metadata",
    "top_logprobs",
    "temperature",
    "top_p",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "messages",
    "model",
    "service_tier",
    "modalities",
    "verbosity",
    "reasoning_effort",
    "max_completion_tokens",
    "frequency_penalty",
    "presence_penalty",
    "web_search_options",
    "response_format",
    "audio",
    "store",
    "moderation",
    "stream",
    "stop",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "n",
    "prediction",
    "seed",
    "stream_options",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "function_call",
    "functions",
];

/// Longest id of a tool call.
const LONGEST_ID: usize = 40;

pub(super) fn check(body: &Value) -> Checked {
    fields(body, "", FIELDS)?;
    let messages = match body.get("messages") {
        Some(Value::Array(messages)) if messages.is_empty() => {
            let message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.";
            return Err(Complaint::invalid(message).at("messages").code("empty_array"));
        }
        Some(Value::Array(messages)) => messages,
        Some(_) => return Err(wrong_type("messages", "an array of objects")),
        None => return Err(missing("messages")),
    };
    settings(body)?;
    tools(body)?;
    let thinks = ["think", "deepseek"].iter().any(|word| bare(text(body, "model")).contains(word));
    for (index, message) in messages.iter().enumerate() {
        one_message(message, &format!("messages[{index}]"), thinks)?;
    }
    pairs(messages)?;
    if bare(text(body, "model")).contains("deepseek") {
        reasoning_is_returned(messages)?;
    }
    format(body, messages)
}

fn fields(value: &Value, path: &str, known: &[&str]) -> Checked {
    let Value::Object(fields) = value else { return Err(wrong_type(path, "an object")) };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            let name = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            Err(Complaint::invalid(format!("Unknown parameter: '{name}'."))
                .at(name)
                .code("unknown_parameter"))
        }
        None => Ok(()),
    }
}

fn missing(path: &str) -> Complaint {
    Complaint::invalid(format!("Missing required parameter: '{path}'."))
        .at(path)
        .code("missing_required_parameter")
}

fn wrong_type(path: &str, wanted: &str) -> Complaint {
    Complaint::invalid(format!("Invalid type for '{path}': expected {wanted}.")).at(path).code("invalid_type")
}

fn invalid(path: impl Into<String>, message: impl Into<String>) -> Complaint {
    Complaint::invalid(message).at(path).code("invalid_value")
}

fn settings(body: &Value) -> Checked {
    if given(body, "max_tokens").is_some() && given(body, "max_completion_tokens").is_some() {
        let message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
        return Err(Complaint::invalid(message));
    }
    for name in ["max_tokens", "max_completion_tokens", "n"] {
        if given(body, name)
            .is_some_and(|value| value.as_u64().is_none_or(|number| number == 0 || number > 1 << 32))
        {
            return Err(invalid(
                name,
                format!("Invalid value for '{name}': expected an integer of 1 or more."),
            ));
        }
    }
    if body.get("n").and_then(Value::as_u64).is_some_and(|n| n > 128) {
        return Err(invalid("n", "Invalid 'n': integer above maximum value. Expected a value <= 128."));
    }
    for (name, least, most) in [
        ("temperature", 0.0, 2.0),
        ("top_p", 0.0, 1.0),
        ("frequency_penalty", -2.0, 2.0),
        ("presence_penalty", -2.0, 2.0),
    ] {
        if given(body, name)
            .is_some_and(|value| !value.as_f64().is_some_and(|number| (least..=most).contains(&number)))
        {
            return Err(invalid(
                name,
                format!("Invalid '{name}': expected a number between {least} and {most}."),
            ));
        }
    }
    if list(body, "stop").len() > 4 {
        let message = "Invalid 'stop': array too long. Expected an array with maximum length 4.";
        return Err(Complaint::invalid(message).at("stop").code("array_above_max_length"));
    }
    if let Some(stop) = given(body, "stop").filter(|stop| !stop.is_string() && !stop.is_array()) {
        return Err(wrong_type("stop", &format!("a string or an array of strings, but got {stop}")));
    }
    if let Some(options) = given(body, "stream_options") {
        if !flag(body, "stream") {
            let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
            return Err(invalid("stream_options", message));
        }
        fields(options, "stream_options", &["include_usage", "include_obfuscation"])?;
    }
    let effort = text(body, "reasoning_effort");
    if !effort.is_empty() && !["none", "minimal", "low", "medium", "high", "xhigh", "max"].contains(&effort) {
        return Err(invalid("reasoning_effort", format!("Invalid value: '{effort}'.")));
    }
    Ok(())
}

fn tools(body: &Value) -> Checked {
    let declared = given(body, "tools");
    if declared.is_none() && given(body, "functions").is_none() {
        for name in ["tool_choice", "parallel_tool_calls"] {
            let harmless = name == "tool_choice" && text(body, name) == "none";
            if given(body, name).is_some() && !harmless {
                return Err(invalid(name, format!("'{name}' is only allowed when 'tools' are specified.")));
            }
        }
    }
    let Some(declared) = declared else { return Ok(()) };
    let Value::Array(declared) = declared else { return Err(wrong_type("tools", "an array of objects")) };
    if declared.is_empty() {
        let message = "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.";
        return Err(Complaint::invalid(message).at("tools").code("empty_array"));
    }
    for (index, tool) in declared.iter().enumerate() {
        let path = format!("tools[{index}]");
        if text(tool, "type") != "function" {
            return Err(invalid(format!("{path}.type"), format!("Invalid value: '{}'.", text(tool, "type"))));
        }
        fields(tool, &path, &["type", "function"])?;
        let path = format!("{path}.function");
        let function = tool.get("function").ok_or_else(|| missing(&path))?;
        fields(function, &path, &["name", "description", "parameters", "strict"])?;
        if !is_name(text(function, "name"), 64) {
            let path = format!("{path}.name");
            let message = format!(
                "Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
            );
            return Err(invalid(path, message));
        }
        if let Some(parameters) = given(function, "parameters") {
            schema(parameters, &format!("function '{}'", text(function, "name")), flag(function, "strict"))
                .map_err(|complaint| {
                complaint.at(format!("{path}.parameters")).code("invalid_function_parameters")
            })?;
        }
    }
    forced(body, declared)
}

fn forced(body: &Value, declared: &[Value]) -> Checked {
    let choice = body.get("tool_choice").unwrap_or(&Value::Null);
    if let Value::String(word) = choice {
        if !["none", "auto", "required"].contains(&word.as_str()) {
            return Err(invalid(
                "tool_choice",
                format!("Invalid value: '{word}'. Supported values are: 'none', 'auto', and 'required'."),
            ));
        }
        return Ok(());
    }
    let Some(name) = choice.pointer("/function/name").and_then(Value::as_str) else { return Ok(()) };
    if declared.iter().any(|tool| tool.pointer("/function/name").and_then(Value::as_str) == Some(name)) {
        return Ok(());
    }
    Err(invalid(
        "tool_choice",
        format!(
            "Invalid value for 'tool_choice': no function named '{name}' was specified in the 'tools' parameter."
        ),
    ))
}

fn is_name(name: &str, longest: usize) -> bool {
    (1..=longest).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn schema(schema: &Value, owner: &str, strict: bool) -> Checked {
    let refuse = |reason: String| Err(Complaint::invalid(format!("Invalid schema for {owner}: {reason}")));
    if !schema.is_object() {
        return refuse(format!("{schema} is not of type 'object', 'boolean'."));
    }
    let kind = text(schema, "type");
    if !kind.is_empty() && kind != "object" {
        return refuse(format!(
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
        ));
    }
    if !strict {
        return Ok(());
    }
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return refuse(
            "In context=(), 'additionalProperties' is required to be supplied and to be false.".to_owned(),
        );
    }
    let required = list(schema, "required");
    let properties = schema.get("properties").and_then(Value::as_object);
    match properties.into_iter().flatten().find(|(name, _)| !required.iter().any(|one| one == name.as_str()))
    {
        Some((name, _)) => refuse(format!(
            "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing '{name}'."
        )),
        None => Ok(()),
    }
}

fn one_message(message: &Value, path: &str, thinks: bool) -> Checked {
    let role = text(message, "role");
    let known: &[&str] = match role {
        "system" | "developer" | "user" => &["role", "content", "name"],
        "assistant" if thinks => &[
            "role",
            "content",
            "name",
            "refusal",
            "audio",
            "annotations",
            "tool_calls",
            "function_call",
            "reasoning_content",
        ],
        "assistant" => {
            &["role", "content", "name", "refusal", "audio", "annotations", "tool_calls", "function_call"]
        }
        "tool" => &["role", "content", "tool_call_id", "name"],
        "function" => &["role", "content", "name"],
        _ => {
            let message = format!(
                "Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'."
            );
            return Err(invalid(format!("{path}.role"), message));
        }
    };
    fields(message, path, known)?;
    content(message, path, role)?;
    if role == "tool" && text(message, "tool_call_id").is_empty() {
        return Err(missing(&format!("{path}.tool_call_id")));
    }
    let Some(calls) = given(message, "tool_calls") else { return Ok(()) };
    let Value::Array(calls) = calls else {
        return Err(wrong_type(&format!("{path}.tool_calls"), "an array of objects"));
    };
    if calls.is_empty() {
        let message = format!(
            "Invalid '{path}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead."
        );
        return Err(Complaint::invalid(message).at(format!("{path}.tool_calls")).code("empty_array"));
    }
    calls
        .iter()
        .enumerate()
        .try_for_each(|(index, call)| one_call(call, &format!("{path}.tool_calls[{index}]")))
}

fn one_call(call: &Value, path: &str) -> Checked {
    fields(call, path, &["id", "type", "function"])?;
    let id = text(call, "id");
    if id.is_empty() {
        return Err(missing(&format!("{path}.id")));
    }
    if id.len() > LONGEST_ID {
        let message = format!(
            "Invalid '{path}.id': string too long. Expected a string with maximum length {LONGEST_ID}, but got a string with length {} instead.",
            id.len()
        );
        return Err(Complaint::invalid(message).at(format!("{path}.id")).code("string_above_max_length"));
    }
    if text(call, "type") != "function" {
        return Err(missing(&format!("{path}.type")));
    }
    let path = format!("{path}.function");
    let function = call.get("function").ok_or_else(|| missing(&path))?;
    fields(function, &path, &["name", "arguments"])?;
    match function.get("arguments") {
        Some(Value::String(_)) => Ok(()),
        Some(_) => Err(wrong_type(&format!("{path}.arguments"), "a string, but got an object instead")),
        None => Err(missing(&format!("{path}.arguments"))),
    }
}

fn content(message: &Value, path: &str, role: &str) -> Checked {
    let path = format!("{path}.content");
    let parts = match message.get("content") {
        Some(Value::String(_)) => return Ok(()),
        Some(Value::Array(parts)) => parts,
        None | Some(Value::Null) => {
            let called = ["tool_calls", "function_call", "refusal", "audio"]
                .iter()
                .any(|name| given(message, name).is_some());
            if role == "assistant" && called {
                return Ok(());
            }
            return Err(invalid(
                path.clone(),
                format!("Invalid value for '{path}': expected a string, got null."),
            ));
        }
        Some(_) => return Err(wrong_type(&path, "one of a string or array of objects")),
    };
    for (index, part) in parts.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let kind = text(part, "type");
        let field = match (kind, role) {
            ("text", _) => "text",
            ("refusal", "assistant") => "refusal",
            ("image_url" | "input_audio" | "file", "user") => kind,
            ("image_url", _) => {
                let message = format!(
                    "Image URLs are only allowed for messages with role 'user', but this message with role '{role}' contains an image URL."
                );
                return Err(invalid(path, message));
            }
            (_, "tool") => {
                let message = format!(
                    "Invalid '{path}'. Content blocks are expected to be either text or image_url type."
                );
                return Err(invalid(path, message));
            }
            _ => return Err(invalid(format!("{path}.type"), format!("Invalid value: '{kind}'."))),
        };
        fields(part, &path, &["type", field, "prompt_cache_breakpoint"])?;
        let value = part.get(field).ok_or_else(|| missing(&format!("{path}.{field}")))?;
        medium(value, &format!("{path}.{field}"), kind)?;
    }
    Ok(())
}

fn medium(value: &Value, path: &str, kind: &str) -> Checked {
    match kind {
        "image_url" => {
            fields(value, path, &["url", "detail"])?;
            let url = text(value, "url");
            let known = ["http://", "https://", "data:image/"].iter().any(|start| url.starts_with(start));
            if known {
                Ok(())
            } else {
                Err(invalid(path, "Invalid image URL: expected an http(s) URL or a base64-encoded data URL."))
            }
        }
        "input_audio" => {
            fields(value, path, &["data", "format"])?;
            if ["wav", "mp3"].contains(&text(value, "format")) {
                Ok(())
            } else {
                Err(invalid(path, "Invalid value for 'format': supported values are 'wav' and 'mp3'."))
            }
        }
        "file" => fields(value, path, &["file_data", "file_id", "filename"]),
        _ if value.is_string() => Ok(()),
        _ => Err(wrong_type(path, "a string")),
    }
}

/// Each call is answered before anybody else speaks, and nothing is answered that was not called.
fn pairs(messages: &[Value]) -> Checked {
    let mut open: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        if text(message, "role") == "tool" {
            let id = text(message, "tool_call_id");
            let Some(at) = open.iter().position(|one| *one == id) else {
                let message = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
                return Err(invalid(format!("messages[{index}].role"), message));
            };
            open.remove(at);
            continue;
        }
        unanswered(&open, index)?;
        open = list(message, "tool_calls").iter().map(|call| text(call, "id")).collect();
    }
    unanswered(&open, messages.len())
}

fn unanswered(open: &[&str], index: usize) -> Checked {
    if open.is_empty() {
        return Ok(());
    }
    let message = format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        open.join(", ")
    );
    Err(Complaint::invalid(message).at(format!("messages[{index}].role")))
}

/// DeepSeek wants its reasoning back with every tool call.
fn reasoning_is_returned(messages: &[Value]) -> Checked {
    let lost = messages.iter().any(|message| {
        given(message, "tool_calls").is_some() && text(message, "reasoning_content").is_empty()
    });
    if lost {
        return Err(Complaint::invalid(
            "The `reasoning_content` in the thinking mode must be passed back to the API.",
        ));
    }
    Ok(())
}

fn format(body: &Value, messages: &[Value]) -> Checked {
    let Some(format) = given(body, "response_format") else { return Ok(()) };
    match text(format, "type") {
        "text" => fields(format, "response_format", &["type"]),
        "json_object" => {
            fields(format, "response_format", &["type"])?;
            if messages.iter().any(|message| message.to_string().to_lowercase().contains("json")) {
                return Ok(());
            }
            let message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
            Err(Complaint::invalid(message).at("messages"))
        }
        "json_schema" => {
            fields(format, "response_format", &["type", "json_schema"])?;
            let path = "response_format.json_schema";
            let wanted = format.get("json_schema").ok_or_else(|| missing(path))?;
            fields(wanted, path, &["name", "description", "schema", "strict"])?;
            if !is_name(text(wanted, "name"), 64) {
                return Err(missing(&format!("{path}.name")));
            }
            match given(wanted, "schema") {
                Some(value) => schema(
                    value,
                    &format!("response_format '{}'", text(wanted, "name")),
                    flag(wanted, "strict"),
                )
                .map_err(|complaint| complaint.at(path)),
                None => Ok(()),
            }
        }
        kind => Err(invalid("response_format.type", format!("Invalid value: '{kind}'."))),
    }
}
