//! Cohere's own answers on their way through: only what carries usage or an error is parsed.

use super::tokens::Counted;
use crate::dialect::Passing;
use crate::dialect::word::Word;
use crate::domain::Usage;
use crate::error::{GatewayError, Kind};

static TYPE: Word = Word::new("\"type\"");

/// Usage of a whole answer.
pub(super) fn whole_usage(body: &[u8]) -> Option<Usage> {
    #[derive(serde::Deserialize)]
    struct Answer {
        usage: Counted,
    }
    serde_json::from_slice::<Answer>(body).ok().map(|answer| answer.usage.usage())
}

/// What one event is.
pub(super) fn event(data: &[u8], usage: &mut Usage) -> Passing {
    // Cohere writes the type first or last; in between stand types of other things.
    match kind(data).or_else(|| parsed_kind(data)) {
        Some(Event::Content) => Passing::Content,
        Some(Event::End) => end(data, usage),
        Some(Event::Other) | None => Passing::Quiet,
    }
}

enum Event {
    Content,
    End,
    Other,
}

impl Event {
    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"content-delta" | b"tool-plan-delta" | b"tool-call-start" | b"tool-call-delta" => {
                Some(Self::Content)
            }
            b"message-end" => Some(Self::End),
            b"message-start" | b"content-start" | b"content-end" | b"tool-call-end" | b"citation-start"
            | b"citation-end" | b"debug" => Some(Self::Other),
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

/// The end: counted, and perhaps no success.
fn end(data: &[u8], usage: &mut Usage) -> Passing {
    #[derive(serde::Deserialize)]
    struct End {
        #[serde(default)]
        delta: Delta,
    }
    #[derive(serde::Deserialize, Default)]
    #[serde(default)]
    struct Delta {
        finish_reason: Option<String>,
        usage: Option<Counted>,
        error: Option<String>,
    }
    let Ok(End { delta }) = serde_json::from_slice::<End>(data) else {
        let message = "the end of the provider's stream makes no sense";
        return Passing::Failed(GatewayError::upstream(Kind::Malformed, message));
    };
    if let Some(counted) = &delta.usage {
        usage.update(counted.usage());
    }
    let kind = match delta.finish_reason.as_deref() {
        Some("TIMEOUT") => Kind::Timeout,
        Some("ERROR") => Kind::Provider,
        _ if delta.error.is_some() => Kind::Provider,
        _ => return Passing::End,
    };
    let message = delta.error.unwrap_or_else(|| "the provider broke off its answer".to_owned());
    let mut failure = GatewayError::upstream(kind, message);
    failure.code = delta.finish_reason;
    Passing::Failed(failure)
}
