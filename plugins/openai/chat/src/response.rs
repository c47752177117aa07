//! OpenAI → canonical, whole answers: they are canonical, but for the habits of those who copied OpenAI.

use plugin_sdk::chat::{Json, Text, ToolCall};
use plugin_sdk::{Answer, Failure, failure, json};

use crate::error;
use crate::options::Options;
use crate::think;
use crate::wire::{self, Choice, Completion, Message};

/// The whole answer.
pub(crate) fn translate(options: &Options, body: &[u8]) -> Result<Answer, Failure> {
    let mut completion: Completion<'_> = json::answer("answer", body)?;
    if completion.error.is_some() || completion.object == "error" {
        return Err(error::inside(body));
    }
    if completion.choices.is_empty() {
        return Err(failure::malformed("the provider's answer has no choices"));
    }
    for choice in &mut completion.choices {
        even_out(choice, options)?;
    }
    let in_groq = completion.x_groq.as_mut().and_then(|groq| groq.usage.take());
    let told = completion
        .usage
        .take()
        .or(in_groq)
        .and_then(|raw| wire::told(raw, options.output_excludes_reasoning));
    let usage = told.as_ref().map(|told| told.usage);
    completion.usage = told.map(|told| told.report);
    completion.object = "chat.completion".into();
    Ok(Answer { body: json::to_vec(&completion)?, content_type: None, usage, losses: Vec::new() })
}

fn even_out(choice: &mut Choice<'_>, options: &Options) -> Result<(), Failure> {
    let message = &mut choice.message;
    message.role = "assistant".into();
    even_out_reasoning(message);
    if options.think_tags {
        untag(message);
    }
    if let Some(call) = message.function_call.take().filter(|_| message.tool_calls.is_empty()) {
        let (name, arguments) = (call.name.unwrap_or_default(), call.arguments.unwrap_or_default());
        // Snowflake sends an empty object beside an ordinary answer.
        if !name.is_empty() {
            let id = format!("call_legacy_{}", choice.index);
            message.tool_calls.push(ToolCall::function(id, name, arguments));
        }
    }
    for (index, call) in message.tool_calls.iter_mut().enumerate() {
        call.index = None;
        if call.kind.is_empty() {
            call.kind = "function".into();
        }
        if call.id.is_empty() {
            call.id = format!("call_{}_{index}", choice.index).into();
        }
    }
    let word = choice.finish_reason.0.take().unwrap_or_default();
    let Some(reason) = wire::finish_reason(&word, !message.tool_calls.is_empty()) else {
        return Err(error::broken_off(&word));
    };
    if word != wire::word_of(reason) && !word.is_empty() && choice.native_finish_reason.is_none() {
        choice.native_finish_reason = Some(word);
    }
    choice.finish_reason.0 = Some(wire::word_of(reason).into());
    Ok(())
}

fn even_out_reasoning(message: &mut Message<'_>) {
    // OpenRouter, Groq and newer vLLM call it `reasoning`.
    if let Some(text) = message.reasoning.take().and_then(|raw| raw.read::<Text<'_>>()) {
        message.reasoning_content.get_or_insert(text);
    }
    let images = std::mem::take(&mut message.images);
    let Some(mixed) = wire::unmix(message.content.0.as_ref(), images) else { return };
    if !mixed.thinking.is_empty() {
        message.reasoning_content.get_or_insert(mixed.thinking.into());
    }
    let mut parts = mixed.others;
    message.content.0 = Some(Json::Value(if parts.is_empty() {
        mixed.text.into()
    } else {
        if !mixed.text.is_empty() {
            parts.insert(0, serde_json::json!({ "type": "text", "text": mixed.text }));
        }
        parts.into()
    }));
}

fn untag(message: &mut Message<'_>) {
    let Some(text) = message.content.0.as_ref().and_then(Json::read::<Text<'_>>) else { return };
    let split = think::split(&text);
    if !split.reasoning.is_empty() {
        message.reasoning_content.get_or_insert(split.reasoning.into());
    }
    message.content.0 = Some(Json::Value(split.content.into()));
}
