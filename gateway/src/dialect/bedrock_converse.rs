//! Amazon Bedrock's Converse API: `POST /model/{id}/converse` and `/model/{id}/converse-stream`, as AWS's SDKs speak it.
//!
//! `request` (with `messages`, `blocks`, `media`, `tools`, `settings`) turns a request into canonical chat; `answer` and
//! `stream` (with `written`, `ending`, `tokens`) turn answers back, streams as binary frames. `passing` looks at answers
//! that need no turning. Shapes: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>.

mod answer;
mod blocks;
mod ending;
mod error;
mod media;
mod messages;
mod passing;
mod request;
mod settings;
mod state;
mod stream;
mod tokens;
mod tools;
mod written;

use bytes::Bytes;

use super::{AnswerFacts, Dialect, Passing, StreamWriter, lost};
use crate::dialect::asks;
use crate::domain::{Asks, Envelope, RequestHead, Usage};
use crate::error::GatewayError;

/// The vendor's word in canonical chat.
const VENDOR: &str = "bedrock";

/// The dialect of AWS's SDKs.
#[derive(Clone, Copy, Debug, Default)]
pub struct BedrockConverse;

impl Dialect for BedrockConverse {
    fn id(&self) -> &'static str {
        "bedrock-converse"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::BEDROCK)
    }

    fn read(&self, head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        request::read(head, body)
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

    fn error(&self, error: &GatewayError, _request_id: &str) -> Vec<u8> {
        error::body(error)
    }

    fn error_status(&self, error: &GatewayError) -> u16 {
        error::status(error.kind)
    }

    fn error_headers(&self, error: &GatewayError) -> Vec<(&'static str, &'static str)> {
        vec![("x-amzn-errortype", error::word(error.kind))]
    }

    fn keeps(&self) -> Option<&'static lost::Keeps> {
        Some(&lost::Keeps {
            dialect: "bedrock's API",
            choices: false,
            logprobs: false,
            links: true,
            parts: &["image_url"],
            vendor: VENDOR,
            vendor_fields: VENDOR,
            lacks: &[],
        })
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        passing::whole_usage(body)
    }

    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        passing::frame(data, usage)
    }
}

#[cfg(test)]
mod tests;
