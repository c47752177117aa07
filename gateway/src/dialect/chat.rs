//! Canonical chat as the younger dialects write it: records that borrow from the client's body.
//!
//! `wit/canonical-chat.md` says what the fields mean.

mod assistant;
mod own;

use std::borrow::Cow;

use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::object::Object;
pub(super) use assistant::Said;
pub(super) use own::Own;

/// A value: the client's own bytes wherever they can be used.
#[derive(Clone, Debug)]
pub(super) enum Json<'a> {
    /// As the client wrote it.
    Raw(&'a RawValue),
    /// JSON made here.
    Made(Box<RawValue>),
    /// A string.
    Text(Cow<'a, str>),
    /// A data URL, which is never assembled in memory.
    Data { mime: Cow<'a, str>, base64: Cow<'a, str> },
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Raw(raw) => raw.serialize(serializer),
            Self::Made(made) => made.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::Data { mime, base64 } => {
                serializer.collect_str(&format_args!("data:{mime};base64,{base64}"))
            }
        }
    }
}

impl<'a> From<&'a RawValue> for Json<'a> {
    fn from(raw: &'a RawValue) -> Self {
        Self::Raw(raw)
    }
}

impl From<&'static str> for Json<'_> {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Json<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Json<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

/// A request.
#[derive(serde::Serialize, Default)]
pub(super) struct Chat<'a> {
    pub(super) model: &'a str,
    pub(super) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<ToolChoice<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_k: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frequency_penalty: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) presence_penalty: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning: Option<Reasoning<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_effort: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<Own<'a>>,
}

/// Thinking, as the client wants it.
#[derive(serde::Serialize, Default)]
pub(super) struct Reasoning<'a> {
    pub(super) mode: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) include: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display: Option<&'a RawValue>,
}

/// The form of the answer.
#[derive(serde::Serialize)]
pub(super) struct ResponseFormat<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) json_schema: Option<JsonSchema<'a>>,
}

/// A schema for the answer.
#[derive(serde::Serialize)]
pub(super) struct JsonSchema<'a> {
    pub(super) name: Json<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a RawValue>,
    pub(super) schema: Json<'a>,
    pub(super) strict: bool,
}

/// One message.
#[derive(serde::Serialize, Default)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_call_id: Option<&'a RawValue>,
    pub(super) content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) reasoning_details: Vec<ReasoningDetail<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) annotations: Vec<Annotation<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) order: Vec<Place>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_error: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<CacheControl<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<Own<'a>>,
}

/// Content: one string, or parts.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(Json<'a>),
    Parts(Vec<Part<'a>>),
}

impl<'a> Content<'a> {
    /// One text that says nothing but itself is a string: every provider takes that.
    pub(super) fn simplest(mut parts: Vec<Part<'a>>) -> Self {
        match parts.as_mut_slice() {
            [] => Self::Text("".into()),
            [only] if only.is_bare_text() => Self::Text(only.text.take().unwrap_or_else(|| "".into())),
            _ => Self::Parts(parts),
        }
    }
}

/// One content part.
#[derive(serde::Serialize, Default)]
pub(super) struct Part<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_url: Option<ImageUrl<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input_audio: Option<InputAudio<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<File<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<Ownership<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Object<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<CacheControl<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Json<'a>>,
}

/// The `vendor` of a part: a name when the whole part is that vendor's, fields when only these are.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum Ownership<'a> {
    Whole(&'static str),
    Fields(Own<'a>),
}

impl<'a> Part<'a> {
    /// A text.
    pub(super) fn text(text: impl Into<Json<'a>>) -> Self {
        Self { r#type: "text", text: Some(text.into()), ..Self::default() }
    }

    /// A block of `vendor` without a name in canonical chat.
    pub(super) fn own(vendor: &'static str, block: Object<'a>) -> Self {
        Self {
            r#type: "vendor",
            vendor: Some(Ownership::Whole(vendor)),
            value: Some(block),
            ..Self::default()
        }
    }

    fn is_bare_text(&self) -> bool {
        self.text.is_some()
            && self.vendor.is_none()
            && self.cache_control.is_none()
            && self.extra_content.is_none()
    }
}

/// An image.
#[derive(serde::Serialize)]
pub(super) struct ImageUrl<'a> {
    pub(super) url: Json<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<&'a RawValue>,
}

/// A sound.
#[derive(serde::Serialize)]
pub(super) struct InputAudio<'a> {
    pub(super) data: Json<'a>,
    pub(super) format: Json<'a>,
}

/// A document or a video.
#[derive(serde::Serialize, Default)]
pub(super) struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_url: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filename: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) citations: Option<bool>,
}

/// One entry of reasoning.
#[derive(serde::Serialize, Default)]
pub(super) struct ReasoningDetail<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<Own<'a>>,
}

/// One call of a tool.
#[derive(serde::Serialize)]
pub(super) struct ToolCall<'a> {
    pub(super) id: &'a RawValue,
    pub(super) r#type: &'static str,
    pub(super) function: FunctionCall<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<CacheControl<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<Own<'a>>,
}

/// Name and arguments, which are a string.
#[derive(serde::Serialize)]
pub(super) struct FunctionCall<'a> {
    pub(super) name: &'a RawValue,
    pub(super) arguments: Json<'a>,
}

/// A citation: a vendor's own.
#[derive(serde::Serialize)]
pub(super) struct Annotation<'a> {
    pub(super) r#type: &'static str,
    pub(super) vendor: &'static str,
    pub(super) value: &'a RawValue,
}

/// A prompt-cache mark.
#[derive(serde::Serialize)]
pub(super) struct CacheControl<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<&'a RawValue>,
}

/// A tool.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum Tool<'a> {
    Function {
        r#type: &'static str,
        function: Function<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        vendor: Option<Own<'a>>,
    },
    Own {
        r#type: &'static str,
        vendor: &'static str,
        value: Object<'a>,
    },
}

/// What a function looks like.
#[derive(serde::Serialize)]
pub(super) struct Function<'a> {
    pub(super) name: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strict: Option<bool>,
}

/// `tool_choice`.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum ToolChoice<'a> {
    Word(&'static str),
    Named { r#type: &'static str, function: Named<'a> },
}

/// A function's name.
#[derive(serde::Serialize)]
pub(super) struct Named<'a> {
    pub(super) name: &'a RawValue,
}

/// Where a block stands: an entry of `order`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Reasoning(usize),
    Content(usize),
    ToolCall(usize),
}

impl Place {
    /// Reads an entry of `order`.
    pub(super) fn parse(entry: &str) -> Option<Self> {
        let (kind, index) = entry.split_once(':')?;
        let index = index.parse().ok()?;
        match kind {
            "reasoning" => Some(Self::Reasoning(index)),
            "content" => Some(Self::Content(index)),
            "tool_call" => Some(Self::ToolCall(index)),
            _ => None,
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Reasoning(index) => serializer.collect_str(&format_args!("reasoning:{index}")),
            Self::Content(index) => serializer.collect_str(&format_args!("content:{index}")),
            Self::ToolCall(index) => serializer.collect_str(&format_args!("tool_call:{index}")),
        }
    }
}
