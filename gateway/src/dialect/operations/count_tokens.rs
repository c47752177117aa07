//! How many tokens a conversation has: Anthropic's `POST /v1/messages/count_tokens` and Gemini's `:countTokens`.
//!
//! A provider that can count is asked. When no target can, the gateway estimates: clients use the number to decide when
//! to shorten a conversation, and a rough one serves them better than none.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::{facts, token_estimate};
use crate::dialect::anthropic_messages::AnthropicMessages;
use crate::dialect::asks;
use crate::dialect::gemini_generate::GeminiGenerate;
use crate::dialect::{AnswerFacts, Dialect, Passing};
use crate::domain::{Asks, Envelope, Operation, RequestHead, Usage};
use crate::error::GatewayError;

/// As Claude's clients ask.
pub(super) struct AnthropicCountTokens;

impl AnthropicCountTokens {
    /// The request as one for a message, which needs a limit that a count does not.
    fn message(body: &Bytes) -> Bytes {
        let has_limit = facts::fields(body).is_ok_and(|fields| fields.get("max_tokens").is_some());
        match memchr::memchr(b'{', body) {
            Some(brace) if !has_limit => {
                let (front, rest) = body.split_at(brace + 1);
                [front, b"\"max_tokens\":1,", rest].concat().into()
            }
            _ => body.clone(),
        }
    }
}

impl Dialect for AnthropicCountTokens {
    fn id(&self) -> &'static str {
        "anthropic-count-tokens"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::ANTHROPIC)
    }

    fn operation(&self) -> Operation {
        Operation::CountTokens
    }

    fn read(&self, head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        let mut fields = facts::fields(&body)?;
        let envelope = facts::envelope(&body, &mut fields, None)?;
        facts::need(&fields, "messages")?;
        AnthropicMessages.read(head, Self::message(&body))?;
        Ok(envelope)
    }

    fn native(&self, body: &[u8], model: &str) -> Option<Bytes> {
        AnthropicMessages.native(body, model)
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        let body = Self::message(&envelope.body);
        AnthropicMessages.canonical(&Envelope { body, ..envelope.clone() })
    }

    fn whole(&self, _facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        Ok(json!({ "input_tokens": counted(canonical)? }).to_string().into_bytes())
    }

    fn estimate(&self, envelope: &Envelope) -> Option<Vec<u8>> {
        let tokens = token_estimate::of(&self.canonical(envelope).ok()?);
        Some(json!({ "input_tokens": tokens }).to_string().into_bytes())
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        AnthropicMessages.error(error, request_id)
    }

    fn error_status(&self, error: &GatewayError) -> u16 {
        AnthropicMessages.error_status(error)
    }

    fn whole_usage(&self, _body: &[u8]) -> Option<Usage> {
        None // Counting is free.
    }

    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        AnthropicMessages.passing(data, usage)
    }
}

/// As Google's clients ask.
pub(super) struct GeminiCountTokens;

/// `generateContentRequest` holds everything a request for an answer holds; `contents` alone is the short form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    #[serde(borrow)]
    generate_content_request: Option<&'a RawValue>,
}

fn inner(body: &Bytes) -> Option<Bytes> {
    let asked: Asked<'_> = serde_json::from_slice(body).ok()?;
    Some(body.slice_ref(asked.generate_content_request?.get().as_bytes()))
}

impl Dialect for GeminiCountTokens {
    fn id(&self) -> &'static str {
        "gemini-count-tokens"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        let inner = inner(&envelope.body);
        let body = inner.as_ref().unwrap_or(&envelope.body);
        asks::of_body(body, envelope, self.operation(), asks::fields::GEMINI)
    }

    fn operation(&self) -> Operation {
        Operation::CountTokens
    }

    fn read(&self, head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        let path = head.path.replace(":countTokens", ":generateContent");
        let inner = inner(&body);
        // The long form repeats the model's name inside, which would have to be another one upstream.
        let passable = inner.is_none();
        let read =
            GeminiGenerate.read(&RequestHead { path, ..head.clone() }, inner.unwrap_or(body.clone()))?;
        Ok(Envelope { passable, body, ..read })
    }

    fn native(&self, body: &[u8], model: &str) -> Option<Bytes> {
        GeminiGenerate.native(body, model)
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        let body = inner(&envelope.body).unwrap_or_else(|| envelope.body.clone());
        GeminiGenerate.canonical(&Envelope { body, ..envelope.clone() })
    }

    fn whole(&self, _facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        Ok(json!({ "totalTokens": counted(canonical)? }).to_string().into_bytes())
    }

    fn estimate(&self, envelope: &Envelope) -> Option<Vec<u8>> {
        let tokens = token_estimate::of(&self.canonical(envelope).ok()?);
        Some(json!({ "totalTokens": tokens }).to_string().into_bytes())
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        GeminiGenerate.error(error, request_id)
    }

    fn error_status(&self, error: &GatewayError) -> u16 {
        GeminiGenerate.error_status(error)
    }

    fn whole_usage(&self, _body: &[u8]) -> Option<Usage> {
        None
    }

    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        GeminiGenerate.passing(data, usage)
    }
}

/// What an adapter counted.
fn counted(canonical: &[u8]) -> Result<u64, GatewayError> {
    #[derive(Deserialize)]
    struct Count {
        input_tokens: u64,
    }
    let count: Result<Count, _> = serde_json::from_slice(canonical);
    count
        .map(|count| count.input_tokens)
        .map_err(|_| GatewayError::plugin("the adapter's count is no number"))
}
