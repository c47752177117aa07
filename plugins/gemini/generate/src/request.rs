//! Canonical chat as a `GenerateContentRequest`.

mod merge;
mod messages;
mod model;
pub(crate) mod parts;
mod settings;
mod tools;

use plugin_sdk::chat::{ChatRequest, Fields, Json};
use plugin_sdk::{Failure, Losses, Route, UpstreamRequest, failure, json};

use crate::VENDOR;
use crate::wire::Request;
pub(crate) use model::Model;

/// One request.
pub(crate) fn translate(route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let chat = ChatRequest::parse(body)?;
    let model = Model::new(&route.model);
    let mut losses = Losses::default();
    let conversation = messages::conversation(&chat.messages, &model, &mut losses)?;
    let tools = tools::tools(&chat.tools, &mut losses);
    let request = Request {
        contents: conversation.contents,
        system_instruction: conversation.system,
        tool_config: tools::config(&chat, !tools.is_empty(), &mut losses),
        tools,
        generation_config: settings::generation_config(&chat, &model, &mut losses),
        service_tier: settings::service_tier(&chat, &mut losses),
    };
    settings::report_what_has_no_place(&chat, &mut losses);
    let mut body = json::to_vec(&request)?;
    if let Some(own) = chat.vendor.get(VENDOR) {
        body = with_own_fields(body, own)?;
    }
    Ok(UpstreamRequest {
        method: "POST".into(),
        path: model.path(route.streaming),
        headers: route.headers.clone(),
        body,
        credential: crate::credential(),
        losses: losses.into_vec(),
    })
}

/// `vendor.gemini` on top of what was translated.
pub(crate) fn with_own_fields(body: Vec<u8>, own: &Json<'_>) -> Result<Vec<u8>, Failure> {
    let Some(own) = own.read::<Fields<'_>>() else {
        return Err(failure::invalid("vendor.gemini", "vendor.gemini: must be an object"));
    };
    let text = String::from_utf8(body).map_err(|_| failure::adapter("body not written as UTF-8"))?;
    Ok(merge::objects(&text, &own).into_bytes())
}
