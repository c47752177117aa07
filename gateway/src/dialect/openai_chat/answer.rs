//! A canonical answer as OpenAI's clients read it: the same bytes, with a few places replaced.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::dialect::AnswerFacts;
use crate::error::GatewayError;

/// The parts of an answer that may have to be replaced.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    created: Option<&'a RawValue>,
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Option<Message<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// A canonical `chat.completion`, with the time and an id where the provider gave none, and `content` as a string.
pub(super) fn whole(facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
    let text = std::str::from_utf8(canonical).map_err(|error| nonsense(&error))?;
    let answer: Answer<'_> = serde_json::from_str(text).map_err(|error| nonsense(&error))?;
    let mut splices: Vec<(Range<usize>, Cow<'_, str>)> = Vec::new();
    if let Some(id) = answer.id.filter(|id| id.get() == "\"\"") {
        splices.push((span_of(id, text), own_id(facts).into()));
    }
    if let Some(created) = answer.created.filter(|created| created.get() == "0") {
        splices.push((span_of(created, text), facts.created.to_string().into()));
    }
    for content in answer.choices.iter().filter_map(|choice| choice.message.as_ref()?.content) {
        if content.get().starts_with('[') {
            let parts: Vec<&RawValue> =
                serde_json::from_str(content.get()).map_err(|error| nonsense(&error))?;
            splices.push((span_of(content, text), Flattened::of(&parts)?.as_member().into()));
        }
    }
    Ok(splice(text, splices))
}

/// An id of ours, quotes included.
pub(super) fn own_id(facts: &AnswerFacts) -> String {
    format!("\"chatcmpl-{}\"", facts.request_id)
}

fn nonsense(error: &dyn std::fmt::Display) -> GatewayError {
    GatewayError::plugin("the adapter's answer is not canonical chat").context(error)
}

fn span_of(raw: &RawValue, text: &str) -> Range<usize> {
    let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
    start..start + raw.get().len()
}

fn splice(text: &str, mut splices: Vec<(Range<usize>, Cow<'_, str>)>) -> Vec<u8> {
    splices.sort_by_key(|(span, _)| span.start);
    let mut written = Vec::with_capacity(text.len() + 64);
    let mut from = 0;
    for (span, replacement) in splices {
        written.extend_from_slice(&text.as_bytes()[from..span.start]);
        written.extend_from_slice(replacement.as_bytes());
        from = span.end;
    }
    written.extend_from_slice(&text.as_bytes()[from..]);
    written
}

/// A list of parts, sorted into what OpenAI's clients can read.
#[derive(Default)]
pub(super) struct Flattened<'a> {
    /// All text, joined.
    pub(super) text: Option<String>,
    /// Pictures, as OpenRouter sends them.
    pub(super) images: Vec<&'a RawValue>,
    /// Parts that are neither plain text nor pictures; text with state or citations stands in both places.
    pub(super) others: Vec<&'a RawValue>,
}

impl<'a> Flattened<'a> {
    pub(super) fn of(parts: &[&'a RawValue]) -> Result<Self, GatewayError> {
        #[derive(Deserialize)]
        struct Part<'a> {
            #[serde(rename = "type", borrow)]
            kind: Cow<'a, str>,
            #[serde(borrow)]
            text: Option<Cow<'a, str>>,
            #[serde(borrow)]
            extra_content: Option<&'a RawValue>,
            #[serde(borrow)]
            citations: Option<&'a RawValue>,
        }
        let mut flattened = Self::default();
        for raw in parts {
            let part: Part<'_> = serde_json::from_str(raw.get()).map_err(|error| nonsense(&error))?;
            match (&*part.kind, part.text) {
                ("text", Some(text)) => {
                    flattened.text.get_or_insert_default().push_str(&text);
                    if part.extra_content.is_some() || part.citations.is_some() {
                        flattened.others.push(raw);
                    }
                }
                ("image_url", _) => flattened.images.push(raw),
                _ => flattened.others.push(raw),
            }
        }
        Ok(flattened)
    }

    /// The members that follow `content`, each with a comma before it.
    pub(super) fn members(&self) -> String {
        let mut members = String::new();
        for (name, list) in [("images", &self.images), ("content_parts", &self.others)] {
            if !list.is_empty() {
                let list: Vec<&str> = list.iter().map(|raw| raw.get()).collect();
                members.push_str(&format!(",\"{name}\":[{}]", list.join(",")));
            }
        }
        members
    }

    /// The value of `content`, and further members behind it.
    fn as_member(&self) -> String {
        let content =
            self.text.as_ref().map_or(serde_json::Value::Null, |text| serde_json::Value::from(text.as_str()));
        format!("{content}{}", self.members())
    }
}
