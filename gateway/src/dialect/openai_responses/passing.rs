//! OpenAI's own answers on their way through: only what carries usage or an error is parsed.

use std::borrow::Cow;

use serde::Deserialize;

use super::tokens;
use crate::dialect::word::Word;
use crate::dialect::{Passing, openai_error};
use crate::domain::Usage;
use crate::error::{GatewayError, Kind};

static TYPE: Word = Word::new("\"type\"");

/// Usage of a whole response.
pub(super) fn whole_usage(body: &[u8]) -> Option<Usage> {
    let response: Response = serde_json::from_slice(body).ok()?;
    response.usage.map(Usage::from)
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    usage: Option<tokens::Passing>,
}

/// What one event is.
pub(super) fn event(data: &[u8], usage: &mut Usage) -> Passing {
    let data = data.trim_ascii();
    // OpenRouter's farewell, after the end.
    if data.is_empty() || data == b"[DONE]" {
        return Passing::Quiet;
    }
    if !(data.starts_with(b"{") && data.ends_with(b"}")) {
        let message = "the provider sent an event that is not a JSON object";
        return Passing::Failed(GatewayError::upstream(Kind::Malformed, message));
    }
    // OpenAI writes the type first; others, who copy its API, need not.
    let kind = first_type(data).filter(|kind| known(kind)).map(Cow::Borrowed).or_else(|| parsed_type(data));
    match kind.as_deref() {
        Some(b"response.completed" | b"response.incomplete") => {
            note_usage(data, usage);
            Passing::End
        }
        Some(b"response.failed") => {
            note_usage(data, usage);
            Passing::Failed(failure(data))
        }
        Some(b"error") => Passing::Failed(failure(data)),
        Some(b"response.created" | b"response.in_progress" | b"response.queued" | b"keepalive" | b"ping") => {
            Passing::Quiet
        }
        // A message that has only begun has said nothing; a thought or a call has.
        Some(b"response.output_item.added") if begins_a_message(data) => Passing::Quiet,
        Some(b"response.content_part.added") => Passing::Quiet,
        Some(_) => Passing::Content,
        None => openai_error::reported(data).map_or(Passing::Quiet, Passing::Failed),
    }
}

fn begins_a_message(data: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Event {
        item: Item,
    }
    #[derive(Deserialize)]
    struct Item {
        r#type: String,
    }
    serde_json::from_slice::<Event>(data).is_ok_and(|event| event.item.r#type == "message")
}

fn known(kind: &[u8]) -> bool {
    kind.starts_with(b"response.") || kind == b"error"
}

/// The value of the first `"type"`.
fn first_type(data: &[u8]) -> Option<&[u8]> {
    let after = data.get(TYPE.find(data)? + TYPE.len()..)?.trim_ascii_start();
    let value = after.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    value.get(..memchr::memchr(b'"', value)?)
}

/// The event's own type, wherever it stands.
fn parsed_type(data: &[u8]) -> Option<Cow<'_, [u8]>> {
    #[derive(Deserialize)]
    struct Tagged {
        r#type: String,
    }
    let tagged: Tagged = serde_json::from_slice(data).ok()?;
    Some(Cow::Owned(tagged.r#type.into_bytes()))
}

fn note_usage(data: &[u8], usage: &mut Usage) {
    #[derive(Deserialize)]
    struct Event {
        response: Response,
    }
    if let Ok(Event { response: Response { usage: Some(told) } }) = serde_json::from_slice(data) {
        usage.update(told.into());
    }
}

/// The error of `response.failed` (inside the response) or of `error` (at the top, or below `error`).
fn failure(data: &[u8]) -> GatewayError {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        response: Option<&'a serde_json::value::RawValue>,
    }
    let event: Option<Event<'_>> = serde_json::from_slice(data).ok();
    let inner = event.and_then(|event| event.response).map(|response| response.get().as_bytes());
    let found = match inner {
        Some(response) => openai_error::reported(response),
        None => openai_error::reported(data).or_else(|| openai_error::bare(data)),
    };
    found.unwrap_or_else(|| GatewayError::upstream(Kind::Provider, "the provider broke off its answer"))
}
