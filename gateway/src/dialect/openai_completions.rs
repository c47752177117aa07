//! OpenAI's legacy completions: `POST /v1/completions`.
//!
//! Source: <https://platform.openai.com/docs/api-reference/completions>. A provider that has this API gets the request as
//! it is. To all others one prompt is what the user says; what no model that chats can do (several prompts, tokens,
//! `suffix`, `best_of`, log probabilities of an echo) is refused as unsupported, so that another target can serve it.
//! Without `max_tokens` the provider decides how long an answer is. Reasoning and calls have no place in the answer.

mod answer;
mod legacy;
mod request;
mod stream;

use bytes::Bytes;

use super::{AnswerFacts, Dialect, Passing, StreamWriter, lost, openai_chat::OpenAiChat, openai_error};
use crate::dialect::asks;
use crate::domain::{Asks, Envelope, RequestHead, Usage};
use crate::error::GatewayError;

/// The dialect.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenAiCompletions;

impl Dialect for OpenAiCompletions {
    fn id(&self) -> &'static str {
        "openai-completions"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::COMPLETIONS)
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        request::read(body)
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        request::canonical(envelope)
    }

    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        answer::whole(facts, None, canonical)
    }

    fn whole_for(
        &self,
        facts: &AnswerFacts,
        envelope: &Envelope,
        canonical: &[u8],
    ) -> Result<Vec<u8>, GatewayError> {
        answer::whole(facts, request::echoed(envelope), canonical)
    }

    fn stream(&self, facts: &AnswerFacts, envelope: &Envelope) -> Box<dyn StreamWriter> {
        let echo = request::echoed(envelope).map(std::borrow::Cow::into_owned);
        Box::new(stream::Writer::new(facts, echo, envelope.include_usage))
    }

    fn keeps(&self) -> Option<&'static lost::Keeps> {
        Some(&lost::Keeps {
            dialect: "openai's completions API",
            choices: true,
            logprobs: true,
            links: false,
            parts: &[],
            vendor: "",
            vendor_fields: "",
            lacks: &["stop_sequence", "tool_calls", "reasoning", "reasoning_content", "reasoning_details"],
        })
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        openai_error::body(error, request_id)
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        OpenAiChat.whole_usage(body)
    }

    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        match OpenAiChat.passing(data, usage) {
            Passing::Quiet if answer::has_text(data) => Passing::Content,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests;
