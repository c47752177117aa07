//! Tools and the choice among them.

use super::canonical::{Chat, Function, Named, OwnFields, Tool, ToolChoice};
use super::object::{Object, Path};
use super::state::VENDOR;
use crate::error::GatewayError;

/// The list of tools.
pub(super) fn tools(list: Vec<Object<'_>>) -> Result<Vec<Tool<'_>>, GatewayError> {
    let path = Path::Field(&Path::Root, "tools");
    list.into_iter().enumerate().map(|(index, object)| tool(object, Path::Item(&path, index))).collect()
}

/// A tool of the client's is a function; a tool of Anthropic's own, which has a type, stays what it is.
fn tool<'a>(mut tool: Object<'a>, path: Path<'_>) -> Result<Tool<'a>, GatewayError> {
    if tool.get("type").is_some_and(|kind| kind.get() != "\"custom\"") {
        return Ok(Tool::Own { r#type: "vendor", vendor: VENDOR, value: tool });
    }
    tool.take("type", path)?;
    let function = Function {
        name: tool.need_string("name", path)?,
        description: tool.take_string("description", path)?,
        parameters: tool.take("input_schema", path)?,
        strict: tool.take_bool("strict", path)?,
    };
    if function.parameters.is_some_and(|schema| !schema.get().starts_with('{')) {
        return Err(Path::Field(&path, "input_schema").wrong("expected an object"));
    }
    let cache_control = tool.take("cache_control", path)?;
    Ok(Tool::Function { r#type: "function", function, cache_control, vendor: OwnFields::of(tool) })
}

/// `tool_choice`, and with it whether calls may come in parallel.
pub(super) fn choice<'a>(
    rest: &mut Object<'a>,
    chat: &mut Chat<'a>,
    own: &mut OwnFields<'a>,
) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, "tool_choice");
    let Some(raw) = rest.take("tool_choice", Path::Root)? else {
        return Ok(());
    };
    let mut choice = Object::read(raw, path)?;
    let kind = choice.need_text("type", path)?;
    chat.tool_choice = Some(match kind.as_ref() {
        "auto" => ToolChoice::Word("auto"),
        "any" => ToolChoice::Word("required"),
        "none" => ToolChoice::Word("none"),
        "tool" => {
            let function = Named { name: choice.need_string("name", path)? };
            ToolChoice::Named { r#type: "function", function }
        }
        _ => return Err(Path::Field(&path, "type").wrong("expected auto, any, tool or none")),
    });
    chat.parallel_tool_calls = choice.take_bool("disable_parallel_tool_use", path)?.map(|disabled| !disabled);
    own.keep("tool_choice", choice);
    Ok(())
}
