//! Ollama → canonical, streams: one object a line, the last one with `done: true`.

use plugin_sdk::chat::{Assistant, Chunk, Delta, Head, Lines, ToolCallDelta};
use plugin_sdk::ndjson::Splitter;
use plugin_sdk::{Ending, Failure, Losses, Step, StreamTranslator, Usage, json};
use serde_json::Value;

use crate::error;
use crate::response::{self, Called};
use crate::wire::Answer;

/// One stream.
#[derive(Default)]
pub(crate) struct Stream {
    splitter: Splitter,
    state: State,
}

/// What later lines depend on.
#[derive(Default)]
struct State {
    /// Known from the first line on.
    head: Option<Head>,
    /// The first chunk was written.
    begun: bool,
    calls: u64,
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

impl StreamTranslator for Stream {
    fn push(&mut self, bytes: &[u8]) -> Result<Step, Failure> {
        let mut found = Found::default();
        let state = &mut self.state;
        let outcome = self.splitter.push(bytes, |line| state.line(line, &mut found));
        Ok(self.state.settle(outcome, found))
    }

    fn finish(&mut self) -> Result<Step, Failure> {
        let mut found = Found::default();
        let state = &mut self.state;
        let outcome = self.splitter.finish(|line| state.line(line, &mut found));
        Ok(self.state.settle(outcome, found))
    }
}

impl State {
    fn line(&mut self, line: &[u8], found: &mut Found) -> Result<(), Failure> {
        if self.ended {
            return Ok(());
        }
        let mut answer: Answer<'_> = json::answer("event", line)?;
        if let Some(error) = &answer.error {
            return Err(error::inside(error));
        }
        if self.head.is_none() {
            self.head = Some(Head { id: String::new(), model: answer.model.to_string() });
        }
        let message = answer.message.take().unwrap_or_default();
        response::gather(&message.rest, &mut self.own);
        let mut delta = Delta {
            content: message.content.filter(|text| !text.is_empty()),
            reasoning_content: message.thinking.filter(|text| !text.is_empty()),
            ..Delta::default()
        };
        for call in message.tool_calls {
            let called = Called::of(call, answer.created_at.as_deref().unwrap_or_default(), self.calls);
            if called.own.is_some() {
                let path = format!("choices[0].message.tool_calls[{}].vendor", self.calls);
                found.losses.add(path, "a call in a stream has no place for them");
            }
            delta.tool_calls.push(ToolCallDelta::first(self.calls, called.id, called.name, called.arguments));
            self.calls += 1;
        }
        let logprobs = answer.logprobs.take().map(response::logprobs);
        let says =
            delta.content.is_some() || delta.reasoning_content.is_some() || !delta.tool_calls.is_empty();
        if says || logprobs.is_some() || (answer.done && !self.begun) {
            delta.role = (!std::mem::replace(&mut self.begun, true)).then_some(Assistant);
            let head = self.head.get_or_insert_default();
            let mut chunk = Chunk::delta(head, 0, delta);
            for choice in &mut chunk.choices {
                choice.logprobs = logprobs.clone();
            }
            found.lines.push(&chunk);
        }
        let (durations, others) = response::sort(&answer.rest);
        response::gather(&others, &mut self.own);
        if answer.done {
            let usage = response::usage(&answer);
            let (reason, end) =
                response::end(answer.done_reason, self.calls > 0, std::mem::take(&mut self.own));
            let head = self.head.get_or_insert_default();
            found.lines.push(&Chunk::finish(head, 0, reason, end));
            if let Some(usage) = &usage {
                found.lines.push(&Chunk::usage(head, response::report(usage, durations)));
            }
            found.usage = usage;
            found.ending = Some(Ending::Complete);
            self.ended = true;
        }
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
