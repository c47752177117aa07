//! Tools, and the choice among them.

use plugin_sdk::Losses;
use plugin_sdk::chat::{ChatRequest, Fields, Json, ToolChoice};
use serde_json::{Value, json};

use super::messages::Conversation;
use super::parts;
use crate::VENDOR;
use crate::model::Family;
use crate::wire::{Schema, Tool, ToolConfig};

/// The tools and the choice. A conversation with calls needs tools even when the client offers none any more.
pub(super) fn config<'a>(
    request: &'a ChatRequest<'a>,
    family: Family,
    conversation: &Conversation<'a>,
    losses: &mut Losses,
) -> Option<ToolConfig<'a>> {
    let mut tools = offered(request, family, losses);
    if tools.is_empty() {
        tools.extend(conversation.called.iter().map(|name| Tool::Function {
            name,
            description: None,
            input_schema: schema(None),
            strict: false,
        }));
        if !tools.is_empty() {
            losses.add(
                "tools",
                "bedrock wants tools while the history has calls; they were sent without a schema",
            );
        }
        return (!tools.is_empty()).then_some(ToolConfig { tools, tool_choice: None });
    }
    if matches!(request.tool_choice, Some(ToolChoice::None)) {
        // Converse has no such choice. Without tools nothing can be called, but calls in the history demand them.
        if conversation.called.is_empty() {
            return None;
        }
        losses.add("tool_choice", "bedrock cannot forbid calls while the history has some");
        return Some(ToolConfig { tools, tool_choice: None });
    }
    if request.parallel_tool_calls == Some(false) {
        losses.add("parallel_tool_calls", "bedrock cannot limit the calls of a turn");
    }
    let tool_choice = match &request.tool_choice {
        None | Some(ToolChoice::None) => None,
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => Some(json!({ "auto": {} })),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => Some(json!({ "any": {} })),
        Some(ToolChoice::Function(name)) => Some(json!({ "tool": { "name": &**name } })),
        Some(ToolChoice::Other(_)) => {
            losses.add("tool_choice", "bedrock cannot choose like that");
            None
        }
    };
    Some(ToolConfig { tools, tool_choice })
}

fn offered<'a>(request: &'a ChatRequest<'a>, family: Family, losses: &mut Losses) -> Vec<Tool<'a>> {
    let allowed = match &request.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) => Some(names),
        _ => None,
    };
    let mut written = Vec::with_capacity(request.tools.len());
    for (index, tool) in request.tools.iter().enumerate() {
        let path = format!("tools[{index}]");
        match (tool.vendor_tool(), &tool.function) {
            (Some((vendor, value)), _) if vendor == VENDOR => written.push(Tool::Own(value)),
            (Some((vendor, _)), _) => losses.add(path, format!("only {vendor} has this tool")),
            (None, Some(function)) if &*tool.kind == "function" => {
                if allowed.is_some_and(|names| !names.contains(&function.name)) {
                    continue;
                }
                losses.add_foreign(&tool.settings(), "", &format!("{path}."));
                losses.add_fields(&tool.rest, &path, "bedrock has no such field");
                losses.add_fields(&function.rest, &format!("{path}.function"), "bedrock has no such field");
                written.push(Tool::Function {
                    name: &function.name,
                    // An empty one is refused.
                    description: function.description.as_deref().filter(|text| !text.trim().is_empty()),
                    input_schema: schema(function.parameters.as_ref()),
                    strict: function.strict.unwrap_or(false),
                });
                if let Some(mark) = &tool.cache_control {
                    let here = format!("{path}.cache_control");
                    written.extend(parts::cache_point(mark, family, &here, losses).map(Tool::CachePoint));
                }
            }
            _ => losses.add(path, format!("bedrock has no tools of type `{}`", tool.kind)),
        }
    }
    written
}

/// A schema is required, and most models want it to say that it is an object's.
fn schema<'a>(parameters: Option<&Json<'a>>) -> Schema<'a> {
    let object = || Json::Value(json!({ "type": "object", "properties": {} }));
    let Some(parameters) = parameters.filter(|parameters| !parameters.is_null()) else {
        return Schema { json: object() };
    };
    let typed = parameters.read::<Fields<'a>>().is_none_or(|fields| fields.get("type").is_some());
    if typed {
        return Schema { json: parameters.clone() };
    }
    let mut tree: Value = parameters.to_value();
    tree["type"] = "object".into();
    Schema { json: tree.into() }
}
