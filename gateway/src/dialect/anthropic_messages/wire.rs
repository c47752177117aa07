//! Anthropic's request as it comes: messages and their blocks are found in one pass, values stay raw.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::object::{Name, Object};
use crate::error::{GatewayError, Kind};

/// The body of `POST /v1/messages`.
pub(super) struct Request<'a> {
    pub(super) system: Option<Content<'a>>,
    pub(super) messages: Vec<Message<'a>>,
    pub(super) tools: Option<Vec<Object<'a>>>,
    /// Every other field.
    pub(super) rest: Object<'a>,
}

/// One turn.
pub(super) struct Message<'a> {
    pub(super) role: Cow<'a, str>,
    pub(super) content: Content<'a>,
    /// Every other field.
    pub(super) rest: Object<'a>,
}

/// What stands in `content` and `system`.
pub(super) enum Content<'a> {
    Text(Cow<'a, str>),
    Blocks(Vec<Object<'a>>),
}

impl<'a> Request<'a> {
    /// Reads a body. Only when that fails it is read again to find out where.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, GatewayError> {
        serde_json::from_slice(body).map_err(|_| explain::<Self>(body))
    }
}

/// Why `body` is not a `T`, with the path of the field.
pub(super) fn explain<'a, T: Deserialize<'a>>(body: &'a [u8]) -> GatewayError {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let error = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Err(error) => error,
        Ok(_) => {
            let trailing = deserializer.end().err().map_or_else(String::new, |error| error.to_string());
            return GatewayError::client(Kind::InvalidRequest, format!("the body is not JSON: {trailing}"));
        }
    };
    let path = Some(error.path().to_string()).filter(|path| path != ".");
    let reason = error.into_inner();
    if !reason.is_data() {
        return GatewayError::client(Kind::InvalidRequest, format!("the body is not JSON: {reason}"));
    }
    let reason = reason.to_string();
    let reason = reason.split_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
    // For a field that is not there the path ends one step early.
    let named = |prefix: &str| reason.strip_prefix(prefix)?.split('`').next();
    let (field, message) = match (named("missing field `"), named("duplicate field `")) {
        (Some(name), _) => (Some(name), "field required"),
        (_, Some(name)) => (Some(name), "the field stands twice"),
        _ => (None, reason),
    };
    let steps: Vec<&str> = path.as_deref().into_iter().chain(field).collect();
    match steps.is_empty() {
        true => GatewayError::client(Kind::InvalidRequest, message),
        false => GatewayError::invalid(steps.join("."), message),
    }
}

/// Puts a value into its place, once.
pub(super) fn place<'de, M: MapAccess<'de>, T: Deserialize<'de>>(
    map: &mut M,
    slot: &mut Option<T>,
    name: &'static str,
) -> Result<(), M::Error> {
    if slot.is_some() {
        return Err(M::Error::duplicate_field(name));
    }
    *slot = Some(map.next_value()?);
    Ok(())
}

impl<'de: 'a, 'a> Deserialize<'de> for Request<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Body;
        impl<'de> Visitor<'de> for Body {
            type Value = Request<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Request<'de>, M::Error> {
                let (mut system, mut messages, mut tools) = (None, None, None);
                let mut rest = Vec::with_capacity(12);
                while let Some(Name(name)) = map.next_key()? {
                    match name.as_ref() {
                        "system" => place::<_, Option<Content>>(&mut map, &mut system, "system")?,
                        "messages" => place(&mut map, &mut messages, "messages")?,
                        "tools" => place::<_, Option<Vec<Object>>>(&mut map, &mut tools, "tools")?,
                        _ => rest.push((name, map.next_value::<&RawValue>()?)),
                    }
                }
                Ok(Request {
                    system: system.flatten(),
                    messages: messages.ok_or_else(|| M::Error::missing_field("messages"))?,
                    tools: tools.flatten(),
                    rest: Object(rest),
                })
            }
        }
        deserializer.deserialize_map(Body)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Message<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Turn;
        impl<'de> Visitor<'de> for Turn {
            type Value = Message<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a message")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Message<'de>, M::Error> {
                let (mut role, mut content) = (None, None);
                let mut rest = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    match name.as_ref() {
                        "role" => place::<_, Name>(&mut map, &mut role, "role")?,
                        "content" => place(&mut map, &mut content, "content")?,
                        _ => rest.push((name, map.next_value::<&RawValue>()?)),
                    }
                }
                let Name(role) = role.ok_or_else(|| M::Error::missing_field("role"))?;
                let content = content.ok_or_else(|| M::Error::missing_field("content"))?;
                Ok(Message { role, content, rest: Object(rest) })
            }
        }
        deserializer.deserialize_map(Turn)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrBlocks;
        impl<'de> Visitor<'de> for TextOrBlocks {
            type Value = Content<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a list of content blocks")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Content<'de>, E> {
                Ok(Content::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Content<'de>, E> {
                Ok(Content::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content<'de>, A::Error> {
                let mut blocks = Vec::new();
                while let Some(block) = list.next_element()? {
                    blocks.push(block);
                }
                Ok(Content::Blocks(blocks))
            }
        }
        deserializer.deserialize_any(TextOrBlocks)
    }
}
