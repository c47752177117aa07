//! `countTokens` (<https://ai.google.dev/api/tokens>): a whole request, counted with its instructions and tools.

use plugin_sdk::chat::Json;
use plugin_sdk::{Answer, Failure, Route, UpstreamRequest, failure, json, object};

use crate::request::{self, Model};

object! {
    /// `CountTokensResponse`.
    Counted {
        total: Option<u64> = "totalTokens",
        error: Option<Json<'a>> = "error",
    }
}

pub(super) fn request(route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let chat = request::translate(route, body)?;
    let model = Model::new(&route.model);
    let name = serde_json::Value::from(model.resource()).to_string();
    let inner = chat.body.strip_prefix(b"{").unwrap_or(&chat.body);
    // The request counted is the chat request with the name of its model in front.
    let mut body = format!("{{\"generateContentRequest\":{{\"model\":{name},").into_bytes();
    body.extend_from_slice(inner);
    body.push(b'}');
    Ok(UpstreamRequest { path: model.method("countTokens"), body, ..chat })
}

pub(super) fn answer(body: &[u8]) -> Result<Answer, Failure> {
    let came: Counted<'_> = json::answer("answer", body)?;
    super::no_error(came.error.as_ref())?;
    let Some(total) = came.total else {
        return Err(failure::malformed("the provider's answer has no totalTokens"));
    };
    let body = json::to_vec(&serde_json::json!({ "input_tokens": total }))?;
    Ok(Answer { body, content_type: None, usage: None, losses: Vec::new() })
}
