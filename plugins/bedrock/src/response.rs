//! Converse's answer as a canonical `chat.completion`.

mod blocks;

use plugin_sdk::chat::{
    AnswerMessage, Choice, Completion, Content, End, Fields, FinishReason, Json, Part, PartBody, Text,
};
use plugin_sdk::{Answer, Failure, Header, Losses, Route, failure, json};
use serde_json::{Map, Value};

use crate::model::Family;
use crate::usage::Tally;
use crate::{VENDOR, request_id};
use blocks::Said;
pub(crate) use blocks::{citation, image};

/// Reads a whole answer.
pub(crate) fn translate(route: &Route, headers: &[Header], body: &[u8]) -> Result<Answer, Failure> {
    let mut answer: Fields<'_> = json::answer("answer", body)?;
    let message = take(&mut answer, "output").and_then(|output| output.read::<Fields<'_>>());
    let message = message.and_then(|mut output| take(&mut output, "message"));
    let mut message: Fields<'_> = message
        .and_then(|message| message.read())
        .ok_or_else(|| failure::malformed("the provider's answer has no message"))?;
    let content: Vec<Json<'_>> = take(&mut message, "content")
        .and_then(|list| list.read())
        .ok_or_else(|| failure::malformed("the provider's answer has no list of blocks"))?;
    let mut losses = Losses::default();
    let said = Said::read(content, Family::of(&route.model), &mut losses);
    let tally = take(&mut answer, "usage").and_then(|usage| usage.read()).map(|report| Tally::of(&report));
    let completion = Completion {
        id: request_id(headers).into(),
        model: (&*route.model).into(),
        choices: vec![choice(answer, said)],
        usage: tally.as_ref().map(Tally::report),
        ..Completion::default()
    };
    let body = completion.to_vec()?;
    let usage = tally.map(|tally| tally.usage);
    Ok(Answer { body, content_type: None, usage, losses: losses.into_vec() })
}

fn choice<'a>(mut answer: Fields<'a>, said: Said<'a>) -> Choice<'a> {
    let native = take(&mut answer, "stopReason").and_then(|reason| reason.read::<Text<'a>>());
    let finish_reason = Some(finish_reason(native.as_deref(), !said.calls.is_empty()));
    let mut own = Map::new();
    let stop_sequence = keep(&answer, &mut own).map(Text::from);
    let end = End { native_finish_reason: native, stop_sequence, vendor: vendor(own) };
    Choice { message: said.message(), finish_reason, end, ..Choice::default() }
}

/// Keeps what has no name in canonical chat; the stop sequence, which some models tell among their own fields, has one.
pub(crate) fn keep(fields: &Fields<'_>, own: &mut Map<String, Value>) -> Option<String> {
    let mut stop_sequence = None;
    for (name, value) in fields.present() {
        let mut value = value.to_value();
        if name == "additionalModelResponseFields"
            && let Some(told) = value.as_object_mut()
            && let Some(Value::String(stop)) = told.remove("stop_sequence").filter(|stop| !stop.is_null())
        {
            stop_sequence = Some(stop);
        }
        let says_something =
            value.as_object().is_none_or(|fields| fields.values().any(|value| !value.is_null()));
        if says_something {
            own.insert(name.to_owned(), value);
        }
    }
    stop_sequence
}

/// `{ "bedrock": … }`, when there is something in it.
pub(crate) fn vendor<'a>(own: Map<String, Value>) -> Fields<'a> {
    let mut vendor = Fields::default();
    if !own.is_empty() {
        vendor.push(VENDOR, Value::Object(own));
    }
    vendor
}

/// Why it stopped, in canonical words.
pub(crate) fn finish_reason(native: Option<&str>, called: bool) -> FinishReason {
    match native {
        Some("max_tokens" | "model_context_window_exceeded") => FinishReason::Length,
        Some("guardrail_intervened" | "content_filtered") => FinishReason::ContentFilter,
        Some("tool_use") => FinishReason::ToolCalls,
        // Some models say `end_turn` after a call.
        _ if called => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    }
}

/// Takes a field out; `null` is absent.
pub(crate) fn take<'a>(fields: &mut Fields<'a>, name: &str) -> Option<Json<'a>> {
    let position = fields.0.iter().position(|(key, _)| *key == name)?;
    let (_, value) = fields.0.remove(position);
    (!value.is_null()).then_some(value)
}

/// Takes a string out; empty when there is none.
pub(crate) fn take_text<'a>(fields: &mut Fields<'a>, name: &str) -> Text<'a> {
    take(fields, name).and_then(|value| value.read()).unwrap_or_default()
}

/// A block of Bedrock's own, as a part.
pub(crate) fn own_part<'a>(block: impl Into<Json<'a>>) -> Part<'a> {
    Part::new(PartBody::Vendor { vendor: VENDOR.into(), value: block.into() })
}

impl<'a> Said<'a> {
    /// The message. Plain texts in a row are one string, which every client understands.
    fn message(self) -> AnswerMessage<'a> {
        let in_order = self.order.is_sorted();
        let order = if in_order { Vec::new() } else { self.order.iter().map(|place| place.name()).collect() };
        let content = if self.parts.is_empty() {
            None
        } else if (in_order || self.parts.len() == 1) && self.parts.iter().all(|part| part.text().is_some()) {
            Some(Content::Text(joined(self.parts)))
        } else {
            Some(Content::Parts(self.parts))
        };
        let thoughts: String = self.reasoning.iter().filter_map(|detail| detail.readable()).collect();
        AnswerMessage {
            content,
            reasoning_content: (!thoughts.is_empty()).then(|| thoughts.into()),
            reasoning_details: self.reasoning,
            tool_calls: self.calls,
            annotations: self.annotations,
            order,
            ..AnswerMessage::default()
        }
    }
}

fn joined(parts: Vec<Part<'_>>) -> Text<'_> {
    let mut texts = parts.into_iter().filter_map(|part| match part.body {
        PartBody::Text(text) => Some(text.into_inner()),
        _ => None,
    });
    let first = texts.next().unwrap_or_default();
    texts.fold(first, |all, text| all + text).into()
}
