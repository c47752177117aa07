//! Mistral → canonical, streams: events like OpenAI's, with usage in the last one and content as a list while the model thinks.

use plugin_sdk::chat::{Assistant, Chunk, Delta, Head, Lines, ToolCallDelta, UsageReport};
use plugin_sdk::sse::Splitter;
use plugin_sdk::{Ending, Failure, Losses, Step, StreamTranslator, Usage, json};
use serde_json::Value;

use crate::error;
use crate::response::said::{self, Piece, pieces};
use crate::response::{self, usage};
use crate::wire::{self, Answer, AnswerCall};

/// One stream.
#[derive(Default)]
pub(crate) struct Stream {
    splitter: Splitter,
    state: State,
}

/// What later events depend on.
#[derive(Default)]
struct State {
    /// Known from the first event on.
    head: Head,
    begun: bool,
    created: u64,
    choices: Vec<Open>,
    report: Option<UsageReport<'static>>,
    /// Fields without a name beside the choices, told with usage.
    own: Value,
    ended: bool,
}

/// One choice.
#[derive(Default)]
struct Open {
    index: u64,
    begun: bool,
    finished: bool,
    calls: Vec<OpenCall>,
    /// Fields without a name, told with the end.
    own: Value,
}

/// A call that has begun: Mistral's index where it gave one, and its id.
struct OpenCall {
    index: Option<u64>,
    id: String,
}

/// What one push gathers.
#[derive(Default)]
struct Found {
    lines: Lines,
    usage: Option<Usage>,
    losses: Losses,
    ending: Option<Ending>,
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
        // When every choice has its end, a missing `[DONE]` is no cut.
        let whole = !state.choices.is_empty() && state.choices.iter().all(|open| open.finished);
        if outcome.is_ok() && whole {
            state.complete(&mut found);
        }
        Ok(self.state.settle(outcome, found))
    }
}

impl State {
    fn event(&mut self, data: &[u8], found: &mut Found) -> Result<(), Failure> {
        let data = data.trim_ascii();
        if self.ended || data.is_empty() {
            return Ok(());
        }
        if data == b"[DONE]" {
            self.complete(found);
            return Ok(());
        }
        let answer: Answer<'_> = json::answer("event", data)?;
        if error::is_one(&answer) {
            return Err(error::inside(data));
        }
        if !std::mem::replace(&mut self.begun, true) {
            self.head = Head { id: answer.id.to_string(), model: answer.model.to_string() };
            self.created = answer.created;
        }
        said::gather(&answer.rest, &mut self.own);
        if let Some(counted) = &answer.usage {
            found.usage = Some(usage::usage(counted));
            self.report = Some(usage::report(counted));
        }
        for choice in answer.choices {
            self.choice(choice, found)?;
        }
        Ok(())
    }

    fn choice(&mut self, given: wire::Choice<'_>, found: &mut Found) -> Result<(), Failure> {
        let known = self.choices.iter().position(|open| open.index == given.index);
        let place = known.unwrap_or_else(|| {
            self.choices.push(Open { index: given.index, ..Open::default() });
            self.choices.len() - 1
        });
        let Some(open) = self.choices.get_mut(place).filter(|open| !open.finished) else { return Ok(()) };
        let writer = Writer { head: &self.head, created: self.created };
        let delta = given.delta.or(given.message).unwrap_or_default();
        said::gather(&delta.rest, &mut open.own);
        said::gather(&given.rest, &mut open.own);
        for piece in pieces(delta.content) {
            let mut delta = Delta::default();
            match piece {
                Piece::Thought(text) => delta.reasoning_content = Some(text),
                Piece::Text(text) => delta.content = Some(text),
                Piece::Block(chunk) => delta.content_parts.push(said::block(chunk)),
            }
            writer.delta(open, delta, &mut found.lines);
        }
        for call in delta.tool_calls {
            open.lose_fields(&call, found);
            let delta = Delta { tool_calls: vec![open.call(call, &self.head.id)], ..Delta::default() };
            writer.delta(open, delta, &mut found.lines);
        }
        if given.logprobs.is_some() {
            let mut chunk = writer.chunk(open, Delta::default());
            for choice in &mut chunk.choices {
                choice.logprobs = given.logprobs.clone();
            }
            found.lines.push(&chunk);
        }
        let Some(word) = given.finish_reason.filter(|word| !word.is_empty()) else { return Ok(()) };
        if !open.begun {
            writer.delta(open, Delta::default(), &mut found.lines);
        }
        open.finished = true;
        let (reason, end) = response::end(Some(word), !open.calls.is_empty(), std::mem::take(&mut open.own))?;
        let chunk = Chunk::finish(&self.head, open.index, reason, end);
        found.lines.push(&Chunk { created: self.created, ..chunk });
        Ok(())
    }

    fn complete(&mut self, found: &mut Found) {
        if self.ended {
            return;
        }
        self.ended = true;
        found.ending = Some(Ending::Complete);
        let own = std::mem::take(&mut self.own);
        match self.report.take() {
            Some(report) => {
                let rest = said::beside(own);
                found.lines.push(&Chunk { created: self.created, rest, ..Chunk::usage(&self.head, report) });
            }
            None => {
                for name in own.as_object().into_iter().flat_map(|own| own.keys()) {
                    found.losses.add(name, "stands beside the choices of a stream without usage");
                }
            }
        }
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

/// What every chunk of a stream says.
struct Writer<'h> {
    head: &'h Head,
    created: u64,
}

impl Writer<'_> {
    fn delta(&self, open: &mut Open, delta: Delta<'_>, lines: &mut Lines) {
        lines.push(&self.chunk(open, delta));
    }

    /// The first chunk of a choice says who speaks.
    fn chunk<'a>(&'a self, open: &mut Open, delta: Delta<'a>) -> Chunk<'a> {
        let role = (!std::mem::replace(&mut open.begun, true)).then_some(Assistant);
        Chunk { created: self.created, ..Chunk::delta(self.head, open.index, Delta { role, ..delta }) }
    }
}

impl Open {
    /// Calls come whole as a rule; a piece without an id continues the call of its index.
    fn call<'a>(&mut self, given: AnswerCall<'a>, answer: &str) -> ToolCallDelta<'a> {
        let named = given.id.as_deref().filter(|id| !id.is_empty() && *id != "null");
        let continues = given.function.name.is_empty();
        let known = self.calls.iter().rposition(|call| match named {
            Some(id) => call.id == id,
            None => continues && call.index == given.index,
        });
        // In pieces nothing yet is nothing, not an empty object.
        let arguments = given.function.arguments.map_or_else(|| "".into(), said::arguments);
        if let Some(place) = known {
            return ToolCallDelta::more(place as u64, arguments);
        }
        let place = self.calls.len() as u64;
        let id = said::call_id(given.id, answer, self.index, place);
        self.calls.push(OpenCall { index: given.index, id: id.to_string() });
        ToolCallDelta::first(place, id, given.function.name, arguments)
    }

    fn lose_fields(&self, given: &AnswerCall<'_>, found: &mut Found) {
        let path = format!("choices[{}].message.tool_calls[{}]", self.index, self.calls.len());
        for (name, _) in given.rest.present().chain(given.function.rest.present()) {
            found.losses.add(format!("{path}.{name}"), "a call in a stream has no place for it");
        }
    }
}
