//! Canonical chunks as a stream of `text_completion` events and one `[DONE]`.

use super::answer::{self, Piece};
use crate::dialect::{AnswerFacts, StreamWriter, openai_error, sse};
use crate::error::GatewayError;

/// One stream.
pub(super) struct Writer {
    facts: AnswerFacts,
    /// The prompt, to stand before each choice.
    echo: Option<String>,
    include_usage: bool,
    choices: Vec<Begun>,
    /// `[DONE]` or an error was written; nothing may follow.
    closed: bool,
}

/// A choice of which something was told.
struct Begun {
    index: u64,
    /// Letters of its text so far.
    offset: usize,
}

impl Writer {
    pub(super) fn new(facts: &AnswerFacts, echo: Option<String>, include_usage: bool) -> Self {
        Self { facts: facts.clone(), echo, include_usage, choices: Vec::new(), closed: false }
    }

    /// Nothing to tell is no piece.
    fn piece<'a>(&mut self, choice: answer::Choice<'a>) -> Result<Option<Piece<'a>>, GatewayError> {
        let index = choice.index;
        let known = self.choices.iter().position(|begun| begun.index == index);
        let mut offset = known.and_then(|at| self.choices.get(at)).map_or(0, |begun| begun.offset);
        let mut piece = answer::piece(choice, &mut offset)?;
        if piece.text.is_empty() && piece.finish_reason.is_none() && piece.logprobs.is_none() {
            return Ok(None);
        }
        match known.and_then(|at| self.choices.get_mut(at)) {
            Some(begun) => begun.offset = offset,
            None => {
                self.choices.push(Begun { index, offset });
                if let Some(echo) = &self.echo {
                    piece.text = format!("{echo}{}", piece.text).into();
                }
            }
        }
        Ok(Some(piece))
    }
}

impl StreamWriter for Writer {
    fn chunk(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), GatewayError> {
        if self.closed || line.is_empty() {
            return Ok(());
        }
        let mut said = answer::read(line)?;
        let told = said.choices.is_empty() && said.usage.is_some() && self.include_usage;
        if !told {
            said.usage = None;
        }
        let mut pieces = Vec::with_capacity(said.choices.len());
        for choice in std::mem::take(&mut said.choices) {
            pieces.extend(self.piece(choice)?);
        }
        if told || !pieces.is_empty() {
            sse::data(out, &answer::written(&answer::reply(&self.facts, said, pieces))?);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.closed {
            self.closed = true;
            sse::data(out, b"[DONE]");
        }
    }

    fn fail(&mut self, error: &GatewayError, request_id: &str, out: &mut Vec<u8>) {
        if !self.closed {
            self.closed = true;
            sse::data(out, &openai_error::body(error, request_id));
        }
    }
}
