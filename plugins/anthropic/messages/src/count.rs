//! Counting tokens (<https://docs.claude.com/en/api/messages-count-tokens>): the same body without what is about the answer.

use plugin_sdk::chat::{Fields, Json};
use plugin_sdk::{Answer, Failure, failure, json};

use crate::error;

/// What the endpoint takes; it refuses everything else.
const COUNTED: [&str; 11] = [
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "cache_control",
    "output_config",
    "context_management",
    "mcp_servers",
    "speed",
];

/// The body of a chat request as one to be counted. What is left out costs no input, so nothing is lost.
pub(crate) fn request(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut fields: Fields<'_> = json::request(body)?;
    fields.0.retain(|(name, _)| COUNTED.contains(&&**name));
    json::to_vec(&fields)
}

/// The count.
pub(crate) fn answer(body: &[u8]) -> Result<Answer, Failure> {
    let fields: Fields<'_> = json::answer("answer", body)?;
    if let Some(told) = fields.get("error") {
        return Err(error::in_stream(told));
    }
    let Some(count) = fields.get("input_tokens").and_then(Json::read::<u64>) else {
        return Err(failure::malformed("the provider's answer has no input_tokens"));
    };
    let body = json::to_vec(&serde_json::json!({ "input_tokens": count }))?;
    Ok(Answer { body, content_type: None, usage: None, losses: Vec::new() })
}
