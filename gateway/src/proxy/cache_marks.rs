//! `cache = "auto"`: marks for providers that keep in their prompt cache only what is marked.
//!
//! Three of the four marks Anthropic and Bedrock take: behind the last tool, behind the last system message, and, once a
//! conversation has an answer in it, behind its last message, which the next turn repeats. A first question gets no mark of
//! its own: writing costs a quarter more than reading the prompt plain, and nobody may come back.
//! Sources: Anthropic's guide to prompt caching (1024 tokens at least, 4096 for some models: shorter prompts are served
//! without caching), Amazon Bedrock's user guide, prompt caching.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialect::told;
use crate::dialect::word::Word;
use crate::domain::rules::{Fields, Put};
use crate::state::Provider;

static MARKED: Word = Word::new("\"cache_control\"");

/// Bytes of text from which caching is worth its price: 1024 tokens, the least that is cached at all.
const LEAST: u64 = 4096;

const MARK: &str = r#"{"type":"ephemeral"}"#;

/// True for providers that cache nothing without marks.
pub(super) fn are_wanted_by(provider: &Provider) -> bool {
    matches!(provider.adapter.manifest().provider.as_str(), "anthropic" | "aws.bedrock")
}

/// True when the client set none and there is enough to cache. Names of members are found; text has its quotes escaped.
pub(super) fn are_missing_in(body: &[u8]) -> bool {
    !MARKED.is_in(body) && told::asked(body) >= LEAST
}

/// Bedrock refuses marks to models that know none.
pub(super) fn fit(provider: &Provider, model: &str) -> bool {
    provider.adapter.manifest().provider != "aws.bedrock"
        || model.contains("claude")
        || model.contains("nova")
}

/// The canonical request with marks; `None` when there is nothing to mark.
pub(super) fn set(canonical: &[u8]) -> Option<Bytes> {
    #[derive(Deserialize)]
    struct Speaker<'a> {
        #[serde(borrow, default)]
        role: std::borrow::Cow<'a, str>,
    }
    let mut fields = Fields::read(std::str::from_utf8(canonical).ok()?)?;
    if let Some(tools) = fields.get("tools") {
        let tools: Vec<&RawValue> = serde_json::from_str(tools.get()).ok()?;
        let marked = tools.len().checked_sub(1).and_then(|last| with_marked(&tools, &[last], marked));
        if let Some(tools) = marked {
            fields.put("tools", tools, Put::Always);
        }
    }
    let messages = fields.get("messages")?;
    let messages: Vec<&RawValue> = serde_json::from_str(messages.get()).ok()?;
    let roles: Vec<Speaker<'_>> =
        messages.iter().map(|raw| serde_json::from_str(raw.get())).collect::<Result<_, _>>().ok()?;
    let system = roles.iter().rposition(|said| matches!(&*said.role, "system" | "developer"));
    let answered = roles.iter().any(|said| said.role == "assistant");
    let last = roles.len().checked_sub(1).filter(|last| {
        answered && roles.get(*last).is_some_and(|said| matches!(&*said.role, "user" | "tool" | "function"))
    });
    let places: Vec<usize> = system.into_iter().chain(last).collect();
    if let Some(messages) = with_marked(&messages, &places, marked_message) {
        fields.put("messages", messages, Put::Always);
    }
    serde_json::to_vec(&fields).ok().map(Bytes::from)
}

/// The list with some of its elements marked; `None` when none could be.
fn with_marked(
    list: &[&RawValue],
    places: &[usize],
    mark: fn(&RawValue) -> Option<Box<RawValue>>,
) -> Option<Box<RawValue>> {
    let marked: Vec<_> =
        places.iter().map(|place| (*place, list.get(*place).and_then(|raw| mark(raw)))).collect();
    if marked.iter().all(|(_, raw)| raw.is_none()) {
        return None;
    }
    let replaced =
        |at: usize| marked.iter().find(|(place, _)| *place == at).and_then(|(_, raw)| raw.as_deref());
    let list: Vec<&RawValue> = list.iter().enumerate().map(|(at, raw)| replaced(at).unwrap_or(raw)).collect();
    serde_json::value::to_raw_value(&list).ok()
}

fn marked(raw: &RawValue) -> Option<Box<RawValue>> {
    let mut fields = Fields::read(raw.get())?;
    fields.put("cache_control", RawValue::from_string(MARK.to_owned()).ok()?, Put::Always);
    fields.to_raw()
}

/// A tool's result carries its mark itself, other messages on their last part.
fn marked_message(raw: &RawValue) -> Option<Box<RawValue>> {
    let mut fields = Fields::read(raw.get())?;
    if fields.get("role").is_some_and(|role| role.get() == "\"tool\"") {
        return marked(raw);
    }
    let content = fields.get("content")?;
    let content = match content.get() {
        // An empty text cannot be marked.
        "\"\"" => return None,
        text if text.starts_with('"') => {
            RawValue::from_string(format!(r#"[{{"type":"text","text":{text},"cache_control":{MARK}}}]"#))
                .ok()?
        }
        list => {
            let parts: Vec<&RawValue> = serde_json::from_str(list).ok()?;
            let last = parts.len().checked_sub(1)?;
            with_marked(&parts, &[last], marked)?
        }
    };
    fields.put("content", content, Put::Always);
    fields.to_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_behind_tools_system_and_the_last_turn() {
        let request = r#"{"model":"m","tools":[{"a":1},{"b":2}],"messages":[{"role":"system","content":"s\u0068"},{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}],"temperature":1.0}"#;
        let expected = r#"{"model":"m","tools":[{"a":1},{"b":2,"cache_control":{"type":"ephemeral"}}],"messages":[{"role":"system","content":[{"type":"text","text":"s\u0068","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"y","cache_control":{"type":"ephemeral"}}]}],"temperature":1.0}"#;
        assert_eq!(set(request.as_bytes()).as_deref(), Some(expected.as_bytes()));
        let result = r#"{"messages":[{"role":"assistant","content":null},{"role":"tool","content":"r"}]}"#;
        let expected = r#"{"messages":[{"role":"assistant","content":null},{"role":"tool","content":"r","cache_control":{"type":"ephemeral"}}]}"#;
        assert_eq!(set(result.as_bytes()).as_deref(), Some(expected.as_bytes()));
        // A first question, and an answer that shall be continued.
        for request in [
            r#"{"messages":[{"role":"user","content":"u"}]}"#,
            r#"{"messages":[{"role":"system","content":""},{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}"#,
        ] {
            assert_eq!(set(request.as_bytes()).as_deref(), Some(request.as_bytes()));
        }
    }

    #[test]
    fn marks_are_missing_in_long_requests_without_them() {
        let request = |text: &str, more: &str| format!(r#"{{"messages":[{{"content":"{text}"{more}}}]}}"#);
        let long = "a word ".repeat(600);
        assert!(are_missing_in(request(&long, "").as_bytes()));
        assert!(are_missing_in(request(&format!("{long}\\\"cache_control\\\""), "").as_bytes()));
        assert!(!are_missing_in(request("short", "").as_bytes()));
        assert!(!are_missing_in(request(&long, r#","cache_control":{}"#).as_bytes()));
    }
}
