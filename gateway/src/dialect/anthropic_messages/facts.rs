//! The facts of a request, found in one scan.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::object::{Count, Name, Path, text};
use super::wire::{explain, place};
use crate::domain::Envelope;
use crate::error::{GatewayError, Kind};

/// Reads the facts.
pub(super) fn read(body: Bytes) -> Result<Envelope, GatewayError> {
    let facts: Facts<'_> = serde_json::from_slice(&body).map_err(|_| explain::<Facts<'_>>(&body))?;
    let path = Path::Field(&Path::Root, "model");
    let model = text(facts.model, path)?.into_owned();
    if model.is_empty() {
        return Err(path.wrong("must not be empty"));
    }
    let model_span = span(&body, facts.model)
        .ok_or_else(|| GatewayError::gateway(Kind::Internal, "the model name was not found in the body"))?;
    let (stream, max_output) = (facts.stream, Some(facts.max_tokens));
    let plain = Envelope::whole(body, model, Some(model_span));
    Ok(Envelope { stream, include_usage: true, max_output, ..plain })
}

/// Where `raw`, which was borrowed from `body`, stands in it.
fn span(body: &[u8], raw: &RawValue) -> Option<Range<usize>> {
    let start = (raw.get().as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
    let end = start.checked_add(raw.get().len())?;
    (end <= body.len()).then_some(start..end)
}

struct Facts<'a> {
    model: &'a RawValue,
    stream: bool,
    max_tokens: u64,
}

impl<'de: 'a, 'a> Deserialize<'de> for Facts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Body;
        impl<'de> Visitor<'de> for Body {
            type Value = Facts<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Facts<'de>, M::Error> {
                let (mut model, mut stream, mut max_tokens, mut messages) = (None, None, None, None);
                while let Some(Name(name)) = map.next_key()? {
                    match name.as_ref() {
                        "model" => place(&mut map, &mut model, "model")?,
                        "stream" => place::<_, Option<bool>>(&mut map, &mut stream, "stream")?,
                        "max_tokens" => place::<_, Count>(&mut map, &mut max_tokens, "max_tokens")?,
                        "messages" => place::<_, List>(&mut map, &mut messages, "messages")?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                messages.ok_or_else(|| M::Error::missing_field("messages"))?;
                Ok(Facts {
                    model: model.ok_or_else(|| M::Error::missing_field("model"))?,
                    stream: stream.flatten().unwrap_or(false),
                    max_tokens: max_tokens.ok_or_else(|| M::Error::missing_field("max_tokens"))?.0,
                })
            }
        }
        deserializer.deserialize_map(Body)
    }
}

/// A list, whatever is in it.
struct List;

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;
        impl<'de> Visitor<'de> for Anything {
            type Value = List;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of messages")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(List)
            }
        }
        deserializer.deserialize_seq(Anything)
    }
}
