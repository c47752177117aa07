//! Which conversation a request belongs to: headers first, then fields of the body, then how the prompt begins.
//!
//! What clients send, and where: Claude Code `X-Claude-Code-Session-Id`, and in `metadata.user_id` a JSON text with a
//! `session_id` (<https://docs.claude.com/en/api/messages>); Codex `session-id`, `thread-id` and `prompt_cache_key`
//! (<https://platform.openai.com/docs/guides/prompt-caching>); Open WebUI `X-OpenWebUI-Chat-Id`
//! (<https://docs.openwebui.com/getting-started/env-configuration>); OpenRouter's `session_id`.

use http::HeaderName;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Conversation, beginning, number};
use crate::config::Sticky;
use crate::domain::RequestHead;
use crate::domain::envelope::SESSION_HEADERS;

/// What a request may show of its conversation beside its head.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clues<'q> {
    /// The body, where a conversation is asked for; else empty.
    pub body: &'q [u8],
    /// The first of the answers it follows, where we keep them; its own when it follows none.
    pub first_answer: Option<&'q str>,
    /// Headers of the configuration that name a conversation; they go before those that are known.
    pub headers: &'q [HeaderName],
}

impl Clues<'_> {
    /// The conversation, if anything tells. The body is read only when no header does.
    pub fn conversation(&self, key: &str, head: &RequestHead, sticky: Sticky) -> Option<Conversation> {
        let known = |told_by, id: &str| of(key, told_by, id.trim().as_bytes());
        if sticky == Sticky::Off {
            return None;
        }
        let own = self.headers.iter().map(HeaderName::as_str);
        let said =
            own.chain(SESSION_HEADERS).filter_map(|name| head.header(name)).find(|value| is_name(value));
        if let Some(id) = said {
            return Some(known("a header", id));
        }
        let fields: Option<Fields<'_>> =
            (!self.body.is_empty()).then(|| serde_json::from_slice(self.body).ok()).flatten();
        if let Some(id) = fields.as_ref().and_then(Fields::session) {
            return Some(known("a field of the body", &id));
        }
        if let Some(id) = self.first_answer {
            return Some(known("the answers before it", id));
        }
        // Who asks is less than what about: it would gather all conversations of a busy user in one place.
        if sticky == Sticky::Prefix
            && let Some(digest) = beginning::of(self.body)
        {
            return Some(of(key, "the prompt's beginning", &digest));
        }
        fields.as_ref().and_then(Fields::user).map(|id| known("the end user", &id))
    }
}

fn of(key: &str, told_by: &'static str, id: &[u8]) -> Conversation {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key.as_bytes());
    hasher.update(id);
    Conversation { number: number(&hasher), told_by }
}

fn is_name(value: &str) -> bool {
    !value.trim().is_empty()
}

/// Members of a body that name a conversation. Raw: one of an unexpected type tells nothing and spoils nothing.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    prompt_cache_key: Option<&'a RawValue>,
    #[serde(borrow, default)]
    session_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    conversation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "cachedContent", alias = "cached_content")]
    cached_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user: Option<&'a RawValue>,
}

/// The same within `metadata`.
#[derive(Default, Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default)]
    session_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    conversation_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user_id: Option<&'a RawValue>,
}

impl<'a> Fields<'a> {
    fn session(&self) -> Option<String> {
        let metadata = self.metadata();
        text(self.prompt_cache_key)
            .or_else(|| text(self.session_id))
            .or_else(|| text(self.conversation).or_else(|| member(self.conversation?.get(), "id")))
            .or_else(|| text(metadata.session_id))
            .or_else(|| text(metadata.conversation_id))
            .or_else(|| session_of(&text(metadata.user_id)?))
            .or_else(|| text(self.cached_content))
    }

    fn user(&self) -> Option<String> {
        text(self.metadata().user_id).or_else(|| text(self.user))
    }

    fn metadata(&self) -> Metadata<'a> {
        self.metadata.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }
}

/// Claude Code's user id holds its session: as JSON, in older versions as `user_…_session_…`.
fn session_of(user_id: &str) -> Option<String> {
    if user_id.starts_with('{') {
        return member(user_id, "session_id");
    }
    user_id.rsplit_once("_session_").map(|(_, session)| session.to_owned()).filter(|id| is_name(id))
}

fn text(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok().filter(|text: &String| is_name(text))
}

/// A text in a small object.
fn member(object: &str, name: &str) -> Option<String> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(object).ok()?;
    object.get(name)?.as_str().filter(|id| is_name(id)).map(str::to_owned)
}
