//! Ollama's `POST /api/generate`: one prompt, one answer.

use bytes::Bytes;

use super::object::{Object, Path};
use super::ollama::canonical::{Chat, Content, Message, Part};
use super::ollama::{Shape, answer, error, facts, image, passing, settings, stream};
use super::{AnswerFacts, Dialect, Passing, StreamWriter, lost};
use crate::dialect::asks;
use crate::domain::{Asks, Envelope, RequestHead, Usage};
use crate::error::{GatewayError, Kind};

/// The dialect.
///
/// To a provider that only chats, the prompt is what the user says and `system` what it is told. What would make another
/// question of it there (`suffix`, `template`, `raw`, `context`) is refused as unsupported, so that a target that speaks
/// this dialect can serve it. `context` is never answered: clients without it send the conversation themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct OllamaGenerate;

impl Dialect for OllamaGenerate {
    fn id(&self) -> &'static str {
        "ollama-generate"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::OLLAMA)
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        facts::envelope(body)
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        let mut fields = Object::of_body(&envelope.body)?;
        let root = Path::Root;
        for known in ["model", "stream"] {
            fields.take(known, root)?;
        }
        refuse_what_no_chat_has(&mut fields)?;
        let mut chat = Chat { model: &envelope.model, stream: envelope.stream, ..Chat::default() };
        if let Some(system) = fields.take_string("system", root)?.filter(|system| system.get() != "\"\"") {
            let content = Some(Content::Text(system));
            chat.messages.push(Message { role: "system", content, ..Message::default() });
        }
        let prompt = fields.take_string("prompt", root)?;
        let mut images = image::parts(fields.take("images", root)?, Path::Field(&root, "images"))?;
        let content = if images.is_empty() {
            prompt.map(Content::Text)
        } else {
            images.extend(prompt.map(|text| Part::Text { text }));
            Some(Content::Parts(images))
        };
        chat.messages.push(Message { role: "user", content, ..Message::default() });
        settings::apply(fields, &mut chat)?;
        chat.written()
    }

    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        answer::whole(Shape::Generate, facts, canonical)
    }

    fn stream(&self, facts: &AnswerFacts, _envelope: &Envelope) -> Box<dyn StreamWriter> {
        Box::new(stream::Writer::new(Shape::Generate, facts))
    }

    fn without_model(&self, envelope: &Envelope, created: u64) -> Option<Vec<u8>> {
        facts::without_model(Shape::Generate, envelope, created)
    }

    fn keeps(&self) -> Option<&'static lost::Keeps> {
        Some(&lost::Keeps {
            dialect: "ollama's generate",
            choices: false,
            logprobs: true,
            links: false,
            parts: &[],
            vendor: "ollama",
            vendor_fields: "ollama",
            lacks: &["stop_sequence", "tool_calls"],
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

/// Another answer would be given to another question.
fn refuse_what_no_chat_has(fields: &mut Object<'_>) -> Result<(), GatewayError> {
    for (name, nothing, why) in [
        ("suffix", "\"\"", "a model that chats cannot fill the middle of a text"),
        ("template", "\"\"", "only Ollama takes a template for the prompt"),
        ("raw", "false", "only Ollama takes a prompt without a template"),
        ("context", "[]", "a conversation in tokens is only understood by the Ollama that made it"),
    ] {
        if fields.take(name, Path::Root)?.is_some_and(|raw| raw.get() != nothing) {
            let refused = GatewayError::client(Kind::Unsupported, format!("{name}: {why}"));
            return Err(GatewayError { param: Some(name.to_owned()), ..refused });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
