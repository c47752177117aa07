//! Canonical → Cohere.

mod messages;
mod parts;
mod settings;
mod tools;

use plugin_sdk::chat::{ChatRequest, Json};
use plugin_sdk::{Credential, Failure, Header, Losses, Route, UpstreamRequest, json};
use serde_json::Value;

use crate::VENDOR;
use crate::wire::Request;

/// The whole request.
pub(crate) fn translate(route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let chat = ChatRequest::parse(body)?;
    let mut losses = Losses::default();
    settings::refuse_several_answers(&chat)?;
    let conversation = messages::convert(&chat.messages, &mut losses)?;
    let tools = tools::convert(&chat, &mut losses);
    let free_form = tools.is_empty() && conversation.documents.is_empty();
    let request = Request {
        model: &route.model,
        messages: conversation.turns,
        documents: conversation.documents,
        strict_tools: tools::strict(&chat, &mut losses),
        tool_choice: tools::choice(&chat, !tools.is_empty(), &mut losses),
        tools,
        response_format: settings::response_format(&chat, free_form, &mut losses),
        max_tokens: chat.max_output(),
        stop_sequences: settings::stops(&chat, &mut losses),
        temperature: chat.temperature.clone(),
        seed: chat.seed.clone(),
        frequency_penalty: settings::penalty("frequency_penalty", &chat.frequency_penalty, &mut losses),
        presence_penalty: settings::penalty("presence_penalty", &chat.presence_penalty, &mut losses),
        k: settings::top_k(&chat, &mut losses),
        p: settings::top_p(&chat, &mut losses),
        logprobs: chat.logprobs.filter(|asked| *asked),
        thinking: settings::thinking(&chat, &route.model, &mut losses),
        stream: route.streaming,
    };
    settings::report_what_has_no_place(body, &mut losses)?;
    losses.add_foreign(&chat.vendor, VENDOR, "");
    Ok(UpstreamRequest {
        method: "POST".to_owned(),
        path: "/v2/chat".to_owned(),
        headers: vec![Header { name: "content-type".to_owned(), value: "application/json".to_owned() }],
        body: merge_own(json::to_vec(&request)?, chat.vendor.get(VENDOR))?,
        credential: Credential::Bearer,
        losses: losses.into_vec(),
    })
}

/// `vendor.cohere` is merged deeply; nearly nobody has it.
pub(crate) fn merge_own(body: Vec<u8>, own: Option<&Json<'_>>) -> Result<Vec<u8>, Failure> {
    let Some(own) = own else { return Ok(body) };
    let mut tree: Value = json::request(&body)?;
    json::merge(&mut tree, own.to_value());
    json::to_vec(&tree)
}
