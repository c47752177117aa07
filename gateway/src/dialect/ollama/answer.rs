//! A canonical `chat.completion` as one of Ollama's whole answers.

use std::borrow::Cow;

use memchr::memmem;
use serde_json::value::RawValue;

use super::Shape;
use super::reply::{Call, Called, End, Reply, Words};
use super::said::{self, Choice, Message, Part};
use crate::dialect::AnswerFacts;
use crate::dialect::object::decode;
use crate::domain::rfc3339;
use crate::error::{GatewayError, Kind};

/// The whole answer.
pub(in crate::dialect) fn whole(
    shape: Shape,
    facts: &AnswerFacts,
    canonical: &[u8],
) -> Result<Vec<u8>, GatewayError> {
    let said = said::read(canonical)?;
    // One answer is asked for, so one is told.
    let choice = said.choices.into_iter().find(|choice| choice.index == 0);
    let Choice { message, finish_reason, logprobs, .. } =
        choice.ok_or_else(|| said::nonsense(&"it holds no choice"))?;
    let finish = finish_reason.map_or(Cow::Borrowed("stop"), |reason| reason.0);
    let mut message = message.unwrap_or_default();
    let calls = calls(&mut message, &finish)?;
    let mut words = words(&mut message)?;
    words.calls = calls;
    words.logprobs = logprobs.and_then(|logprobs| logprobs.content);
    let usage = said.usage.unwrap_or_default();
    let end = End { reason: done_reason(&finish), usage, total: facts.waited, parts: None };
    let created_at = rfc3339(facts.created);
    Reply::new(shape, (&facts.model, &created_at), words, Some(end)).written()
}

/// Ollama says `stop` for calls too.
pub(super) fn done_reason(finish: &str) -> &str {
    match finish {
        "tool_calls" | "function_call" | "" => "stop",
        other => other,
    }
}

/// Everything a message or a piece of one says, but its calls.
pub(super) fn words<'a>(message: &mut Message<'a>) -> Result<Words<'a>, GatewayError> {
    let mut words = Words::default();
    if let Some(raw) = message.content.take() {
        if raw.get().starts_with('[') {
            let parts: Vec<Part<'a>> =
                serde_json::from_str(raw.get()).map_err(|error| said::nonsense(&error))?;
            parts.into_iter().for_each(|part| add(part, &mut words));
        } else {
            words.text = decode(raw).ok_or_else(|| said::nonsense(&"content is no string"))?;
        }
    }
    message.content_parts.take().into_iter().flatten().for_each(|part| add(part, &mut words));
    if let Some(refusal) = message.refusal.take() {
        join(&mut words.text, refusal.0);
    }
    words.thinking = message.reasoning_content.take().map(|text| text.0).unwrap_or_default();
    // Without state it would only repeat the thoughts.
    words.reasoning_details = message.reasoning_details.take().filter(|raw| {
        ["\"signature\"", "\"data\""]
            .iter()
            .any(|key| memmem::find(raw.get().as_bytes(), key.as_bytes()).is_some())
    });
    words.extra_content = message.extra_content.take();
    Ok(words)
}

fn add<'a>(part: Part<'a>, words: &mut Words<'a>) {
    for text in [part.text, part.refusal].into_iter().flatten() {
        join(&mut words.text, text.0);
    }
    let data = part.image_url.and_then(|link| match link.url.0 {
        Cow::Borrowed(url) => Some(Cow::Borrowed(bare(url)?)),
        Cow::Owned(url) => Some(Cow::Owned(bare(&url)?.to_owned())),
    });
    words.images.extend(data);
}

/// The data of a data URL.
fn bare(url: &str) -> Option<&str> {
    url.strip_prefix("data:")?.split_once(";base64,").map(|(_, data)| data)
}

fn join<'a>(text: &mut Cow<'a, str>, more: Cow<'a, str>) {
    if text.is_empty() {
        *text = more;
    } else {
        text.to_mut().push_str(&more);
    }
}

fn calls(message: &mut Message<'_>, finish: &str) -> Result<Vec<Call>, GatewayError> {
    let mut calls = Vec::new();
    for said in message.tool_calls.take().unwrap_or_default() {
        let Some(function) = said.function else { continue };
        let call = Open {
            place: 0,
            id: said.id.map(|id| id.0.into_owned()).unwrap_or_default(),
            name: function.name.map(|name| name.0.into_owned()).unwrap_or_default(),
            arguments: function.arguments.map(|arguments| arguments.0.into_owned()).unwrap_or_default(),
            extra_content: said.extra_content.map(ToOwned::to_owned),
        };
        calls.extend(call.closed(calls.len(), finish)?);
    }
    Ok(calls)
}

/// A call whose arguments may still be coming; Ollama's clients want it whole.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Its index in the stream.
    pub(super) place: u64,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
    pub(super) extra_content: Option<Box<RawValue>>,
}

impl Open {
    /// The arguments are surely all there: an object that is closed cannot go on.
    pub(super) fn is_whole(&self) -> bool {
        !self.arguments.is_empty() && object(&self.arguments).is_some()
    }

    /// The call as Ollama tells it. Arguments that are no object fail the answer, as they do in Ollama; where the
    /// answer was cut at its length, the half call is left out.
    pub(super) fn closed(self, index: usize, finish: &str) -> Result<Option<Call>, GatewayError> {
        let Some(arguments) = object(&self.arguments) else {
            if finish == "length" {
                return Ok(None);
            }
            let message =
                format!("error parsing tool call: the arguments of `{}` are not a JSON object", self.name);
            return Err(GatewayError::upstream(Kind::Malformed, message));
        };
        let index = u64::try_from(index).unwrap_or(u64::MAX);
        let function = Called { index, name: self.name, arguments };
        Ok(Some(Call { id: self.id, function, extra_content: self.extra_content }))
    }
}

/// Arguments as an object on one line: nothing and `null` are an empty one.
fn object(arguments: &str) -> Option<Box<RawValue>> {
    let trimmed = arguments.trim();
    let text = if matches!(trimmed, "" | "null") { "{}" } else { trimmed };
    // Models write pretty JSON too. A raw line end stands between values only, and would end a line of the stream.
    let text = text.replace(['\n', '\r'], " ");
    RawValue::from_string(text).ok().filter(|object| object.get().starts_with('{'))
}
