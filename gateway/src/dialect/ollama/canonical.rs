//! Canonical chat as Ollama's dialects write it: borrowed structs, absent fields left out.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::dialect::object::Object;
use crate::error::{GatewayError, Kind};

/// A request.
#[derive(Default, Serialize)]
pub(in crate::dialect) struct Chat<'a> {
    pub(in crate::dialect) model: &'a str,
    pub(in crate::dialect) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::dialect) stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) max_completion_tokens: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) temperature: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) top_p: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) top_k: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) stop: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) seed: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) presence_penalty: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) frequency_penalty: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::dialect) logprobs: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) top_logprobs: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::dialect) tools: Vec<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) reasoning: Option<Reasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) vendor: Option<Vendor<Own<'a>>>,
}

impl Chat<'_> {
    /// As bytes.
    pub(in crate::dialect) fn written(&self) -> Result<Bytes, GatewayError> {
        serde_json::to_vec(self).map(Bytes::from).map_err(|error| {
            GatewayError::gateway(Kind::Internal, format!("canonical request not written: {error}"))
        })
    }
}

/// Fields of Ollama's own.
#[derive(Serialize)]
pub(in crate::dialect) struct Vendor<T> {
    pub(in crate::dialect) ollama: T,
}

/// Request fields and options without a canonical name.
#[derive(Default)]
pub(in crate::dialect) struct Own<'a> {
    pub(in crate::dialect) fields: Object<'a>,
    pub(in crate::dialect) options: Object<'a>,
}

impl Serialize for Own<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.fields.0 {
            map.serialize_entry(name, value)?;
        }
        if !self.options.is_empty() {
            map.serialize_entry("options", &self.options)?;
        }
        map.end()
    }
}

/// One message.
#[derive(Default, Serialize)]
pub(in crate::dialect) struct Message<'a> {
    pub(in crate::dialect) role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) tool_call_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) name: Option<Cow<'a, str>>,
    pub(in crate::dialect) content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) reasoning_content: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) reasoning_details: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::dialect) tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) extra_content: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) vendor: Option<Vendor<Object<'a>>>,
}

/// A string, or parts.
#[derive(Serialize)]
#[serde(untagged)]
pub(in crate::dialect) enum Content<'a> {
    Text(&'a RawValue),
    Parts(Vec<Part<'a>>),
}

/// One content part.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::dialect) enum Part<'a> {
    Text { text: &'a RawValue },
    ImageUrl { image_url: Link<'a> },
}

/// Where an image is.
#[derive(Serialize)]
pub(in crate::dialect) struct Link<'a> {
    pub(in crate::dialect) url: DataUrl<'a>,
}

/// `data:<mime>;base64,<data>`, put together only while it is written: images are large.
pub(in crate::dialect) struct DataUrl<'a> {
    pub(in crate::dialect) mime: Cow<'static, str>,
    pub(in crate::dialect) data: Cow<'a, str>,
}

impl Serialize for DataUrl<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("data:{};base64,{}", self.mime, self.data))
    }
}

/// A call of the model.
#[derive(Serialize)]
pub(in crate::dialect) struct ToolCall<'a> {
    pub(in crate::dialect) id: Cow<'a, str>,
    #[serde(rename = "type")]
    pub(in crate::dialect) kind: &'static str,
    pub(in crate::dialect) function: Called<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) extra_content: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) vendor: Option<Vendor<Object<'a>>>,
}

/// What was called; the arguments are JSON text.
#[derive(Serialize)]
pub(in crate::dialect) struct Called<'a> {
    pub(in crate::dialect) name: Cow<'a, str>,
    pub(in crate::dialect) arguments: Cow<'a, str>,
}

/// What form the answer takes.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::dialect) enum ResponseFormat<'a> {
    JsonObject,
    JsonSchema { json_schema: NamedSchema<'a> },
}

/// A schema with the name that canonical chat wants.
#[derive(Serialize)]
pub(in crate::dialect) struct NamedSchema<'a> {
    pub(in crate::dialect) name: &'static str,
    pub(in crate::dialect) schema: &'a RawValue,
}

/// Thinking.
#[derive(Default, Serialize)]
pub(in crate::dialect) struct Reasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::dialect) include: Option<bool>,
}
