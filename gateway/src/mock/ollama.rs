//! Ollama's own API: `/api/chat` and `/api/generate`.

mod answer;
mod request;
mod strict;

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;

use super::prompt::Prompt;
use super::reply::Reply;
use super::tree::{Tree, object};
use super::vendor::{Complaint, MODELS, Memory, Target, Vendor, bearer};

/// One of its two endpoints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ollama {
    Chat,
    Generate,
}

impl Vendor for Ollama {
    fn variable(&self) -> &'static str {
        "OLLAMA_API_KEY"
    }

    fn key(&self, headers: &HeaderMap, _query: &str) -> Option<String> {
        bearer(headers)
    }

    fn wrong_key(&self, _key: Option<&str>) -> Complaint {
        Complaint::new(401, "unauthorized")
    }

    fn unknown_model(&self, model: &str) -> Complaint {
        Complaint::new(404, format!("model '{model}' not found"))
    }

    fn not_json(&self, reason: &str) -> Complaint {
        Complaint::invalid(reason)
    }

    fn check(&self, _headers: &HeaderMap, body: &Value, model: &str) -> Result<(), Complaint> {
        strict::check(*self, body, model)
    }

    fn read(&self, body: &Value, _target: &Target, _memory: &Memory) -> Prompt {
        request::read(*self, body)
    }

    fn whole(&self, prompt: &Prompt, reply: &Reply) -> Vec<u8> {
        answer::whole(*self, prompt, reply).compact()
    }

    fn stream(&self, prompt: &Prompt, reply: &Reply) -> Vec<Bytes> {
        answer::stream(*self, prompt, reply)
    }

    fn content_type(&self, prompt: Option<&Prompt>) -> &'static str {
        match prompt {
            Some(prompt) if prompt.stream => "application/x-ndjson",
            _ => "application/json; charset=utf-8",
        }
    }

    fn error(&self, complaint: &Complaint, _serial: u64) -> Vec<u8> {
        error(complaint).compact()
    }

    fn error_frame(&self, complaint: &Complaint, _prompt: &Prompt, _first: bool) -> Bytes {
        answer::line(&error(complaint))
    }

    fn headers(&self, _serial: u64, _now: u64) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn models(&self) -> Tree {
        let models: Vec<_> = MODELS.iter().map(|name| self.one_model(name)).collect();
        object([("models", models.into())])
    }

    fn one_model(&self, name: &str) -> Tree {
        let details = object([
            ("parent_model", "".into()),
            ("format", "gguf".into()),
            ("family", "mock".into()),
            ("families", vec!["mock".into()].into()),
            ("parameter_size", "1B".into()),
            ("quantization_level", "Q4_K_M".into()),
        ]);
        object([
            ("name", name.into()),
            ("model", name.into()),
            ("modified_at", "2026-01-01T00:00:00Z".into()),
            ("size", 1_000_000_u64.into()),
            ("digest", "0".repeat(64).into()),
            ("details", details),
        ])
    }

    fn count(&self, tokens: u64) -> Tree {
        object([("prompt_eval_count", tokens.into())])
    }
}

fn error(complaint: &Complaint) -> Tree {
    object([("error", complaint.message.as_str().into())])
}
