//! Canonical chunks as Gemini's stream: events, or the elements of one JSON array.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::pieces;
use super::reply::{Candidate, Citation, Content, LogprobsResult, Names, Piece, Reply, UsageMetadata};
use super::said::{Choice, Detail, Message, ToolCall};
use super::wire::Text;
use super::{answer, error};
use crate::dialect::{AnswerFacts, StreamWriter};
use crate::domain::Framing;
use crate::error::GatewayError;

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    facts: AnswerFacts,
    framing: Framing,
    /// Something was written, so a JSON array is open.
    begun: bool,
    names: Option<Names>,
    choices: Vec<Open>,
    /// The last candidates, held back until usage is known: Gemini tells both at once.
    ended: Vec<Box<RawValue>>,
    feedback: Option<Box<RawValue>>,
    /// `usageMetadata`.
    usage: Option<Box<RawValue>>,
}

/// A choice that has not ended.
#[derive(Debug, Default)]
struct Open {
    index: u64,
    calls: Vec<Call>,
    state: Option<State>,
    citations: Vec<Citation>,
}

/// A call whose arguments are still coming; Gemini's clients want it whole.
#[derive(Debug, Default)]
struct Call {
    index: u64,
    id: String,
    name: String,
    arguments: String,
    signature: Option<String>,
}

/// State of reasoning, coming in pieces.
#[derive(Debug)]
struct State {
    index: u64,
    format: String,
    encrypted: bool,
    value: String,
}

impl Stream {
    pub(super) fn new(facts: &AnswerFacts, framing: Framing) -> Self {
        Self {
            facts: facts.clone(),
            framing,
            begun: false,
            names: None,
            choices: Vec::new(),
            ended: Vec::new(),
            feedback: None,
            usage: None,
        }
    }

    fn choice(&mut self, mut choice: Choice<'_>, out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let message = choice.message.take().unwrap_or_default();
        let logprobs_result = LogprobsResult::new(choice.logprobs.take());
        let ends = choice.finish_reason.is_some();
        let index = choice.index;
        let place = self.choices.iter().position(|open| open.index == index);
        let place = place.unwrap_or_else(|| {
            self.choices.push(Open { index, ..Open::default() });
            self.choices.len() - 1
        });
        let Some(open) = self.choices.get_mut(place) else { return Ok(()) };
        let mut parts = Vec::new();
        open.take(message, &mut parts)?;
        if ends {
            let broken = open.close(&mut parts);
            let mut end = answer::end(choice, std::mem::take(&mut open.citations), broken);
            let feedback = answer::prompt_feedback(&mut end);
            if !(parts.is_empty() && feedback.is_some_and(answer::blocks)) {
                let content = Content { parts: std::mem::take(&mut parts), role: "model" };
                let last = Candidate { content, end: Some(end), index, logprobs_result: None };
                self.ended.push(serde_json::value::to_raw_value(&last).map_err(answer::not_written)?);
            }
            self.feedback = feedback.map(ToOwned::to_owned).or(self.feedback.take());
        }
        if parts.is_empty() && logprobs_result.is_none() {
            return Ok(());
        }
        let content = Content { parts, role: "model" };
        let candidate = Candidate { content, end: None, index, logprobs_result };
        self.frame(&[candidate], false, out)
    }

    fn frame<C: serde::Serialize>(
        &mut self,
        candidates: &[C],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), GatewayError> {
        let names = self.names.as_ref();
        let reply = Reply {
            candidates,
            prompt_feedback: self.feedback.as_deref().filter(|_| last),
            usage_metadata: self.usage.as_deref().filter(|_| last),
            model_version: names.map_or(&self.facts.model, |names| &names.model),
            response_id: names.map_or(&self.facts.request_id, |names| &names.id),
        };
        let frame = serde_json::to_vec(&reply).map_err(answer::not_written)?;
        self.write(&frame, out);
        Ok(())
    }

    fn write(&mut self, frame: &[u8], out: &mut Vec<u8>) {
        match self.framing {
            Framing::Sse | Framing::Ndjson | Framing::EventStream => {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(frame);
                out.extend_from_slice(b"\r\n\r\n");
            }
            Framing::JsonArray => {
                out.extend_from_slice(if self.begun { b",\r\n" } else { b"[" });
                out.extend_from_slice(frame);
            }
        }
        self.begun = true;
    }

    fn close(&self, out: &mut Vec<u8>) {
        if self.framing == Framing::JsonArray {
            out.extend_from_slice(if self.begun { b"]" } else { b"[]" });
        }
    }
}

impl StreamWriter for Stream {
    fn content_type(&self) -> &'static str {
        match self.framing {
            Framing::Sse | Framing::Ndjson | Framing::EventStream => "text/event-stream",
            Framing::JsonArray => "application/json",
        }
    }

    fn chunk(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let mut said = answer::read(line)?;
        if self.names.is_none() {
            self.names = Some(Names::new(&self.facts, &said));
        }
        if let Some(usage) = said.usage.take() {
            let usage = UsageMetadata::new(usage);
            self.usage = Some(serde_json::value::to_raw_value(&usage).map_err(answer::not_written)?);
        }
        said.choices.into_iter().try_for_each(|choice| self.choice(choice, out))
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let ended = std::mem::take(&mut self.ended);
        if !ended.is_empty() || self.feedback.is_some() || self.usage.is_some() {
            // It was read from JSON, so it can be written.
            let _ = self.frame(&ended, true, out);
        }
        self.close(out);
    }

    fn fail(&mut self, error: &GatewayError, request_id: &str, out: &mut Vec<u8>) {
        self.write(&error::body(error, request_id), out);
        self.close(out);
    }

    fn keep_alive(&self, out: &mut Vec<u8>) {
        if self.framing == Framing::Sse {
            out.extend_from_slice(b": keep-alive\r\n\r\n");
        }
    }
}

impl Open {
    /// Adds what can be told at once to `parts` and keeps the rest.
    fn take<'a>(&mut self, mut message: Message<'a>, parts: &mut Vec<Piece<'a>>) -> Result<(), GatewayError> {
        self.citations.extend(answer::citations(message.annotations.take()));
        let details = message.reasoning_details.take().unwrap_or_default();
        let told = details.iter().any(|detail| detail.text.is_some() || detail.summary.is_some());
        for detail in details {
            self.reason(detail, parts);
        }
        if let Some(text) = message.reasoning_content.take().filter(|text| !told && !text.is_empty()) {
            self.close_state(parts);
            self.tell_whole_calls(parts);
            parts.extend(pieces::thought(text));
        }
        let mut content = pieces::content(&mut message)?;
        content.extend(message.content_parts.take().into_iter().flatten().filter_map(pieces::block));
        content.extend(pieces::message_state(message.extra_content.take()));
        if !content.is_empty() {
            self.close_state(parts);
            self.tell_whole_calls(parts);
            parts.append(&mut content);
        }
        for call in message.tool_calls.take().unwrap_or_default() {
            self.close_state(parts);
            self.call(call);
        }
        Ok(())
    }

    fn reason<'a>(&mut self, mut detail: Detail<'a>, parts: &mut Vec<Piece<'a>>) {
        let index = detail.index.unwrap_or(0);
        if self.state.as_ref().is_some_and(|state| state.index != index) {
            self.close_state(parts);
        }
        let text = detail.text.take().or(detail.summary.take()).filter(|text| !text.is_empty());
        if let Some(text) = text {
            self.tell_whole_calls(parts);
            parts.extend(pieces::thought(text));
        }
        let encrypted = detail.data.is_some();
        let value = detail.signature.take().or(detail.data.take()).unwrap_or_default();
        let format = detail.format.take().unwrap_or_default();
        if value.is_empty() && format.is_empty() {
            return;
        }
        let state = self.state.get_or_insert_with(|| State {
            index,
            format: String::new(),
            encrypted: false,
            value: String::new(),
        });
        state.encrypted |= encrypted;
        state.value.push_str(value.as_str());
        if state.format.is_empty() {
            state.format.push_str(format.as_str());
        }
    }

    fn close_state(&mut self, parts: &mut Vec<Piece<'_>>) {
        let Some(state) = self.state.take().filter(|state| !state.value.is_empty()) else { return };
        let format = if state.format.is_empty() { "unknown" } else { &state.format };
        parts.push(pieces::thought_state(format, state.encrypted, &state.value));
    }

    fn call(&mut self, piece: ToolCall<'_>) {
        let place = self.calls.iter().position(|call| call.index == piece.index);
        let place = place.unwrap_or_else(|| {
            self.calls.push(Call { index: piece.index, ..Call::default() });
            self.calls.len() - 1
        });
        let Some(call) = self.calls.get_mut(place) else { return };
        let add = |to: &mut String, text: Option<Text<'_>>| to.push_str(text.unwrap_or_default().as_str());
        if call.id.is_empty() {
            add(&mut call.id, piece.id);
        }
        if let Some(function) = piece.function {
            if call.name.is_empty() {
                add(&mut call.name, function.name);
            }
            add(&mut call.arguments, function.arguments);
        }
        if let Some(signature) = pieces::signature(piece.extra_content) {
            call.signature = Some(signature.into_owned());
        }
    }

    /// Something else is said after calls: those that are surely whole come before it.
    fn tell_whole_calls(&mut self, parts: &mut Vec<Piece<'_>>) {
        let whole = self
            .calls
            .iter()
            .take_while(|call| !call.arguments.is_empty() && pieces::object(&call.arguments).is_some());
        let whole = whole.count();
        parts.extend(self.calls.drain(..whole).filter_map(Call::piece));
    }

    /// Everything held back, and the name of a function whose arguments are not an object.
    fn close(&mut self, parts: &mut Vec<Piece<'_>>) -> Option<String> {
        self.close_state(parts);
        let mut broken = None;
        for call in self.calls.drain(..) {
            let name = call.name.clone();
            match call.piece() {
                Some(piece) => parts.push(piece),
                None => broken = Some(name),
            }
        }
        broken
    }
}

impl Call {
    fn piece<'a>(self) -> Option<Piece<'a>> {
        pieces::call(
            Cow::Owned(self.id),
            Cow::Owned(self.name),
            &self.arguments,
            self.signature.map(Cow::Owned),
        )
    }
}
