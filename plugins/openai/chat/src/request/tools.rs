//! Tools: each vendor's own settings and cache marks are taken off, server-side tools of others are lost.

use plugin_sdk::chat::{ChatRequest, Fields, Json, Tool, ToolChoice};
use plugin_sdk::{Failure, Losses};

use super::Object;
use crate::options::{Extension, Options};

/// Writes `tools` and what goes with them. Without tools OpenAI refuses both `tools: []` and a `tool_choice`.
pub(super) fn write(
    chat: &mut ChatRequest<'_>,
    object: &mut Object<'_>,
    losses: &mut Losses,
) -> Result<(), Failure> {
    let options = object.options;
    let tools = std::mem::take(&mut chat.tools).into_iter().enumerate();
    let tools: Vec<Tool<'_>> =
        tools.filter_map(|(index, tool)| convert(index, tool, options, losses)).collect();
    if tools.is_empty() {
        let forced = matches!(chat.tool_choice, Some(ToolChoice::Required | ToolChoice::Function(_)));
        if forced {
            losses.add("tool_choice", "there is no tool to choose");
        }
        return Ok(());
    }
    object.field("tools", &tools)?;
    if let Some(choice) = &chat.tool_choice {
        object.field("tool_choice", choice)?;
    }
    if let Some(parallel) = chat.parallel_tool_calls {
        object.field("parallel_tool_calls", &parallel)?;
    }
    Ok(())
}

fn convert<'a>(index: usize, mut tool: Tool<'a>, options: &Options, losses: &mut Losses) -> Option<Tool<'a>> {
    let path = format!("tools[{index}]");
    if tool.cache_control.is_some() && !options.keeps(Extension::CacheControl) {
        tool.cache_control = None;
        losses.add(format!("{path}.cache_control"), "openai caches prompts by itself");
    }
    if tool.kind == "vendor" {
        let own =
            tool.vendor_tool().filter(|(vendor, _)| *vendor == "openai").and_then(|(_, value)| value.read());
        if own.is_none() {
            losses.add(path, "a server-side tool of another vendor");
        }
        return own;
    }
    if let Some(function) = &mut tool.function
        && function.strict.is_some()
        && options.refuses("tools.function.strict")
    {
        function.strict = None;
        losses.add(format!("{path}.function.strict"), "this server does not take it");
    }
    let settings = tool.settings();
    losses.add_foreign(&settings, "openai", &format!("{path}."));
    tool.vendor = None;
    if let Some(own) = settings.get("openai").and_then(Json::read::<Fields<'a>>) {
        tool.rest.0.extend(own.0);
    }
    Some(tool)
}
