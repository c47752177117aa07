//! Ollama's `POST /api/chat`, as Ollama's own clients speak it.

mod messages;

use bytes::Bytes;

use super::object::{Object, Path};
use super::ollama::{Shape, answer, canonical, error, facts, passing, settings, stream};
use super::{AnswerFacts, Dialect, Passing, StreamWriter, lost};
use crate::dialect::asks;
use crate::domain::{Asks, Envelope, RequestHead, Usage};
use crate::error::GatewayError;

pub use super::ollama::show;

/// The dialect.
#[derive(Clone, Copy, Debug, Default)]
pub struct OllamaChat;

impl Dialect for OllamaChat {
    fn id(&self) -> &'static str {
        "ollama-chat"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::OLLAMA)
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        facts::envelope(body)
    }

    /// Ollama's own clients keep the fields of its API and no others.
    fn carries_state(&self) -> bool {
        false
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        let mut fields = Object::of_body(&envelope.body)?;
        let root = Path::Root;
        for known in ["model", "stream"] {
            fields.take(known, root)?;
        }
        let mut chat = canonical::Chat {
            model: &envelope.model,
            stream: envelope.stream,
            messages: messages::read(fields.take("messages", root)?)?,
            ..canonical::Chat::default()
        };
        if let Some(raw) = fields.take("tools", root)? {
            chat.tools = serde_json::from_str(raw.get())
                .map_err(|_| Path::Field(&root, "tools").wrong("expected a list of tools"))?;
        }
        settings::apply(fields, &mut chat)?;
        chat.written()
    }

    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        answer::whole(Shape::Chat, facts, canonical)
    }

    fn stream(&self, facts: &AnswerFacts, _envelope: &Envelope) -> Box<dyn StreamWriter> {
        Box::new(stream::Writer::new(Shape::Chat, facts))
    }

    fn without_model(&self, envelope: &Envelope, created: u64) -> Option<Vec<u8>> {
        facts::without_model(Shape::Chat, envelope, created)
    }

    fn keeps(&self) -> Option<&'static lost::Keeps> {
        Some(&lost::Keeps {
            dialect: "ollama's API",
            choices: false,
            logprobs: true,
            links: false,
            parts: &[],
            vendor: "ollama",
            vendor_fields: "ollama",
            lacks: &["stop_sequence"],
        })
    }

    fn error(&self, error: &GatewayError, _request_id: &str) -> Vec<u8> {
        error::body(error)
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        passing::usage(body)
    }

    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        passing::look(data, usage)
    }
}

#[cfg(test)]
mod tests;
