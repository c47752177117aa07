//! The deprecated function calling of OpenAI, read as tools: `functions`, `function_call`, role `function`; and arguments
//! that say nothing.

use super::{ChatRequest, FunctionDefinition, Message, Role, Text, Tool, ToolCall};

/// Replaces the deprecated forms, where the present ones are absent.
pub(super) fn lift(request: &mut ChatRequest<'_>) {
    if request.tools.is_empty() {
        request.tools = std::mem::take(&mut request.functions).into_iter().map(tool).collect();
    }
    if request.tool_choice.is_none() {
        request.tool_choice = request.function_call.take();
    }
    let mut last_call: Option<Text<'_>> = None;
    for (index, message) in request.messages.iter_mut().enumerate() {
        lift_call(index, message);
        if message.role == Role::Function {
            message.role = Role::Tool;
            message.tool_call_id = message.tool_call_id.take().or_else(|| last_call.take());
        }
        for call in &mut message.tool_calls {
            // Cohere writes `null` where a call has no arguments, and clients send back what they got.
            let says_nothing = matches!(call.function.arguments.trim(), "" | "null");
            if says_nothing && !call.function.name.is_empty() {
                call.function.arguments = "{}".into();
            }
        }
        if let Some(call) = message.tool_calls.last() {
            last_call = Some(call.id.clone());
        }
    }
}

fn tool(function: FunctionDefinition<'_>) -> Tool<'_> {
    Tool { kind: "function".into(), function: Some(function), ..Tool::default() }
}

fn lift_call(index: usize, message: &mut Message<'_>) {
    if !message.tool_calls.is_empty() {
        return;
    }
    if let Some(call) = message.function_call.take() {
        // The deprecated form has no ids; the position makes one that is the same in every request.
        let id = format!("call_legacy_{index}");
        message.tool_calls.push(ToolCall::function(id, call.name, call.arguments));
    }
}
