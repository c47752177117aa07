//! Tools, and which of them must be called.

use plugin_sdk::Losses;
use plugin_sdk::chat::{ChatRequest, FunctionDefinition, Json, Tool, ToolChoice};
use serde_json::json;

use crate::VENDOR;
use crate::wire::{self, Choose, Named};

/// The tools; of `allowed_tools` only those.
pub(super) fn convert<'a>(chat: &'a ChatRequest<'a>, losses: &mut Losses) -> Vec<wire::Tool<'a>> {
    let allowed = match &chat.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) => Some(names),
        _ => None,
    };
    let mut tools = Vec::with_capacity(chat.tools.len());
    for (index, tool) in chat.tools.iter().enumerate() {
        let name = tool.function.as_ref().map(|function| &function.name);
        if allowed.zip(name).is_none_or(|(names, name)| names.contains(name)) {
            tools.extend(convert_one(tool, &format!("tools[{index}]"), losses));
        }
    }
    tools
}

fn convert_one<'a>(tool: &'a Tool<'a>, path: &str, losses: &mut Losses) -> Option<wire::Tool<'a>> {
    losses.add_if(&tool.cache_control, format!("{path}.cache_control"), "mistral has no cache marks");
    if let Some((vendor, value)) = tool.vendor_tool() {
        if vendor == VENDOR {
            return Some(wire::Tool::Own(value.clone()));
        }
        losses.add(path, format!("only {vendor} has this tool"));
        return None;
    }
    let Some(function) = &tool.function else {
        losses.add(path, format!("mistral has no tool of type `{}`", tool.kind));
        return None;
    };
    losses.add_fields(&tool.rest, path, "mistral has no such field");
    losses.add_fields(&function.rest, &format!("{path}.function"), "mistral has no such field");
    let settings = tool.settings();
    losses.add_foreign(&settings, VENDOR, &format!("{path}."));
    let function = FunctionDefinition {
        name: function.name.clone(),
        description: function.description.clone(),
        // Mistral insists on the key.
        parameters: function
            .parameters
            .clone()
            .or_else(|| Some(json!({ "type": "object", "properties": {} }).into())),
        strict: function.strict,
        ..FunctionDefinition::default()
    };
    let own = settings.get(VENDOR).and_then(Json::read).unwrap_or_default();
    Some(wire::Tool::Function { kind: "function", function, own })
}

/// What must be called; `any` says whether there are tools at all.
pub(super) fn choice<'a>(chat: &'a ChatRequest<'a>, any: bool, losses: &mut Losses) -> Option<Choose<'a>> {
    let choice = chat.tool_choice.as_ref()?;
    if !any {
        if !matches!(choice, ToolChoice::None | ToolChoice::Auto) {
            losses.add("tool_choice", "there are no tools to choose from");
        }
        return None;
    }
    Some(match choice {
        ToolChoice::None => Choose::Word("none"),
        ToolChoice::Auto | ToolChoice::Allowed { required: false, .. } => Choose::Word("auto"),
        ToolChoice::Required | ToolChoice::Allowed { required: true, .. } => Choose::Word("any"),
        ToolChoice::Function(name) => {
            Choose::Named { kind: "function", function: Named { name: (&**name).into() } }
        }
        ToolChoice::Other(_) => {
            losses.add("tool_choice", "mistral has no such choice");
            return None;
        }
    })
}
