//! How many tokens a conversation has, when no provider can be asked. An estimate, and called one.

use serde_json::Value;

/// Bytes of text one token stands for, on average over the common tokenizers and English prose.
const BYTES_PER_TOKEN: u64 = 4;
/// What a message costs beside its text: its role and its separators.
const PER_MESSAGE: u64 = 4;
/// A picture, whatever its size: between the smallest and the largest vendors bill.
const PER_PICTURE: u64 = 1_000;

/// Tokens of a canonical conversation.
pub(super) fn of(canonical: &[u8]) -> u64 {
    let Ok(conversation) = serde_json::from_slice::<Value>(canonical) else { return 0 };
    let messages = conversation.get("messages").and_then(Value::as_array);
    let frames = messages.map_or(0, |messages| messages.len() as u64 * PER_MESSAGE);
    let said = ["messages", "tools", "response_format"].iter().filter_map(|name| conversation.get(name));
    let (bytes, pictures) = said.map(weigh).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    frames + bytes.div_ceil(BYTES_PER_TOKEN) + pictures * PER_PICTURE
}

/// Tokens of the `input` of a request for embeddings.
pub(super) fn of_input(body: &[u8]) -> u64 {
    let Ok(request) = serde_json::from_slice::<Value>(body) else { return 0 };
    request.get("input").map_or(0, |input| weigh(input).0.div_ceil(BYTES_PER_TOKEN))
}

/// Bytes of text and number of pictures and files.
fn weigh(value: &Value) -> (u64, u64) {
    match value {
        Value::String(text) if text.starts_with("data:") => (0, 1),
        Value::String(text) => (text.len() as u64, 0),
        Value::Array(items) => {
            items.iter().map(weigh).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
        }
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| {
                !matches!(name.as_str(), "data" | "signature" | "id" | "tool_call_id" | "type" | "role")
            })
            .map(|(name, value)| {
                let (bytes, pictures) = weigh(value);
                // In a schema the names are what the model reads.
                (bytes + if value.is_string() { 0 } else { name.len() as u64 }, pictures)
            })
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)),
        Value::Number(_) | Value::Bool(_) => (4, 0),
        Value::Null => (0, 0),
    }
}
