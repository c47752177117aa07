//! Canonical chat as this dialect writes it: structs that borrow from the client's body.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::VENDOR;
use super::object::Object;

/// A string as it came, or one of ours.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(untagged)]
pub(super) enum Text<'a> {
    /// Still in its JSON spelling.
    Raw(&'a RawValue),
    /// Without escapes.
    Plain(Cow<'a, str>),
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning: Option<Reasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_effort: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verbosity: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_format: Option<ResponseFormat<'a>>,
    /// Fields of the same name and meaning.
    #[serde(flatten)]
    pub(super) same: Same<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<OwnFields<'a>>,
}

/// Fields that are carried as they are.
#[derive(Default)]
pub(super) struct Same<'a>(pub(super) Vec<(&'static str, &'a RawValue)>);

impl Serialize for Same<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// Reasoning that shall be shown.
#[derive(serde::Serialize)]
pub(super) struct Reasoning {
    pub(super) include: bool,
    pub(super) display: &'static str,
}

/// `response_format`
#[derive(serde::Serialize)]
pub(super) struct ResponseFormat<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) json_schema: Option<Object<'a>>,
}

/// One message.
#[derive(serde::Serialize, Default)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_call_id: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Text<'a>>,
    pub(super) content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) reasoning_details: Vec<ReasoningDetail<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) annotations: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) order: Vec<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<OwnFields<'a>>,
}

/// Content: one string, or parts.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(Text<'a>),
    Parts(Vec<Part<'a>>),
}

/// One content part.
#[derive(serde::Serialize, Default)]
pub(super) struct Part<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_url: Option<ImageUrl<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input_audio: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<File<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<Ownership<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) citations: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Box<RawValue>>,
}

impl Part<'_> {
    /// Whether the part says nothing but its text.
    pub(super) fn is_bare_text(&self) -> bool {
        self.text.is_some()
            && self.vendor.is_none()
            && self.citations.is_none()
            && self.extra_content.is_none()
    }
}

/// The `vendor` of a part: a name when the whole part is that vendor's, fields when only these are.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum Ownership<'a> {
    Whole(Cow<'static, str>),
    Fields(OwnFields<'a>),
}

/// A block of a vendor's own.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum Value<'a> {
    Object(Object<'a>),
    Kept(Box<RawValue>),
}

/// An image by URL.
#[derive(serde::Serialize)]
pub(super) struct ImageUrl<'a> {
    pub(super) url: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<&'a RawValue>,
}

/// A document.
#[derive(serde::Serialize)]
pub(super) struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_data: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_url: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_id: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filename: Option<Text<'a>>,
}

/// One entry of reasoning.
#[derive(serde::Serialize, Default)]
pub(super) struct ReasoningDetail<'a> {
    pub(super) r#type: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<Box<RawValue>>,
}

/// One call of a tool.
#[derive(serde::Serialize)]
pub(super) struct ToolCall<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) r#type: &'static str,
    pub(super) function: FunctionCall<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor: Option<OwnFields<'a>>,
}

/// Name and arguments.
#[derive(serde::Serialize)]
pub(super) struct FunctionCall<'a> {
    pub(super) name: Text<'a>,
    pub(super) arguments: Text<'a>,
}

/// A tool.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum Tool<'a> {
    Function {
        r#type: &'static str,
        function: Function<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        vendor: Option<OwnFields<'a>>,
    },
    Own {
        r#type: &'static str,
        vendor: &'static str,
        value: Object<'a>,
    },
}

impl Tool<'_> {
    /// The name under which providers know it.
    pub(super) fn function_name(&self) -> Option<&str> {
        match self {
            Self::Function { function: Function { name: Text::Plain(name), .. }, .. } => Some(name),
            _ => None,
        }
    }
}

/// What a function looks like.
#[derive(serde::Serialize)]
pub(super) struct Function<'a> {
    pub(super) name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strict: Option<bool>,
}

/// `tool_choice`
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum ToolChoice<'a> {
    Word(&'static str),
    Named(Chosen<'a>),
    Allowed { r#type: &'static str, allowed_tools: Allowed<'a> },
}

/// A function among the tools.
#[derive(serde::Serialize)]
pub(super) struct Chosen<'a> {
    pub(super) r#type: &'static str,
    pub(super) function: Named<'a>,
}

/// A function's name.
#[derive(serde::Serialize)]
pub(super) struct Named<'a> {
    pub(super) name: Text<'a>,
}

/// The functions to choose from.
#[derive(serde::Serialize)]
pub(super) struct Allowed<'a> {
    pub(super) mode: &'static str,
    pub(super) tools: Vec<Chosen<'a>>,
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

/// `{ "openai-responses": { … } }`: fields of this API's own.
#[derive(Default)]
pub(super) struct OwnFields<'a> {
    fields: Object<'a>,
    /// What is left of objects whose other fields have a canonical name.
    nested: Vec<(&'static str, Object<'a>)>,
}

impl<'a> OwnFields<'a> {
    /// Nothing when there are no such fields.
    pub(super) fn of(fields: Object<'a>) -> Option<Self> {
        Self::default().with(fields)
    }

    /// Keeps what is left of the object `name`.
    pub(super) fn keep(&mut self, name: &'static str, left: Object<'a>) {
        let left = spoken(left);
        if !left.is_empty() {
            self.nested.push((name, left));
        }
    }

    /// Adds the fields that nobody took.
    pub(super) fn with(mut self, fields: Object<'a>) -> Option<Self> {
        self.fields = spoken(fields);
        (!self.fields.is_empty() || !self.nested.is_empty()).then_some(self)
    }
}

/// Fields that are not `null`; SDKs send back many that are.
fn spoken(mut fields: Object<'_>) -> Object<'_> {
    fields.0.retain(|(_, value)| value.get() != "null");
    fields
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

impl<'a> Text<'a> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Raw(raw) => raw.get() == "\"\"",
            Self::Plain(text) => text.is_empty(),
        }
    }

    /// Without escapes.
    pub(super) fn plain(self) -> Cow<'a, str> {
        match self {
            Self::Raw(raw) => super::object::decode(raw).unwrap_or_default(),
            Self::Plain(text) => text,
        }
    }
}
