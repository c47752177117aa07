//! Answers that say nothing: no text, no call, no refusal, and no reason for that either.
//!
//! Any dialect's JSON is looked at the same way, for their answers differ in the names of a few members only. What cannot
//! be judged says something.

use serde_json::{Map, Value};

use super::told;
use super::word::{self, Word};

/// Members that say nothing by being there.
const SILENT: [&str; 10] =
    ["role", "type", "id", "index", "status", "object", "model", "phase", "logprobs", "thought"];
/// How an answer ends that has come to its end.
const ENDS: [&str; 8] =
    ["", "stop", "end_turn", "STOP", "COMPLETE", "completed", "FINISH_REASON_UNSPECIFIED", "eos"];
/// Where the reason stands.
const REASONS: [&str; 6] =
    ["finish_reason", "stop_reason", "stopReason", "finishReason", "done_reason", "status"];
/// Where the content stands.
const PLACES: [&str; 8] =
    ["message", "delta", "text", "content", "output", "response", "thinking", "tool_calls"];

/// True when a whole answer, or the event that ends a stream, says nothing.
pub fn in_answer(data: &[u8]) -> bool {
    if data.trim_ascii() == b"[DONE]" {
        return true;
    }
    if told::says_something(data) {
        return false;
    }
    let Ok(Value::Object(answer)) = serde_json::from_slice::<Value>(data) else { return false };
    match answer.get("type").and_then(Value::as_str) {
        Some("message_stop") => return true,
        Some("message-end") => return answer.get("delta").and_then(Value::as_object).is_some_and(has_ended),
        _ => {}
    }
    // The last event of OpenAI's Responses holds the whole answer.
    let answer = answer.get("response").and_then(Value::as_object).unwrap_or(&answer);
    let blocked = answer.get("promptFeedback").is_some_and(|feedback| !is_hollow(feedback));
    if blocked || !has_ended(answer) {
        return false;
    }
    match answer.get("choices").or_else(|| answer.get("candidates")) {
        Some(Value::Array(choices)) => choices.iter().all(|choice| {
            choice.as_object().is_some_and(|choice| has_ended(choice) && is_silent(choice) != Some(false))
        }),
        Some(Value::Null) => true,
        Some(_) => false,
        None => is_silent(answer) == Some(true),
    }
}

/// True when what was asked may well be answered by nothing: a text to stop at that comes at once, or a call's result that
/// leaves nothing to say.
pub fn may_answer(request: &[u8]) -> bool {
    static HINTS: [Word; 9] = [
        Word::new("\"stop\""),
        Word::new("\"stop_sequences\""),
        Word::new("\"stopSequences\""),
        Word::new("\"tool_call_id\""),
        Word::new("\"tool_result\""),
        Word::new("\"toolResult\""),
        Word::new("\"functionResponse\""),
        Word::new("\"function_call_output\""),
        Word::new("\"role\":\"tool\""),
    ];
    word::any(&HINTS, request)
}

/// It ended as answers end, or does not say how.
fn has_ended(part: &Map<String, Value>) -> bool {
    REASONS.iter().filter_map(|name| part.get(*name)).all(|reason| match reason {
        Value::Null => true,
        Value::String(reason) => ENDS.contains(&reason.as_str()),
        _ => false,
    })
}

/// Whether all places for content are empty; `None`: there is no place.
fn is_silent(part: &Map<String, Value>) -> Option<bool> {
    let places = PLACES.iter().filter_map(|name| part.get(*name)).map(is_hollow);
    places.reduce(|one, other| one && other)
}

fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(parts) => parts.iter().all(is_hollow),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !SILENT.contains(&name.as_str()))
            .all(|(_, value)| is_hollow(value)),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_something_by_its_content_or_by_its_reason() {
        for (answer, nothing) in [
            (r#"{"choices":[{"message":{"role":"assistant","content":""},"finish_reason":"stop"}]}"#, true),
            (
                r#"{"choices":[{"message":{"role":"assistant","content":null,"refusal":null,"annotations":[]},"finish_reason":"stop"}]}"#,
                true,
            ),
            (r#"{"choices":[]}"#, true),
            (r#"{"choices":[{"text":"","finish_reason":"stop"}]}"#, true),
            (r#"{"choices":[{"message":{"content":""},"finish_reason":"length"}]}"#, false),
            (r#"{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}"#, false),
            (r#"{"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}]}"#, false),
            (
                r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#,
                false,
            ),
            (
                r#"{"choices":[{"message":{"content":"","reasoning_content":"hm"},"finish_reason":"stop"}]}"#,
                false,
            ),
            (
                r#"{"choices":[{"message":{"content":""},"finish_reason":"stop"},{"message":{"content":"x"},"finish_reason":"stop"}]}"#,
                false,
            ),
            (
                r#"{"type":"message","role":"assistant","content":[],"stop_reason":"end_turn","stop_sequence":null}"#,
                true,
            ),
            (r#"{"type":"message","content":[{"type":"text","text":""}],"stop_reason":"end_turn"}"#, true),
            (r#"{"type":"message","content":[],"stop_reason":"max_tokens"}"#, false),
            (r#"{"type":"message","content":[],"stop_reason":"refusal"}"#, false),
            (r#"{"type":"message","content":[],"stop_reason":"stop_sequence"}"#, false),
            (
                r#"{"type":"message","content":[{"type":"tool_use","id":"1","name":"f","input":{}}],"stop_reason":"tool_use"}"#,
                false,
            ),
            (
                r#"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}]}"#,
                true,
            ),
            (r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3}}"#, true),
            (r#"{"candidates":[{"finishReason":"SAFETY"}]}"#, false),
            (r#"{"candidates":[],"promptFeedback":{"blockReason":"SAFETY"}}"#, false),
            (r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#, false),
            (
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}]}"#,
                false,
            ),
            (r#"{"object":"response","status":"completed","output":[]}"#, true),
            (
                r#"{"object":"response","status":"completed","output":[{"type":"message","id":"m","status":"completed","role":"assistant","content":[{"type":"output_text","text":"","annotations":[]}]}]}"#,
                true,
            ),
            (r#"{"type":"response.completed","response":{"status":"completed","output":[]}}"#, true),
            (r#"{"object":"response","status":"incomplete","output":[]}"#, false),
            (
                r#"{"object":"response","status":"completed","output":[{"type":"function_call","name":"f","arguments":"{}"}]}"#,
                false,
            ),
            (
                r#"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}"#,
                true,
            ),
            (r#"{"model":"m","response":"","done":true,"done_reason":"stop"}"#, true),
            (
                r#"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}"#,
                false,
            ),
            (r#"{"model":"m","response":"hi","done":true,"done_reason":"stop"}"#, false),
            (r#"{"message":{"role":"assistant","content":[]},"finish_reason":"COMPLETE"}"#, true),
            (r#"{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS"}}"#, false),
            (r#"{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn"}"#, true),
            (
                r#"{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"guardrail_intervened"}"#,
                false,
            ),
            (r#"{"type":"message_stop"}"#, true),
            ("[DONE]", true),
            (r#"{"object":"list","data":[]}"#, false),
            ("{}", false),
            ("[1]", false),
            ("{", false),
        ] {
            assert_eq!(in_answer(answer.as_bytes()), nothing, "{answer}");
        }
    }

    #[test]
    fn some_questions_may_be_answered_by_nothing() {
        for (request, may) in [
            (r#"{"messages":[{"role":"user","content":"say \"stop\""}]}"#, false),
            (r#"{"messages":[{"role":"user","content":"hi"}],"stop":["x"]}"#, true),
            (r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"1"}]}]}"#, true),
            (r#"{"contents":[{"parts":[{"functionResponse":{}}]}]}"#, true),
        ] {
            assert_eq!(may_answer(request.as_bytes()), may, "{request}");
        }
    }
}
