//! Cohere → canonical, streams: one event for the begin, each piece and the end of everything.

use plugin_sdk::chat::{Assistant, Chunk, Delta, Head, Json, Lines, ReasoningDetail, Text, ToolCallDelta};
use plugin_sdk::sse::Splitter;
use plugin_sdk::{Ending, Failure, Losses, Step, StreamTranslator, Usage, json};
use serde_json::Value;

use crate::error;
use crate::response::{self, pieces, usage};
use crate::wire::{AnswerBlock, AnswerCall, Event, EventDelta};

/// One stream.
pub(crate) struct Stream {
    splitter: Splitter,
    state: State,
}

/// What later events depend on.
#[derive(Default)]
struct State {
    head: Head,
    /// The first chunk was written.
    begun: bool,
    calls: u64,
    /// The last call's arguments so far, as long as they may become the word `null`.
    held: Option<String>,
    /// Entries of reasoning that are closed, and the type of the open one.
    thoughts: u64,
    thinking: Option<&'static str>,
    /// Fields without a name, told with the end.
    own: Value,
    ended: bool,
}

/// What one push gathers.
#[derive(Default)]
struct Found {
    lines: Lines,
    usage: Option<Usage>,
    losses: Losses,
    ending: Option<Ending>,
}

impl Stream {
    /// Cohere does not say which model answers.
    pub(crate) fn of(model: &str) -> Self {
        let head = Head { id: String::new(), model: model.to_owned() };
        Self { splitter: Splitter::default(), state: State { head, ..State::default() } }
    }
}

impl StreamTranslator for Stream {
    fn push(&mut self, bytes: &[u8]) -> Result<Step, Failure> {
        let mut found = Found::default();
        let state = &mut self.state;
        let outcome = self.splitter.push(bytes, |event| state.event(event.data, &mut found));
        Ok(self.state.settle(outcome, found))
    }

    fn finish(&mut self) -> Result<Step, Failure> {
        let mut found = Found::default();
        let state = &mut self.state;
        let outcome = self.splitter.finish(|event| state.event(event.data, &mut found));
        Ok(self.state.settle(outcome, found))
    }
}

impl State {
    fn event(&mut self, data: &[u8], found: &mut Found) -> Result<(), Failure> {
        let data = data.trim_ascii();
        if self.ended || data.is_empty() || data == b"[DONE]" {
            return Ok(());
        }
        let event: Event<'_> = json::answer("event", data)?;
        if event.kind == "debug" {
            // The prompt as Cohere wrote it for the model.
            return Ok(());
        }
        pieces::gather(&event.rest, &mut self.own);
        let delta = event.delta.unwrap_or_default();
        pieces::gather(&delta.rest, &mut self.own);
        match &*event.kind {
            "message-start" => {
                self.head.id = event.id.unwrap_or_default().to_string();
                self.say(Delta::default(), found);
            }
            "content-start" | "content-delta" => self.content(delta, event.logprobs.as_slice(), found),
            "content-end" => self.stop_thinking(),
            "tool-plan-delta" => {
                let plan = delta.message.and_then(|message| message.tool_plan);
                self.think(plan, pieces::plan, found);
            }
            "tool-call-start" => self.begin_call(delta, found),
            "tool-call-delta" => self.continue_call(delta, found),
            "tool-call-end" => self.end_call(found),
            "citation-start" => self.cite(delta, found),
            "citation-end" => {}
            "message-end" => return self.complete(delta, found),
            "" | "error" if event.message.is_some() => return Err(error::inside(data)),
            unknown => found.losses.add(unknown, "cohere's events of this type are not known"),
        }
        Ok(())
    }

    /// Writes a piece; the first one says who speaks.
    fn say(&mut self, delta: Delta<'_>, found: &mut Found) {
        let role = (!std::mem::replace(&mut self.begun, true)).then_some(Assistant);
        found.lines.push(&Chunk::delta(&self.head, 0, Delta { role, ..delta }));
    }

    fn content(&mut self, delta: EventDelta<'_>, logprobs: &[crate::wire::Logprob<'_>], found: &mut Found) {
        let given = delta.message.and_then(|message| message.content);
        let block: AnswerBlock<'_> = given.and_then(|content| content.read()).unwrap_or_default();
        pieces::gather(&block.rest, &mut self.own);
        self.think(block.thinking, pieces::thought, found);
        let text = block.text.filter(|text| !text.is_empty());
        if text.is_some() {
            self.stop_thinking();
        }
        if text.is_none() && logprobs.is_empty() {
            return;
        }
        let role = (!std::mem::replace(&mut self.begun, true)).then_some(Assistant);
        let mut chunk = Chunk::delta(&self.head, 0, Delta { role, content: text, ..Delta::default() });
        for choice in chunk.choices.iter_mut().filter(|_| !logprobs.is_empty()) {
            choice.logprobs = Some(pieces::logprobs(logprobs));
        }
        found.lines.push(&chunk);
    }

    fn think<'a>(
        &mut self,
        text: Option<Text<'a>>,
        detail: fn(Text<'a>) -> ReasoningDetail<'a>,
        found: &mut Found,
    ) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let mut detail = detail(text.clone());
        let kind = if detail.summary.is_some() { "plan" } else { "thought" };
        if self.thinking.is_some_and(|open| open != kind) {
            self.stop_thinking();
        }
        // The format stands in an entry's first piece.
        if self.thinking.replace(kind).is_some() {
            detail.format = None;
        }
        detail.index = Some(self.thoughts);
        let delta =
            Delta { reasoning_content: Some(text), reasoning_details: vec![detail], ..Delta::default() };
        self.say(delta, found);
    }

    fn stop_thinking(&mut self) {
        if self.thinking.take().is_some() {
            self.thoughts += 1;
        }
    }

    fn begin_call(&mut self, delta: EventDelta<'_>, found: &mut Found) {
        self.stop_thinking();
        self.end_call(found);
        let call = call(delta);
        for (name, _) in call.rest.present().chain(call.function.rest.present()) {
            let path = format!("choices[0].message.tool_calls[{}].{name}", self.calls);
            found.losses.add(path, "a call in a stream has no place for it");
        }
        let first = ToolCallDelta::first(self.calls, call.id.unwrap_or_default(), call.function.name, "");
        self.calls += 1;
        self.say(Delta { tool_calls: vec![first], ..Delta::default() }, found);
        self.held = Some(String::new());
        self.arguments(call.function.arguments, found);
    }

    fn continue_call(&mut self, delta: EventDelta<'_>, found: &mut Found) {
        self.arguments(call(delta).function.arguments, found);
    }

    /// Passes arguments on, but for the word `null`, which stands for none.
    fn arguments(&mut self, piece: Option<Text<'_>>, found: &mut Found) {
        let Some(piece) = piece.filter(|piece| !piece.is_empty()) else { return };
        let Some(index) = self.calls.checked_sub(1) else { return };
        let arguments: Text<'_> = match self.held.take() {
            Some(held) => {
                let so_far = held + &piece;
                if "null".starts_with(&so_far) {
                    self.held = Some(so_far);
                    return;
                }
                so_far.into()
            }
            None => piece,
        };
        let more = ToolCallDelta::more(index, arguments);
        self.say(Delta { tool_calls: vec![more], ..Delta::default() }, found);
    }

    /// A call without arguments has an empty object: clients parse what they got.
    fn end_call(&mut self, found: &mut Found) {
        if self.held.take().is_some()
            && let Some(index) = self.calls.checked_sub(1)
        {
            let nothing = ToolCallDelta::more(index, "{}");
            self.say(Delta { tool_calls: vec![nothing], ..Delta::default() }, found);
        }
    }

    fn cite(&mut self, delta: EventDelta<'_>, found: &mut Found) {
        let Some(given) = delta.message.and_then(|message| message.citations) else { return };
        let citations: Vec<Json<'_>> = given.read().unwrap_or_else(|| vec![given]);
        let annotations = citations.iter().map(pieces::annotation).collect();
        self.say(Delta { annotations, ..Delta::default() }, found);
    }

    fn complete(&mut self, delta: EventDelta<'_>, found: &mut Found) -> Result<(), Failure> {
        if let Some(counted) = &delta.usage {
            found.usage = Some(usage::usage(counted));
        }
        if let Some(error) = &delta.error {
            return Err(error::told(error));
        }
        self.end_call(found);
        let own = std::mem::take(&mut self.own);
        let (reason, end) = response::end(delta.finish_reason, self.calls > 0, own)?;
        if !self.begun {
            self.say(Delta::default(), found);
        }
        found.lines.push(&Chunk::finish(&self.head, 0, reason, end));
        if let Some(counted) = &delta.usage {
            found.lines.push(&Chunk::usage(&self.head, usage::report(counted)));
        }
        self.ended = true;
        found.ending = Some(Ending::Complete);
        Ok(())
    }

    /// A failure is an ending and not an error of the call: the chunks before it would be lost with the step.
    fn settle(&mut self, outcome: Result<(), Failure>, mut found: Found) -> Step {
        if let Err(failure) = outcome
            && !self.ended
        {
            self.ended = true;
            found.ending = Some(Ending::Failed(failure));
        }
        found.lines.into_step(found.usage, found.losses.into_vec(), found.ending)
    }
}

/// The call an event speaks of.
fn call(delta: EventDelta<'_>) -> AnswerCall<'_> {
    let given = delta.message.and_then(|message| message.tool_calls);
    given.and_then(|call| call.read()).unwrap_or_default()
}
