//! One event of OpenAI's own stream on its way through. It runs for every event, so most are judged by a byte search.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{failure, usage};
use crate::dialect::Passing;
use crate::dialect::passage::Choices;
use crate::dialect::word::Word;
use crate::domain::Usage;
use crate::error::{GatewayError, Kind};

static ERROR: Word = Word::new("\"error\"");
static USAGE: Word = Word::new("\"usage\"");
static DELTA: Word = Word::new("\"delta\"");
static ROLE: Word = Word::new("\"role\"");
static NO_CONTENT: Word = Word::new("\"content\":\"\"");
static STOP: Word = Word::new("\"stop\"");
static FINISH: Word = Word::new("\"finish_reason\"");

/// What an event is. Inside a JSON string quotes are escaped, so a search for `"usage"` finds keys (and short
/// values), never text; what it finds is then read properly.
pub(super) fn look(data: &[u8], usage: &mut Usage) -> Passing {
    let data = data.trim_ascii();
    if data == b"[DONE]" {
        return Passing::End;
    }
    if data.is_empty() {
        return Passing::Quiet;
    }
    if !(data.starts_with(b"{") && data.ends_with(b"}")) {
        let message = "the provider sent an event that is not a JSON object";
        return Passing::Failed(GatewayError::upstream(Kind::Malformed, message));
    }
    if ERROR.is_in(data)
        && let Some(error) = failure::reported(data)
    {
        return Passing::Failed(error);
    }
    if tells_usage(data)
        && let Some(report) = usage::of_body(data)
    {
        usage.update(report);
    }
    let plain = [&ROLE, &NO_CONTENT, &STOP].iter().all(|word| !word.is_in(data));
    if plain && DELTA.is_in(data) {
        return Passing::Content;
    }
    if has_content(data) { Passing::Content } else { Passing::Quiet }
}

/// `"usage"` with an object behind it; with `stream_options` every chunk carries `"usage":null`.
fn tells_usage(data: &[u8]) -> bool {
    USAGE.places(data).any(|at| {
        let rest = data.get(at + USAGE.len()..).unwrap_or_default().trim_ascii_start();
        rest.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(b"{"))
    })
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
}

/// Which choices begin and end here. The first chunk of a choice says its role, the last how it ended; others are not
/// looked at.
pub(super) fn choices(data: &[u8], choices: &mut Choices) {
    let ends = FINISH.places(data).any(|at| {
        let rest = data.get(at + FINISH.len()..).unwrap_or_default().trim_ascii_start();
        rest.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(b"\""))
    });
    if !ends && !ROLE.is_in(data) {
        return;
    }
    let Ok(event) = serde_json::from_slice::<Event<'_>>(data) else { return };
    for choice in event.choices {
        match choice.finish_reason.is_some_and(|reason| !reason.is_empty()) {
            true => choices.ended(choice.index),
            false => choices.begun(choice.index),
        }
    }
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: u64,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
}

/// A choice that ends for a reason, or whose delta says more than a role. What cannot be read counts as content: once it is
/// forwarded there is no second attempt, which is the safe side.
fn has_content(data: &[u8]) -> bool {
    let Ok(event) = serde_json::from_slice::<Event<'_>>(data) else { return true };
    event.choices.iter().any(|choice| {
        let reason = choice.finish_reason.as_deref();
        let ends = reason.is_some_and(|reason| !reason.is_empty() && reason != "stop");
        ends || choice.delta.is_some_and(says_something)
    })
}

fn says_something(delta: &RawValue) -> bool {
    let Ok(serde_json::Value::Object(delta)) = serde_json::from_str(delta.get()) else { return false };
    delta.iter().filter(|(name, _)| *name != "role").any(|(_, value)| match value {
        serde_json::Value::Null => false,
        serde_json::Value::String(text) => !text.is_empty(),
        serde_json::Value::Array(list) => !list.is_empty(),
        serde_json::Value::Object(members) => !members.is_empty(),
        _ => true,
    })
}
