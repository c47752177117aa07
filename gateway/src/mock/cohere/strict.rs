//! What Cohere refuses. Only rules that catch a wrong translation; the words are close to the real ones.

use serde_json::Value;

use crate::mock::vendor::{Complaint, given, list, text};

type Checked = Result<(), Complaint>;

const FIELDS: &[&str] = &[
    "stream",
    "model",
    "messages",
    "tools",
    "strict_tools",
    "documents",
    "citation_options",
    "response_format",
    "safety_mode",
    "max_tokens",
    "stop_sequences",
    "temperature",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "k",
    "p",
    "logprobs",
    "tool_choice",
    "thinking",
    "priority",
];

pub(super) fn check(body: &Value) -> Checked {
    only(body, "", FIELDS)?;
    if given(body, "model").is_none() {
        return refuse("invalid request: model is required");
    }
    settings(body)?;
    let messages = list(body, "messages");
    if messages.is_empty() {
        return refuse("invalid request: message list must not be empty");
    }
    let mut open: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let path = format!("messages[{index}]");
        let role = text(message, "role");
        if role != "tool" && !open.is_empty() {
            return refuse(format!(
                "invalid request: missing tool call results for ids {open:?}, all tool calls must be followed by results."
            ));
        }
        match role {
            "system" | "developer" => only(message, &path, &["role", "content"])?,
            "user" => only(message, &path, &["role", "content"])?,
            "assistant" => {
                only(message, &path, &["role", "content", "tool_plan", "tool_calls", "citations"])?;
                open = calls(message, &path)?;
            }
            "tool" => {
                only(message, &path, &["role", "content", "tool_call_id"])?;
                let id = text(message, "tool_call_id");
                let Some(place) = open.iter().position(|known| *known == id) else {
                    return refuse(format!(
                        "invalid request: tool call id {id} not found in previous tool calls"
                    ));
                };
                open.remove(place);
            }
            _ => return refuse(format!("invalid request: {path}: unknown role {role:?}")),
        }
        content(role, message, &path)?;
    }
    if messages.last().is_some_and(|message| text(message, "role") == "assistant") {
        return refuse("invalid request: the last message must be from the user or a tool");
    }
    Ok(())
}

fn refuse(message: impl Into<String>) -> Checked {
    Err(Complaint::invalid(message))
}

fn only(value: &Value, path: &str, known: &[&str]) -> Checked {
    let Value::Object(fields) = value else {
        return refuse(format!("invalid request: {path}: expected an object"));
    };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            Err(Complaint::new(422, format!("unknown field: parameter '{path}.{name}' is not a valid field")))
        }
        None => Ok(()),
    }
}

fn settings(body: &Value) -> Checked {
    for (name, least, most) in [
        ("temperature", 0.0, 2.0),
        ("p", 0.01, 0.99),
        ("k", 0.0, 500.0),
        ("frequency_penalty", 0.0, 1.0),
        ("presence_penalty", 0.0, 1.0),
    ] {
        let within = |value: &Value| value.as_f64().is_some_and(|value| (least..=most).contains(&value));
        if given(body, name).is_some_and(|value| !within(value)) {
            return refuse(format!("invalid request: {name} must be between {least} and {most} inclusive."));
        }
    }
    if list(body, "stop_sequences").len() > 5 {
        return refuse("invalid request: a maximum of 5 stop sequences are supported");
    }
    if !matches!(given(body, "tool_choice").and_then(Value::as_str), None | Some("REQUIRED" | "NONE")) {
        return refuse("invalid request: tool_choice must be REQUIRED or NONE");
    }
    if given(body, "tool_choice").is_some() && list(body, "tools").is_empty() {
        return refuse("invalid request: tool_choice requires tools");
    }
    let json = body.pointer("/response_format/type").and_then(Value::as_str) == Some("json_object");
    if json && !(list(body, "tools").is_empty() && list(body, "documents").is_empty()) {
        return refuse("invalid request: response_format is not supported with tools or documents");
    }
    for (index, tool) in list(body, "tools").iter().enumerate() {
        let path = format!("tools[{index}]");
        only(tool, &path, &["type", "function"])?;
        let function = tool.get("function").unwrap_or(&Value::Null);
        only(function, &path, &["name", "description", "parameters"])?;
        if !function.get("parameters").is_some_and(Value::is_object) {
            return refuse(format!("invalid request: {path}: parameters are required"));
        }
    }
    Ok(())
}

fn calls<'a>(message: &'a Value, path: &str) -> Result<Vec<&'a str>, Complaint> {
    let mut ids = Vec::new();
    for call in list(message, "tool_calls") {
        only(call, path, &["id", "type", "function"])?;
        let arguments = call.pointer("/function/arguments").and_then(Value::as_str).unwrap_or_default();
        let object = serde_json::from_str::<Value>(arguments).is_ok_and(|value| value.is_object());
        if text(call, "id").is_empty() || !object {
            return Err(Complaint::invalid(format!(
                "invalid request: {path}: a tool call needs an id and arguments that are a JSON object"
            )));
        }
        ids.push(text(call, "id"));
    }
    Ok(ids)
}

fn content(role: &str, message: &Value, path: &str) -> Checked {
    let known: &[&str] = match role {
        "user" => &["text", "image_url"],
        "assistant" => &["text", "thinking"],
        "tool" => &["text", "document"],
        _ => &["text"],
    };
    match message.get("content") {
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) => match blocks.iter().find(|block| !known.contains(&text(block, "type")))
        {
            Some(block) => refuse(format!("invalid request: {path}.content: no such block here: {block}")),
            None => Ok(()),
        },
        None | Some(Value::Null) if !list(message, "tool_calls").is_empty() => Ok(()),
        _ => refuse(format!("invalid request: {path}.content is required")),
    }
}
