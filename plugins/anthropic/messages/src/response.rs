//! Anthropic's message as a canonical `chat.completion`.

mod blocks;

use plugin_sdk::chat::{
    AnswerMessage, Choice, Completion, Content, End, Fields, FinishReason, Json, Part, PartBody, Text,
};
use plugin_sdk::{Answer, Failure, Losses, failure, json};
use serde_json::{Map, Value};

use crate::usage::Tally;
use crate::{VENDOR, error};
use blocks::Said;
pub(crate) use blocks::says_something;

/// Reads a whole answer.
pub(crate) fn translate(body: &[u8]) -> Result<Answer, Failure> {
    let mut message: Fields<'_> = json::answer("answer", body)?;
    if let Some(told) = take(&mut message, "error") {
        return Err(error::in_stream(&told));
    }
    let content: Vec<Json<'_>> = match take(&mut message, "content") {
        Some(list) => {
            list.read().ok_or_else(|| failure::malformed("the provider's answer has no list of blocks"))?
        }
        None => return Err(failure::malformed("the provider's answer has no content")),
    };
    let mut losses = Losses::default();
    let said = Said::read(content, &mut losses);
    let mut tally = Tally::default();
    if let Some(report) = take(&mut message, "usage").and_then(|usage| usage.read()) {
        tally.take(&report);
    }
    let completion = Completion {
        id: take_text(&mut message, "id"),
        model: take_text(&mut message, "model"),
        choices: vec![choice(&mut message, said)],
        usage: tally.report(),
        ..Completion::default()
    };
    let body = completion.to_vec()?;
    Ok(Answer { body, content_type: None, usage: tally.usage(), losses: losses.into_vec() })
}

fn choice<'a>(message: &mut Fields<'a>, said: Said<'a>) -> Choice<'a> {
    let native = take(message, "stop_reason").and_then(|reason| reason.read::<Text<'a>>());
    let stop_sequence = take(message, "stop_sequence").and_then(|stop| stop.read());
    let called = !said.calls.is_empty() || !said.answered;
    let finish_reason = native.as_deref().map(|native| finish_reason(native, called));
    // `type` and `role` are constants; what else is left has no name in canonical chat.
    let left = message.present().filter(|(name, _)| !matches!(*name, "type" | "role"));
    let left: Map<String, Value> = left.map(|(name, value)| (name.to_owned(), value.to_value())).collect();
    let end = End { native_finish_reason: native, stop_sequence, vendor: vendor(left) };
    Choice { message: said.message(), finish_reason, end, ..Choice::default() }
}

/// `{ "anthropic": … }`, when there is something in it.
pub(crate) fn vendor<'a>(own: Map<String, Value>) -> Fields<'a> {
    let mut vendor = Fields::default();
    if !own.is_empty() {
        vendor.push(VENDOR, Value::Object(own));
    }
    vendor
}

/// Why it stopped, in canonical words. `called`: not only the call that is the answer.
pub(crate) fn finish_reason(native: &str, called: bool) -> FinishReason {
    match native {
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" if called => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
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

/// A block of Anthropic's own, as a part.
pub(crate) fn own_part<'a>(block: impl Into<Json<'a>>) -> Part<'a> {
    Part::new(PartBody::Vendor { vendor: VENDOR.into(), value: block.into() })
}

impl<'a> Said<'a> {
    /// The message. Plain texts in a row are one string, which every client understands.
    fn message(self) -> AnswerMessage<'a> {
        let in_order = self.order.is_sorted();
        let order = if in_order { Vec::new() } else { self.order.iter().map(|place| place.name()).collect() };
        let is_plain =
            |part: &Part<'_>| part.text().is_some() && part.citations.is_none() && part.rest.is_empty();
        let content = if self.parts.is_empty() {
            None
        } else if (in_order || self.parts.len() == 1) && self.parts.iter().all(is_plain) {
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
