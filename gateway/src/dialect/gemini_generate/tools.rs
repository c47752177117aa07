//! Gemini's tools and tool settings in canonical form.

use super::canonical::{Function, FunctionTool, RestFields, Schema, Tool, ToolChoice, Vendor, VendorTool};
use super::schema;
use super::wire::{self, FunctionDeclaration, Leftover as _, Text, ToolConfig};
use crate::error::GatewayError;

/// Function declarations one by one, Google's own tools as vendor tools.
pub(super) fn tools(tools: Vec<wire::Tool<'_>>) -> Result<Vec<Tool<'_>>, GatewayError> {
    let mut list = Vec::new();
    for (index, tool) in tools.into_iter().enumerate() {
        for (place, declaration) in tool.function_declarations.unwrap_or_default().0.into_iter().enumerate() {
            let path = format!("tools[{index}].functionDeclarations[{place}]");
            list.push(Tool::Function(function(declaration, &path)?));
        }
        if !tool.rest.is_empty() {
            let value = RestFields(tool.rest);
            list.push(Tool::Vendor(VendorTool { kind: "vendor", vendor: "gemini", value }));
        }
    }
    Ok(list)
}

fn function<'a>(declaration: FunctionDeclaration<'a>, path: &str) -> Result<FunctionTool<'a>, GatewayError> {
    let Some(name) = declaration.name.filter(|name| !name.is_empty()) else {
        return Err(GatewayError::invalid(format!("{path}.name"), "a function needs a name"));
    };
    let parameters = match (declaration.parameters_json_schema, declaration.parameters) {
        (Some(_), Some(_)) => {
            let message = "give `parameters` or `parametersJsonSchema`, not both";
            return Err(GatewayError::invalid(path, message));
        }
        (Some(raw), None) => Some(Schema::Raw(raw)),
        (None, Some(schema)) => {
            Some(Schema::Made(schema::json_schema(schema, &format!("{path}.parameters"))?))
        }
        (None, None) => None,
    };
    let rest = declaration.rest;
    Ok(FunctionTool {
        kind: "function",
        function: Function { name, description: declaration.description, parameters },
        vendor: (!rest.is_empty()).then_some(Vendor { gemini: RestFields(rest) }),
    })
}

/// What must be called. What has no canonical word stays in `config`.
pub(super) fn choice(config: &mut ToolConfig<'_>) -> Result<Option<ToolChoice>, GatewayError> {
    let Some(calling) = &mut config.function_calling_config else { return Ok(None) };
    let names = calling.allowed_function_names.take().unwrap_or_default().0;
    let mode = calling.mode.take();
    let word = mode.as_ref().map_or_else(String::new, |mode| mode.as_str().to_ascii_uppercase());
    let choice = match word.as_str() {
        "NONE" => Some(ToolChoice::Word("none")),
        "ANY" => Some(any(&names)),
        "AUTO" if names.is_empty() => Some(ToolChoice::Word("auto")),
        "AUTO" => Some(allowed("auto", &names)),
        "" | "MODE_UNSPECIFIED" => (!names.is_empty()).then(|| allowed("auto", &names)),
        "VALIDATED" => {
            calling.mode = mode;
            Some(if names.is_empty() { ToolChoice::Word("auto") } else { allowed("auto", &names) })
        }
        other => {
            return Err(GatewayError::invalid(
                "toolConfig.functionCallingConfig.mode",
                format!("`{other}` is not a mode; use `AUTO`, `ANY`, `NONE` or `VALIDATED`"),
            ));
        }
    };
    config.function_calling_config.take_if(|calling| calling.is_empty());
    Ok(choice)
}

fn any(names: &[Text<'_>]) -> ToolChoice {
    match names {
        [] => ToolChoice::Word("required"),
        [name] => ToolChoice::Object(named(name)),
        names => allowed("required", names),
    }
}

fn allowed(mode: &str, names: &[Text<'_>]) -> ToolChoice {
    let tools: Vec<_> = names.iter().map(named).collect();
    ToolChoice::Object(serde_json::json!({
        "type": "allowed_tools",
        "allowed_tools": { "mode": mode, "tools": tools },
    }))
}

fn named(name: &Text<'_>) -> serde_json::Value {
    serde_json::json!({ "type": "function", "function": { "name": name.as_str() } })
}
