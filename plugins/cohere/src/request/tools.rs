//! Tools, and whether one must be called: Cohere's choice knows two words, so a choice among tools is which are sent.

use plugin_sdk::Losses;
use plugin_sdk::chat::{ChatRequest, FunctionDefinition, Json, Tool, ToolChoice};
use serde_json::json;

use crate::VENDOR;
use crate::wire;

/// The tools that may be called.
pub(super) fn convert<'a>(chat: &'a ChatRequest<'a>, losses: &mut Losses) -> Vec<wire::Tool<'a>> {
    if chat.parallel_tool_calls == Some(false) && !chat.tools.is_empty() {
        losses.add("parallel_tool_calls", "cohere cannot forbid parallel calls");
    }
    let tools = chat.tools.iter().enumerate();
    let tools = tools.filter(|(_, tool)| may_be_called(tool, chat.tool_choice.as_ref()));
    tools.filter_map(|(index, tool)| convert_one(tool, &format!("tools[{index}]"), losses)).collect()
}

fn may_be_called(tool: &Tool<'_>, choice: Option<&ToolChoice<'_>>) -> bool {
    let Some(function) = &tool.function else { return true };
    match choice {
        Some(ToolChoice::Function(name)) => *name == *function.name,
        Some(ToolChoice::Allowed { names, .. }) => names.contains(&function.name),
        _ => true,
    }
}

fn convert_one<'a>(tool: &'a Tool<'a>, path: &str, losses: &mut Losses) -> Option<wire::Tool<'a>> {
    losses.add_if(&tool.cache_control, format!("{path}.cache_control"), "cohere has no cache marks");
    if let Some((vendor, value)) = tool.vendor_tool() {
        if vendor == VENDOR {
            return Some(wire::Tool::Own(value.clone()));
        }
        losses.add(path, format!("only {vendor} has this tool"));
        return None;
    }
    let Some(function) = &tool.function else {
        losses.add(path, format!("cohere has no tool of type `{}`", tool.kind));
        return None;
    };
    losses.add_fields(&tool.rest, path, "cohere has no such field");
    losses.add_fields(&function.rest, &format!("{path}.function"), "cohere has no such field");
    let settings = tool.settings();
    losses.add_foreign(&settings, VENDOR, &format!("{path}."));
    let function = FunctionDefinition {
        name: function.name.clone(),
        description: function.description.clone(),
        // Cohere insists on the key.
        parameters: function
            .parameters
            .clone()
            .or_else(|| Some(json!({ "type": "object", "properties": {} }).into())),
        ..FunctionDefinition::default()
    };
    let own = settings.get(VENDOR).and_then(Json::read).unwrap_or_default();
    Some(wire::Tool::Function { kind: "function", function, own })
}

/// Cohere is strict with all tools or with none.
pub(super) fn strict(chat: &ChatRequest<'_>, losses: &mut Losses) -> bool {
    let choice = chat.tool_choice.as_ref();
    let functions = || chat.tools.iter().enumerate().filter(|(_, tool)| tool.function.is_some());
    let sent = || functions().filter(|(_, tool)| may_be_called(tool, choice));
    let is_strict =
        |tool: &Tool<'_>| tool.function.as_ref().is_some_and(|function| function.strict == Some(true));
    let all = sent().next().is_some() && sent().all(|(_, tool)| is_strict(tool));
    if !all {
        for (index, _) in sent().filter(|(_, tool)| is_strict(tool)) {
            losses.add(
                format!("tools[{index}].function.strict"),
                "cohere is strict with all tools or with none",
            );
        }
    }
    all
}

/// `REQUIRED`, `NONE`, or nothing; `any` says whether there are tools at all.
pub(super) fn choice(chat: &ChatRequest<'_>, any: bool, losses: &mut Losses) -> Option<&'static str> {
    let choice = chat.tool_choice.as_ref()?;
    if !any {
        if !matches!(choice, ToolChoice::None | ToolChoice::Auto) {
            losses.add("tool_choice", "there are no tools to choose from");
        }
        return None;
    }
    match choice {
        ToolChoice::None => Some("NONE"),
        ToolChoice::Required | ToolChoice::Function(_) | ToolChoice::Allowed { required: true, .. } => {
            Some("REQUIRED")
        }
        ToolChoice::Auto | ToolChoice::Allowed { required: false, .. } => None,
        ToolChoice::Other(_) => {
            losses.add("tool_choice", "cohere has no such choice");
            None
        }
    }
}
