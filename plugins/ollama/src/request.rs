//! Canonical → Ollama.

mod content;
mod messages;
mod settings;
mod tools;

use plugin_sdk::chat::{ChatRequest, Json};
use plugin_sdk::{Credential, Failure, Header, Losses, Route, UpstreamRequest, json};
use serde_json::Value;

use crate::VENDOR;
use crate::options::Options;
use crate::wire::Request;

/// The whole request.
pub(crate) fn translate(options: &Options, route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let chat = ChatRequest::parse(body)?;
    let mut losses = Losses::default();
    settings::refuse_several_answers(&chat)?;
    let request = Request {
        model: &route.model,
        messages: messages::convert(&chat.messages, &mut losses)?,
        tools: tools::convert(&chat, &mut losses),
        format: settings::format(&chat, &mut losses),
        think: settings::think(&chat, options, &route.model, &mut losses),
        logprobs: chat.logprobs.filter(|asked| *asked),
        top_logprobs: chat.top_logprobs.filter(|count| *count > 0),
        options: settings::sampling(&chat, options),
        keep_alive: options.keep_alive.as_ref(),
        stream: route.streaming,
    };
    settings::report_what_has_no_place(body, &mut losses)?;
    losses.add_foreign(&chat.vendor, VENDOR, "");
    Ok(UpstreamRequest {
        method: "POST".to_owned(),
        path: "/api/chat".to_owned(),
        headers: vec![Header { name: "content-type".to_owned(), value: "application/json".to_owned() }],
        body: merge_own(json::to_vec(&request)?, chat.vendor.get(VENDOR))?,
        // A server of one's own wants no key; then none is configured and none is sent.
        credential: Credential::Bearer,
        losses: losses.into_vec(),
    })
}

/// `vendor.ollama` is merged deeply; nearly nobody has it.
pub(crate) fn merge_own(body: Vec<u8>, own: Option<&Json<'_>>) -> Result<Vec<u8>, Failure> {
    let Some(own) = own else { return Ok(body) };
    let mut tree: Value = json::request(&body)?;
    json::merge(&mut tree, own.to_value());
    json::to_vec(&tree)
}
