//! OpenAI's Responses API: `POST /v1/responses`.
//!
//! Nothing is kept between requests: `store` is accepted and answered with `false`, and what refers to something kept
//! (`previous_response_id`, `conversation`, `background`, `prompt`, `item_reference`) is refused by name. Clients that send
//! the whole conversation each time, as Codex does, lose nothing by it.
//!
//! `facts` reads what routing needs. `request` (with `items`, `turn`, `parts`, `tools`) turns a request into canonical
//! chat, `answer` and `stream` (with `said`, `progress`, `events`, `output`,
//! `asked`) turn answers back. `state` is how state of any vendor
//! travels through the client, `passing` looks at answers that need no turning.

mod answer;
mod asked;
mod canonical;
mod events;
mod facts;
mod items;
mod names;
mod output;
mod parts;
mod passing;
mod progress;
mod request;
mod said;
mod state;
mod stream;
mod strict;
mod tokens;
mod tools;
mod turn;

use bytes::Bytes;

use super::{AnswerFacts, Dialect, Passing, StreamWriter, lost, object, openai_error};
use crate::domain::http::Loss;
use crate::domain::{Envelope, RequestHead, Usage};
use crate::error::{GatewayError, Kind};

/// Under this name stand, in canonical chat's `vendor`, fields and tools that only this API has. It is not `openai`:
/// OpenAI's chat API would refuse a request with them, so its adapter reports them as lost, like all others.
const VENDOR: &str = "openai-responses";

/// The dialect of OpenAI's present SDKs and of Codex.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenAiResponses;

impl Dialect for OpenAiResponses {
    fn id(&self) -> &'static str {
        "openai-responses"
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        read(body)
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        canonical(envelope)
    }

    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        answer::whole(facts, &asked::Asked::default(), canonical)
    }

    fn whole_for(
        &self,
        facts: &AnswerFacts,
        envelope: &Envelope,
        canonical: &[u8],
    ) -> Result<Vec<u8>, GatewayError> {
        answer::whole(facts, &asked::Asked::of(&envelope.body), canonical)
    }

    fn stream(&self, facts: &AnswerFacts, envelope: &Envelope) -> Box<dyn StreamWriter> {
        Box::new(stream::Writer::new(facts, asked::Asked::of(&envelope.body)))
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        openai_error::body(error, request_id)
    }

    fn error_status(&self, error: &GatewayError) -> u16 {
        match error.kind {
            Kind::ModelNotFound => 400,
            kind => kind.status(),
        }
    }

    fn dropped(&self, envelope: &Envelope) -> Vec<Loss> {
        request::dropped(envelope)
    }

    fn keeps(&self) -> Option<&'static lost::Keeps> {
        // Blocks and annotations of other vendors travel sealed.
        Some(&lost::Keeps {
            dialect: "openai's responses API",
            choices: false,
            logprobs: true,
            links: true,
            parts: &["image_url", "vendor"],
            vendor: "*",
            vendor_fields: "",
        })
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        passing::whole_usage(body)
    }

    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        passing::event(data, usage)
    }
}

/// The facts of a body of this API, wherever it was sent to.
pub(super) fn read(body: Bytes) -> Result<Envelope, GatewayError> {
    facts::read(body)
}

/// A body of this API as canonical chat.
pub(super) fn canonical(envelope: &Envelope) -> Result<Bytes, GatewayError> {
    request::canonical(envelope).map(Bytes::from)
}

#[cfg(test)]
mod tests;
