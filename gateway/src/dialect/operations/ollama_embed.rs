//! Ollama's `POST /api/embed` and its older `/api/embeddings`. Source: Ollama's API documentation, "Generate embeddings".

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::facts;
use super::vectors::Embeddings;
use crate::dialect::asks;
use crate::dialect::object::Path;
use crate::dialect::{AnswerFacts, Dialect, Passing};
use crate::domain::{Asks, Envelope, Operation, RequestHead, Usage};
use crate::error::GatewayError;

/// Texts as vectors, as Ollama's clients ask.
pub(super) struct OllamaEmbed {
    /// `/api/embeddings`: one `prompt`, one `embedding`.
    pub(super) legacy: bool,
}

impl OllamaEmbed {
    fn input(&self) -> &'static str {
        if self.legacy { "prompt" } else { "input" }
    }
}

impl Dialect for OllamaEmbed {
    fn id(&self) -> &'static str {
        if self.legacy { "ollama-embeddings" } else { "ollama-embed" }
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
        let input = facts::need(&fields, self.input())?.get();
        let list =
            !self.legacy && serde_json::from_str::<Vec<String>>(input).is_ok_and(|texts| !texts.is_empty());
        if !input.starts_with('"') && !list {
            let expected =
                if self.legacy { "expected a string" } else { "expected a string or a list of strings" };
            return Err(Path::Field(&Path::Root, self.input()).wrong(expected));
        }
        facts::count(&fields, "dimensions")?;
        Ok(envelope)
    }

    /// `options` and `keep_alive` are Ollama's alone and travel under its name.
    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        let fields = facts::fields(&envelope.body)?;
        let mut canonical = Map::new();
        let mut own = Map::new();
        for (name, raw) in &fields.0 {
            let value = serde_json::from_str(raw.get()).unwrap_or(Value::Null);
            match name.as_ref() {
                "model" | "dimensions" => canonical.insert(name.to_string(), value),
                name if name == self.input() => canonical.insert("input".to_owned(), value),
                "truncate" if value.is_boolean() => {
                    let word = if value == true { "end" } else { "none" };
                    canonical.insert("truncate".to_owned(), word.into())
                }
                name => own.insert(name.to_owned(), value),
            };
        }
        if !own.is_empty() {
            canonical.insert("vendor".to_owned(), json!({ "ollama": own }));
        }
        Ok(Value::Object(canonical).to_string().into())
    }

    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        let read = Embeddings::read(canonical)?;
        let vectors = read.data.iter().map(|embedding| Ok(embedding.numbers()?.get().to_owned()));
        let vectors: Vec<String> = vectors.collect::<Result<_, GatewayError>>()?;
        if self.legacy {
            let first = vectors.into_iter().next();
            let first =
                first.ok_or_else(|| GatewayError::plugin("the adapter's answer holds no embedding"))?;
            return Ok(format!(r#"{{"embedding":{first}}}"#).into_bytes());
        }
        let mut body =
            format!(r#"{{"model":{},"embeddings":[{}]"#, Value::from(&*facts.model), vectors.join(","));
        if let Some(tokens) = read.prompt_tokens() {
            body.push_str(&format!(r#","prompt_eval_count":{tokens}"#));
        }
        body.push('}');
        Ok(body.into_bytes())
    }

    fn error(&self, error: &GatewayError, _request_id: &str) -> Vec<u8> {
        json!({ "error": error.message }).to_string().into_bytes()
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        #[derive(Deserialize)]
        struct Body {
            prompt_eval_count: Option<u64>,
        }
        let input = serde_json::from_slice::<Body>(body).ok()?.prompt_eval_count;
        input.map(|input| Usage { input: Some(input), output: Some(0), ..Usage::default() })
    }

    fn passing(&self, data: &[u8], _usage: &mut Usage) -> Passing {
        crate::dialect::openai_error::reported(data).map_or(Passing::Content, Passing::Failed)
    }
}
