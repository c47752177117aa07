//! Gemini's `generateContent` and `streamGenerateContent`, as Google's own SDKs speak them.
//!
//! Requests are read into borrowed records (`wire`) from which `request` takes what canonical chat can say (`contents`,
//! `parts`, `settings`, `tools`, `schema`); what is left in them travels as `vendor.gemini`, so nothing gets lost.
//! Answers are read (`said`), turned (`pieces`, `state`) and written (`reply`) whole (`answer`) or in pieces (`stream`).

mod answer;
mod canonical;
mod contents;
mod error;
mod native;
mod parts;
mod passing;
mod pieces;
mod reply;
mod request;
mod said;
mod schema;
mod settings;
mod state;
mod stream;
mod tools;
mod wire;

use bytes::Bytes;

use super::{AnswerFacts, Dialect, Passing, StreamWriter, lost};
use crate::dialect::asks;
use crate::domain::{Asks, Envelope, RequestHead, Usage};
use crate::error::GatewayError;

/// The dialect.
#[derive(Clone, Copy, Debug, Default)]
pub struct GeminiGenerate;

impl Dialect for GeminiGenerate {
    fn id(&self) -> &'static str {
        "gemini-generate"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::GEMINI)
    }

    fn read(&self, head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        request::read(head, body)
    }

    fn native(&self, body: &[u8], model: &str) -> Option<Bytes> {
        native::native(body, model)
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        request::canonical(envelope)
    }

    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        answer::whole(facts, canonical)
    }

    fn stream(&self, facts: &AnswerFacts, envelope: &Envelope) -> Box<dyn StreamWriter> {
        Box::new(stream::Stream::new(facts, envelope.framing))
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        error::body(error, request_id)
    }

    fn error_status(&self, error: &GatewayError) -> u16 {
        error::status(error)
    }

    fn own_path(&self, canonical: &str) -> Option<String> {
        // Its other parameters may be spelled in two ways, and may not stand twice.
        canonical.strip_prefix("vendor.gemini.").map(str::to_owned)
    }

    fn keeps(&self) -> Option<&'static lost::Keeps> {
        Some(&lost::Keeps {
            dialect: "gemini's API",
            choices: true,
            logprobs: true,
            links: true,
            parts: &["image_url", "input_audio", "file"],
            vendor: "gemini",
            vendor_fields: "gemini",
            lacks: &["stop_sequence"],
        })
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        passing::usage(body)
    }

    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        passing::event(data, usage)
    }
}

#[cfg(test)]
mod tests;
