//! What Ollama refuses. Its reader ignores fields it does not know, but not a wrong type.

use serde_json::Value;

use super::Ollama;
use crate::mock::settings::bare;
use crate::mock::vendor::{Complaint, list, text};

type Checked = Result<(), Complaint>;

pub(super) fn check(form: Ollama, body: &Value, model: &str) -> Checked {
    if !body.is_object() {
        return refuse("json: cannot unmarshal into Go value of type api.Request");
    }
    if text(body, "model").is_empty() {
        return refuse("model is required");
    }
    for name in ["stream", "logprobs", "raw", "truncate", "shift"] {
        typed(body, name, "bool", Value::is_boolean)?;
    }
    for name in ["prompt", "system", "suffix", "template"] {
        typed(body, name, "string", Value::is_string)?;
    }
    for name in ["messages", "tools", "images"] {
        typed(body, name, "slice", Value::is_array)?;
    }
    typed(body, "keep_alive", "Duration", |value| value.is_number() || value.is_string())?;
    think(body.get("think"), bare(model))?;
    format(body.get("format"))?;
    options(body.get("options"))?;
    list(body, "tools").iter().try_for_each(one_tool)?;
    match form {
        Ollama::Chat => list(body, "messages").iter().try_for_each(one_message),
        Ollama::Generate => images(body),
    }
}

fn refuse(message: impl Into<String>) -> Checked {
    Err(Complaint::invalid(message))
}

fn typed(object: &Value, name: &str, kind: &str, fits: impl FnOnce(&Value) -> bool) -> Checked {
    match object.get(name).filter(|value| !value.is_null()) {
        Some(value) if !fits(value) => {
            refuse(format!("json: cannot unmarshal into Go struct field .{name} of type {kind}"))
        }
        _ => Ok(()),
    }
}

fn think(think: Option<&Value>, model: &str) -> Checked {
    // gpt-oss takes levels, and all others only on and off.
    let levels = model.rsplit('/').next().is_some_and(|name| name.starts_with("gpt-oss"));
    match think {
        None | Some(Value::Null | Value::Bool(_)) => Ok(()),
        Some(Value::String(level)) if ["low", "medium", "high", "max"].contains(&level.as_str()) => {
            if levels {
                return Ok(());
            }
            refuse(format!("think value \"{level}\" is not supported for this model"))
        }
        Some(other) => refuse(format!(
            "invalid think value: {other} (must be \"high\", \"medium\", \"low\", true, or false)"
        )),
    }
}

fn format(format: Option<&Value>) -> Checked {
    match format {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(Value::String(word)) if matches!(word.as_str(), "" | "json") => Ok(()),
        Some(other) => {
            refuse(format!("invalid format: {other}; expected \"json\" or a valid JSON Schema object"))
        }
    }
}

fn options(options: Option<&Value>) -> Checked {
    let Some(options) = options.filter(|options| !options.is_null()) else { return Ok(()) };
    let Some(options) = options.as_object() else {
        return refuse(
            "json: cannot unmarshal into Go struct field .options of type map[string]interface {}",
        );
    };
    for (name, value) in options.iter().filter(|(_, value)| !value.is_null()) {
        let (kind, fits) = match name.as_str() {
            "num_ctx" | "num_predict" | "top_k" | "seed" | "num_keep" | "repeat_last_n" | "num_gpu" => {
                ("integer", value.is_number())
            }
            "temperature" | "top_p" | "min_p" | "typical_p" | "repeat_penalty" | "presence_penalty"
            | "frequency_penalty" => ("float32", value.is_number()),
            "stop" => {
                let strings = |list: &Vec<Value>| list.iter().all(Value::is_string);
                ("array", value.as_array().is_some_and(strings))
            }
            _ => continue,
        };
        if !fits {
            return refuse(format!("option \"{name}\" must be of type {kind}"));
        }
    }
    Ok(())
}

fn one_tool(tool: &Value) -> Checked {
    let function = tool.get("function").unwrap_or(&Value::Null);
    typed(function, "name", "string", Value::is_string)?;
    typed(function, "parameters", "api.ToolFunctionParameters", Value::is_object)?;
    if text(tool, "type") != "function" || text(function, "name").is_empty() {
        return refuse("invalid tool: a function with a name is required");
    }
    Ok(())
}

fn one_message(message: &Value) -> Checked {
    if !["system", "user", "assistant", "tool"].contains(&text(message, "role")) {
        let role = text(message, "role");
        return refuse(format!("invalid role: {role}, role must be one of [system, user, assistant, tool]"));
    }
    for name in ["content", "thinking", "tool_name", "tool_call_id"] {
        typed(message, name, "string", Value::is_string)?;
    }
    typed(message, "tool_calls", "slice", Value::is_array)?;
    for call in list(message, "tool_calls") {
        let function = call.get("function").unwrap_or(&Value::Null);
        typed(function, "arguments", "api.ToolCallFunctionArguments", Value::is_object)?;
        if text(function, "name").is_empty() {
            return refuse("a tool call needs the name of its function");
        }
    }
    images(message)
}

fn images(message: &Value) -> Checked {
    typed(message, "images", "slice", Value::is_array)?;
    for image in list(message, "images") {
        let data = image.as_str().unwrap_or("-");
        let letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        if let Some(at) = data.as_bytes().iter().position(|byte| !letter(byte)) {
            return refuse(format!("illegal base64 data at input byte {at}"));
        }
    }
    Ok(())
}
