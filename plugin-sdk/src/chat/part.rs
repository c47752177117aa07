//! Content: a string, or parts. Every part of canonical chat, and a place for those that are not in it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::value::required;
use super::{Absent, Fields, Json, Text};

/// A message's `content`.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// A plain string.
    Text(Text<'a>),
    /// A list of parts.
    Parts(Vec<Part<'a>>),
}

impl Content<'_> {
    /// Nothing in it: an empty string or an empty list.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Parts(parts) => parts.is_empty(),
        }
    }

    /// The text of it, parts joined without a separator; parts that are not text are skipped.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Parts(parts) => {
                let mut texts = parts.iter().filter_map(Part::text);
                let first = texts.next().unwrap_or_default();
                texts.fold(Cow::Borrowed(first), |all, text| Cow::Owned(all.into_owned() + text))
            }
        }
    }
}

/// One part of a message.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// What it holds.
    pub body: PartBody<'a>,
    /// A prompt-cache mark.
    pub cache_control: Option<CacheControl<'a>>,
    /// Opaque state bound to this part.
    pub extra_content: Option<Json<'a>>,
    /// Citations of a text part.
    pub citations: Option<Json<'a>>,
    /// Fields that have no name here; all fields of an unknown part.
    pub rest: Fields<'a>,
}

/// What a part holds.
#[derive(Clone, Debug)]
pub enum PartBody<'a> {
    /// `text`
    Text(Text<'a>),
    /// `image_url`
    Image(ImageUrl<'a>),
    /// `input_audio`
    Audio(InputAudio<'a>),
    /// `file`
    File(File<'a>),
    /// `refusal`
    Refusal(Text<'a>),
    /// `vendor`: a block of that vendor with no name in canonical chat.
    Vendor {
        /// Whose block it is.
        vendor: Text<'a>,
        /// The block.
        value: Json<'a>,
    },
    /// Any other type; its fields are in `rest`.
    Other(Text<'a>),
}

crate::object! {
    /// An image.
    ImageUrl {
        /// `data:<mime>;base64,…` or `http(s)://…`
        url: Text<'a> = "url",
        /// `low`, `high`, `auto`.
        detail: Option<Text<'a>> = "detail",
    }
}

crate::object! {
    /// Sound.
    InputAudio {
        /// Base64.
        data: Text<'a> = "data",
        /// `wav`, `mp3`, …
        format: Text<'a> = "format",
    }
}

crate::object! {
    /// A document or other file.
    File {
        /// A data URL.
        file_data: Option<Text<'a>> = "file_data",
        /// A link the provider fetches.
        file_url: Option<Text<'a>> = "file_url",
        /// The provider's own id of an uploaded file.
        file_id: Option<Text<'a>> = "file_id",
        /// Its name.
        filename: Option<Text<'a>> = "filename",
        /// Its media type, where the URL does not tell.
        mime_type: Option<Text<'a>> = "mime_type",
        /// Title shown to the model.
        title: Option<Text<'a>> = "title",
        /// Context shown to the model.
        context: Option<Text<'a>> = "context",
        /// Asks for citations.
        citations: Option<bool> = "citations",
    }
}

crate::object! {
    /// A prompt-cache mark.
    CacheControl {
        /// `ephemeral`
        kind: Text<'a> = "type",
        /// `5m` or `1h`
        ttl: Option<Text<'a>> = "ttl",
    }
}

/// Splits `data:<mime>;base64,<data>`. `None`: not a base64 data URL.
pub fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let mime = head.strip_suffix(";base64")?;
    // `data:image/png;name=x;base64,…`: parameters are not part of the media type.
    Some((mime.split(';').next().unwrap_or(mime), data))
}

impl<'a> Part<'a> {
    /// A part with nothing beside its body.
    pub fn new(body: PartBody<'a>) -> Self {
        Self { body, cache_control: None, extra_content: None, citations: None, rest: Fields::default() }
    }

    /// The text, when it is a text part.
    pub fn text(&self) -> Option<&str> {
        match &self.body {
            PartBody::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Its `type`.
    pub fn kind(&self) -> &str {
        match &self.body {
            PartBody::Text(_) => "text",
            PartBody::Image(_) => "image_url",
            PartBody::Audio(_) => "input_audio",
            PartBody::File(_) => "file",
            PartBody::Refusal(_) => "refusal",
            PartBody::Vendor { .. } => "vendor",
            PartBody::Other(kind) => kind,
        }
    }
}

/// A part while its fields come in.
#[derive(Default)]
struct Draft<'a> {
    text: Option<Text<'a>>,
    image: Option<ImageUrl<'a>>,
    audio: Option<InputAudio<'a>>,
    file: Option<File<'a>>,
    vendor: Option<Text<'a>>,
    value: Option<Json<'a>>,
    cache_control: Option<CacheControl<'a>>,
    extra_content: Option<Json<'a>>,
    citations: Option<Json<'a>>,
    rest: Fields<'a>,
}

impl<'a> Draft<'a> {
    fn take<'de: 'a, D: Deserializer<'de>>(
        &mut self,
        kind: &str,
        key: Text<'a>,
        value: D,
    ) -> Result<(), D::Error> {
        match (kind, &*key) {
            (_, "cache_control") => self.cache_control = Option::deserialize(value)?,
            (_, "extra_content") => self.extra_content = present(value)?,
            ("text", "text") | ("refusal", "refusal") => self.text = Option::deserialize(value)?,
            ("text", "citations") => self.citations = present(value)?,
            ("image_url", "image_url") => self.image = Option::deserialize(value)?,
            ("input_audio", "input_audio") => self.audio = Option::deserialize(value)?,
            ("file", "file") => self.file = Option::deserialize(value)?,
            ("vendor", "vendor") => self.vendor = Option::deserialize(value)?,
            ("vendor", "value") => self.value = present(value)?,
            _ => self.rest.push(key, Json::deserialize(value)?),
        }
        Ok(())
    }

    fn finish<E: serde::de::Error>(self, kind: Text<'a>) -> Result<Part<'a>, E> {
        let body = match &*kind {
            "text" => PartBody::Text(required(self.text, "text")?),
            "refusal" => PartBody::Refusal(required(self.text, "refusal")?),
            "image_url" => PartBody::Image(required(self.image, "image_url")?),
            "input_audio" => PartBody::Audio(required(self.audio, "input_audio")?),
            "file" => PartBody::File(required(self.file, "file")?),
            "vendor" => PartBody::Vendor {
                vendor: required(self.vendor, "vendor")?,
                value: required(self.value, "value")?,
            },
            _ => PartBody::Other(kind),
        };
        Ok(Part {
            body,
            cache_control: self.cache_control,
            extra_content: self.extra_content,
            citations: self.citations,
            rest: self.rest,
        })
    }
}

fn present<'de: 'a, 'a, D: Deserializer<'de>>(value: D) -> Result<Option<Json<'a>>, D::Error> {
    Json::deserialize(value).map(|json| (!json.is_null()).then_some(json))
}

/// Hands the map's next value to [`Draft::take`].
struct Seed<'d, 'a> {
    draft: &'d mut Draft<'a>,
    kind: &'d str,
    key: Text<'a>,
}

impl<'de: 'a, 'a> serde::de::DeserializeSeed<'de> for Seed<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.draft.take(self.kind, self.key, deserializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Part<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Reader<'a> {
            type Value = Part<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a content part (an object with a `type`)")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part<'a>, A::Error> {
                let mut draft = Draft::default();
                let mut kind: Option<Text<'a>> = None;
                // Nearly everyone writes `type` first; what stands before it waits.
                let mut waiting: Vec<(Text<'a>, &'de RawValue)> = Vec::new();
                while let Some(key) = map.next_key::<Text<'a>>()? {
                    match &kind {
                        _ if &*key == "type" => kind = Some(map.next_value()?),
                        None => waiting.push((key, map.next_value()?)),
                        Some(kind) => map.next_value_seed(Seed { draft: &mut draft, kind, key })?,
                    }
                }
                let kind = required(kind, "type")?;
                for (key, raw) in waiting {
                    draft.take(&kind, key, raw.into_deserializer()).map_err(serde::de::Error::custom)?;
                }
                draft.finish(kind)
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.kind())?;
        match &self.body {
            PartBody::Text(text) => map.serialize_entry("text", text)?,
            PartBody::Refusal(text) => map.serialize_entry("refusal", text)?,
            PartBody::Image(image) => map.serialize_entry("image_url", image)?,
            PartBody::Audio(audio) => map.serialize_entry("input_audio", audio)?,
            PartBody::File(file) => map.serialize_entry("file", file)?,
            PartBody::Vendor { vendor, value } => {
                map.serialize_entry("vendor", vendor)?;
                map.serialize_entry("value", value)?;
            }
            PartBody::Other(_) => {}
        }
        if let Some(mark) = &self.cache_control {
            map.serialize_entry("cache_control", mark)?;
        }
        if let Some(state) = &self.extra_content {
            map.serialize_entry("extra_content", state)?;
        }
        if let Some(citations) = &self.citations {
            map.serialize_entry("citations", citations)?;
        }
        for (name, value) in self.rest.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Absent for Part<'_> {}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Reader<'a> {
            type Value = Content<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string, null or a list of parts")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Content<'a>, E> {
                Ok(Content::Text(text.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Content<'a>, E> {
                Ok(Content::Text(text.to_owned().into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content<'a>, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = list.next_element()? {
                    parts.push(part);
                }
                Ok(Content::Parts(parts))
            }
        }
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Parts(parts) => parts.serialize(serializer),
        }
    }
}
