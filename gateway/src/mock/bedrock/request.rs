//! A Converse request as a prompt.

use serde_json::Value;

use crate::mock::prompt::{Choice, Format, Prompt, Reasoning, ToolResult, tokens_of};
use crate::mock::settings::bare;
use crate::mock::vendor::{Memory, Target, inline, list, text};

pub(super) fn read(body: &Value, target: &Target, memory: &Memory) -> Prompt {
    let at = |path: &str| body.pointer(path).unwrap_or(&Value::Null);
    let choice = at("/toolConfig/toolChoice");
    let mut prompt = Prompt {
        model: target.model.clone(),
        stream: target.stream,
        limit: at("/inferenceConfig/maxTokens").as_u64(),
        candidates: 1,
        stops: list(at("/inferenceConfig"), "stopSequences")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        choice: match choice.as_object().and_then(|choice| choice.keys().next()).map(String::as_str) {
            Some("any") => Choice::Required,
            Some("tool") => Choice::Among(vec![text(at("/toolConfig/toolChoice/tool"), "name").to_owned()]),
            _ => Choice::Auto,
        },
        format: format(at("/outputConfig/textFormat/structure/jsonSchema")),
        reasoning: reasoning(bare(&target.model), at("/additionalModelRequestFields")),
        ..Prompt::default()
    };
    let mut marked = None;
    for tool in list(at("/toolConfig"), "tools") {
        let spec = tool.get("toolSpec").unwrap_or(&Value::Null);
        if spec.is_object() {
            prompt.tool(text(spec, "name"), spec.pointer("/inputSchema/json").unwrap_or(&Value::Null));
        }
        note_mark(tool, &prompt, &mut marked);
    }
    for block in list(body, "system") {
        prompt.instruct(text(block, "text"));
        note_mark(block, &prompt, &mut marked);
    }
    let mut names = Vec::new();
    for message in list(body, "messages") {
        prompt.next_turn();
        for block in list(message, "content") {
            read_block(text(message, "role"), block, &mut prompt, &mut names);
            note_mark(block, &prompt, &mut marked);
        }
    }
    settle(marked, body, memory, &mut prompt);
    prompt
}

fn reasoning(model: &str, fields: &Value) -> Reasoning {
    let wanted =
        matches!(fields.pointer("/thinking/type").and_then(Value::as_str), Some("enabled" | "adaptive"));
    if !wanted && !model.contains("think") {
        Reasoning::Off
    } else if model.contains("redacted") {
        Reasoning::Encrypted
    } else {
        Reasoning::Shown
    }
}

fn format(schema: &Value) -> Format {
    let schema = serde_json::from_str(text(schema, "schema")).ok();
    schema.map_or(Format::Text, Format::Schema)
}

fn read_block(role: &str, block: &Value, prompt: &mut Prompt, names: &mut Vec<(String, String)>) {
    let Some((kind, inside)) = block.as_object().and_then(|block| block.iter().next()) else { return };
    match kind.as_str() {
        "text" if role == "user" => prompt.say(inside.as_str().unwrap_or_default()),
        "text" => prompt.count(inside.as_str().unwrap_or_default()),
        "toolUse" => {
            names.push((text(inside, "toolUseId").to_owned(), text(inside, "name").to_owned()));
            prompt.count(text(inside, "name"));
            prompt.count(&inside.get("input").unwrap_or(&Value::Null).to_string());
        }
        "toolResult" => {
            let mut said = String::new();
            for part in list(inside, "content") {
                match part.get("json") {
                    Some(json) => said.push_str(&json.to_string()),
                    None if part.get("text").is_some() => said.push_str(text(part, "text")),
                    None => medium(part, prompt),
                }
            }
            prompt.count(&said);
            let id = text(inside, "toolUseId");
            let name = names.iter().rev().find(|(call, _)| call == id).map_or("?", |(_, name)| name.as_str());
            prompt.results.push(ToolResult {
                name: name.to_owned(),
                text: said,
                failed: text(inside, "status") == "error",
            });
        }
        "reasoningContent" => {
            prompt.count(inside.pointer("/reasoningText/text").and_then(Value::as_str).unwrap_or_default());
        }
        _ => medium(block, prompt),
    }
}

fn medium(block: &Value, prompt: &mut Prompt) {
    let Some((kind, inside)) = block.as_object().and_then(|block| block.iter().next()) else { return };
    let format = text(inside, "format");
    let source = inside.get("source").unwrap_or(&Value::Null);
    let described = |family: &str| match source.pointer("/s3Location/uri").and_then(Value::as_str) {
        Some(uri) => uri.to_owned(),
        None => inline(&format!("{family}/{format}"), text(source, "bytes")),
    };
    match kind.as_str() {
        "image" => prompt.images.push(described("image")),
        "document" => prompt.files.push(format!("{} {}", text(inside, "name"), described("document"))),
        "video" => prompt.files.push(described("video")),
        _ => {}
    }
}

/// Everything before a mark is to be cached; the last one counts.
fn note_mark(block: &Value, prompt: &Prompt, marked: &mut Option<(u64, bool)>) {
    if let Some(point) = block.get("cachePoint") {
        *marked = Some((tokens_of(prompt.bytes), text(point, "ttl") == "1h"));
    }
}

/// The second time the same beginning is read, not written.
fn settle(marked: Option<(u64, bool)>, body: &Value, memory: &Memory, prompt: &mut Prompt) {
    let Some((tokens, long)) = marked else { return };
    let digest = blake3::hash(format!("{} {}", prompt.system, body.get("toolConfig").is_some()).as_bytes());
    let short = digest.as_bytes().iter().take(8).fold(tokens, |number, byte| number << 8 | u64::from(*byte));
    if memory.knows(short) {
        prompt.cached.read = tokens;
    } else {
        memory.learn(short);
        prompt.cached.written = tokens;
        prompt.cached.long = long;
    }
}
