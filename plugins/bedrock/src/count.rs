//! Counting tokens: a Converse request without what is about the answer.

use plugin_sdk::chat::{Fields, Json};
use plugin_sdk::{Answer, Failure, failure, json};
use serde_json::json;

/// What `CountTokens` takes of Converse's fields
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html>).
const COUNTED: [&str; 4] = ["messages", "system", "toolConfig", "additionalModelRequestFields"];

/// The body of a Converse request as one to be counted.
pub(crate) fn request(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut fields: Fields<'_> = json::request(body)?;
    fields.0.retain(|(name, _)| COUNTED.contains(&&**name));
    json::to_vec(&json!({ "input": { "converse": fields } }))
}

/// The count.
pub(crate) fn answer(body: &[u8]) -> Result<Answer, Failure> {
    let fields: Fields<'_> = json::answer("answer", body)?;
    let Some(count) = fields.get("inputTokens").and_then(Json::read::<u64>) else {
        return Err(failure::malformed("the provider's answer has no inputTokens"));
    };
    let body = json::to_vec(&json!({ "input_tokens": count }))?;
    Ok(Answer { body, content_type: None, usage: None, losses: Vec::new() })
}
