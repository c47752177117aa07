//! Canonical → OpenAI: fields OpenAI knows go as they came, the others are converted, or reported as lost.

mod calls;
mod format;
mod history;
mod messages;
mod reasoning;
mod tools;

use plugin_sdk::chat::{ChatRequest, Fields, Json};
use plugin_sdk::{Credential, Failure, Header, Losses, Route, UpstreamRequest, failure, json};
use serde::Serialize;
use serde_json::Value;

use crate::options::{Extension, Options};

/// The whole request.
pub(crate) fn translate(options: &Options, route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let fields: Fields<'_> = json::request(body)?;
    let mut chat = ChatRequest::parse(body)?;
    let mut losses = Losses::default();
    let mut object = Object { options, bytes: Vec::new(), refused: Vec::new() };
    object.field("model", &route.model)?;
    let mut conversation = messages::convert(std::mem::take(&mut chat.messages), options, &mut losses)?;
    let format = format::convert(chat.response_format.as_ref(), options, &mut conversation, &mut losses);
    object.field("messages", &conversation)?;
    for (name, value) in fields.present().filter(|(name, _)| !HANDLED.contains(name)) {
        object.field(name, value)?;
    }
    if let Some(format) = format {
        object.field("response_format", &format)?;
    }
    tools::write(&mut chat, &mut object, &mut losses)?;
    if let Some(cap) = chat.max_output() {
        object.field(options.max_tokens_field.name(), &cap)?;
    }
    reasoning::write(&chat, &fields, &route.model, &mut object, &mut losses)?;
    for (name, extension) in [("top_k", Extension::TopK), ("cache_control", Extension::CacheControl)] {
        match fields.get(name) {
            Some(value) if options.keeps(extension) => object.field(name, value)?,
            Some(_) => losses.add(name, format!("openai has no {name}")),
            None => {}
        }
    }
    if route.streaming {
        object.field("stream", &true)?;
        write_stream_options(&mut chat, &mut object)?;
    }
    for name in std::mem::take(&mut object.refused) {
        losses.add(name, "this server does not take it");
    }
    losses.add_foreign(&chat.vendor, "openai", "");
    let body = merge_own(object.close(), chat.vendor.get("openai"))?;
    Ok(post(options.path("chat/completions"), body, losses))
}

/// A request with a JSON body.
pub(crate) fn post(path: String, body: Vec<u8>, losses: Losses) -> UpstreamRequest {
    UpstreamRequest {
        method: "POST".to_owned(),
        path,
        headers: vec![Header { name: "content-type".to_owned(), value: "application/json".to_owned() }],
        body,
        credential: Credential::Bearer,
        losses: losses.into_vec(),
    }
}

/// Fields that are not copied: they have code of their own above.
const HANDLED: [&str; 17] = [
    "model",
    "messages",
    "response_format",
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

/// A JSON object written field by field, without those the server refuses.
struct Object<'o> {
    options: &'o Options,
    bytes: Vec<u8>,
    refused: Vec<String>,
}

impl Object<'_> {
    fn field(&mut self, name: &str, value: &impl Serialize) -> Result<(), Failure> {
        if self.options.refuses(name) {
            self.refused.push(name.to_owned());
            return Ok(());
        }
        self.bytes.push(if self.bytes.is_empty() { b'{' } else { b',' });
        let written = serde_json::to_writer(&mut self.bytes, name).and_then(|()| {
            self.bytes.push(b':');
            serde_json::to_writer(&mut self.bytes, value)
        });
        written.map_err(|error| failure::adapter(format!("`{name}` not written: {error}")))
    }

    fn close(mut self) -> Vec<u8> {
        self.bytes.push(b'}');
        self.bytes
    }
}

/// Usage is asked for wherever the server lets us: accounting needs it, and the host withholds it from clients that did
/// not ask.
fn write_stream_options(chat: &mut ChatRequest<'_>, object: &mut Object<'_>) -> Result<(), Failure> {
    let mut stream_options = chat.stream_options.take().unwrap_or_default();
    stream_options.include_usage = object.options.stream_usage.then_some(true);
    let empty = !object.options.stream_usage
        && stream_options.include_obfuscation.is_none()
        && stream_options.rest.present().next().is_none();
    if empty { Ok(()) } else { object.field("stream_options", &stream_options) }
}

/// `vendor.openai` is merged deeply; nearly nobody has it.
pub(crate) fn merge_own(body: Vec<u8>, own: Option<&Json<'_>>) -> Result<Vec<u8>, Failure> {
    let Some(own) = own else { return Ok(body) };
    let mut tree: Value = json::request(&body)?;
    json::merge(&mut tree, own.to_value());
    json::to_vec(&tree)
}
