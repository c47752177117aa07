//! Canonical → OpenAI: fields OpenAI knows go as they came, the others are converted, or reported as lost.

mod messages;
mod tools;

use plugin_sdk::chat::{ChatRequest, Fields, Json, Reasoning, ReasoningMode};
use plugin_sdk::{Credential, Failure, Header, Losses, Route, UpstreamRequest, failure, json};
use serde::Serialize;
use serde_json::Value;

use crate::PATH;
use crate::options::{Extension, Options};

/// The whole request.
pub(crate) fn translate(options: &Options, route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let fields: Fields<'_> = json::request(body)?;
    let mut chat = ChatRequest::parse(body)?;
    let mut losses = Losses::default();
    let mut object = Object::default();
    object.field("model", &route.model)?;
    let conversation = messages::convert(std::mem::take(&mut chat.messages), options, &mut losses)?;
    object.field("messages", &conversation)?;
    for (name, value) in fields.present().filter(|(name, _)| !HANDLED.contains(name)) {
        object.field(name, value)?;
    }
    tools::write(&mut chat, options, &mut object, &mut losses)?;
    if let Some(cap) = chat.max_output() {
        object.field(options.max_tokens_field.name(), &cap)?;
    }
    write_reasoning(&chat, &fields, options, &route.model, &mut object, &mut losses)?;
    for (name, extension) in [("top_k", Extension::TopK), ("cache_control", Extension::CacheControl)] {
        match fields.get(name) {
            Some(value) if options.keeps(extension) => object.field(name, value)?,
            Some(_) => losses.add(name, format!("openai has no {name}")),
            None => {}
        }
    }
    if route.streaming {
        object.field("stream", &true)?;
        let mut stream_options = chat.stream_options.take().unwrap_or_default();
        // Usage is always asked for: accounting needs it, and the host withholds it from clients that did not ask.
        stream_options.include_usage = Some(true);
        object.field("stream_options", &stream_options)?;
    }
    losses.add_foreign(&chat.vendor, "openai", "");
    let body = merge_own(object.close(), chat.vendor.get("openai"))?;
    Ok(UpstreamRequest {
        method: "POST".to_owned(),
        path: PATH.to_owned(),
        headers: vec![Header { name: "content-type".to_owned(), value: "application/json".to_owned() }],
        body,
        credential: Credential::Bearer,
        losses: losses.into_vec(),
    })
}

/// Fields that are not copied: they have code of their own above.
const HANDLED: [&str; 16] = [
    "model",
    "messages",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
    "max_tokens",
    "max_completion_tokens",
    "reasoning",
    "reasoning_effort",
    "top_k",
    "cache_control",
    "stream",
    "stream_options",
    "vendor",
];

/// A JSON object written field by field.
#[derive(Default)]
struct Object(Vec<u8>);

impl Object {
    fn field(&mut self, name: &str, value: &impl Serialize) -> Result<(), Failure> {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        let written = serde_json::to_writer(&mut self.0, name).and_then(|()| {
            self.0.push(b':');
            serde_json::to_writer(&mut self.0, value)
        });
        written.map_err(|error| failure::adapter(format!("`{name}` not written: {error}")))
    }

    fn close(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}

/// `vendor.openai` is merged deeply; nearly nobody has it.
fn merge_own(body: Vec<u8>, own: Option<&Json<'_>>) -> Result<Vec<u8>, Failure> {
    let Some(own) = own else { return Ok(body) };
    let mut tree: Value = json::request(&body)?;
    json::merge(&mut tree, own.to_value());
    json::to_vec(&tree)
}

fn write_reasoning(
    chat: &ChatRequest<'_>,
    fields: &Fields<'_>,
    options: &Options,
    model: &str,
    object: &mut Object,
    losses: &mut Losses,
) -> Result<(), Failure> {
    if let Some(effort) = &chat.reasoning_effort {
        object.field("reasoning_effort", effort)?;
    }
    let (Some(reasoning), Some(raw)) = (&chat.reasoning, fields.get("reasoning")) else { return Ok(()) };
    if options.keeps(Extension::Reasoning) {
        return object.field("reasoning", raw);
    }
    if reasoning.mode == Some(ReasoningMode::Disabled) && chat.reasoning_effort.is_none() {
        losses.add("reasoning.mode", "openai's models have no common word for no reasoning");
    }
    if let Some(budget) = reasoning.max_tokens {
        match effort_for(reasoning, budget).filter(|_| chat.reasoning_effort.is_none() && reasons(model)) {
            Some(effort) => {
                object.field("reasoning_effort", &effort)?;
                losses
                    .add("reasoning.max_tokens", format!("openai takes no budget; sent as effort {effort}"));
            }
            None => losses.add("reasoning.max_tokens", "openai takes no budget"),
        }
    }
    if reasoning.include == Some(true) {
        losses.add("reasoning.include", "openai chat does not show reasoning");
    }
    losses.add_if(&reasoning.display, "reasoning.display", "openai chat does not show reasoning");
    losses.add_fields(&reasoning.rest, "reasoning", "openai does not know it");
    Ok(())
}

/// Budgets in the ranges other gateways and Google's own OpenAI-compatible endpoint use: 1 Ki, 8 Ki, 24 Ki.
fn effort_for(reasoning: &Reasoning<'_>, budget: u64) -> Option<&'static str> {
    if reasoning.mode == Some(ReasoningMode::Disabled) {
        return None;
    }
    Some(match budget {
        0..=2_048 => "low",
        2_049..=12_288 => "medium",
        _ => "high",
    })
}

/// These families refuse `reasoning_effort` altogether. A name may carry its vendor: `openai/gpt-4o`.
fn reasons(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    !["gpt-4", "gpt-3.5", "chatgpt-"].iter().any(|family| name.starts_with(family))
}
