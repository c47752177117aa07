//! Sampling, tools, thinking and the form of the answer.

use crate::dialect::chat::{
    Chat, Function, Json, JsonSchema, Own, Reasoning, ResponseFormat, Tool, ToolChoice,
};
use crate::dialect::object::{self, Object, Path};
use crate::error::GatewayError;

/// Takes out of `rest` what canonical chat has a name for.
pub(super) fn apply<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>) -> Result<(), GatewayError> {
    let root = Path::Root;
    chat.max_completion_tokens = rest.take_number("max_tokens", root)?;
    chat.temperature = rest.take_number("temperature", root)?;
    chat.top_p = rest.take_number("p", root)?;
    // Zero switches it off, as its absence does.
    chat.top_k = rest.take_number("k", root)?.filter(|k| k.get() != "0");
    chat.seed = rest.take_number("seed", root)?;
    chat.frequency_penalty = rest.take_number("frequency_penalty", root)?;
    chat.presence_penalty = rest.take_number("presence_penalty", root)?;
    chat.logprobs = rest.take_bool("logprobs", root)?;
    chat.stop = rest.take("stop_sequences", root)?.filter(|stop| stop.get() != "[]");
    if chat.stop.is_some_and(|stop| serde_json::from_str::<Vec<object::Name<'_>>>(stop.get()).is_err()) {
        return Err(Path::Field(&root, "stop_sequences").wrong("expected a list of strings"));
    }
    tools(rest, chat)?;
    choice(rest, chat)?;
    format(rest, chat)?;
    thinking(rest, chat)
}

fn tools<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>) -> Result<(), GatewayError> {
    let strict = rest.take_bool("strict_tools", Path::Root)?;
    let list = Path::Field(&Path::Root, "tools");
    let Some(raw) = rest.take("tools", Path::Root)? else { return Ok(()) };
    for (index, mut tool) in Object::read_list(raw, list)?.into_iter().enumerate() {
        let path = Path::Item(&list, index);
        if tool.get("type").is_some_and(|kind| kind.get() != "\"function\"") {
            chat.tools.push(Tool::Own { r#type: "vendor", vendor: super::VENDOR, value: tool });
            continue;
        }
        tool.take("type", path)?;
        let here = Path::Field(&path, "function");
        let raw = tool.take("function", path)?.ok_or_else(|| here.wrong("field required"))?;
        let mut function = Object::read(raw, here)?;
        let parameters = function.take("parameters", here)?;
        if parameters.is_some_and(|schema| !schema.get().starts_with('{')) {
            return Err(Path::Field(&here, "parameters").wrong("expected an object"));
        }
        let written = Function {
            name: function.need_string("name", here)?,
            description: function.take_string("description", here)?,
            parameters,
            strict: strict.filter(|strict| *strict),
        };
        let mut own = Own::new(super::VENDOR);
        own.keep("function", function);
        let vendor = own.with(tool);
        chat.tools.push(Tool::Function {
            r#type: "function",
            function: written,
            cache_control: None,
            vendor,
        });
    }
    Ok(())
}

fn choice<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>) -> Result<(), GatewayError> {
    let word = rest.take_text("tool_choice", Path::Root)?;
    chat.tool_choice = match word.as_deref() {
        None => None,
        Some("REQUIRED") => Some(ToolChoice::Word("required")),
        Some("NONE") => Some(ToolChoice::Word("none")),
        Some(_) => return Err(Path::Field(&Path::Root, "tool_choice").wrong("expected REQUIRED or NONE")),
    };
    Ok(())
}

/// `response_format`: JSON, perhaps by a schema.
fn format<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, "response_format");
    let Some(raw) = rest.take("response_format", Path::Root)? else { return Ok(()) };
    let mut format = Object::read(raw, path)?;
    let kind = format.need_text("type", path)?;
    let schema = format.take("json_schema", path)?.or(format.take("schema", path)?);
    if schema.is_some_and(|schema| !schema.get().starts_with('{')) {
        return Err(Path::Field(&path, "json_schema").wrong("expected an object"));
    }
    chat.response_format = match (kind.as_ref(), schema) {
        ("text", None) => None,
        ("json_object", None) => Some(ResponseFormat { r#type: "json_object", json_schema: None }),
        ("json_object", Some(schema)) => {
            // OpenAI wants a name, Cohere has none.
            let json_schema = JsonSchema {
                name: "response".into(),
                description: None,
                schema: Json::Raw(schema),
                strict: true,
            };
            Some(ResponseFormat { r#type: "json_schema", json_schema: Some(json_schema) })
        }
        _ => return Err(Path::Field(&path, "type").wrong("expected text or json_object")),
    };
    if let Some((name, _)) = format.0.first() {
        return Err(Path::Field(&path, name).wrong("a field that is not known here"));
    }
    Ok(())
}

/// `thinking`; who thinks is shown what was thought.
fn thinking<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, "thinking");
    let Some(raw) = rest.take("thinking", Path::Root)? else { return Ok(()) };
    let mut thinking = Object::read(raw, path)?;
    let mode = thinking.need_text("type", path)?;
    if !matches!(mode.as_ref(), "enabled" | "disabled") {
        return Err(Path::Field(&path, "type").wrong("expected enabled or disabled"));
    }
    let include = (mode == "enabled").then_some(true);
    let max_tokens = thinking.take_number("token_budget", path)?;
    if let Some((name, _)) = thinking.0.first() {
        return Err(Path::Field(&path, name).wrong("a field that is not known here"));
    }
    chat.reasoning = Some(Reasoning { mode, max_tokens, include, display: None });
    Ok(())
}
