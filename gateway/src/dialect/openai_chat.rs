//! OpenAI chat completions: `POST /v1/chat/completions`. A plain body is already canonical.

mod answer;
mod facts;
mod foreign;
mod native;
mod passing;
mod stream;
mod unasked;
mod usage;

use std::ops::Range;

use bytes::Bytes;

use super::{
    AnswerFacts, Dialect, Passing, StreamWriter, openai_error as failure, openai_responses, passage,
};
use crate::dialect::asks;
use crate::domain::http::Loss;
use crate::domain::{Asks, Edit, Envelope, RequestHead, Usage};
use crate::error::GatewayError;

/// The dialect of OpenAI's chat completions and of all who copied it.
///
/// Fields of canonical chat that OpenAI does not have (`reasoning_details`, `extra_content`, …) stay in the answer:
/// a client that sends the message back returns them. `extra_content` is marked on its way out, so that it is known for
/// another vendor's when it comes back. Content that is a list of parts becomes what OpenAI's clients can
/// read: the text joined as `content`, pictures in `images` (as OpenRouter has it), everything else in `content_parts`.
pub struct OpenAiChat;

impl Dialect for OpenAiChat {
    fn id(&self) -> &'static str {
        "openai-chat"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::OPENAI)
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        facts::envelope(body)
    }

    /// A client may keep fields OpenAI does not have, and most do not.
    fn carries_state(&self) -> bool {
        false
    }

    fn native(&self, body: &[u8], _model: &str) -> Option<Bytes> {
        native::native(body)
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        if envelope.passable {
            facts::speakers(&envelope.body)?;
            return Ok(foreign::unmarked(&envelope.body).unwrap_or_else(|| envelope.body.clone()));
        }
        openai_responses::canonical(envelope)
    }

    fn dropped(&self, envelope: &Envelope) -> Vec<Loss> {
        if envelope.passable { Vec::new() } else { openai_responses::dropped(envelope) }
    }

    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        answer::whole(facts, &foreign::marked(canonical))
    }

    fn stream(&self, facts: &AnswerFacts, envelope: &Envelope) -> Box<dyn StreamWriter> {
        Box::new(stream::Writer::new(facts, envelope.include_usage))
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        failure::body(error, request_id)
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        usage::of_body(body)
    }

    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        passing::look(data, usage)
    }

    fn own_path(&self, canonical: &str) -> Option<String> {
        // Vendors' fields have a place only where they are taken out of it.
        (!canonical.starts_with("vendor.")).then(|| canonical.to_owned())
    }

    fn choices(&self, data: &[u8], choices: &mut passage::Choices) {
        passing::choices(data, choices);
    }

    fn terminator(&self) -> &'static [u8] {
        b"data: [DONE]\n\n"
    }

    fn asks_for_usage(&self, envelope: &Envelope) -> bool {
        envelope.stream && envelope.include_usage
    }

    fn ask_usage(&self, envelope: &Envelope) -> Option<Edit> {
        let wanted = envelope.stream && !envelope.include_usage && envelope.passable;
        wanted.then(|| unasked::ask(&envelope.body)).flatten()
    }

    fn unasked(&self, data: &[u8]) -> Option<Range<usize>> {
        unasked::span(data)
    }
}

#[cfg(test)]
mod tests;
