//! What Anthropic refuses. Only rules that catch a wrong translation; the words are close to the real ones.

use hyper::HeaderMap;
use serde_json::Value;

use super::turns;
use crate::mock::settings::bare;
use crate::mock::vendor::{Complaint, given, list, text};

type Checked = Result<(), Complaint>;

const FIELDS: &[&str] = &[
    "model",
    "max_tokens",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "stop_sequences",
    "stream",
    "thinking",
    "output_config",
    "metadata",
    "service_tier",
    "cache_control",
    "container",
    "inference_geo",
    "speed",
    "temperature",
    "top_p",
    "top_k",
    "diagnostics",
    "user_profile_id",
    "workspace_id",
];

/// Fields that need an `anthropic-beta` header.
const BETA_FIELDS: &[&str] = &["context_management", "mcp_servers", "output_format"];

/// Tools of Anthropic's own have other fields than a client's.
const TOOL_FIELDS: &[&str] = &[
    "type",
    "name",
    "description",
    "input_schema",
    "cache_control",
    "strict",
    "defer_loading",
    "input_examples",
    "eager_input_streaming",
    "allowed_callers",
];

/// Most marks for the prompt cache.
const MOST_MARKS: usize = 4;

pub(super) fn check(headers: &HeaderMap, body: &Value) -> Checked {
    if !headers.contains_key("anthropic-version") {
        return refuse("anthropic-version: header is required");
    }
    let mut known = FIELDS.to_vec();
    if headers.contains_key("anthropic-beta") {
        known.extend(BETA_FIELDS);
    }
    if given(body, "thread").is_some() {
        // Its clients then go on without one.
        let complaint = Complaint::invalid("thread: a mock holds no conversations");
        return Err(complaint.code("thread_unsupported_request"));
    }
    fields(body, "", &known)?;
    for name in ["model", "max_tokens", "messages"] {
        if given(body, name).is_none() {
            return refuse(format!("{name}: Field required"));
        }
    }
    settings(body)?;
    tools(body)?;
    let Some(messages) = body.get("messages").and_then(Value::as_array) else {
        return refuse("messages: Input should be a valid list");
    };
    if messages.is_empty() {
        return refuse("messages: at least one message is required");
    }
    system(body)?;
    let instructs = headers
        .get_all("anthropic-beta")
        .iter()
        .any(|beta| beta.to_str().is_ok_and(|beta| beta.contains("mid-conversation-")));
    for (index, message) in messages.iter().enumerate() {
        // Instructions in the middle: what Claude Code asks for before anything else.
        if instructs && index > 0 && text(message, "role") == "system" {
            fields(message, &format!("messages.{index}"), &["role", "content"])?;
            continue;
        }
        one_message(message, index, index + 1 == messages.len())?;
    }
    let turns = turns::of(messages);
    turns::pairs(&turns)?;
    turns::signatures(&turns)?;
    if body.pointer("/thinking/type").and_then(Value::as_str) == Some("enabled") {
        turns::thinking_is_returned(&turns)?;
    }
    marks(body)
}

fn refuse(message: impl Into<String>) -> Checked {
    Err(Complaint::invalid(message))
}

fn fields(value: &Value, path: &str, known: &[&str]) -> Checked {
    let Value::Object(fields) = value else { return refuse(format!("{path}: Input should be an object")) };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) if path.is_empty() => refuse(format!("{name}: Extra inputs are not permitted")),
        Some(name) => refuse(format!("{path}.{name}: Extra inputs are not permitted")),
        None => Ok(()),
    }
}

fn settings(body: &Value) -> Checked {
    let limit = match body.get("max_tokens").and_then(Value::as_u64) {
        Some(limit) if limit > 0 => limit,
        _ => return refuse("max_tokens: Input should be greater than or equal to 1"),
    };
    let thinking = body.get("thinking").unwrap_or(&Value::Null);
    let kind = text(thinking, "type");
    let model = bare(text(body, "model"));
    let modern = ["opus-4-7", "opus-4-8", "opus-5", "sonnet-5"].iter().any(|name| model.contains(name));
    for name in ["temperature", "top_p"] {
        let Some(value) = given(body, name) else { continue };
        let Some(number) = value.as_f64().filter(|number| (0.0..=1.0).contains(number)) else {
            return refuse(format!("{name}: range: 0..1"));
        };
        let usual = (number - 1.0).abs() < f64::EPSILON;
        if name == "temperature" && kind == "enabled" && !usual {
            return refuse("`temperature` may only be set to 1 when thinking is enabled.");
        }
        if modern && !usual {
            return refuse(format!("`{name}` is not supported by this model"));
        }
    }
    if kind == "enabled" {
        if modern {
            return refuse("thinking.type: \"enabled\" is not supported for this model. Use \"adaptive\".");
        }
        let Some(budget) = thinking.get("budget_tokens").and_then(Value::as_u64) else {
            return refuse("thinking.enabled.budget_tokens: Field required");
        };
        if budget < 1024 {
            return refuse("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
        }
        if budget >= limit {
            return refuse("`max_tokens` must be greater than `thinking.budget_tokens`.");
        }
        let choice = body.pointer("/tool_choice/type").and_then(Value::as_str);
        if matches!(choice, Some("any" | "tool")) {
            return refuse("Thinking may not be enabled when tool_choice forces tool use.");
        }
    }
    if !kind.is_empty() && !["enabled", "adaptive", "disabled"].contains(&kind) {
        return refuse(format!(
            "thinking: Input tag '{kind}' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'"
        ));
    }
    if let Some(config) = given(body, "output_config") {
        fields(config, "output_config", &["effort", "format", "task_budget"])?;
        if let Some(format) = given(config, "format") {
            fields(format, "output_config.format", &["type", "schema"])?;
        }
    }
    if let Some(metadata) = given(body, "metadata") {
        fields(metadata, "metadata", &["user_id"])?;
    }
    if list(body, "stop_sequences").iter().any(|stop| stop.as_str().is_none_or(|stop| stop.trim().is_empty()))
    {
        return refuse("stop_sequences: each stop sequence must contain non-whitespace");
    }
    Ok(())
}

fn tools(body: &Value) -> Checked {
    let declared = list(body, "tools");
    let choice = body.get("tool_choice").unwrap_or(&Value::Null);
    if !choice.is_null() {
        let known: &[&str] = match text(choice, "type") {
            "auto" | "any" => &["type", "disable_parallel_tool_use"],
            "tool" => &["type", "name", "disable_parallel_tool_use"],
            "none" => &["type"],
            kind => {
                return refuse(format!(
                    "tool_choice: Input tag '{kind}' found using 'type' does not match any of the expected tags: 'any', 'auto', 'none', 'tool'"
                ));
            }
        };
        fields(choice, "tool_choice", known)?;
        if declared.is_empty() {
            return refuse("tool_choice may only be specified while providing tools");
        }
        let name = text(choice, "name");
        if text(choice, "type") == "tool" && !declared.iter().any(|tool| text(tool, "name") == name) {
            return refuse(format!("Tool '{name}' not found in provided tools"));
        }
    }
    let mut names = Vec::new();
    for (index, tool) in declared.iter().enumerate() {
        let name = text(tool, "name");
        if names.contains(&name) && !name.is_empty() {
            return refuse("tools: Tool names must be unique.");
        }
        names.push(name);
        if !["", "custom"].contains(&text(tool, "type")) {
            continue;
        }
        let path = format!("tools.{index}.custom");
        fields(tool, &path, TOOL_FIELDS)?;
        if !is_id(name) || name.len() > 128 {
            return refuse(format!("{path}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"));
        }
        match tool.get("input_schema") {
            Some(schema) if text(schema, "type") == "object" => {}
            Some(schema) if schema.get("type").is_none() => {
                return refuse(format!("{path}.input_schema.type: Field required"));
            }
            Some(_) => return refuse(format!("{path}.input_schema.type: Input should be 'object'")),
            None => return refuse(format!("{path}.input_schema: Field required")),
        }
    }
    Ok(())
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn system(body: &Value) -> Checked {
    match given(body, "system") {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) => blocks.iter().enumerate().try_for_each(|(index, block)| {
            let path = format!("system.{index}");
            if text(block, "type") != "text" {
                return refuse(format!("{path}.type: Input should be 'text'"));
            }
            one_block(block, &path)
        }),
        Some(_) => refuse("system: Input should be a valid string or list"),
    }
}

fn one_message(message: &Value, index: usize, last: bool) -> Checked {
    let path = format!("messages.{index}");
    let role = text(message, "role");
    match role {
        "user" | "assistant" => {}
        "system" => {
            return refuse(
                "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role.",
            );
        }
        _ => {
            return refuse(format!(
                "messages: Unexpected role \"{role}\". Allowed roles are \"user\" or \"assistant\""
            ));
        }
    }
    fields(message, &path, &["role", "content"])?;
    let prefill = last && role == "assistant";
    let blocks = match message.get("content") {
        Some(Value::String(content)) if content.is_empty() && !prefill => {
            return refuse(format!(
                "{path}: all messages must have non-empty content except for the optional final assistant message"
            ));
        }
        Some(Value::String(content)) if prefill && content.trim_end() != content => {
            return refuse("messages: final assistant content cannot end with trailing whitespace");
        }
        Some(Value::String(_)) => return Ok(()),
        Some(Value::Array(blocks)) => blocks,
        _ => return refuse(format!("{path}.content: Field required")),
    };
    if blocks.is_empty() && !prefill {
        return refuse(format!(
            "{path}: all messages must have non-empty content except for the optional final assistant message"
        ));
    }
    for (at, block) in blocks.iter().enumerate() {
        let path = format!("{path}.content.{at}");
        let kind = text(block, "type");
        let wrong = match role {
            "user" => ["tool_use", "thinking", "redacted_thinking"].contains(&kind),
            _ => ["tool_result", "image", "document"].contains(&kind),
        };
        if wrong {
            return refuse(format!("{path}: `{kind}` blocks are not allowed in `{role}` messages"));
        }
        one_block(block, &path)?;
    }
    Ok(())
}

fn one_block(block: &Value, path: &str) -> Checked {
    let kind = text(block, "type");
    let known: &[&str] = match kind {
        "text" => &["type", "text", "cache_control", "citations"],
        "image" => &["type", "source", "cache_control", "transformations"],
        "document" => &["type", "source", "title", "context", "citations", "cache_control"],
        "tool_use" => &["type", "id", "name", "input", "cache_control", "caller", "toolset_name"],
        "tool_result" => &["type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"],
        "thinking" => &["type", "thinking", "signature"],
        "redacted_thinking" => &["type", "data"],
        "search_result" => &["type", "source", "title", "content", "citations", "cache_control"],
        "server_tool_use" | "tool_reference" | "container_upload" | "compaction" => return Ok(()),
        _ if kind.ends_with("_tool_result") => return Ok(()),
        _ => {
            return refuse(format!(
                "{path}: Input tag '{kind}' found using 'type' does not match any of the expected tags"
            ));
        }
    };
    fields(block, &format!("{path}.{kind}"), known)?;
    match kind {
        "text" if text(block, "text").is_empty() => refuse("messages: text content blocks must be non-empty"),
        "text" if text(block, "text").trim().is_empty() => {
            refuse("messages: text content blocks must contain non-whitespace text")
        }
        "image" | "document" => source(block, path, kind),
        "tool_use" if !is_id(text(block, "id")) => {
            refuse(format!("{path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"))
        }
        "tool_use" if !is_id(text(block, "name")) => {
            refuse(format!("{path}.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"))
        }
        "tool_use" if !block.get("input").is_some_and(Value::is_object) => {
            refuse(format!("{path}.tool_use.input: Input should be a valid dictionary"))
        }
        "tool_result" if !is_id(text(block, "tool_use_id")) => {
            refuse(format!("{path}.tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'"))
        }
        "tool_result" => {
            let mut parts = list(block, "content").iter().enumerate();
            parts.try_for_each(|(at, part)| one_block(part, &format!("{path}.tool_result.content.{at}")))
        }
        "thinking" if !block.get("signature").is_some_and(Value::is_string) => {
            refuse(format!("{path}.thinking.signature: Field required"))
        }
        _ => Ok(()),
    }
}

fn source(block: &Value, path: &str, kind: &str) -> Checked {
    let path = format!("{path}.{kind}.source");
    let Some(source) = block.get("source") else { return refuse(format!("{path}: Field required")) };
    match (text(source, "type"), kind) {
        ("base64", _) => {
            fields(source, &format!("{path}.base64"), &["type", "media_type", "data"])?;
            let media: &[&str] = match kind {
                "image" => &["image/jpeg", "image/png", "image/gif", "image/webp"],
                _ => &["application/pdf"],
            };
            if !media.contains(&text(source, "media_type")) {
                return refuse(format!("{path}.base64.media_type: Input should be '{}'", media.join("', '")));
            }
            if text(source, "data").is_empty() || text(source, "data").starts_with("data:") {
                return refuse(format!("{path}.base64.data: invalid base64 data"));
            }
            Ok(())
        }
        ("url", _) => fields(source, &format!("{path}.url"), &["type", "url"]),
        ("file", _) => fields(source, &format!("{path}.file"), &["type", "file_id"]),
        ("text", "document") => fields(source, &format!("{path}.text"), &["type", "media_type", "data"]),
        ("content", "document") => fields(source, &format!("{path}.content"), &["type", "content"]),
        (found, _) => refuse(format!(
            "{path}: Input tag '{found}' found using 'type' does not match any of the expected tags"
        )),
    }
}

fn marks(body: &Value) -> Checked {
    let own = usize::from(given(body, "cache_control").is_some());
    let number =
        own + ["tools", "system", "messages"].iter().map(|name| marks_in(body.get(*name))).sum::<usize>();
    if number > MOST_MARKS {
        return refuse(format!(
            "A maximum of {MOST_MARKS} blocks with cache_control may be provided. Found {number}."
        ));
    }
    Ok(())
}

fn marks_in(value: Option<&Value>) -> usize {
    match value {
        Some(Value::Array(items)) => items.iter().map(|item| marks_in(Some(item))).sum(),
        Some(Value::Object(fields)) => {
            let own = usize::from(fields.get("cache_control").is_some_and(|mark| !mark.is_null()));
            own + marks_in(fields.get("content"))
        }
        _ => 0,
    }
}
