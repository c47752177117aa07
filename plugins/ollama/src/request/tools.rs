//! Tools. Ollama has no choice among them, so a choice is a matter of which are sent.

use plugin_sdk::Losses;
use plugin_sdk::chat::{ChatRequest, FunctionDefinition, Tool, ToolChoice};

use crate::VENDOR;
use crate::wire;

/// The tools that may be called.
pub(super) fn convert<'a>(chat: &'a ChatRequest<'a>, losses: &mut Losses) -> Vec<wire::Tool<'a>> {
    if chat.parallel_tool_calls == Some(false) && !chat.tools.is_empty() {
        losses.add("parallel_tool_calls", "ollama cannot forbid parallel calls");
    }
    let choice = chat.tool_choice.as_ref();
    let forced = match choice {
        // Whoever may call nothing need not be told of anything.
        Some(ToolChoice::None) => return Vec::new(),
        Some(ToolChoice::Required | ToolChoice::Function(_)) => true,
        Some(ToolChoice::Allowed { required, .. }) => *required,
        Some(ToolChoice::Other(_)) => {
            losses.add("tool_choice", "ollama has no such choice");
            false
        }
        Some(ToolChoice::Auto) | None => false,
    };
    if forced {
        losses.add("tool_choice", "ollama cannot force a call");
    }
    let tools = chat.tools.iter().enumerate();
    tools.filter_map(|(index, tool)| convert_one(tool, choice, &format!("tools[{index}]"), losses)).collect()
}

fn convert_one<'a>(
    tool: &'a Tool<'a>,
    choice: Option<&ToolChoice<'a>>,
    path: &str,
    losses: &mut Losses,
) -> Option<wire::Tool<'a>> {
    if let Some((vendor, value)) = tool.vendor_tool() {
        if vendor == VENDOR {
            return Some(wire::Tool::Own(value.clone()));
        }
        losses.add(path, format!("only {vendor} has this tool"));
        return None;
    }
    let Some(function) = &tool.function else {
        losses.add(path, format!("ollama has no tool of type `{}`", tool.kind));
        return None;
    };
    let allowed = match choice {
        Some(ToolChoice::Function(name)) => *name == *function.name,
        Some(ToolChoice::Allowed { names, .. }) => names.contains(&function.name),
        _ => true,
    };
    if !allowed {
        return None;
    }
    losses.add_if(&tool.cache_control, format!("{path}.cache_control"), "ollama has no cache marks");
    if function.strict == Some(true) {
        losses.add(format!("{path}.function.strict"), "ollama does not promise strict arguments");
    }
    losses.add_fields(&tool.rest, path, "ollama has no such field");
    losses.add_fields(&function.rest, &format!("{path}.function"), "ollama has no such field");
    let settings = tool.settings();
    losses.add_foreign(&settings, VENDOR, &format!("{path}."));
    let own = settings.get(VENDOR).and_then(plugin_sdk::chat::Json::read).unwrap_or_default();
    let function = FunctionDefinition {
        name: function.name.clone(),
        description: function.description.clone(),
        parameters: function.parameters.clone(),
        ..FunctionDefinition::default()
    };
    Some(wire::Tool::Function { kind: "function", function, own })
}
