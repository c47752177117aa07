//! Converse's JSON: requests as written. Answers are read field by field, so that unknown ones are kept.

use std::borrow::Cow;

use plugin_sdk::chat::{Fields, Json, Text};
use serde::Serialize;
use serde_json::{Map, Number, Value};

use crate::options::Guardrail;

/// The body of `POST /model/{id}/converse`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Body<'a> {
    pub(crate) messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) system: Vec<Block<'a>>,
    #[serde(skip_serializing_if = "Inference::is_empty")]
    pub(crate) inference_config: Inference<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_config: Option<ToolConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_config: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) guardrail_config: Option<Guardrail>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) additional_model_request_fields: Map<String, Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) additional_model_response_field_paths: &'static [&'static str],
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub(crate) request_metadata: Fields<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_tier: Option<ServiceTier>,
}

/// `serviceTier`
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct ServiceTier {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

/// A message.
#[derive(Debug, Serialize)]
pub(crate) struct Turn<'a> {
    pub(crate) role: &'static str,
    pub(crate) content: Vec<Block<'a>>,
}

/// `inferenceConfig`
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Inference<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_p: Option<Number>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) stop_sequences: &'a [Text<'a>],
}

impl Inference<'_> {
    fn is_empty(&self) -> bool {
        self.max_tokens.is_none()
            && self.temperature.is_none()
            && self.top_p.is_none()
            && self.stop_sequences.is_empty()
    }
}

/// A block: an object with one field.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Block<'a> {
    Text(&'a str),
    Image(Media<'a>),
    Video(Media<'a>),
    Document(Document<'a>),
    #[serde(rename_all = "camelCase")]
    ToolUse {
        tool_use_id: Cow<'a, str>,
        name: &'a str,
        input: Json<'a>,
    },
    #[serde(rename_all = "camelCase")]
    ToolResult {
        tool_use_id: Cow<'a, str>,
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<&'static str>,
    },
    ReasoningContent(Reasoning<'a>),
    CachePoint(CachePoint<'a>),
    /// In Bedrock's own spelling.
    #[serde(untagged)]
    Own(&'a Json<'a>),
}

/// An image or a video.
#[derive(Debug, Serialize)]
pub(crate) struct Media<'a> {
    pub(crate) format: &'static str,
    pub(crate) source: Source<'a>,
}

/// Where it is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Source<'a> {
    /// Base64.
    Bytes(&'a str),
    S3Location {
        uri: &'a str,
    },
}

/// A document.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    pub(crate) format: &'static str,
    pub(crate) name: String,
    pub(crate) source: Source<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) citations: Option<Citations>,
}

/// Whether a document shall be cited.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Citations {
    pub(crate) enabled: bool,
}

/// A thought.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Reasoning<'a> {
    ReasoningText {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<&'a str>,
    },
    RedactedContent(&'a str),
}

/// A prompt-cache mark: everything before it is kept.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct CachePoint<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttl: Option<&'a str>,
}

/// `toolConfig`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToolConfig<'a> {
    pub(crate) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_choice: Option<Value>,
}

/// A tool, or a mark behind one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Tool<'a> {
    #[serde(rename = "toolSpec", rename_all = "camelCase")]
    Function {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        input_schema: Schema<'a>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        strict: bool,
    },
    CachePoint(CachePoint<'a>),
    /// In Bedrock's own spelling.
    #[serde(untagged)]
    Own(&'a Json<'a>),
}

/// `inputSchema`
#[derive(Debug, Serialize)]
pub(crate) struct Schema<'a> {
    pub(crate) json: Json<'a>,
}
