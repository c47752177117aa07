//! Content blocks as an Anthropic client reads them.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::answered::{Call, Detail, Part, spoken, word};
use super::object::{Object, decode};
use super::state::VENDOR;

/// One block.
pub(super) enum Block<'a> {
    Text { text: &'a RawValue, citations: Vec<&'a RawValue> },
    Thinking { text: Option<&'a RawValue>, signature: Cow<'a, str> },
    Redacted { data: Cow<'a, str> },
    ToolUse { id: Cow<'a, str>, name: &'a RawValue, input: Box<RawValue>, own: Option<Object<'a>> },
    Image { url: Cow<'a, str> },
    Own(&'a RawValue),
}

impl<'a> Block<'a> {
    /// A whole entry of reasoning.
    pub(super) fn reasoning(detail: &Detail<'a>) -> Option<Self> {
        if let Some(data) = &detail.data {
            return Some(Self::Redacted { data: detail.mark(data) });
        }
        let signature = detail.signature.as_ref().map(|signature| detail.mark(signature)).unwrap_or_default();
        let text = detail.shown();
        (text.is_some() || !signature.is_empty()).then_some(Self::Thinking { text, signature })
    }

    /// A content part. `None`: an Anthropic client has no place for it.
    pub(super) fn part(part: Part<'a>) -> Option<Self> {
        let citations = part.citations.unwrap_or_default();
        match part.r#type.0.as_ref() {
            "text" => Some(Self::Text { text: spoken(part.text)?, citations }),
            "refusal" => Some(Self::Text { text: spoken(part.refusal)?, citations }),
            "image_url" => Some(Self::Image { url: part.image_url?.url.0 }),
            "vendor" => {
                let vendor = decode(part.vendor?)?;
                part.value.filter(|_| vendor == VENDOR).map(Self::Own)
            }
            _ => None,
        }
    }

    /// A whole tool call; `stand_in` is its id when the provider gave none.
    pub(super) fn call(call: Call<'a>, stand_in: impl FnOnce() -> String) -> Option<Self> {
        Some(Self::ToolUse {
            id: call_id(word(&call.id), stand_in).into(),
            name: call.function.name?,
            input: input(call.function.arguments),
            own: call.vendor.and_then(|vendor| vendor.anthropic),
        })
    }
}

/// An id as Anthropic allows it. What had to be changed gets a hash, so that two ids stay two.
pub(super) fn call_id(id: &str, stand_in: impl FnOnce() -> String) -> String {
    if id.is_empty() {
        return stand_in();
    }
    let fine = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if id.chars().all(fine) {
        return id.to_owned();
    }
    // FNV-1a: the same id must come out the same in every process.
    let hash =
        id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let kept: String = id.chars().map(|letter| if fine(letter) { letter } else { '_' }).collect();
    format!("{kept}_{hash:08x}")
}

/// Arguments as an object. What the model botched is shown as it is: a tool that is called with `INVALID_JSON`
/// is refused by its own schema, one that is called with nothing might run.
fn input(arguments: Option<&RawValue>) -> Box<RawValue> {
    let text = arguments.and_then(decode).unwrap_or_default();
    let text = match text.trim() {
        "" | "null" => "{}",
        text => text,
    };
    if text.starts_with('{')
        && let Ok(input) = RawValue::from_string(text.to_owned())
    {
        return input;
    }
    #[derive(serde::Serialize)]
    struct Botched<'t> {
        #[serde(rename = "INVALID_JSON")]
        text: &'t str,
    }
    to_raw_value(&Botched { text }).unwrap_or_default()
}

impl Serialize for Block<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Self::Own(block) = self {
            return block.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Own(_) => {}
            Self::Text { text, citations } => {
                map.serialize_entry("type", "text")?;
                map.serialize_entry("text", text)?;
                if !citations.is_empty() {
                    map.serialize_entry("citations", citations)?;
                }
            }
            Self::Thinking { text, signature } => {
                map.serialize_entry("type", "thinking")?;
                match text {
                    Some(text) => map.serialize_entry("thinking", text)?,
                    None => map.serialize_entry("thinking", "")?,
                }
                map.serialize_entry("signature", signature)?;
            }
            Self::Redacted { data } => {
                map.serialize_entry("type", "redacted_thinking")?;
                map.serialize_entry("data", data)?;
            }
            Self::ToolUse { id, name, input, own } => {
                map.serialize_entry("type", "tool_use")?;
                map.serialize_entry("id", id)?;
                map.serialize_entry("name", name)?;
                map.serialize_entry("input", input)?;
                for (name, value) in own.iter().flat_map(|own| &own.0) {
                    map.serialize_entry(name, value)?;
                }
            }
            Self::Image { url } => {
                map.serialize_entry("type", "image")?;
                map.serialize_entry("source", &Source::of(url))?;
            }
        }
        map.end()
    }
}

/// Where an image is.
#[derive(serde::Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Source<'u> {
    Base64 { media_type: &'u str, data: &'u str },
    Url { url: &'u str },
}

impl<'u> Source<'u> {
    fn of(url: &'u str) -> Self {
        let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
        data.map_or(Self::Url { url }, |(media_type, data)| Self::Base64 { media_type, data })
    }
}
