//! Content blocks as a Converse client reads them.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::{VENDOR, state};
use crate::dialect::object::decode;
use crate::dialect::said::{Annotation, Call, Detail, Part, spoken, word};

/// One block.
pub(super) enum Block<'a> {
    Text {
        text: &'a RawValue,
        citations: Vec<Citation<'a>>,
    },
    Thought {
        text: Option<&'a RawValue>,
        signature: Cow<'a, str>,
    },
    Redacted {
        data: Cow<'a, str>,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: &'a RawValue,
        input: Box<RawValue>,
    },
    Image {
        format: Cow<'a, str>,
        base64: Cow<'a, str>,
    },
    /// An image that is elsewhere: Converse has no links, so it is told in words.
    Link(Cow<'a, str>),
    Own(&'a RawValue),
}

/// A source of what was said.
#[derive(Clone, Copy)]
pub(super) enum Citation<'a> {
    /// Bedrock's own.
    Own(&'a RawValue),
    Web {
        url: &'a RawValue,
        title: Option<&'a RawValue>,
    },
}

impl<'a> Block<'a> {
    /// A whole entry of reasoning.
    pub(super) fn reasoning(detail: &'a Detail<'a>) -> Option<Self> {
        let format = word(&detail.format);
        if let Some(data) = &detail.data {
            return Some(Self::Redacted { data: state::redact(format, &data.0) });
        }
        let signature = match word(&detail.signature) {
            "" => Cow::Borrowed(""),
            signature => state::signature(format, signature),
        };
        let text = detail.shown();
        (text.is_some() || !signature.is_empty()).then_some(Self::Thought { text, signature })
    }

    /// A content part. `None`: a Converse client has no place for it.
    pub(super) fn part(part: &'a Part<'a>) -> Option<Self> {
        match part.r#type.0.as_ref() {
            "text" => Some(Self::Text { text: spoken(part.text)?, citations: Vec::new() }),
            "refusal" => Some(Self::Text { text: spoken(part.refusal)?, citations: Vec::new() }),
            "image_url" => {
                let url = part.image_url.as_ref()?.url.0.as_ref();
                Some(image(url).unwrap_or(Self::Link(Cow::Borrowed(url))))
            }
            "vendor" => {
                let vendor = decode(part.vendor?)?;
                part.value.filter(|_| vendor == VENDOR).map(Self::Own)
            }
            _ => None,
        }
    }

    /// A whole tool call; `stand_in` is its id when the provider gave none.
    pub(super) fn call(call: &'a Call<'a>, stand_in: impl FnOnce() -> String) -> Option<Self> {
        Some(Self::ToolUse {
            id: call_id(word(&call.id), stand_in),
            name: call.function.name?,
            input: input(call.function.arguments),
        })
    }
}

impl<'a> Citation<'a> {
    /// An annotation that can be told.
    pub(super) fn of(note: &Annotation<'a>) -> Option<Self> {
        if let Some(cited) = &note.url_citation {
            return cited.url.map(|url| Self::Web { url, title: cited.title });
        }
        let vendor = note.vendor.as_ref()?;
        note.value.filter(|_| vendor.0 == VENDOR).map(Self::Own)
    }
}

/// An image as bytes, when it came as such.
fn image(url: &str) -> Option<Block<'_>> {
    let (mime, base64) = url.strip_prefix("data:")?.split_once(";base64,")?;
    let format = mime.strip_prefix("image/")?;
    Some(Block::Image { format: Cow::Borrowed(format), base64: Cow::Borrowed(base64) })
}

/// An id as Bedrock allows it: 64 letters. What had to be changed gets a hash, so that two ids stay two.
pub(super) fn call_id(id: &str, stand_in: impl FnOnce() -> String) -> Cow<'_, str> {
    if id.is_empty() {
        return Cow::Owned(call_id(&stand_in(), String::new).into_owned());
    }
    let fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if id.len() <= 64 && id.chars().all(fine) {
        return Cow::Borrowed(id);
    }
    // FNV-1a: the same id must come out the same in every process.
    let hash =
        id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let kept: String = id.chars().take(55).map(|letter| if fine(letter) { letter } else { '_' }).collect();
    Cow::Owned(format!("{kept}_{hash:08x}"))
}

/// Arguments as an object. What the model botched is shown as it is: a tool that is called with `INVALID_JSON`
/// is refused by its own schema, one that is called with nothing might run.
fn input(arguments: Option<&RawValue>) -> Box<RawValue> {
    #[derive(serde::Serialize)]
    struct Botched<'t> {
        #[serde(rename = "INVALID_JSON")]
        text: &'t str,
    }
    let text = arguments.and_then(decode).unwrap_or_default();
    let text = match text.trim() {
        "" | "null" => "{}",
        text => text,
    };
    let object = text.starts_with('{').then(|| RawValue::from_string(text.to_owned()).ok()).flatten();
    object.unwrap_or_else(|| to_raw_value(&Botched { text }).unwrap_or_default())
}

/// `{ "<name>": … }`
struct One<'o, T>(&'static str, &'o T);

impl<T: Serialize> Serialize for One<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0, self.1)?;
        map.end()
    }
}

impl Serialize for Citation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Own(citation) => citation.serialize(serializer),
            Self::Web { url, title } => {
                let mut map = serializer.serialize_map(None)?;
                if let Some(title) = title {
                    map.serialize_entry("title", title)?;
                }
                map.serialize_entry("location", &One("web", &One("url", url)))?;
                map.end()
            }
        }
    }
}

impl Serialize for Block<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Own(block) => block.serialize(serializer),
            Self::Text { text, citations } if citations.is_empty() => One("text", text).serialize(serializer),
            Self::Text { text, citations } => {
                let cited = Cited { content: [One("text", text)], citations };
                One("citationsContent", &cited).serialize(serializer)
            }
            Self::Thought { text, signature } => {
                let thought = Thought { text: text.unwrap_or(empty()), signature };
                One("reasoningContent", &One("reasoningText", &thought)).serialize(serializer)
            }
            Self::Redacted { data } => {
                One("reasoningContent", &One("redactedContent", data)).serialize(serializer)
            }
            Self::ToolUse { id, name, input } => {
                One("toolUse", &ToolUse { tool_use_id: id, name, input }).serialize(serializer)
            }
            Self::Image { format, base64 } => {
                let source = One("bytes", base64);
                One("image", &Image { format, source }).serialize(serializer)
            }
            Self::Link(url) => One("text", url).serialize(serializer),
        }
    }
}

#[derive(serde::Serialize)]
struct Cited<'s, 'a> {
    content: [One<'s, &'a RawValue>; 1],
    citations: &'s [Citation<'a>],
}

#[derive(serde::Serialize)]
struct Thought<'s> {
    text: &'s RawValue,
    #[serde(skip_serializing_if = "str::is_empty")]
    signature: &'s str,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolUse<'s> {
    tool_use_id: &'s str,
    name: &'s RawValue,
    input: &'s RawValue,
}

#[derive(serde::Serialize)]
struct Image<'s, T: Serialize> {
    format: &'s str,
    source: One<'s, T>,
}

/// `""`
fn empty() -> &'static RawValue {
    serde_json::from_str("\"\"").unwrap_or(RawValue::NULL)
}
