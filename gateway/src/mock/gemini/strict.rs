//! What Google refuses. Only rules that catch a wrong translation; the words are close to the real ones.

use serde_json::Value;

use super::SIGNER;
use super::shape::{REQUEST, field, items, word};
use crate::mock::signature;
use crate::mock::vendor::Complaint;

type Checked = Result<(), Complaint>;

/// State from elsewhere that Google takes, as text and in base64.
const SKIPPED: [&str; 2] =
    ["skip_thought_signature_validator", "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="];

pub(super) fn check(body: &Value, signs_calls: bool) -> Checked {
    REQUEST.check(body, "")?;
    let contents = items(body, "contents");
    if contents.is_empty() {
        return refuse("* GenerateContentRequest.contents: contents is not specified\n");
    }
    contents.iter().enumerate().try_for_each(|(index, content)| one_content(content, index))?;
    generation(field(body, "generationConfig"))?;
    tools(body)?;
    turns(contents)?;
    signatures(contents, signs_calls)
}

fn refuse(message: impl Into<String>) -> Checked {
    Err(Complaint::invalid(message))
}

fn one_content(content: &Value, index: usize) -> Checked {
    let role = word(content, "role");
    if !["", "user", "model"].contains(&role) {
        return refuse("Please use a valid role: user, model.");
    }
    let parts = items(content, "parts");
    let path = format!("* GenerateContentRequest.contents[{index}].parts");
    if parts.is_empty() {
        return refuse(format!("{path}: contents.parts must not be empty.\n"));
    }
    for (at, part) in parts.iter().enumerate() {
        let data = [
            "text",
            "inlineData",
            "fileData",
            "functionCall",
            "functionResponse",
            "executableCode",
            "codeExecutionResult",
            "toolCall",
            "toolResponse",
        ];
        match data.iter().filter(|name| !field(part, name).is_null()).count() {
            0 if word(part, "thoughtSignature").is_empty() => {
                return refuse(format!(
                    "{path}[{at}].data: required oneof field 'data' must have one initialized field\n"
                ));
            }
            0 | 1 => {}
            _ => {
                return refuse(format!(
                    "Invalid value at 'contents[{index}].parts[{at}]' (oneof), oneof field 'data' is already set."
                ));
            }
        }
        function(part, role, &format!("contents[{index}].parts[{at}]"))?;
    }
    Ok(())
}

fn function(part: &Value, role: &str, path: &str) -> Checked {
    let (call, response) = (field(part, "functionCall"), field(part, "functionResponse"));
    for (value, name, inner, wanted) in
        [(call, "function_call", "args", "model"), (response, "function_response", "response", "user")]
    {
        if value.is_null() {
            continue;
        }
        if role != wanted {
            return refuse(format!("Please ensure that {name} parts come with role \"{wanted}\"."));
        }
        if word(value, "name").is_empty() {
            return refuse(format!("* GenerateContentRequest.{path}.{name}.name: Name cannot be empty.\n"));
        }
        let inside = field(value, inner);
        if !inside.is_object() && !inside.is_null() {
            let message = format!(
                "Invalid value at '{path}.{name}.{inner}' (type.googleapis.com/google.protobuf.Struct), {inside}"
            );
            return Err(Complaint::invalid(message).at(format!("{path}.{name}.{inner}")));
        }
    }
    let data = field(part, "inlineData");
    if !data.is_null() && (word(data, "mimeType").is_empty() || word(data, "data").starts_with("data:")) {
        return refuse(format!(
            "* GenerateContentRequest.{path}.inline_data: needs a mime type and plain base64.\n"
        ));
    }
    Ok(())
}

fn generation(generation: &Value) -> Checked {
    let most = [("temperature", 2.0), ("topP", 1.0), ("candidateCount", 8.0)];
    for (name, most) in most {
        let value = field(generation, name);
        if !value.is_null() && !value.as_f64().is_some_and(|number| (0.0..=most).contains(&number)) {
            return refuse(format!(
                "* GenerateContentRequest.generation_config.{name}: must be in the range [0.0, {most}].\n"
            ));
        }
    }
    if items(generation, "stopSequences").len() > 5 {
        return refuse("Unable to submit request because the number of stop sequences must not exceed 5.");
    }
    let schemas = ["responseSchema", "responseJsonSchema"]
        .iter()
        .filter(|name| !field(generation, name).is_null())
        .count();
    if schemas > 1 {
        return refuse("Only one of response_schema and response_json_schema may be set.");
    }
    let mime = word(generation, "responseMimeType");
    if schemas == 1 && !["application/json", "text/x.enum"].contains(&mime) {
        return refuse("Response schema is only supported with response_mime_type application/json.");
    }
    let thinking = field(generation, "thinkingConfig");
    if !field(thinking, "thinkingBudget").is_null() && !field(thinking, "thinkingLevel").is_null() {
        return refuse("You can only set only one of thinking budget and thinking level.");
    }
    Ok(())
}

fn tools(body: &Value) -> Checked {
    let mut names = Vec::new();
    for declaration in items(body, "tools").iter().flat_map(|tool| items(tool, "functionDeclarations")) {
        let name = word(declaration, "name");
        let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte));
        if !starts || !plain || name.len() > 64 {
            return refuse(format!(
                "* GenerateContentRequest.tools[0].function_declarations[{}].name: [FIELD_INVALID] Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.\n",
                names.len()
            ));
        }
        if names.contains(&name) {
            return refuse(format!("Duplicate function declaration found: {name}"));
        }
        if !field(declaration, "parameters").is_null()
            && !field(declaration, "parametersJsonSchema").is_null()
        {
            return refuse("Only one of parameters and parameters_json_schema may be set.");
        }
        names.push(name);
    }
    let config = field(field(body, "toolConfig"), "functionCallingConfig");
    let allowed = items(config, "allowedFunctionNames");
    if !allowed.is_empty()
        && !["ANY", "VALIDATED"].contains(&word(config, "mode").to_ascii_uppercase().as_str())
    {
        return refuse("allowed_function_names should be set only when function calling mode is ANY.");
    }
    match allowed.iter().filter_map(Value::as_str).find(|name| !names.contains(name)) {
        Some(name) => refuse(format!("allowed_function_names contains an unknown function: {name}")),
        None => Ok(()),
    }
}

fn parts_with<'a>(content: &'a Value, name: &str) -> Vec<&'a Value> {
    items(content, "parts").iter().map(|part| field(part, name)).filter(|value| !value.is_null()).collect()
}

/// The calls of a turn are answered right behind it, all of them and nothing else. Contents of one role in a row
/// count as one turn.
fn turns(contents: &[Value]) -> Checked {
    let mut calls: Vec<&Value> = Vec::new();
    for turn in contents.chunk_by(|one, next| word(one, "role") == word(next, "role")) {
        let responses: Vec<_> =
            turn.iter().flat_map(|content| parts_with(content, "functionResponse")).collect();
        if responses.len() != calls.len() {
            return refuse(
                "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
            );
        }
        // Google itself is said to be milder here; a wrong name is always a wrong translation.
        let mut open: Vec<_> = calls.iter().map(|call| word(call, "name")).collect();
        for response in &responses {
            let name = word(response, "name");
            let Some(at) = open.iter().position(|one| *one == name) else {
                return refuse(format!(
                    "Function response `{name}` does not match any function call of the turn before."
                ));
            };
            open.remove(at);
        }
        ids(&calls, &responses)?;
        calls = turn.iter().flat_map(|content| parts_with(content, "functionCall")).collect();
    }
    if calls.is_empty() {
        return Ok(());
    }
    refuse("Please ensure that function call turn is followed by a function response turn.")
}

/// A response with an id answers the call with that id.
fn ids(calls: &[&Value], responses: &[&Value]) -> Checked {
    for response in responses {
        let id = word(response, "id");
        if id.is_empty() || calls.iter().all(|call| word(call, "id").is_empty()) {
            continue;
        }
        let matching = calls.iter().find(|call| word(call, "id") == id);
        if matching.is_none_or(|call| word(call, "name") != word(response, "name")) {
            return refuse(format!("Function response with id `{id}` does not match its function call."));
        }
    }
    Ok(())
}

/// Signatures are our own; models that sign want the first call of each step of the current turn signed.
fn signatures(contents: &[Value], signs_calls: bool) -> Checked {
    for part in contents.iter().flat_map(|content| items(content, "parts")) {
        let signature = word(part, "thoughtSignature");
        if !signature.is_empty() && !SKIPPED.contains(&signature) && !signature::is_own(SIGNER, signature) {
            return refuse("Corrupted thought signature.");
        }
    }
    if !signs_calls {
        return Ok(());
    }
    let spoken = |content: &Value| {
        word(content, "role") != "model" && parts_with(content, "functionResponse").is_empty()
    };
    let start = contents.iter().rposition(spoken).map_or(0, |at| at + 1);
    let current =
        contents.iter().enumerate().skip(start).filter(|(_, content)| word(content, "role") == "model");
    for (position, content) in current {
        let first = items(content, "parts").iter().find(|part| !field(part, "functionCall").is_null());
        let Some(first) = first.filter(|part| word(part, "thoughtSignature").is_empty()) else { continue };
        return refuse(format!(
            "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:{}` , position {}.",
            word(field(first, "functionCall"), "name"),
            position + 1
        ));
    }
    Ok(())
}
