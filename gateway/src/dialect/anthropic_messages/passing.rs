//! Anthropic's own answers on their way through: only what carries usage or an error is parsed.

use super::error;
use super::tokens;
use crate::dialect::Passing;
use crate::dialect::word::Word;
use crate::domain::Usage;
use crate::error::GatewayError;

static TYPE: Word = Word::new("\"type\"");

/// Usage of a whole message.
pub(super) fn whole_usage(body: &[u8]) -> Option<Usage> {
    #[derive(serde::Deserialize)]
    struct Message {
        usage: tokens::Passing,
    }
    let message: Message = serde_json::from_slice(body).ok()?;
    let mut usage = Usage::default();
    message.usage.update(&mut usage);
    Some(usage)
}

/// What one event is.
pub(super) fn event(data: &[u8], usage: &mut Usage) -> Passing {
    // Anthropic writes the type first; others, who copy its API, need not.
    match kind(data).or_else(|| parsed_kind(data)) {
        Some(Event::Delta) => Passing::Content,
        Some(Event::BlockStart) => block_start(data),
        Some(Event::MessageStart) => {
            note_usage(data, usage);
            Passing::Quiet
        }
        Some(Event::MessageDelta) if note_usage(data, usage) => Passing::Content,
        Some(Event::MessageDelta) => Passing::Quiet,
        Some(Event::MessageStop) => Passing::End,
        Some(Event::Error) => Passing::Failed(failure(data)),
        Some(Event::Other) | None => Passing::Quiet,
    }
}

enum Event {
    MessageStart,
    BlockStart,
    Delta,
    MessageDelta,
    MessageStop,
    Error,
    Other,
}

impl Event {
    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"content_block_delta" => Some(Self::Delta),
            b"content_block_start" => Some(Self::BlockStart),
            b"message_start" => Some(Self::MessageStart),
            b"message_delta" => Some(Self::MessageDelta),
            b"message_stop" => Some(Self::MessageStop),
            b"error" => Some(Self::Error),
            b"content_block_stop" | b"ping" => Some(Self::Other),
            _ => None,
        }
    }
}

/// The event's kind, when the first `"type"` names one.
fn kind(data: &[u8]) -> Option<Event> {
    let after = data.get(TYPE.find(data)? + TYPE.len()..)?.trim_ascii_start();
    let value = after.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    Event::named(value.get(..memchr::memchr(b'"', value)?)?)
}

/// The event's kind, wherever its type stands.
fn parsed_kind(data: &[u8]) -> Option<Event> {
    #[derive(serde::Deserialize)]
    struct Tagged {
        r#type: String,
    }
    let tagged: Tagged = serde_json::from_slice(data).ok()?;
    Event::named(tagged.r#type.as_bytes())
}

/// Text and thinking start empty; every other block says something by being there.
fn block_start(data: &[u8]) -> Passing {
    #[derive(serde::Deserialize)]
    struct Start {
        content_block: Block,
    }
    #[derive(serde::Deserialize)]
    struct Block {
        r#type: String,
    }
    match serde_json::from_slice::<Start>(data) {
        Ok(start) if start.content_block.r#type != "text" && start.content_block.r#type != "thinking" => {
            Passing::Content
        }
        _ => Passing::Quiet,
    }
}

/// Reads `message.usage` of an opening and `usage` of a closing event. True: the answer ends, and for a reason.
fn note_usage(data: &[u8], usage: &mut Usage) -> bool {
    #[derive(serde::Deserialize)]
    struct Told {
        #[serde(default)]
        message: Option<Inner>,
        #[serde(default)]
        usage: Option<tokens::Passing>,
        #[serde(default)]
        delta: Option<Ending>,
    }
    #[derive(serde::Deserialize)]
    struct Ending {
        #[serde(default)]
        stop_reason: Option<String>,
    }
    #[derive(serde::Deserialize)]
    struct Inner {
        #[serde(default)]
        usage: Option<tokens::Passing>,
    }
    let Ok(told) = serde_json::from_slice::<Told>(data) else {
        return false;
    };
    if let Some(told) = told.usage.or_else(|| told.message.and_then(|message| message.usage)) {
        told.update(usage);
    }
    told.delta.and_then(|delta| delta.stop_reason).is_some_and(|reason| reason != "end_turn")
}

/// The provider's error.
fn failure(data: &[u8]) -> GatewayError {
    #[derive(serde::Deserialize)]
    struct Told {
        error: Detail,
    }
    #[derive(serde::Deserialize)]
    struct Detail {
        #[serde(default)]
        r#type: String,
        #[serde(default)]
        message: String,
    }
    let told = serde_json::from_slice::<Told>(data).map(|told| told.error).ok();
    let told = told.unwrap_or_else(|| Detail { r#type: String::new(), message: String::new() });
    let message = if told.message.is_empty() { "the provider broke off its answer" } else { &told.message };
    let mut failure = GatewayError::upstream(error::kind(&told.r#type), message);
    failure.code = Some(told.r#type).filter(|code| !code.is_empty());
    failure
}
