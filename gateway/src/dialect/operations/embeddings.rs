//! `POST /v1/embeddings`. Source: OpenAI's API reference, "Create embeddings".

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{facts, vectors};
use crate::dialect::asks;
use crate::dialect::object::Path;
use crate::dialect::{AnswerFacts, Dialect, Passing, openai_error};
use crate::domain::{Asks, Envelope, Operation, RequestHead, Usage};
use crate::error::GatewayError;

/// Texts as vectors, as OpenAI's clients ask.
pub(super) struct OpenAiEmbeddings;

impl Dialect for OpenAiEmbeddings {
    fn id(&self) -> &'static str {
        "openai-embeddings"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::OPERATIONS)
    }

    fn operation(&self) -> Operation {
        Operation::Embeddings
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        let mut fields = facts::fields(&body)?;
        let envelope = facts::envelope(&body, &mut fields, None)?;
        judge_input(facts::need(&fields, "input")?)?;
        facts::word(&fields, "encoding_format", &["float", "base64"])?;
        facts::count(&fields, "dimensions")?;
        Ok(envelope)
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        Ok(envelope.body.clone())
    }

    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        vectors::openai(facts, canonical, vectors::Form::Float, b"")
    }

    fn whole_for(
        &self,
        facts: &AnswerFacts,
        envelope: &Envelope,
        canonical: &[u8],
    ) -> Result<Vec<u8>, GatewayError> {
        let fields = facts::fields(&envelope.body)?;
        let base64 = facts::word(&fields, "encoding_format", &["float", "base64"])? == Some("base64");
        let form = if base64 { vectors::Form::Base64 } else { vectors::Form::Float };
        vectors::openai(facts, canonical, form, &envelope.body)
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        openai_error::body(error, request_id)
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        // The body is mostly numbers; usage stands at its end and is found without reading them.
        vectors::usage(body)
    }

    fn passing(&self, data: &[u8], _usage: &mut Usage) -> Passing {
        openai_error::reported(data).map_or(Passing::Content, Passing::Failed)
    }
}

/// A text, a list of texts, a text as token numbers, or a list of those.
fn judge_input(input: &RawValue) -> Result<(), GatewayError> {
    let root = Path::Root;
    let path = Path::Field(&root, "input");
    if input.get().starts_with('"') {
        return if input.get() == "\"\"" { Err(path.wrong("must not be empty")) } else { Ok(()) };
    }
    let wrong = || {
        path.wrong("expected a string, a list of strings, a list of token numbers, or a list of such lists")
    };
    let items: Vec<&RawValue> = serde_json::from_str(input.get()).map_err(|_| wrong())?;
    let Some(first) = items.first() else { return Err(path.wrong("must not be empty")) };
    let kind =
        |raw: &RawValue| raw.get().bytes().next().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    let first = kind(first);
    if !matches!(first, Some(b'"' | b'[' | b'0')) {
        return Err(
            Path::Item(&path, 0).wrong("expected a string, a token number or a list of token numbers")
        );
    }
    for (index, item) in items.iter().enumerate() {
        let path = Path::Item(&path, index);
        if kind(item) != first {
            return Err(path.wrong("all of the list must be of one kind"));
        }
        if item.get() == "\"\"" {
            return Err(path.wrong("must not be empty"));
        }
        let tokens = match first {
            Some(b'[') => serde_json::from_str::<Vec<u32>>(item.get()).is_ok_and(|list| !list.is_empty()),
            Some(b'0') => serde_json::from_str::<u32>(item.get()).is_ok(),
            _ => true,
        };
        if !tokens {
            return Err(path.wrong("expected token numbers"));
        }
    }
    Ok(())
}
