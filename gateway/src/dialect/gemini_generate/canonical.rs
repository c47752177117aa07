//! Canonical chat as this dialect writes it: borrowed structs, absent fields left out.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Number;
use serde_json::value::RawValue;

use super::wire::{Leftover as _, Part, Request, Rest, Text};

/// A request.
#[derive(Default, Serialize)]
pub(super) struct Chat<'a> {
    pub(super) model: &'a str,
    pub(super) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_k: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop: Option<Vec<Text<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) n: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) presence_penalty: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frequency_penalty: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_logprobs: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) modalities: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<ToolChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_effort: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning: Option<Reasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<Vendor<Request<'a>>>,
}

/// Fields of Gemini's own.
#[derive(Serialize)]
pub(super) struct Vendor<T> {
    pub(super) gemini: T,
}

/// One message.
#[derive(Default, Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_call_id: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Text<'a>>,
    pub(super) content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_error: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) reasoning_details: Vec<ReasoningDetail<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Extra<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) order: Vec<String>,
}

/// A string, or parts.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(Text<'a>),
    Parts(Vec<Block<'a>>),
}

/// One content part.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        extra_content: Option<Extra<'a>>,
    },
    ImageUrl {
        image_url: Link<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        extra_content: Option<Extra<'a>>,
    },
    InputAudio {
        input_audio: Audio<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        extra_content: Option<Extra<'a>>,
    },
    File {
        file: File<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        extra_content: Option<Extra<'a>>,
    },
    Vendor {
        vendor: &'static str,
        value: Box<Part<'a>>,
    },
}

/// Where an image is.
#[derive(Serialize)]
pub(super) struct Link<'a> {
    pub(super) url: Cow<'a, str>,
}

/// Sound.
#[derive(Serialize)]
pub(super) struct Audio<'a> {
    pub(super) data: Cow<'a, str>,
    pub(super) format: &'static str,
}

/// A document.
#[derive(Default, Serialize)]
pub(super) struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_url: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filename: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mime_type: Option<Text<'a>>,
}

/// `extra_content.google`: the signature, and every mark on the part that has no name here.
pub(super) struct Extra<'a> {
    pub(super) thought_signature: Option<Text<'a>>,
    pub(super) leftover: Box<Part<'a>>,
}

impl Serialize for Extra<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Google<'e, 'a>(&'e Extra<'a>);
        impl Serialize for Google<'_, '_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut fields = serializer.serialize_map(None)?;
                if let Some(signature) = &self.0.thought_signature {
                    fields.serialize_entry("thought_signature", signature)?;
                }
                self.0.leftover.write_fields(&mut fields)?;
                fields.end()
            }
        }
        let mut fields = serializer.serialize_map(Some(1))?;
        fields.serialize_entry("google", &Google(self))?;
        fields.end()
    }
}

/// Reasoning with its state.
#[derive(Serialize)]
pub(super) struct ReasoningDetail<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<Text<'a>>,
}

/// A call of the model.
#[derive(Serialize)]
pub(super) struct ToolCall<'a> {
    pub(super) id: Text<'a>,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) function: Called<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Extra<'a>>,
}

/// What was called.
#[derive(Serialize)]
pub(super) struct Called<'a> {
    pub(super) name: Text<'a>,
    pub(super) arguments: &'a str,
}

/// A tool.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Tool<'a> {
    Function(FunctionTool<'a>),
    Vendor(VendorTool<'a>),
}

/// A function of the client.
#[derive(Serialize)]
pub(super) struct FunctionTool<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) function: Function<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<Vendor<RestFields<'a>>>,
}

/// Its name and schema.
#[derive(Serialize)]
pub(super) struct Function<'a> {
    pub(super) name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<Schema<'a>>,
}

/// A tool of Google's own.
#[derive(Serialize)]
pub(super) struct VendorTool<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) vendor: &'static str,
    pub(super) value: RestFields<'a>,
}

/// Fields in the client's spelling.
pub(super) struct RestFields<'a>(pub(super) Rest<'a>);

impl Serialize for RestFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// JSON Schema: as the client wrote it, or rewritten.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Schema<'a> {
    Raw(&'a RawValue),
    Made(Box<RawValue>),
}

/// What must be called; the objects are small.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ToolChoice {
    Word(&'static str),
    Object(serde_json::Value),
}

/// What form the answer takes.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ResponseFormat<'a> {
    Text,
    JsonObject,
    JsonSchema { json_schema: NamedSchema<'a> },
}

/// A schema with the name that canonical chat wants.
#[derive(Serialize)]
pub(super) struct NamedSchema<'a> {
    pub(super) name: &'static str,
    pub(super) schema: Schema<'a>,
}

/// Thinking.
#[derive(Default, Serialize)]
pub(super) struct Reasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) include: Option<bool>,
}
