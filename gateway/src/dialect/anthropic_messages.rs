//! Anthropic's Messages API: `POST /v1/messages`.
//!
//! `facts` reads what routing needs. `request` (with `wire`, `messages`, `blocks`, `tools`) turns a request into
//! canonical chat, `answer` and `stream` (with `answered`, `written`, `queue`) turn answers back. `passing` looks
//! at answers that need no turning.

mod answer;
mod answered;
mod blocks;
mod canonical;
mod ending;
mod error;
mod facts;
mod messages;
mod native;
mod passing;
mod queue;
mod request;
mod state;
mod stream;
mod tokens;
mod tools;
mod wire;
mod written;

use bytes::Bytes;

use super::{AnswerFacts, Dialect, Passing, StreamWriter, lost, object};
use crate::dialect::asks;
use crate::domain::{Asks, Envelope, RequestHead, Usage};
use crate::error::GatewayError;

/// The dialect of Claude's clients.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnthropicMessages;

impl Dialect for AnthropicMessages {
    fn id(&self) -> &'static str {
        "anthropic-messages"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::ANTHROPIC)
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        facts::read(body)
    }

    fn native(&self, body: &[u8], _model: &str) -> Option<Bytes> {
        native::native(body)
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

    fn error_status(&self, error: &GatewayError) -> u16 {
        error::status(error.kind)
    }

    fn own_path(&self, canonical: &str) -> Option<String> {
        let own = match canonical {
            "temperature" | "top_p" | "top_k" | "max_tokens" => canonical,
            "max_completion_tokens" => "max_tokens",
            "user" => "metadata.user_id",
            other => other.strip_prefix("vendor.anthropic.")?,
        };
        Some(own.to_owned())
    }

    fn keeps(&self) -> Option<&'static lost::Keeps> {
        Some(&lost::Keeps {
            dialect: "anthropic's API",
            choices: false,
            logprobs: false,
            links: false,
            parts: &["image_url"],
            vendor: "anthropic",
            vendor_fields: "anthropic",
            lacks: &[],
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
