//! Functions, Google's own tools, and which of them must be called.

use plugin_sdk::Losses;
use plugin_sdk::chat::{ChatRequest, Fields, FunctionDefinition, Json, Tool, ToolChoice};

use crate::VENDOR;
use crate::wire::{FunctionCallingConfig, FunctionDeclaration, FunctionTool, Tool as Entry, ToolConfig};

/// All functions as one tool, then each tool of Google's.
pub(super) fn tools<'a>(tools: &'a [Tool<'a>], losses: &mut Losses) -> Vec<Entry<'a>> {
    let mut functions = FunctionTool::default();
    let mut own = Vec::new();
    for (index, tool) in tools.iter().enumerate() {
        let path = format!("tools[{index}]");
        losses.add_if(&tool.cache_control, format!("{path}.cache_control"), "gemini has no cache marks");
        match (tool.vendor_tool(), &tool.function) {
            (Some((vendor, value)), _) if vendor == VENDOR => own.push(Entry::Own(value.clone())),
            (Some((vendor, _)), _) => losses.add(path, format!("only {vendor} has this tool")),
            (None, Some(function)) => {
                functions.function_declarations.push(declaration(tool, function, &path, losses));
            }
            (None, None) => losses.add(path, format!("gemini has no tool of type `{}`", &*tool.kind)),
        }
    }
    let mut list = Vec::with_capacity(own.len() + 1);
    if !functions.function_declarations.is_empty() {
        list.push(Entry::Functions(functions));
    }
    list.append(&mut own);
    list
}

fn declaration<'a>(
    tool: &'a Tool<'a>,
    function: &'a FunctionDefinition<'a>,
    path: &str,
    losses: &mut Losses,
) -> FunctionDeclaration<'a> {
    if function.strict == Some(true) {
        losses.add(format!("{path}.function.strict"), "gemini does not promise strict arguments");
    }
    losses.add_fields(&function.rest, &format!("{path}.function"), "gemini has no such field");
    losses.add_fields(&tool.rest, path, "gemini has no such field");
    let settings = tool.settings();
    losses.add_foreign(&settings, VENDOR, &format!("{path}."));
    FunctionDeclaration {
        name: (&*function.name).into(),
        description: function.description.as_deref().map(Into::into),
        parameters: function.parameters.clone(),
        rest: settings.get(VENDOR).and_then(Json::read::<Fields<'a>>).unwrap_or_default(),
    }
}

/// What must be called; `any` says whether there are tools at all.
pub(super) fn config<'a>(
    chat: &'a ChatRequest<'a>,
    any: bool,
    losses: &mut Losses,
) -> Option<ToolConfig<'a>> {
    if chat.parallel_tool_calls == Some(false) {
        losses.add("parallel_tool_calls", "gemini cannot forbid parallel calls");
    }
    let choice = chat.tool_choice.as_ref()?;
    if !any {
        if !matches!(choice, ToolChoice::None | ToolChoice::Auto) {
            losses.add("tool_choice", "there are no tools to choose from");
        }
        return None;
    }
    let (mode, names) = match choice {
        ToolChoice::Auto => return None,
        ToolChoice::None => ("NONE", Vec::new()),
        ToolChoice::Required => ("ANY", Vec::new()),
        ToolChoice::Function(name) => ("ANY", vec![name.clone()]),
        ToolChoice::Allowed { required: true, names } => ("ANY", names.clone()),
        // `AUTO` takes no names; `VALIDATED` lets the model speak or call one of them.
        ToolChoice::Allowed { required: false, names } => ("VALIDATED", names.clone()),
        ToolChoice::Other(_) => {
            losses.add("tool_choice", "gemini has no such choice");
            return None;
        }
    };
    let calling = FunctionCallingConfig {
        mode: Some(mode.into()),
        allowed_function_names: names,
        ..FunctionCallingConfig::default()
    };
    Some(ToolConfig { function_calling_config: Some(calling), ..ToolConfig::default() })
}
