//! Tools, and the choice among them.

use plugin_sdk::Losses;
use plugin_sdk::chat::{ChatRequest, Fields, FunctionDefinition, Json, ToolChoice};
use serde_json::{Value, json};

use super::messages::Conversation;
use crate::VENDOR;
use crate::wire::{Schema, Tool};

/// The tools. A conversation with calls needs them even when the client no longer offers any.
pub(super) fn tools<'a>(
    request: &'a ChatRequest<'a>,
    conversation: &Conversation<'a>,
    losses: &mut Losses,
) -> Vec<Tool<'a>> {
    if request.tools.is_empty() {
        return conversation.called.iter().map(|name| stub(name)).collect();
    }
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
                if allowed.is_none_or(|names| names.contains(&function.name)) {
                    let settings = tool.settings();
                    losses.add_foreign(&settings, VENDOR, &format!("{path}."));
                    losses.add_fields(&tool.rest, &path, "anthropic has no such field");
                    losses.add_fields(
                        &function.rest,
                        &format!("{path}.function"),
                        "anthropic has no such field",
                    );
                    let own = settings.get(VENDOR).and_then(Json::read).unwrap_or_default();
                    written.push(self::function(function, tool.cache_control.as_ref(), own));
                }
            }
            _ => losses.add(path, format!("anthropic has no tools of type `{}`", tool.kind)),
        }
    }
    written
}

fn function<'a>(
    function: &'a FunctionDefinition<'a>,
    cache_control: Option<&'a plugin_sdk::chat::CacheControl<'a>>,
    own: Fields<'a>,
) -> Tool<'a> {
    Tool::Function {
        name: &function.name,
        description: function.description.as_deref(),
        input_schema: schema(function.parameters.as_ref()),
        strict: function.strict.unwrap_or(false),
        cache_control,
        own,
    }
}

/// Anthropic demands a schema with a type.
fn schema<'a>(parameters: Option<&Json<'a>>) -> Schema<'a> {
    let mut fields: Fields<'a> = match parameters.filter(|parameters| !parameters.is_null()) {
        None => Fields::default(),
        Some(parameters) => match parameters.read::<Fields<'a>>() {
            Some(fields) if fields.get("type").is_none() => fields,
            _ => return Schema::Whole(parameters.clone()),
        },
    };
    fields.push("type", Value::from("object"));
    Schema::Typed(fields)
}

/// A tool that was once called.
fn stub<'a>(name: &'a str) -> Tool<'a> {
    Tool::Function {
        name,
        description: None,
        input_schema: schema(None),
        strict: false,
        cache_control: None,
        own: Fields::default(),
    }
}

/// Which tool may or must be called, and whether several at once.
pub(super) fn choice(
    request: &ChatRequest<'_>,
    tools: &[Tool<'_>],
    conversation: &Conversation<'_>,
    losses: &mut Losses,
) -> Option<Value> {
    if tools.is_empty() {
        return None;
    }
    if let Some(name) = conversation.answers_by_call {
        // Beside tools of the client's the model chooses between calling them and answering.
        let free = !request.tools.is_empty() && !matches!(request.tool_choice, Some(ToolChoice::None));
        let mut choice =
            if free { json!({ "type": "any" }) } else { json!({ "type": "tool", "name": name }) };
        if !free || request.parallel_tool_calls == Some(false) {
            choice["disable_parallel_tool_use"] = true.into();
        }
        return Some(choice);
    }
    if request.tools.is_empty() && !conversation.called.is_empty() {
        return Some(json!({ "type": "none" }));
    }
    let mut choice = match &request.tool_choice {
        None if request.parallel_tool_calls.is_none() => return None,
        None | Some(ToolChoice::Auto) => json!({ "type": "auto" }),
        Some(ToolChoice::None) => return Some(json!({ "type": "none" })),
        Some(ToolChoice::Required) => json!({ "type": "any" }),
        Some(ToolChoice::Function(name)) => json!({ "type": "tool", "name": &**name }),
        Some(ToolChoice::Allowed { required, .. }) => {
            json!({ "type": if *required { "any" } else { "auto" } })
        }
        Some(ToolChoice::Other(_)) => {
            losses.add("tool_choice", "anthropic cannot choose like that");
            json!({ "type": "auto" })
        }
    };
    if request.parallel_tool_calls == Some(false) {
        choice["disable_parallel_tool_use"] = true.into();
    }
    Some(choice)
}
