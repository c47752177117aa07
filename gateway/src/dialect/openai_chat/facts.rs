//! The facts of a request body in one scan: no tree, nothing copied but the model name.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::dialect::openai_responses;
use crate::domain::Envelope;
use crate::error::{GatewayError, Kind};

/// Reads the facts, or says what is wrong and where.
pub(super) fn envelope(body: Bytes) -> Result<Envelope, GatewayError> {
    let text = std::str::from_utf8(&body).map_err(|error| {
        let place = error.valid_up_to();
        GatewayError::client(Kind::InvalidRequest, format!("the body is not UTF-8 (byte {place})"))
    })?;
    let facts: Facts<'_> = serde_json::from_str(text).map_err(describe)?;
    let Some(model) = facts.model else {
        return Err(GatewayError::invalid("model", "you must provide a `model`"));
    };
    let name = serde_json::from_str::<String>(model.get()).map_err(|_| wrong("model", "a string", model))?;
    if name.is_empty() {
        return Err(GatewayError::invalid("model", "`model` must not be empty"));
    }
    let Some(messages) = facts.messages else {
        if !facts.input {
            return Err(GatewayError::invalid("messages", "you must provide `messages`"));
        }
        let include_usage = include_usage(facts.stream_options)?;
        let envelope = openai_responses::read(body.clone())?;
        return Ok(Envelope { include_usage, passable: false, ..envelope });
    };
    if !messages.get().starts_with('[') {
        return Err(wrong("messages", "a list", messages));
    }
    let output_cap = facts.max_completion_tokens.or(facts.max_tokens);
    let model_span = Some(span_of(model, text));
    let stream = read(facts.stream, "stream", "true or false")?.unwrap_or(false);
    let include_usage = include_usage(facts.stream_options)?;
    let max_output =
        read(output_cap.map(|(_, raw)| raw), output_cap.map_or("", |(name, _)| name), "a whole number")?;
    Ok(Envelope { stream, include_usage, max_output, ..Envelope::whole(body, name, model_span) })
}

/// The members that matter; `null` is absent. Twice the same one is refused: we and the provider might read different ones.
#[derive(Default)]
struct Facts<'b> {
    model: Option<&'b RawValue>,
    messages: Option<&'b RawValue>,
    /// `input` stands in the body: without `messages` it is written for `/v1/responses` (Cursor does that).
    input: bool,
    stream: Option<&'b RawValue>,
    stream_options: Option<&'b RawValue>,
    max_completion_tokens: Option<(&'static str, &'b RawValue)>,
    max_tokens: Option<(&'static str, &'b RawValue)>,
}

/// Which member a key names.
enum Member {
    Model,
    Messages,
    Input,
    Stream,
    StreamOptions,
    MaxCompletionTokens,
    MaxTokens,
    Other,
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Member;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key")
            }

            fn visit_str<E>(self, key: &str) -> Result<Member, E> {
                Ok(match key {
                    "model" => Member::Model,
                    "messages" => Member::Messages,
                    "input" => Member::Input,
                    "stream" => Member::Stream,
                    "stream_options" => Member::StreamOptions,
                    "max_completion_tokens" => Member::MaxCompletionTokens,
                    "max_tokens" => Member::MaxTokens,
                    _ => Member::Other,
                })
            }
        }
        deserializer.deserialize_identifier(Reader)
    }
}

impl<'de> Deserialize<'de> for Facts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Facts<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts<'de>, A::Error> {
                let mut facts = Facts::default();
                let mut seen = Seen::default();
                while let Some(member) = map.next_key()? {
                    match member {
                        Member::Model => facts.model = seen.once(&mut map, "model")?,
                        Member::Messages => facts.messages = seen.once(&mut map, "messages")?,
                        Member::Input => facts.input = seen.once(&mut map, "input")?.is_some(),
                        Member::Stream => facts.stream = seen.once(&mut map, "stream")?,
                        Member::StreamOptions => {
                            facts.stream_options = seen.once(&mut map, "stream_options")?
                        }
                        Member::MaxCompletionTokens => {
                            let name = "max_completion_tokens";
                            facts.max_completion_tokens = seen.once(&mut map, name)?.map(|raw| (name, raw));
                        }
                        Member::MaxTokens => {
                            facts.max_tokens =
                                seen.once(&mut map, "max_tokens")?.map(|raw| ("max_tokens", raw));
                        }
                        Member::Other => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(facts)
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// Names that have come.
#[derive(Default)]
struct Seen(Vec<&'static str>);

impl Seen {
    fn once<'de, A: MapAccess<'de>>(
        &mut self,
        map: &mut A,
        name: &'static str,
    ) -> Result<Option<&'de RawValue>, A::Error> {
        if self.0.contains(&name) {
            return Err(A::Error::custom(format_args!("`{name}` is given twice")));
        }
        self.0.push(name);
        let raw: &'de RawValue = map.next_value()?;
        Ok((raw.get() != "null").then_some(raw))
    }
}

fn include_usage(options: Option<&RawValue>) -> Result<bool, GatewayError> {
    #[derive(Deserialize)]
    struct Options<'b> {
        #[serde(borrow)]
        include_usage: Option<&'b RawValue>,
    }
    let Some(raw) = options else { return Ok(false) };
    let options: Options<'_> =
        serde_json::from_str(raw.get()).map_err(|_| wrong("stream_options", "an object", raw))?;
    let flag = options.include_usage.filter(|raw| raw.get() != "null");
    Ok(read(flag, "stream_options.include_usage", "true or false")?.unwrap_or(false))
}

fn read<T: for<'de> Deserialize<'de>>(
    raw: Option<&RawValue>,
    path: &str,
    expected: &str,
) -> Result<Option<T>, GatewayError> {
    let Some(raw) = raw else { return Ok(None) };
    serde_json::from_str(raw.get()).map(Some).map_err(|_| wrong(path, expected, raw))
}

fn wrong(path: &str, expected: &str, raw: &RawValue) -> GatewayError {
    let shown: Cow<'_, str> = match raw.get() {
        text if text.len() <= 40 => text.into(),
        text if text.starts_with('{') => "an object".into(),
        text if text.starts_with('[') => "a list".into(),
        _ => "something else".into(),
    };
    GatewayError::invalid(path, format!("`{path}` must be {expected}, not {shown}"))
}

/// A raw value is a slice of the body, so its place is the distance of the pointers.
fn span_of(raw: &RawValue, body: &str) -> Range<usize> {
    let start = raw.get().as_ptr().addr() - body.as_ptr().addr();
    start..start + raw.get().len()
}

fn describe(error: serde_json::Error) -> GatewayError {
    let text = error.to_string();
    if !error.is_data() {
        return GatewayError::client(Kind::InvalidRequest, format!("the body is not valid JSON: {text}"));
    }
    // `given twice` names the member between back quotes.
    let twice = text.strip_prefix('`').and_then(|rest| rest.split_once("` is given twice"));
    match twice {
        Some((name, _)) => GatewayError::invalid(name, text.clone()),
        None => GatewayError::client(Kind::InvalidRequest, format!("the body must be an object: {text}")),
    }
}

/// Every message says who speaks; an adapter would have to guess. Anything else is the adapter's to judge.
pub(super) fn speakers(body: &[u8]) -> Result<(), GatewayError> {
    #[derive(serde::Deserialize)]
    struct Said<'a> {
        #[serde(borrow)]
        role: Option<&'a serde_json::value::RawValue>,
    }
    #[derive(serde::Deserialize)]
    struct Conversation<'a> {
        #[serde(borrow)]
        messages: Vec<Said<'a>>,
    }
    let Ok(conversation) = serde_json::from_slice::<Conversation<'_>>(body) else { return Ok(()) };
    match conversation.messages.iter().position(|said| said.role.is_none()) {
        None => Ok(()),
        Some(at) => Err(GatewayError::invalid(
            format!("messages[{at}].role"),
            format!("messages[{at}].role is missing"),
        )),
    }
}
