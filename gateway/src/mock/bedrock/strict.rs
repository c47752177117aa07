//! What Converse refuses. Only rules that catch a wrong translation; the words are close to the real ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::SIGNER;
use crate::mock::signature;
use crate::mock::vendor::{Complaint, list, text};

type Checked = Result<(), Complaint>;

const FIELDS: &[&str] = &[
    "messages",
    "system",
    "inferenceConfig",
    "toolConfig",
    "guardrailConfig",
    "additionalModelRequestFields",
    "promptVariables",
    "additionalModelResponseFieldPaths",
    "requestMetadata",
    "performanceConfig",
    "serviceTier",
    "outputConfig",
];

const BLOCKS: &[&str] = &[
    "text",
    "image",
    "document",
    "video",
    "audio",
    "toolUse",
    "toolResult",
    "guardContent",
    "cachePoint",
    "reasoningContent",
    "citationsContent",
    "searchResult",
];

pub(super) fn check(body: &Value) -> Checked {
    only(body, "", FIELDS)?;
    inference(body.get("inferenceConfig").unwrap_or(&Value::Null))?;
    thinking(body)?;
    for (index, block) in list(body, "system").iter().enumerate() {
        let kind = kind_of(block, &format!("system.{index}"), &["text", "guardContent", "cachePoint"])?;
        if kind == "text" {
            said(block, "SystemContentBlock", &format!("system.{index}"))?;
        }
    }
    tools(body)?;
    let messages = list(body, "messages");
    if messages.is_empty() {
        return refuse("The value at messages is empty. Add at least one message, and try again.");
    }
    let mut calls: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let path = format!("messages.{index}");
        only(message, &path, &["role", "content"])?;
        let role = text(message, "role");
        if !matches!(role, "user" | "assistant") {
            return refuse(format!("Value at '{path}.role' failed to satisfy constraint: [user, assistant]"));
        }
        if index > 0 && messages.get(index - 1).is_some_and(|before| text(before, "role") == role) {
            return refuse(
                "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.",
            );
        }
        content(message, &path)?;
        results(message, &path, &calls)?;
        calls = uses(message, "toolUse");
    }
    if !calls.is_empty() {
        return refuse("The last turn's toolUse blocks have no toolResult blocks.");
    }
    Ok(())
}

fn refuse(message: impl Into<String>) -> Checked {
    Err(Complaint::invalid(message))
}

fn only(value: &Value, path: &str, known: &[&str]) -> Checked {
    let Value::Object(fields) = value else { return refuse(format!("{path}: expected an object")) };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => refuse(format!(
            "Malformed input request: #{path}: extraneous key [{name}] is not permitted, please reformat your input and try again."
        )),
        None => Ok(()),
    }
}

fn inference(config: &Value) -> Checked {
    if config.is_null() {
        return Ok(());
    }
    only(config, "/inferenceConfig", &["maxTokens", "temperature", "topP", "stopSequences"])?;
    if config.get("maxTokens").is_some_and(|most| most.as_u64().is_none_or(|most| most == 0)) {
        return refuse(
            "Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1",
        );
    }
    for name in ["temperature", "topP"] {
        let within = |value: &Value| value.as_f64().is_some_and(|value| (0.0..=1.0).contains(&value));
        if config.get(name).is_some_and(|value| !within(value)) {
            return refuse(format!(
                "Value at 'inferenceConfig.{name}' failed to satisfy constraint: Member must have value less than or equal to 1"
            ));
        }
    }
    Ok(())
}

/// Claude's demands on a budget.
fn thinking(body: &Value) -> Checked {
    let thinking = body.pointer("/additionalModelRequestFields/thinking").unwrap_or(&Value::Null);
    if text(thinking, "type") != "enabled" {
        return Ok(());
    }
    let limit = body.pointer("/inferenceConfig/maxTokens").and_then(Value::as_u64);
    match thinking.get("budget_tokens").and_then(Value::as_u64) {
        Some(budget) if budget < 1024 => refuse(
            "The model returned the following errors: thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        Some(budget) if limit.is_none_or(|limit| budget >= limit) => refuse(
            "The model returned the following errors: `max_tokens` must be greater than `thinking.budget_tokens`.",
        ),
        Some(_) => Ok(()),
        None => {
            refuse("The model returned the following errors: thinking.enabled.budget_tokens: Field required")
        }
    }
}

fn tools(body: &Value) -> Checked {
    let uses_tools = list(body, "messages")
        .iter()
        .flat_map(|message| list(message, "content"))
        .any(|block| block.get("toolUse").is_some() || block.get("toolResult").is_some());
    let Some(config) = body.get("toolConfig") else {
        return match uses_tools {
            true => refuse(
                "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
            ),
            false => Ok(()),
        };
    };
    only(config, "/toolConfig", &["tools", "toolChoice"])?;
    for (index, tool) in list(config, "tools").iter().enumerate() {
        let path = format!("toolConfig.tools.{index}");
        if kind_of(tool, &path, &["toolSpec", "systemTool", "cachePoint"])? != "toolSpec" {
            continue;
        }
        let spec = tool.get("toolSpec").unwrap_or(&Value::Null);
        only(spec, &path, &["name", "description", "inputSchema", "strict"])?;
        if text(spec, "name").is_empty() || spec.get("description").is_some_and(|words| words == "") {
            return refuse(format!(
                "Value at '{path}.toolSpec' failed to satisfy constraint: Member must have length greater than or equal to 1"
            ));
        }
        if spec.pointer("/inputSchema/json/type").and_then(Value::as_str) != Some("object") {
            return refuse(format!(
                "The value at {path}.toolSpec.inputSchema.json.type must be one of the following: object."
            ));
        }
    }
    match config.get("toolChoice") {
        Some(choice) => kind_of(choice, "toolConfig.toolChoice", &["auto", "any", "tool"]).map(drop),
        None => Ok(()),
    }
}

/// What a union is; AWS allows exactly one field.
fn kind_of<'a>(value: &'a Value, path: &str, known: &[&str]) -> Result<&'a str, Complaint> {
    let fields = value.as_object().map(|fields| fields.keys().collect::<Vec<_>>()).unwrap_or_default();
    match fields.as_slice() {
        [only] if known.contains(&only.as_str()) => Ok(only),
        _ => {
            Err(Complaint::invalid(format!("The value at {path} must have exactly one member of {known:?}")))
        }
    }
}

fn said(block: &Value, union: &str, path: &str) -> Checked {
    if text(block, "text").trim().is_empty() {
        return refuse(format!(
            "The text field in the {union} object at {path} is blank. Add text to the text field, and try again."
        ));
    }
    Ok(())
}

fn content(message: &Value, path: &str) -> Checked {
    let blocks = list(message, "content");
    if blocks.is_empty() {
        return refuse(format!(
            "The content field in the Message object at {path} is empty. Add a ContentBlock object to the content field and try again."
        ));
    }
    let mut names: Vec<&str> = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let here = format!("{path}.content.{index}");
        let kind = kind_of(block, &here, BLOCKS)?;
        let inside = block.get(kind).unwrap_or(&Value::Null);
        match kind {
            "text" => said(block, "ContentBlock", &here)?,
            "toolUse" if !inside.get("input").is_some_and(Value::is_object) => {
                return refuse(format!(
                    "The format of the value at {here}.toolUse.input is invalid. Provide a json object for the field and try again."
                ));
            }
            "reasoningContent" => thought(inside, &here)?,
            "document" => {
                let name = text(inside, "name");
                let legal = |letter: char| letter.is_ascii_alphanumeric() || " -()[]".contains(letter);
                if name.is_empty() || !name.chars().all(legal) || names.contains(&name) {
                    return refuse(format!(
                        "The document file name at {here} can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets, and must be unique."
                    ));
                }
                names.push(name);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Thoughts come back with the signature they had.
fn thought(inside: &Value, path: &str) -> Checked {
    let signature = inside.pointer("/reasoningText/signature").and_then(Value::as_str);
    let redacted = inside.get("redactedContent").and_then(Value::as_str);
    let own = match (signature, redacted) {
        (_, Some(data)) => STANDARD
            .decode(data)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .is_some_and(|state| signature::is_own(SIGNER, &state)),
        (Some(signature), None) => {
            let said = inside.pointer("/reasoningText/text").and_then(Value::as_str).unwrap_or_default();
            signature::is_for(SIGNER, signature, said)
        }
        (None, None) => true,
    };
    if own {
        return Ok(());
    }
    refuse(format!(
        "The model returned the following errors: {path}: Invalid `signature` in `thinking` block"
    ))
}

fn uses<'a>(message: &'a Value, kind: &str) -> Vec<&'a str> {
    list(message, "content")
        .iter()
        .filter_map(|block| block.get(kind))
        .map(|block| text(block, "toolUseId"))
        .collect()
}

/// Each call is answered in the next turn; nothing is answered that was not called.
fn results(message: &Value, path: &str, calls: &[&str]) -> Checked {
    let answered = uses(message, "toolResult");
    let missing: Vec<_> = calls.iter().filter(|id| !answered.contains(id)).collect();
    if !missing.is_empty() {
        return refuse(format!(
            "Expected toolResult blocks at {path}.content for the following Ids: {missing:?}"
        ));
    }
    if answered.iter().any(|id| !calls.contains(id)) || answered.len() != calls.len() {
        return refuse(format!(
            "The number of toolResult blocks at {path}.content exceeds the number of toolUse blocks of previous turn."
        ));
    }
    Ok(())
}
