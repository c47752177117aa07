//! Tools and the choice among them.

use super::VENDOR;
use super::blocks::Block;
use crate::dialect::chat::{CacheControl, Chat, Function, Named, Own, Tool, ToolChoice};
use crate::dialect::object::{Object, Path};
use crate::error::GatewayError;

/// `toolConfig`
pub(super) fn config<'a>(
    rest: &mut Object<'a>,
    chat: &mut Chat<'a>,
    own: &mut Own<'a>,
) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, "toolConfig");
    let Some(raw) = rest.take("toolConfig", Path::Root)? else { return Ok(()) };
    let mut config = Object::read(raw, path)?;
    if let Some(raw) = config.take("tools", path)? {
        let list = Path::Field(&path, "tools");
        for (index, object) in Object::read_list(raw, list)?.into_iter().enumerate() {
            add(object, Path::Item(&list, index), &mut chat.tools)?;
        }
    }
    if let Some(raw) = config.take("toolChoice", path)? {
        let here = Path::Field(&path, "toolChoice");
        chat.tool_choice = Some(choice(Block::read(Object::read(raw, here)?, here)?, here)?);
    }
    own.keep("toolConfig", config);
    Ok(())
}

/// A tool of the client's is a function; AWS's own stay what they are; a mark belongs to the tool before it.
fn add<'a>(object: Object<'a>, path: Path<'_>, tools: &mut Vec<Tool<'a>>) -> Result<(), GatewayError> {
    let block = Block::read(object, path)?;
    let here = Path::Field(&path, &block.kind);
    match block.kind.as_ref() {
        "toolSpec" => tools.push(function(Object::read(block.inside, here)?, here)?),
        "cachePoint" => {
            let ttl = Object::read(block.inside, here)?.take_string("ttl", here)?;
            match tools.last_mut() {
                Some(Tool::Function { cache_control: mark @ None, .. }) => {
                    *mark = Some(CacheControl { r#type: "ephemeral", ttl });
                }
                _ => tools.push(Tool::Own { r#type: "vendor", vendor: VENDOR, value: block.whole }),
            }
        }
        _ => tools.push(Tool::Own { r#type: "vendor", vendor: VENDOR, value: block.whole }),
    }
    Ok(())
}

fn function<'a>(mut tool: Object<'a>, path: Path<'_>) -> Result<Tool<'a>, GatewayError> {
    let here = Path::Field(&path, "inputSchema");
    let name = tool.need_string("name", path)?;
    let schema = tool.take("inputSchema", path)?.ok_or_else(|| here.wrong("field required"))?;
    let parameters = Object::read(schema, here)?.take("json", here)?;
    if parameters.is_none_or(|schema| !schema.get().starts_with('{')) {
        return Err(Path::Field(&here, "json").wrong("expected an object"));
    }
    let function = Function {
        name,
        description: tool.take_string("description", path)?,
        parameters,
        strict: tool.take_bool("strict", path)?,
    };
    Ok(Tool::Function { r#type: "function", function, cache_control: None, vendor: Own::of(VENDOR, tool) })
}

fn choice<'a>(block: Block<'a>, path: Path<'_>) -> Result<ToolChoice<'a>, GatewayError> {
    match block.kind.as_ref() {
        "auto" => Ok(ToolChoice::Word("auto")),
        "any" => Ok(ToolChoice::Word("required")),
        "tool" => {
            let here = Path::Field(&path, "tool");
            let name = Object::read(block.inside, here)?.need_string("name", here)?;
            Ok(ToolChoice::Named { r#type: "function", function: Named { name } })
        }
        _ => Err(path.wrong("expected auto, any or tool")),
    }
}
