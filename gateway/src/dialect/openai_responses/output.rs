//! What clients of this API read: a response and its items.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::asked::Asked;
use super::tokens::Tokens;
use crate::dialect::AnswerFacts;

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
    Failed,
}

/// One item of `output`.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) body: Body,
}

/// What an item is.
#[derive(Debug)]
pub(super) enum Body {
    Reasoning { summary: String, encrypted: Option<String> },
    Message(Vec<Part>),
    Call(Call),
    Picture { format: String, result: String },
}

/// A call of a tool.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) call_id: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    /// Its input is text, not JSON.
    pub(super) custom: bool,
    /// Arguments or input. Of a custom tool they are JSON until the call is complete.
    pub(super) input: String,
}

/// A part of a message.
#[derive(Debug)]
pub(super) enum Part {
    Text {
        text: String,
        annotations: Vec<Box<RawValue>>,
        logprobs: Vec<Box<RawValue>>,
    },
    Refusal(String),
    /// A paragraph of a reasoning item.
    Summary(String),
}

impl Part {
    /// A text that is still empty.
    pub(super) fn empty_text() -> Self {
        Self::Text { text: String::new(), annotations: Vec::new(), logprobs: Vec::new() }
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Text { text, annotations, logprobs } => {
                map.serialize_entry("type", "output_text")?;
                map.serialize_entry("text", text)?;
                map.serialize_entry("annotations", annotations)?;
                map.serialize_entry("logprobs", logprobs)?;
            }
            Self::Refusal(refusal) => {
                map.serialize_entry("type", "refusal")?;
                map.serialize_entry("refusal", refusal)?;
            }
            Self::Summary(text) => {
                map.serialize_entry("type", "summary_text")?;
                map.serialize_entry("text", text)?;
            }
        }
        map.end()
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        match &self.body {
            Body::Reasoning { summary, encrypted } => {
                map.serialize_entry("type", "reasoning")?;
                let summary = Some(summary).filter(|summary| !summary.is_empty());
                let paragraphs: Vec<Paragraph<'_>> =
                    summary.into_iter().map(|text| Paragraph { r#type: "summary_text", text }).collect();
                map.serialize_entry("summary", &paragraphs)?;
                map.serialize_entry("encrypted_content", encrypted)?;
                return map.end();
            }
            Body::Message(parts) => {
                map.serialize_entry("type", "message")?;
                map.serialize_entry("role", "assistant")?;
                map.serialize_entry("content", parts)?;
            }
            Body::Call(call) => {
                let (kind, input) = match call.custom {
                    true => ("custom_tool_call", "input"),
                    false => ("function_call", "arguments"),
                };
                // While it is under way a custom tool's input is not known: what has come is JSON around it.
                let known = !call.custom || self.status != Status::InProgress;
                map.serialize_entry("type", kind)?;
                map.serialize_entry("call_id", &call.call_id)?;
                map.serialize_entry("name", &call.name)?;
                if let Some(namespace) = &call.namespace {
                    map.serialize_entry("namespace", namespace)?;
                }
                map.serialize_entry(input, if known { call.input.as_str() } else { "" })?;
            }
            Body::Picture { format, result } => {
                map.serialize_entry("type", "image_generation_call")?;
                map.serialize_entry("output_format", format)?;
                map.serialize_entry("result", result)?;
            }
        }
        map.serialize_entry("status", &self.status)?;
        map.end()
    }
}

#[derive(serde::Serialize)]
struct Paragraph<'a> {
    r#type: &'static str,
    text: &'a str,
}

/// The whole response.
pub(super) struct Response<'r> {
    pub(super) facts: &'r AnswerFacts,
    pub(super) asked: &'r Asked,
    pub(super) model: &'r str,
    pub(super) status: Status,
    /// Why it is incomplete.
    pub(super) reason: Option<&'static str>,
    pub(super) error: Option<Failure<'r>>,
    pub(super) output: &'r [Item],
    pub(super) usage: Option<Tokens>,
    pub(super) service_tier: Option<&'r RawValue>,
}

/// Why it failed.
#[derive(serde::Serialize)]
pub(super) struct Failure<'r> {
    pub(super) code: &'r str,
    pub(super) message: &'r str,
}

#[derive(serde::Serialize)]
struct Details {
    reason: &'static str,
}

impl Serialize for Response<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &format_args!("resp_{}", self.facts.request_id))?;
        map.serialize_entry("object", "response")?;
        map.serialize_entry("created_at", &self.facts.created)?;
        map.serialize_entry("status", &self.status)?;
        map.serialize_entry("error", &self.error)?;
        map.serialize_entry("incomplete_details", &self.reason.map(|reason| Details { reason }))?;
        let model = if self.model.is_empty() { &self.facts.model } else { self.model };
        map.serialize_entry("model", model)?;
        map.serialize_entry("output", self.output)?;
        map.serialize_entry("service_tier", &self.service_tier)?;
        map.serialize_entry("usage", &self.usage)?;
        self.asked.repeat(&mut map)?;
        map.end()
    }
}
