//! Canonical chat as this dialect writes it: structs that borrow from the client's body.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::object::Object;
use super::state::VENDOR;

/// A request.
#[derive(serde::Serialize, Default)]
pub(super) struct Chat<'a> {
    pub(super) model: &'a str,
    pub(super) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<ToolChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_k: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning: Option<Reasoning<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_effort: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<OwnFields<'a>>,
}

/// Thinking, as the client wants it.
#[derive(serde::Serialize)]
pub(super) struct Reasoning<'a> {
    pub(super) mode: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) include: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display: Option<&'a RawValue>,
}

/// `response_format`; Anthropic knows only schemas.
#[derive(serde::Serialize)]
pub(super) struct ResponseFormat<'a> {
    pub(super) r#type: &'static str,
    pub(super) json_schema: JsonSchema<'a>,
}

/// A schema for the answer. OpenAI wants a name, Anthropic has none.
#[derive(serde::Serialize)]
pub(super) struct JsonSchema<'a> {
    pub(super) name: &'static str,
    pub(super) schema: &'a RawValue,
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
    pub(super) order: Vec<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_error: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<OwnFields<'a>>,
}

/// Content: one string, or parts.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(Cow<'a, str>),
    RawText(&'a RawValue),
    Parts(Vec<Part<'a>>),
}

/// One content part.
#[derive(serde::Serialize, Default)]
pub(super) struct Part<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_url: Option<ImageUrl<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<File<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<Ownership<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Object<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) citations: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Box<RawValue>>,
}

/// The `vendor` of a part: a name when the whole part is that vendor's, fields when only these are.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum Ownership<'a> {
    Whole(&'static str),
    Fields(OwnFields<'a>),
}

impl<'a> Part<'a> {
    /// A block without a name in canonical chat.
    pub(super) fn own(block: Object<'a>) -> Self {
        Self {
            r#type: "vendor",
            vendor: Some(Ownership::Whole(VENDOR)),
            value: Some(block),
            ..Self::default()
        }
    }

    /// Whether the part says nothing but its text.
    pub(super) fn is_bare_text(&self) -> bool {
        self.text.is_some()
            && self.vendor.is_none()
            && self.citations.is_none()
            && self.cache_control.is_none()
            && self.extra_content.is_none()
    }
}

/// An image by URL.
#[derive(serde::Serialize)]
pub(super) struct ImageUrl<'a> {
    pub(super) url: Link<'a>,
}

/// A document.
#[derive(serde::Serialize, Default)]
pub(super) struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<Link<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_url: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) citations: Option<bool>,
}

/// A URL: the client's own, or a data URL which is never assembled in memory.
pub(super) enum Link<'a> {
    Raw(&'a RawValue),
    Data { mime: Cow<'a, str>, base64: Cow<'a, str> },
}

impl fmt::Display for Link<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw(raw) => formatter.write_str(raw.get()),
            Self::Data { mime, base64 } => write!(formatter, "data:{mime};base64,{base64}"),
        }
    }
}

impl Serialize for Link<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Raw(raw) => raw.serialize(serializer),
            Self::Data { .. } => serializer.collect_str(self),
        }
    }
}

/// One entry of reasoning.
#[derive(serde::Serialize, Default)]
pub(super) struct ReasoningDetail<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<OwnFields<'a>>,
}

/// One call of a tool.
#[derive(serde::Serialize)]
pub(super) struct ToolCall<'a> {
    pub(super) id: &'a RawValue,
    pub(super) r#type: &'static str,
    pub(super) function: FunctionCall<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<OwnFields<'a>>,
}

/// Name and arguments; the client's JSON text is the string.
#[derive(serde::Serialize)]
pub(super) struct FunctionCall<'a> {
    pub(super) name: &'a RawValue,
    pub(super) arguments: &'a str,
}

/// A tool.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum Tool<'a> {
    Function {
        r#type: &'static str,
        function: Function<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<&'a RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        vendor: Option<OwnFields<'a>>,
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// `{ "anthropic": { … } }`: fields of Anthropic's own.
#[derive(Default)]
pub(super) struct OwnFields<'a> {
    fields: Object<'a>,
    /// What is left of objects whose other fields have a canonical name.
    nested: Vec<(&'static str, Object<'a>)>,
}

impl<'a> OwnFields<'a> {
    /// Nothing when there are no such fields.
    pub(super) fn of(fields: Object<'a>) -> Option<Self> {
        Self { fields, nested: Vec::new() }.unless_empty()
    }

    /// Keeps what is left of the object `name`.
    pub(super) fn keep(&mut self, name: &'static str, left: Object<'a>) {
        if !left.is_empty() {
            self.nested.push((name, left));
        }
    }

    /// Adds the fields that nobody took.
    pub(super) fn with(mut self, fields: Object<'a>) -> Option<Self> {
        self.fields = fields;
        self.unless_empty()
    }

    fn unless_empty(self) -> Option<Self> {
        (!self.fields.is_empty() || !self.nested.is_empty()).then_some(self)
    }
}

impl Serialize for OwnFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(VENDOR, &Inside(self))?;
        map.end()
    }
}

/// The object under the vendor's name.
struct Inside<'o, 'a>(&'o OwnFields<'a>);

impl Serialize for Inside<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.0.fields.0 {
            map.serialize_entry(name, value)?;
        }
        for (name, value) in &self.0.nested {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
