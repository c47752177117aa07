//! Gemini's events as canonical chunks. Gemini has no end mark: a reason in every choice and a clean close are the end.

use plugin_sdk::chat::{
    Assistant, Chunk, Delta, End, Fields, FinishReason, Head, Lines, ReasoningDetail, ToolCallDelta,
    UsageReport,
};
use plugin_sdk::sse::Splitter;
use plugin_sdk::{Ending, Failure, Step, StreamTranslator, Usage, json};
use serde_json::Value;

use crate::VENDOR;
use crate::error;
use crate::response::piece::{self, Calls, Piece, Thought};
use crate::response::{ending, usage};
use crate::wire::{Answer, Candidate, PromptFeedback};

/// One stream.
#[derive(Debug, Default)]
pub struct Stream {
    splitter: Splitter,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    /// Known from the first event on.
    head: Option<Head>,
    calls: Calls,
    choices: Vec<Open>,
    usage: Option<(Usage, UsageReport<'static>)>,
    /// `promptFeedback`, told with the first choice's end.
    feedback: Option<Value>,
    /// Fields of Gemini's own beside the candidates.
    own: Value,
    failed: bool,
}

/// One choice.
#[derive(Debug, Default)]
struct Open {
    index: u64,
    /// Its first chunk was written.
    begun: bool,
    /// Calls so far.
    calls: u64,
    /// Entries of reasoning that are closed.
    thoughts: u64,
    /// Reasoning goes on.
    thinking: bool,
    /// The text so far: sources are counted in its bytes.
    text: String,
    /// The last reason, and fields of Gemini's own. Some models repeat them in every event, so they are told last.
    reason: Option<String>,
    own: Value,
}

impl StreamTranslator for Stream {
    fn push(&mut self, bytes: &[u8]) -> Result<Step, Failure> {
        let mut found = Found::default();
        let state = &mut self.state;
        self.splitter.push(bytes, |event| state.event(event.data, &mut found))?;
        Ok(found.into_step())
    }

    fn finish(&mut self) -> Result<Step, Failure> {
        let mut found = Found::default();
        let state = &mut self.state;
        self.splitter.finish(|event| state.event(event.data, &mut found))?;
        state.close(&mut found);
        Ok(found.into_step())
    }
}

/// What one call makes.
#[derive(Default)]
struct Found {
    lines: Lines,
    usage: Option<Usage>,
    ending: Option<Ending>,
}

impl Found {
    fn into_step(self) -> Step {
        self.lines.into_step(self.usage, Vec::new(), self.ending)
    }
}

impl State {
    fn event(&mut self, data: &[u8], found: &mut Found) -> Result<(), Failure> {
        if self.failed || data.trim_ascii().is_empty() {
            return Ok(());
        }
        let mut answer: Answer<'_> = json::answer("event", data)?;
        if let Some(error) = &answer.error {
            self.failed = true;
            found.ending = Some(Ending::Failed(error::in_band(&error.to_value())));
            return Ok(());
        }
        let head = self.head.get_or_insert_with(|| {
            let id = answer.id.as_deref().unwrap_or_default();
            self.calls = Calls::new(id);
            Head { id: id.to_owned(), model: answer.model.as_deref().unwrap_or_default().to_owned() }
        });
        for (name, value) in answer.rest.present() {
            self.own[name] = value.to_value();
        }
        if let Some(given) = &answer.usage {
            let counted = usage::usage(given);
            found.usage = Some(counted);
            self.usage = Some((counted, usage::report(given)));
        }
        if let Some(feedback) = answer.prompt_feedback.take() {
            let read = feedback.read::<PromptFeedback<'_>>().and_then(|feedback| feedback.block_reason);
            if let Some(reason) = read {
                open(&mut self.choices, 0).reason.get_or_insert(reason.to_string());
            }
            self.feedback = Some(feedback.to_value());
        }
        for candidate in answer.candidates {
            let open = open(&mut self.choices, candidate.index);
            open.candidate(candidate, head, &mut self.calls, &mut found.lines);
        }
        Ok(())
    }

    /// Complete when every choice has its reason; otherwise the stream was cut.
    fn close(&mut self, found: &mut Found) {
        let whole = !self.choices.is_empty() && self.choices.iter().all(|open| open.reason.is_some());
        let Some(head) = self.head.as_ref().filter(|_| whole && !self.failed) else { return };
        let mut feedback = self.feedback.take();
        for open in &mut self.choices {
            open.close(head, feedback.take(), &mut found.lines);
        }
        if let Some((_, report)) = self.usage.take() {
            let rest = ending::of_answer(fields(std::mem::take(&mut self.own)));
            found.lines.push(&Chunk { rest, ..Chunk::usage(head, report) });
        }
        found.ending = Some(Ending::Complete);
    }
}

fn open(choices: &mut Vec<Open>, index: u64) -> &mut Open {
    let place = choices.iter().position(|open| open.index == index).unwrap_or(choices.len());
    if place == choices.len() {
        choices.push(Open { index, ..Open::default() });
    }
    // It was found, or pushed there just now.
    &mut choices[place]
}

fn fields<'a>(gathered: Value) -> Fields<'a> {
    let mut fields = Fields::default();
    if let Value::Object(gathered) = gathered {
        for (name, value) in gathered {
            fields.push(name, value);
        }
    }
    fields
}

impl Open {
    fn candidate(&mut self, mut candidate: Candidate<'_>, head: &Head, calls: &mut Calls, lines: &mut Lines) {
        let parts = candidate.content.take().map(|content| content.parts).unwrap_or_default();
        for piece in parts.into_iter().filter_map(piece::piece) {
            let delta = match piece {
                Piece::Thought(thought) => self.think(thought),
                other => {
                    self.stop_thinking();
                    self.say(other, calls)
                }
            };
            if let Some(delta) = delta {
                self.write(delta, head, lines);
            }
        }
        if let Some(logprobs) = &candidate.logprobs {
            let mut chunk = Chunk::delta(head, self.index, self.introduced(Delta::default()));
            for choice in &mut chunk.choices {
                choice.logprobs = Some(piece::logprobs(logprobs));
            }
            lines.push(&chunk);
        }
        for (name, value) in candidate.rest.present() {
            self.own[name] = value.to_value();
        }
        if let Some(reason) = candidate.finish_reason.filter(|reason| *reason != "FINISH_REASON_UNSPECIFIED")
        {
            self.reason = Some(reason.to_string());
        }
    }

    fn think<'a>(&mut self, thought: Thought<'a>) -> Option<Delta<'a>> {
        if thought.text.is_empty() && thought.signature.is_none() {
            return None;
        }
        let index = Some(self.thoughts);
        let text = Some(thought.text).filter(|text| !text.is_empty());
        let detail = ReasoningDetail {
            kind: "reasoning.text".into(),
            index,
            text: text.clone(),
            format: (!self.thinking).then(|| VENDOR.into()),
            rest: thought.rest,
            signature: thought.signature,
            ..ReasoningDetail::default()
        };
        self.thinking = true;
        if detail.signature.is_some() {
            self.stop_thinking();
        }
        Some(Delta { reasoning_content: text, reasoning_details: vec![detail], ..Delta::default() })
    }

    fn stop_thinking(&mut self) {
        if std::mem::take(&mut self.thinking) {
            self.thoughts += 1;
        }
    }

    fn say<'a>(&mut self, piece: Piece<'a>, calls: &mut Calls) -> Option<Delta<'a>> {
        match piece {
            Piece::Thought(thought) => self.think(thought),
            Piece::Text { text, state: None } if text.is_empty() => None,
            Piece::Text { text, state } => {
                self.text.push_str(&text);
                let content = Some(text).filter(|text| !text.is_empty());
                Some(Delta { content, extra_content: state, ..Delta::default() })
            }
            Piece::Call(call) => {
                let index = self.calls;
                self.calls += 1;
                let first = ToolCallDelta::first(index, calls.id(call.id), call.name, call.arguments);
                let call = ToolCallDelta { extra_content: call.extra_content, ..first };
                Some(Delta { tool_calls: vec![call], ..Delta::default() })
            }
            Piece::Block(part) => Some(Delta { content_parts: vec![part], ..Delta::default() }),
        }
    }

    fn write(&mut self, delta: Delta<'_>, head: &Head, lines: &mut Lines) {
        lines.push(&Chunk::delta(head, self.index, self.introduced(delta)));
    }

    /// The first chunk of a choice says who speaks.
    fn introduced<'a>(&mut self, delta: Delta<'a>) -> Delta<'a> {
        let role = (!std::mem::replace(&mut self.begun, true)).then_some(Assistant);
        Delta { role, ..delta }
    }

    fn close(&mut self, head: &Head, feedback: Option<Value>, lines: &mut Lines) {
        // Written and read again: what is read from a tree cannot keep fields it does not know.
        let gathered = std::mem::take(&mut self.own).to_string();
        let own: Fields<'_> = serde_json::from_str(&gathered).unwrap_or_default();
        let annotations = ending::annotations(&own, &self.text);
        if !annotations.is_empty() || !self.begun {
            self.write(Delta { annotations, ..Delta::default() }, head, lines);
        }
        let mut vendor = ending::own(own);
        let blocked = feedback.as_ref().is_some_and(|feedback| feedback.get("blockReason").is_some());
        if let Some(feedback) = feedback {
            vendor = ending::with_feedback(vendor, feedback.into());
        }
        let reason = match ending::reason(self.reason.as_deref(), self.calls > 0) {
            _ if blocked => FinishReason::ContentFilter,
            reason => reason,
        };
        let native_finish_reason = self.reason.take().map(Into::into);
        let end = End { native_finish_reason, vendor, ..End::default() };
        lines.push(&Chunk::finish(head, self.index, reason, end));
    }
}
