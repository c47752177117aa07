//! `POST /v1/images/generations`, `/edits`, `/variations`. Source: OpenAI's API reference, "Images".

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::multipart::Form;
use super::{facts, forms};
use crate::dialect::asks;
use crate::dialect::object::{Object, Path};
use crate::dialect::{AnswerFacts, Dialect, Passing, openai_error};
use crate::domain::{Asks, Envelope, Operation, RequestHead, Usage};
use crate::error::GatewayError;

/// The model OpenAI takes when a request names none.
const DEFAULT: &str = "dall-e-2";

/// Pictures.
pub(super) struct OpenAiImages {
    id: &'static str,
    operation: Operation,
}

pub(super) const GENERATIONS: OpenAiImages =
    OpenAiImages { id: "openai-images", operation: Operation::ImageGeneration };
pub(super) const EDITS: OpenAiImages =
    OpenAiImages { id: "openai-image-edits", operation: Operation::ImageEdit };
pub(super) const VARIATIONS: OpenAiImages =
    OpenAiImages { id: "openai-image-variations", operation: Operation::ImageVariation };

impl OpenAiImages {
    fn read_json(&self, body: Bytes) -> Result<Envelope, GatewayError> {
        let mut fields = facts::fields(&body)?;
        let envelope = facts::envelope(&body, &mut fields, Some(DEFAULT))?;
        if self.operation != Operation::ImageVariation {
            facts::need_text(&fields, "prompt")?;
        }
        facts::count(&fields, "n")?;
        let raw = facts::flag(&fields, "stream")?;
        Ok(Envelope { raw, ..envelope })
    }

    fn read_form(&self, head: &RequestHead, body: &Bytes) -> Result<Envelope, GatewayError> {
        let form = Form::read(head, body)?;
        if self.operation == Operation::ImageEdit && form.text(body, "prompt")?.is_none_or(str::is_empty) {
            return Err(GatewayError::invalid("prompt", "you must provide `prompt`"));
        }
        let count = form.text(body, "n")?;
        if count.is_some_and(|count| !count.parse::<u32>().is_ok_and(|count| count > 0)) {
            return Err(GatewayError::invalid("n", "expected a whole number from 1 on"));
        }
        let raw = form.text(body, "stream")? == Some("true");
        Ok(Envelope { raw, ..forms::envelope(form, body, "image")? })
    }
}

impl Dialect for OpenAiImages {
    fn id(&self) -> &'static str {
        self.id
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::OPERATIONS)
    }

    fn operation(&self) -> Operation {
        self.operation
    }

    fn read(&self, head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        let json = head.header("content-type").is_none_or(|kind| kind.starts_with("application/json"));
        if json && self.operation != Operation::ImageVariation || self.operation == Operation::ImageGeneration
        {
            self.read_json(body)
        } else {
            self.read_form(head, &body)
        }
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        if envelope.raw {
            return Err(super::no_events("stream"));
        }
        forms::canonical(envelope)
    }

    /// Adapters have no clock, so `created` is ours.
    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        let no_object = || GatewayError::plugin("the adapter's pictures are no JSON object");
        let raw: &RawValue = serde_json::from_slice(canonical).map_err(|_| no_object())?;
        let mut answer = Object::read(raw, Path::Root).map_err(|_| no_object())?;
        let created = serde_json::value::to_raw_value(&facts.created).map_err(|_| no_object())?;
        match answer.0.iter_mut().find(|(name, _)| name == "created") {
            Some((_, said)) if said.get() == "0" => *said = &created,
            Some(_) => {}
            None => answer.0.insert(0, ("created".into(), &created)),
        }
        serde_json::to_vec(&answer).map_err(|_| no_object())
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        openai_error::body(error, request_id)
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        let usage = serde_json::from_slice::<Body>(body).ok()?.usage?;
        let details = usage.input_tokens_details.unwrap_or_default();
        Some(Usage {
            input: usage.input_tokens,
            output: usage.output_tokens,
            image_input: details.image_tokens,
            image_output: usage.output_tokens,
            ..Usage::default()
        })
    }

    fn pieces(&self, _envelope: &Envelope, body: Option<&[u8]>) -> Usage {
        let made = body.and_then(|body| serde_json::from_slice::<Pictures>(body).ok());
        Usage { images: made.map(|made| made.data.len() as u64), ..Usage::default() }
    }

    fn passing(&self, data: &[u8], _usage: &mut Usage) -> Passing {
        openai_error::reported(data).map_or(Passing::Content, Passing::Failed)
    }
}

/// The pictures themselves are megabytes of base64, which are skipped.
#[derive(Deserialize)]
struct Body {
    usage: Option<Counted>,
}

#[derive(Deserialize)]
struct Pictures {
    data: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct Counted {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<Details>,
}

#[derive(Default, Deserialize)]
struct Details {
    image_tokens: Option<u64>,
}
