//! Cohere's chat, version 2.

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

pub(super) struct Cohere;

impl Vendor for Cohere {
    fn variable(&self) -> &'static str {
        "CO_API_KEY"
    }

    fn key(&self, headers: &HeaderMap, _query: &str) -> Option<String> {
        bearer(headers)
    }

    fn wrong_key(&self, key: Option<&str>) -> Complaint {
        match key {
            Some(_) => Complaint::new(401, "invalid api token"),
            None => Complaint::new(401, "no api key supplied"),
        }
    }

    fn unknown_model(&self, model: &str) -> Complaint {
        Complaint::new(404, format!("model '{model}' not found, make sure the correct model ID was used"))
    }

    fn not_json(&self, reason: &str) -> Complaint {
        Complaint::invalid(format!("invalid json syntax: {reason}"))
    }

    fn check(&self, _headers: &HeaderMap, body: &Value, _model: &str) -> Result<(), Complaint> {
        strict::check(body)
    }

    fn read(&self, body: &Value, _target: &Target, _memory: &Memory) -> Prompt {
        request::read(body)
    }

    fn whole(&self, _prompt: &Prompt, reply: &Reply) -> Vec<u8> {
        answer::whole(reply).compact()
    }

    fn stream(&self, _prompt: &Prompt, reply: &Reply) -> Vec<Bytes> {
        answer::stream(reply)
    }

    fn content_type(&self, prompt: Option<&Prompt>) -> &'static str {
        match prompt {
            Some(prompt) if prompt.stream => "text/event-stream",
            _ => "application/json",
        }
    }

    fn error(&self, complaint: &Complaint, serial: u64) -> Vec<u8> {
        object([("id", id(serial).into()), ("message", complaint.message.as_str().into())]).compact()
    }

    fn error_frame(&self, complaint: &Complaint, _prompt: &Prompt, _first: bool) -> Bytes {
        let delta = object([("error", complaint.message.as_str().into()), ("finish_reason", "ERROR".into())]);
        answer::frame("message-end", object([("delta", delta)]))
    }

    fn headers(&self, serial: u64, _now: u64) -> Vec<(&'static str, String)> {
        vec![("x-debug-trace-id", id(serial))]
    }

    fn models(&self) -> Tree {
        let models: Vec<_> = MODELS.iter().map(|name| self.one_model(name)).collect();
        object([("models", models.into())])
    }

    fn one_model(&self, name: &str) -> Tree {
        object([("name", name.into()), ("endpoints", vec![Tree::from("chat")].into())])
    }

    fn count(&self, tokens: u64) -> Tree {
        object([("tokens", tokens.into())])
    }
}

fn id(serial: u64) -> String {
    format!("00000000-0000-4000-9000-{serial:012}")
}
