//! Cohere's chat API, version 2: `POST /v2/chat`, as Cohere's own SDKs speak it.
//!
//! `facts` reads what routing needs. `request` (with `messages`, `documents`, `settings`) turns a request into canonical
//! chat; `answer` and `stream` (with `cited`, `tokens`) turn answers back. `passing` looks at answers that need no turning.
//! Shapes: <https://docs.cohere.com/v2/reference/chat>.
//!
//! Cohere's API has no place for state that a client brings back unread (signatures). It travels in fields of our own,
//! `signature` and `data`, on thoughts and calls: clients that send messages back as they came keep it.

mod answer;
mod cited;
mod documents;
mod error;
mod facts;
mod messages;
mod passing;
mod request;
mod settings;
mod stream;
mod tokens;

use bytes::Bytes;

use super::{AnswerFacts, Dialect, Passing, StreamWriter, lost};
use crate::dialect::asks;
use crate::domain::{Asks, Envelope, RequestHead, Usage};
use crate::error::GatewayError;

/// The vendor's word in canonical chat.
const VENDOR: &str = "cohere";

/// The dialect of Cohere's clients.
#[derive(Clone, Copy, Debug, Default)]
pub struct CohereChat;

impl Dialect for CohereChat {
    fn id(&self) -> &'static str {
        "cohere-chat"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::COHERE)
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        facts::read(body)
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        request::canonical(envelope).map(Bytes::from)
    }

    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        answer::whole(facts, canonical)
    }

    fn stream(&self, facts: &AnswerFacts, _envelope: &Envelope) -> Box<dyn StreamWriter> {
        Box::new(stream::Writer::new(facts))
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        error::body(error, request_id)
    }

    fn keeps(&self) -> Option<&'static lost::Keeps> {
        Some(&lost::Keeps {
            dialect: "cohere's API",
            choices: false,
            logprobs: true,
            links: true,
            parts: &["image_url"],
            vendor: VENDOR,
            vendor_fields: VENDOR,
            lacks: &["stop_sequence"],
        })
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        passing::whole_usage(body)
    }

    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        passing::event(data, usage)
    }
}

#[cfg(test)]
mod tests;
