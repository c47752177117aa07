//! A Gemini request as a prompt.

use serde_json::Value;

use super::shape::{field, items, word};
use crate::mock::prompt::{Choice, Format, Prompt, Reasoning, ToolResult};
use crate::mock::settings::bare;
use crate::mock::vendor::{Target, inline};

/// Whether calls of this model carry ids and signatures, as from Gemini 3 on.
pub(super) fn signs_calls(model: &str) -> bool {
    let model = bare(model);
    model.contains("think") || model.contains("gemini-3")
}

pub(super) fn read(body: &Value, target: &Target) -> Prompt {
    let generation = field(body, "generationConfig");
    let mut prompt = Prompt {
        model: target.model.clone(),
        stream: target.stream,
        limit: field(generation, "maxOutputTokens").as_u64(),
        candidates: field(generation, "candidateCount")
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(1),
        stops: items(generation, "stopSequences")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        choice: choice(body),
        format: format(generation),
        reasoning: reasoning(generation, &target.model),
        ..Prompt::default()
    };
    prompt.extras.events = target.events;
    prompt.extras.signed_calls = signs_calls(&target.model);
    for declaration in items(body, "tools").iter().flat_map(|tool| items(tool, "functionDeclarations")) {
        let schema = match field(declaration, "parametersJsonSchema") {
            Value::Null => field(declaration, "parameters"),
            schema => schema,
        };
        prompt.tool(word(declaration, "name"), schema);
    }
    for part in items(field(body, "systemInstruction"), "parts") {
        prompt.instruct(word(part, "text"));
    }
    for content in items(body, "contents") {
        prompt.next_turn();
        for part in items(content, "parts") {
            one_part(&mut prompt, word(content, "role"), part);
        }
    }
    if !word(body, "cachedContent").is_empty() {
        /// What lies in the cache the client names, always.
        const CACHED: usize = 256;
        prompt.bytes += CACHED;
        prompt.cached.read = crate::mock::prompt::tokens_of(CACHED);
    }
    prompt
}

fn reasoning(generation: &Value, model: &str) -> Reasoning {
    let config = field(generation, "thinkingConfig");
    let thinks = bare(model).contains("think");
    let asked = field(config, "thinkingBudget").as_i64().is_some_and(|budget| budget != 0)
        || !word(config, "thinkingLevel").is_empty();
    match field(config, "includeThoughts").as_bool() {
        _ if field(config, "thinkingBudget").as_i64() == Some(0) => Reasoning::Off,
        Some(true) => Reasoning::Shown,
        Some(false) if thinks || asked => Reasoning::Hidden,
        None if thinks => Reasoning::Shown,
        None if asked => Reasoning::Hidden,
        _ => Reasoning::Off,
    }
}

fn choice(body: &Value) -> Choice {
    let config = field(field(body, "toolConfig"), "functionCallingConfig");
    let names = items(config, "allowedFunctionNames");
    match word(config, "mode").to_ascii_uppercase().as_str() {
        "NONE" => Choice::None,
        "ANY" if names.is_empty() => Choice::Required,
        "ANY" => Choice::Among(names.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        _ => Choice::Auto,
    }
}

fn format(generation: &Value) -> Format {
    for name in ["responseJsonSchema", "responseSchema"] {
        let schema = field(generation, name);
        if !schema.is_null() {
            return Format::Schema(schema.clone());
        }
    }
    if word(generation, "responseMimeType") == "application/json" { Format::Json } else { Format::Text }
}

fn one_part(prompt: &mut Prompt, role: &str, part: &Value) {
    let text = word(part, "text");
    if role == "model" || field(part, "thought") == &Value::Bool(true) {
        prompt.count(text);
    } else if !text.is_empty() {
        prompt.say(text);
    }
    media(prompt, part);
    let call = field(part, "functionCall");
    if !call.is_null() {
        prompt.count(word(call, "name"));
        prompt.count(&field(call, "args").to_string());
    }
    let response = field(part, "functionResponse");
    if !response.is_null() {
        result(prompt, response);
    }
}

fn result(prompt: &mut Prompt, response: &Value) {
    let value = field(response, "response");
    let (found, failed) = match (value.get("output").or_else(|| value.get("result")), value.get("error")) {
        (_, Some(error)) => (error, true),
        (Some(output), None) => (output, false),
        (None, None) => (value, false),
    };
    let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    prompt.count(&text);
    for part in items(response, "parts") {
        media(prompt, part);
    }
    prompt.results.push(ToolResult { name: word(response, "name").to_owned(), text, failed });
}

fn media(prompt: &mut Prompt, part: &Value) {
    let (data, file) = (field(part, "inlineData"), field(part, "fileData"));
    let (mime, described) = if !data.is_null() {
        (word(data, "mimeType"), inline(word(data, "mimeType"), word(data, "data")))
    } else if !file.is_null() {
        (word(file, "mimeType"), word(file, "fileUri").to_owned())
    } else {
        return;
    };
    let place = match mime.split('/').next() {
        Some("image") => &mut prompt.images,
        Some("audio") => &mut prompt.sounds,
        // A link without a type could be anything; most are pictures.
        Some("") | None => &mut prompt.images,
        _ => &mut prompt.files,
    };
    place.push(described);
}
