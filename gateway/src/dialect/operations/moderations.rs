//! `POST /v1/moderations`. Source: OpenAI's API reference, "Create moderation".

use bytes::Bytes;

use super::facts;
use crate::dialect::asks;
use crate::dialect::object::Path;
use crate::dialect::{AnswerFacts, Dialect, Passing, openai_error};
use crate::domain::{Asks, Envelope, Operation, RequestHead, Usage};
use crate::error::GatewayError;

/// The model OpenAI takes when a request names none.
const DEFAULT: &str = "omni-moderation-latest";

/// Whether texts and pictures break a policy.
pub(super) struct OpenAiModerations;

impl Dialect for OpenAiModerations {
    fn id(&self) -> &'static str {
        "openai-moderations"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::OPERATIONS)
    }

    fn operation(&self) -> Operation {
        Operation::Moderation
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        let mut fields = facts::fields(&body)?;
        let envelope = facts::envelope(&body, &mut fields, Some(DEFAULT))?;
        let input = facts::need(&fields, "input")?.get();
        if !input.starts_with(['"', '[']) || input.trim_matches(['[', ']', ' ']).is_empty() {
            return Err(Path::Field(&Path::Root, "input")
                .wrong("expected a string, a list of strings or a list of parts"));
        }
        Ok(envelope)
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        Ok(envelope.body.clone())
    }

    fn whole(&self, _facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        Ok(canonical.to_vec())
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        openai_error::body(error, request_id)
    }

    fn whole_usage(&self, _body: &[u8]) -> Option<Usage> {
        None // OpenAI does not count these.
    }

    fn passing(&self, data: &[u8], _usage: &mut Usage) -> Passing {
        openai_error::reported(data).map_or(Passing::Content, Passing::Failed)
    }
}
