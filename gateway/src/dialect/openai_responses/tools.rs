//! Tools and the choice among them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::VENDOR;
use super::canonical::{Allowed, Chosen, Function, Named, OwnFields, Text, Tool, ToolChoice};
use super::items::BRINGERS;
use super::names::Names;
use super::object::{Object, Path};
use super::strict;
use crate::error::GatewayError;

/// What a custom tool takes: one text.
const CUSTOM: &str = r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}"#;

/// The list of tools; their names are noted in `names`.
pub(super) fn read<'a>(
    raw: &'a RawValue,
    path: Path<'_>,
    names: &mut Names,
) -> Result<Vec<Tool<'a>>, GatewayError> {
    let list = Object::read_list(raw, path)?;
    let mut tools = Vec::with_capacity(list.len());
    for (index, object) in list.into_iter().enumerate() {
        let path = Path::Item(&path, index);
        tool(object, path, names, &mut tools)?;
    }
    Ok(tools)
}

fn tool<'a>(
    mut tool: Object<'a>,
    path: Path<'_>,
    names: &mut Names,
    tools: &mut Vec<Tool<'a>>,
) -> Result<(), GatewayError> {
    let kind = tool.get("type").ok_or_else(|| Path::Field(&path, "type").wrong("field required"))?;
    let kind = super::object::text(kind, Path::Field(&path, "type"))?;
    match kind.as_ref() {
        "function" | "custom" => tools.push(own_tool(tool, path, None, names)?),
        "namespace" => {
            tool.take("type", path)?;
            namespace(tool, path, names, tools)?;
        }
        // The model answers without them too; the adapter reports that they are gone.
        _ if kind.starts_with("web_search") || kind == "tool_search" => {
            tools.push(Tool::Own { r#type: "vendor", vendor: VENDOR, value: tool });
        }
        _ => {
            let message = format!("tools of type `{kind}` run at OpenAI only and cannot be served here");
            return Err(Path::Field(&path, "type").wrong(message));
        }
    }
    Ok(())
}

/// The tools of a namespace. What is said of all of them is said with the first.
fn namespace<'a>(
    mut space: Object<'a>,
    path: Path<'_>,
    names: &mut Names,
    tools: &mut Vec<Tool<'a>>,
) -> Result<(), GatewayError> {
    let name = space.need_text("name", path)?;
    let mut about = space.take_text("description", path)?.filter(|about| !about.is_empty());
    let inner = Path::Field(&path, "tools");
    let raw = space.take("tools", path)?.ok_or_else(|| inner.wrong("field required"))?;
    for (index, object) in Object::read_list(raw, inner)?.into_iter().enumerate() {
        let here = Path::Item(&inner, index);
        let mut tool = own_tool(object, here, Some(&name), names)?;
        if let (Tool::Function { function, .. }, Some(about)) = (&mut tool, about.take()) {
            let own = function.description.take().map(|own| own.plain()).unwrap_or_default();
            let both = if own.is_empty() { about } else { Cow::Owned(format!("{about}\n\n{own}")) };
            function.description = Some(Text::Plain(both));
        }
        tools.push(tool);
    }
    Ok(())
}

/// A tool that the client itself runs.
fn own_tool<'a>(
    mut tool: Object<'a>,
    path: Path<'_>,
    namespace: Option<&str>,
    names: &mut Names,
) -> Result<Tool<'a>, GatewayError> {
    let kind = tool.need_text("type", path)?;
    let custom = match kind.as_ref() {
        "function" => false,
        "custom" => true,
        _ => return Err(Path::Field(&path, "type").wrong("expected function or custom")),
    };
    let name = tool.need_text("name", path)?;
    let flat = names.declare(namespace, &name, custom);
    let name = if flat == name { Text::Plain(name) } else { Text::Plain(Cow::Owned(flat)) };
    let function = if custom {
        let description = with_grammar(&mut tool, path)?;
        let parameters = Some(serde_json::from_str(CUSTOM).unwrap_or(RawValue::NULL));
        Function { name, description, parameters, strict: None }
    } else {
        let description = tool.take_string("description", path)?.map(Text::Raw);
        let parameters = tool.take("parameters", path)?;
        if parameters.is_some_and(|schema| !schema.get().starts_with('{')) {
            return Err(Path::Field(&path, "parameters").wrong("expected an object"));
        }
        let by_default = || parameters.is_some_and(|schema| strict::can_be(schema.get())).then_some(true);
        let strict = tool.take_bool("strict", path)?.or_else(by_default);
        Function { name, description, parameters, strict }
    };
    Ok(Tool::Function { r#type: "function", function, vendor: OwnFields::of(tool) })
}

/// A custom tool's description; nobody else enforces a grammar, but the model can read one.
fn with_grammar<'a>(tool: &mut Object<'a>, path: Path<'_>) -> Result<Option<Text<'a>>, GatewayError> {
    let description = tool.take_text("description", path)?;
    let here = Path::Field(&path, "format");
    let Some(raw) = tool.take("format", path)? else { return Ok(description.map(Text::Plain)) };
    let mut format = Object::read(raw, here)?;
    if format.need_text("type", here)? != "grammar" {
        return Ok(description.map(Text::Plain));
    }
    let syntax = format.take_text("syntax", here)?.unwrap_or_default();
    let definition = format.need_text("definition", here)?;
    let description = description.unwrap_or_default();
    let gap = if description.is_empty() { "" } else { "\n\n" };
    let text = format!("{description}{gap}The input must follow this {syntax} grammar:\n{definition}");
    Ok(Some(Text::Plain(Cow::Owned(text))))
}

/// Notes the names of tools that have been read before, and in the same order, so that they come out the same.
pub(super) fn declare(list: &RawValue, namespace: Option<&str>, names: &mut Names) {
    let tools: Vec<Object<'_>> = serde_json::from_str(list.get()).unwrap_or_default();
    for tool in tools {
        let Some(name) = tool.get("name").and_then(super::object::decode) else { continue };
        match (tool.get("type").map(RawValue::get), tool.get("tools")) {
            (Some("\"function\""), _) => drop(names.declare(namespace, &name, false)),
            (Some("\"custom\""), _) => drop(names.declare(namespace, &name, true)),
            (Some("\"namespace\""), Some(inner)) => declare(inner, Some(&name), names),
            _ => {}
        }
    }
}

/// The same for the tools that items bring.
pub(super) fn declare_brought(input: &RawValue, names: &mut Names) {
    let items: Vec<Object<'_>> = serde_json::from_str(input.get()).unwrap_or_default();
    for item in items {
        let brings = item.get("type").is_some_and(|kind| BRINGERS.contains(&kind.get()));
        if let Some(tools) = item.get("tools").filter(|_| brings) {
            declare(tools, None, names);
        }
    }
}

/// `tool_choice`
pub(super) fn choice<'a>(raw: &'a RawValue, names: &Names) -> Result<ToolChoice<'a>, GatewayError> {
    let path = Path::Field(&Path::Root, "tool_choice");
    match raw.get() {
        "\"auto\"" => return Ok(ToolChoice::Word("auto")),
        "\"none\"" => return Ok(ToolChoice::Word("none")),
        "\"required\"" => return Ok(ToolChoice::Word("required")),
        text if text.starts_with('"') => return Err(path.wrong("expected none, auto, required or an object")),
        _ => {}
    }
    let mut choice = Object::read(raw, path)?;
    let kind = choice.get("type").map(|kind| super::object::text(kind, Path::Field(&path, "type")));
    match kind.transpose()?.as_deref() {
        Some("function" | "custom") => chosen(choice, path, names).map(ToolChoice::Named),
        Some("allowed_tools") => allowed(&mut choice, path, names),
        Some(kind) => {
            let message = format!("a tool of type `{kind}` runs at OpenAI only and cannot be chosen here");
            Err(Path::Field(&path, "type").wrong(message))
        }
        None => Err(Path::Field(&path, "type").wrong("field required")),
    }
}

fn chosen<'a>(mut choice: Object<'a>, path: Path<'_>, names: &Names) -> Result<Chosen<'a>, GatewayError> {
    let name = choice.need_text("name", path)?;
    let namespace = choice.take_text("namespace", path)?;
    let name = match namespace {
        None => name,
        Some(namespace) => Cow::Owned(names.flat(Some(&namespace), &name).into_owned()),
    };
    Ok(Chosen { r#type: "function", function: Named { name: Text::Plain(name) } })
}

fn allowed<'a>(
    choice: &mut Object<'a>,
    path: Path<'_>,
    names: &Names,
) -> Result<ToolChoice<'a>, GatewayError> {
    let mode = match choice.take_text("mode", path)?.as_deref() {
        None | Some("auto") => "auto",
        Some("required") => "required",
        Some(_) => return Err(Path::Field(&path, "mode").wrong("expected auto or required")),
    };
    let list = Path::Field(&path, "tools");
    let raw = choice.take("tools", path)?.ok_or_else(|| list.wrong("field required"))?;
    let mut tools = Vec::new();
    for (index, object) in Object::read_list(raw, list)?.into_iter().enumerate() {
        let kind = object.get("type").map(RawValue::get);
        // Tools of other types are not offered at all, so none of them can be chosen.
        if matches!(kind, Some("\"function\"" | "\"custom\"")) {
            tools.push(chosen(object, Path::Item(&list, index), names)?);
        }
    }
    Ok(ToolChoice::Allowed { r#type: "allowed_tools", allowed_tools: Allowed { mode, tools } })
}
