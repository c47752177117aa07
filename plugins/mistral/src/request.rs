//! Canonical → Mistral.

pub(crate) mod ids;
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
    let temperature = settings::temperature(&chat, &mut losses);
    let messages = messages::convert(&chat.messages, &mut losses)?;
    let tools = tools::convert(&chat, &mut losses);
    let request = Request {
        model: &route.model,
        messages,
        top_p: settings::top_p(&chat, temperature.as_ref(), &mut losses),
        temperature,
        max_tokens: chat.max_output(),
        stop: chat.stop.clone(),
        random_seed: chat.seed.clone(),
        presence_penalty: chat.presence_penalty.clone(),
        frequency_penalty: chat.frequency_penalty.clone(),
        n: chat.n.filter(|count| *count != 1),
        response_format: settings::response_format(&chat, &mut losses),
        tool_choice: tools::choice(&chat, !tools.is_empty(), &mut losses),
        parallel_tool_calls: chat.parallel_tool_calls.filter(|_| !tools.is_empty()),
        tools,
        reasoning_effort: settings::reasoning_effort(&chat, &route.model, &mut losses),
        prediction: chat.prediction.clone(),
        metadata: chat.metadata.clone(),
        stream: route.streaming,
    };
    settings::report_what_has_no_place(body, &mut losses)?;
    losses.add_foreign(&chat.vendor, VENDOR, "");
    Ok(UpstreamRequest {
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        headers: vec![Header { name: "content-type".to_owned(), value: "application/json".to_owned() }],
        body: merge_own(json::to_vec(&request)?, chat.vendor.get(VENDOR))?,
        credential: Credential::Bearer,
        losses: losses.into_vec(),
    })
}

/// `vendor.mistral` is merged deeply; nearly nobody has it.
pub(crate) fn merge_own(body: Vec<u8>, own: Option<&Json<'_>>) -> Result<Vec<u8>, Failure> {
    let Some(own) = own else { return Ok(body) };
    let mut tree: Value = json::request(&body)?;
    json::merge(&mut tree, own.to_value());
    json::to_vec(&tree)
}
