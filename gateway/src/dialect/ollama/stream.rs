//! Canonical chunks as Ollama's stream: one object a line, the last one with `done: true`.

use std::time::{Duration, Instant};

use super::answer::{self, Open};
use super::reply::{End, Reply, Words};
use super::said::{self, Choice, ToolCall, Usage};
use super::state::State;
use super::{Shape, error};
use crate::dialect::{AnswerFacts, StreamWriter};
use crate::domain::rfc3339;
use crate::error::GatewayError;

/// One stream.
pub(in crate::dialect) struct Writer {
    shape: Shape,
    model: String,
    created_at: String,
    /// How long the client had waited when the stream began.
    waited: Duration,
    began: Instant,
    /// When the first piece came.
    first: Option<Instant>,
    thoughts: State,
    calls: Vec<Open>,
    /// Calls that were told.
    told: usize,
    finish: Option<String>,
    usage: Usage,
    /// The last object or an error was written; nothing may follow.
    closed: bool,
}

impl Writer {
    /// A stream that begins now.
    pub(in crate::dialect) fn new(shape: Shape, facts: &AnswerFacts) -> Self {
        Self {
            shape,
            model: facts.model.clone(),
            created_at: rfc3339(facts.created),
            waited: facts.waited,
            began: Instant::now(),
            first: None,
            thoughts: State::default(),
            calls: Vec::new(),
            told: 0,
            finish: None,
            usage: Usage::default(),
            closed: false,
        }
    }

    fn choice(&mut self, choice: Choice<'_>, out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let Choice { message, finish_reason, logprobs, .. } = choice;
        let mut message = message.unwrap_or_default();
        let calls = message.tool_calls.take().unwrap_or_default();
        if let Some(details) = message.reasoning_details.take() {
            self.thoughts.add(details)?;
        }
        let mut words = answer::words(&mut message)?;
        words.logprobs = logprobs.and_then(|logprobs| logprobs.content);
        if !words.is_empty() {
            self.tell_calls(false, out)?;
            self.line(words, None, out)?;
        }
        for call in calls {
            self.call(call, out)?;
        }
        if let Some(finish) = finish_reason {
            self.finish = Some(finish.0.into_owned());
            self.tell_calls(true, out)?;
        }
        Ok(())
    }

    /// A piece of a call. What came before another call begins is told when it is whole.
    fn call(&mut self, piece: ToolCall<'_>, out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let place = match self.calls.iter().position(|call| call.place == piece.index) {
            Some(place) => place,
            None => {
                self.tell_calls(false, out)?;
                self.calls.push(Open { place: piece.index, ..Open::default() });
                self.calls.len() - 1
            }
        };
        let Some(call) = self.calls.get_mut(place) else { return Ok(()) };
        if let Some(id) = piece.id.filter(|_| call.id.is_empty()) {
            call.id = id.0.into_owned();
        }
        if let Some(function) = piece.function {
            if let Some(name) = function.name.filter(|_| call.name.is_empty()) {
                call.name = name.0.into_owned();
            }
            if let Some(arguments) = function.arguments {
                call.arguments.push_str(&arguments.0);
            }
        }
        if let Some(state) = piece.extra_content {
            call.extra_content = Some(state.to_owned());
        }
        Ok(())
    }

    /// Tells calls in their order: all of them at the end, else those that are surely whole.
    fn tell_calls(&mut self, all: bool, out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let ready =
            if all { self.calls.len() } else { self.calls.iter().take_while(|call| call.is_whole()).count() };
        if ready == 0 {
            return Ok(());
        }
        let finish = self.finish.as_deref().unwrap_or_default();
        let mut calls = Vec::with_capacity(ready);
        for call in self.calls.drain(..ready) {
            if let Some(call) = call.closed(self.told, finish)? {
                self.told += 1;
                calls.push(call);
            }
        }
        if calls.is_empty() {
            return Ok(());
        }
        self.line(Words { calls, ..Words::default() }, None, out)
    }

    fn line(&self, words: Words<'_>, end: Option<End<'_>>, out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let reply = Reply::new(self.shape, (&self.model, &self.created_at), words, end);
        out.extend_from_slice(&reply.written()?);
        out.push(b'\n');
        Ok(())
    }
}

impl StreamWriter for Writer {
    fn content_type(&self) -> &'static str {
        "application/x-ndjson"
    }

    fn chunk(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), GatewayError> {
        if self.closed || line.is_empty() {
            return Ok(());
        }
        self.first.get_or_insert_with(Instant::now);
        let said = said::read(line)?;
        self.usage = said.usage.unwrap_or(self.usage);
        for choice in said.choices.into_iter().filter(|choice| choice.index == 0) {
            self.choice(choice, out)?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.closed {
            return;
        }
        self.closed = true;
        let now = Instant::now();
        let first = self.first.unwrap_or(now);
        let state = self.thoughts.whole();
        let end = End {
            reason: answer::done_reason(self.finish.as_deref().unwrap_or_default()),
            usage: self.usage,
            total: self.waited + (now - self.began),
            parts: Some((self.waited + (first - self.began), now - first)),
        };
        let words = Words { reasoning_details: state.as_deref(), ..Words::default() };
        // It was read from JSON, so it can be written.
        let _ = self.line(words, Some(end), out);
    }

    fn fail(&mut self, error: &GatewayError, _request_id: &str, out: &mut Vec<u8>) {
        if !self.closed {
            self.closed = true;
            out.extend_from_slice(&error::body(error));
            out.push(b'\n');
        }
    }

    /// Nothing: Ollama's clients read every line as JSON.
    fn keep_alive(&self, _out: &mut Vec<u8>) {}
}
