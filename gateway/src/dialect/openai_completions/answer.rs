//! A canonical answer, whole or in chunks, as `text_completion`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::legacy::{Legacy, Token};
use crate::dialect::AnswerFacts;
use crate::dialect::object::{Name, decode};
use crate::error::{GatewayError, Kind};

/// A `chat.completion` or a `chat.completion.chunk`.
#[derive(Deserialize)]
pub(super) struct Said<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Name<'a>>,
    pub(super) created: Option<u64>,
    #[serde(borrow)]
    pub(super) model: Option<Name<'a>>,
    #[serde(borrow)]
    pub(super) choices: Vec<Choice<'a>>,
    #[serde(borrow)]
    pub(super) usage: Option<&'a RawValue>,
    #[serde(borrow)]
    system_fingerprint: Option<&'a RawValue>,
}

/// One choice, or a piece of one.
#[derive(Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(default)]
    pub(super) index: u64,
    #[serde(alias = "delta", borrow)]
    message: Option<Message<'a>>,
    #[serde(borrow)]
    finish_reason: Option<Name<'a>>,
    #[serde(borrow)]
    logprobs: Option<Logprobs<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    /// A string or a list of parts.
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    /// Only in chunks.
    #[serde(borrow)]
    content_parts: Option<Vec<Part<'a>>>,
    #[serde(borrow)]
    refusal: Option<Name<'a>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<Name<'a>>,
}

#[derive(Deserialize)]
struct Logprobs<'a> {
    #[serde(borrow)]
    content: Option<Vec<Token<'a>>>,
}

/// What goes to the client.
#[derive(Serialize)]
pub(super) struct Reply<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) object: &'static str,
    pub(super) created: u64,
    pub(super) model: Cow<'a, str>,
    pub(super) choices: Vec<Piece<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_fingerprint: Option<&'a RawValue>,
}

/// One answer, or a piece of it.
#[derive(Serialize)]
pub(super) struct Piece<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) index: u64,
    pub(super) logprobs: Option<Legacy<'a>>,
    pub(super) finish_reason: Option<Cow<'a, str>>,
}

/// The whole answer; `echo` stands before each text.
pub(super) fn whole(
    facts: &AnswerFacts,
    echo: Option<Cow<'_, str>>,
    canonical: &[u8],
) -> Result<Vec<u8>, GatewayError> {
    let mut said = read(canonical)?;
    let mut choices = Vec::with_capacity(said.choices.len());
    for choice in std::mem::take(&mut said.choices) {
        let mut piece = piece(choice, &mut 0)?;
        piece.finish_reason.get_or_insert(Cow::Borrowed("stop"));
        if let Some(echo) = &echo {
            piece.text = format!("{echo}{}", piece.text).into();
        }
        choices.push(piece);
    }
    written(&reply(facts, said, choices))
}

/// Reads a canonical answer or chunk.
pub(super) fn read(canonical: &[u8]) -> Result<Said<'_>, GatewayError> {
    serde_json::from_slice(canonical).map_err(|error| nonsense(&error))
}

fn nonsense(error: &dyn std::fmt::Display) -> GatewayError {
    GatewayError::plugin("the adapter's answer is not canonical chat").context(error)
}

/// An object around pieces, with the time and an id where the provider gave none.
pub(super) fn reply<'a>(facts: &'a AnswerFacts, said: Said<'a>, choices: Vec<Piece<'a>>) -> Reply<'a> {
    let given = |name: Option<Name<'a>>| name.map(|name| name.0).filter(|name| !name.is_empty());
    Reply {
        id: given(said.id).unwrap_or_else(|| format!("cmpl-{}", facts.request_id).into()),
        object: "text_completion",
        created: said.created.filter(|created| *created != 0).unwrap_or(facts.created),
        model: given(said.model).unwrap_or(Cow::Borrowed(&facts.model)),
        choices,
        usage: said.usage,
        system_fingerprint: said.system_fingerprint,
    }
}

/// As JSON.
pub(super) fn written(reply: &Reply<'_>) -> Result<Vec<u8>, GatewayError> {
    serde_json::to_vec(reply)
        .map_err(|error| GatewayError::gateway(Kind::Internal, format!("answer not written: {error}")))
}

/// One choice; `offset` counts the letters of the text that came before.
pub(super) fn piece<'a>(choice: Choice<'a>, offset: &mut usize) -> Result<Piece<'a>, GatewayError> {
    let text = choice.message.map_or(Ok(Cow::Borrowed("")), text)?;
    let tokens = choice.logprobs.and_then(|logprobs| logprobs.content);
    let finish_reason = choice.finish_reason.map(|reason| match &*reason.0 {
        "tool_calls" | "function_call" => Cow::Borrowed("stop"),
        _ => reason.0,
    });
    let logprobs = tokens.map(|tokens| Legacy::new(tokens, offset));
    Ok(Piece { text, index: choice.index, logprobs, finish_reason })
}

fn text(message: Message<'_>) -> Result<Cow<'_, str>, GatewayError> {
    let mut text = Cow::Borrowed("");
    let mut add = |more: Cow<'_, str>| match text.is_empty() {
        true => text = Cow::Owned(more.into_owned()),
        false => text.to_mut().push_str(&more),
    };
    let parts = match message.content {
        Some(raw) if raw.get().starts_with('[') => {
            serde_json::from_str::<Vec<Part<'_>>>(raw.get()).map_err(|error| nonsense(&error))?
        }
        Some(raw) => {
            let said = decode(raw).ok_or_else(|| nonsense(&"content is no string"))?;
            if message.content_parts.is_none() && message.refusal.is_none() {
                return Ok(said);
            }
            add(said);
            Vec::new()
        }
        None => Vec::new(),
    };
    let parts = parts.into_iter().chain(message.content_parts.into_iter().flatten());
    parts.filter_map(|part| part.text).chain(message.refusal).for_each(|said| add(said.0));
    Ok(text)
}

/// An event of OpenAI's own stream that says something.
pub(super) fn has_text(data: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow, default)]
        choices: Vec<Told<'a>>,
    }
    #[derive(Deserialize)]
    struct Told<'a> {
        #[serde(borrow)]
        text: Option<Name<'a>>,
    }
    let event = serde_json::from_slice::<Event<'_>>(data);
    event.is_ok_and(|event| {
        event.choices.iter().any(|choice| choice.text.as_ref().is_some_and(|text| !text.0.is_empty()))
    })
}
