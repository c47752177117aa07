//! What no provider would take, refused before one is asked; each fault names its place.

use serde::de::IgnoredAny;
use serde_json::Number;

use super::{
    ChatRequest, Content, Fields, Json, Message, Part, PartBody, Role, Text, Tool, ToolChoice, data_url,
};
use crate::{Failure, base64, failure};

/// Deeper schemas are nobody's; readers of JSON give up at 128.
const DEEPEST_SCHEMA: usize = 100;

/// Checks what types alone cannot say. [`ChatRequest::parse`] does it; call it for requests that were made otherwise.
///
/// # Errors
/// [`crate::FailureKind::InvalidRequest`] with the path of the field in `param`.
pub fn check(request: &ChatRequest<'_>) -> Result<(), Failure> {
    if request.messages.is_empty() {
        return wrong("messages", "there is nothing to answer");
    }
    if request.n == Some(0) {
        return wrong("n", "must be greater than zero");
    }
    not_negative("temperature", request.temperature.as_ref())?;
    not_negative("top_p", request.top_p.as_ref())?;
    check_format(request)?;
    for (index, tool) in request.tools.iter().enumerate() {
        check_tool(tool, &format!("tools[{index}]"))?;
    }
    if let Some(ToolChoice::Function(name)) = &request.tool_choice
        && !request.tools.is_empty()
        && !request.tools.iter().any(|tool| names(tool, name))
    {
        return wrong("tool_choice", &format!("there is no tool `{name}`"));
    }
    let mut calls: Vec<&str> = Vec::new();
    for (index, message) in request.messages.iter().enumerate() {
        check_message(message, &format!("messages[{index}]"), &mut calls)?;
    }
    Ok(())
}

fn wrong(path: &str, why: &str) -> Result<(), Failure> {
    Err(failure::invalid(path, format!("{path}: {why}")))
}

fn not_negative(path: &str, number: Option<&Number>) -> Result<(), Failure> {
    match number.and_then(Number::as_f64) {
        Some(number) if number < 0.0 => wrong(path, "must not be negative"),
        _ => Ok(()),
    }
}

fn check_format(request: &ChatRequest<'_>) -> Result<(), Failure> {
    let Some(format) = &request.response_format else { return Ok(()) };
    match (&*format.kind, &format.json_schema) {
        ("", _) => wrong("response_format.type", "is missing"),
        ("json_schema", None) => wrong("response_format.json_schema", "is missing"),
        (_, Some(asked)) => check_schema(asked.schema.as_ref(), "response_format.json_schema.schema"),
        _ => Ok(()),
    }
}

fn check_tool(tool: &Tool<'_>, path: &str) -> Result<(), Failure> {
    let Some(function) = &tool.function else {
        let lacks = tool.kind.is_empty() || tool.kind == "function";
        return if lacks { wrong(&format!("{path}.function"), "is missing") } else { Ok(()) };
    };
    if function.name.is_empty() {
        return wrong(&format!("{path}.function.name"), "is missing");
    }
    check_schema(function.parameters.as_ref(), &format!("{path}.function.parameters"))
}

/// A tool of OpenAI's own (`custom`) carries its name inside an object of its kind.
fn names(tool: &Tool<'_>, name: &str) -> bool {
    tool.function.as_ref().is_some_and(|function| function.name == name)
        || tool.rest.iter().any(|(_, value)| {
            value
                .read::<Fields<'_>>()
                .and_then(|fields| fields.get("name")?.read::<Text<'_>>())
                .is_some_and(|own| own == name)
        })
}

/// A JSON Schema is an object or a boolean. Its references may go in circles; nothing here follows them.
fn check_schema(schema: Option<&Json<'_>>, path: &str) -> Result<(), Failure> {
    let Some(schema) = schema.filter(|schema| !schema.is_null()) else { return Ok(()) };
    let text = schema.text();
    if !text.starts_with('{') && !["true", "false"].contains(&&*text) {
        return wrong(path, "a JSON Schema is an object or a boolean");
    }
    if depth(text.as_bytes()) > DEEPEST_SCHEMA {
        return wrong(path, &format!("is nested more than {DEEPEST_SCHEMA} deep"));
    }
    Ok(())
}

/// How deep objects and lists stand in one another, in valid JSON.
fn depth(text: &[u8]) -> usize {
    let (mut deepest, mut now, mut quoted, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                now += 1;
                deepest = deepest.max(now);
            }
            b'}' | b']' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn check_message<'m>(message: &'m Message<'_>, path: &str, calls: &mut Vec<&'m str>) -> Result<(), Failure> {
    if let Some(content) = &message.content {
        check_content(content, &format!("{path}.content"))?;
    }
    for (index, call) in message.tool_calls.iter().enumerate() {
        let path = format!("{path}.tool_calls[{index}]");
        if call.id.is_empty() {
            return wrong(&format!("{path}.id"), "is missing");
        }
        calls.push(&call.id);
        // OpenAI's `custom` calls hold text, not arguments.
        if call.kind.is_empty() || call.kind == "function" {
            if call.function.name.is_empty() {
                return wrong(&format!("{path}.function.name"), "is missing");
            }
            check_arguments(&call.function.arguments, &format!("{path}.function.arguments"))?;
        }
    }
    if message.role != Role::Tool {
        return Ok(());
    }
    let path = format!("{path}.tool_call_id");
    match message.tool_call_id.as_deref() {
        None | Some("") => wrong(&path, "a tool message needs the id of the call it answers"),
        Some(id) if !calls.contains(&id) => wrong(&path, &format!("no call before it has the id `{id}`")),
        Some(_) => Ok(()),
    }
}

fn check_arguments(arguments: &str, path: &str) -> Result<(), Failure> {
    let text = arguments.trim();
    if text.is_empty() {
        return Ok(());
    }
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return wrong(path, &format!("not valid JSON: {error}"));
    }
    if text.starts_with('{') { Ok(()) } else { wrong(path, "must hold a JSON object") }
}

/// Checks the media of a content; `path` is that of the content.
///
/// # Errors
/// [`crate::FailureKind::InvalidRequest`] with the path of the field in `param`.
pub fn check_content(content: &Content<'_>, path: &str) -> Result<(), Failure> {
    let Content::Parts(parts) = content else { return Ok(()) };
    parts.iter().enumerate().try_for_each(|(index, part)| check_part(part, &format!("{path}[{index}]")))
}

fn check_part(part: &Part<'_>, path: &str) -> Result<(), Failure> {
    match &part.body {
        PartBody::Image(image) => check_url(&image.url, &format!("{path}.image_url.url")),
        PartBody::Audio(audio) => {
            let path = format!("{path}.input_audio.data");
            if audio.data.is_empty() { wrong(&path, "is missing") } else { check_base64(&audio.data, &path) }
        }
        PartBody::File(file) => match file.file_data.as_deref() {
            Some(data) => check_data(data, &format!("{path}.file.file_data")),
            None if file.file_url.is_none() && file.file_id.is_none() => {
                wrong(&format!("{path}.file"), "needs `file_data`, `file_url` or `file_id`")
            }
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

fn check_url(url: &str, path: &str) -> Result<(), Failure> {
    if url.is_empty() {
        return wrong(path, "is missing");
    }
    if url.starts_with("data:") {
        return check_data(url, path);
    }
    // Vendors read links of their own stores too (`gs://`, `s3://`).
    if url.contains("://") { Ok(()) } else { wrong(path, "neither a link nor a data URL") }
}

/// A data URL, or bare base64, which many clients send.
fn check_data(data: &str, path: &str) -> Result<(), Failure> {
    if !data.starts_with("data:") {
        return check_base64(data, path);
    }
    match data_url(data) {
        Some((_, "")) => wrong(path, "holds no data"),
        Some((_, data)) => check_base64(data, path),
        None => wrong(path, "a data URL is written `data:<media type>;base64,<data>`"),
    }
}

fn check_base64(data: &str, path: &str) -> Result<(), Failure> {
    if base64::is_valid(data) { Ok(()) } else { wrong(path, "is not base64") }
}
