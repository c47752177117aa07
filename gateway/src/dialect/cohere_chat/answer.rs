//! A canonical `chat.completion` as Cohere's answer.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::VENDOR;
use super::cited::{Cited, Span};
use super::tokens::Told;
use crate::dialect::AnswerFacts;
use crate::dialect::chat::Place;
use crate::dialect::object::{Object, decode};
use crate::dialect::said::{Answered, Call, Choice, Detail, Part, Said, json, own, spoken, word};
use crate::dialect::seal::{self, Owner};
use crate::error::GatewayError;

/// Writes `canonical` as an answer.
pub(super) fn whole(facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
    let answered = Answered::read(canonical)?;
    let choice = answered
        .choices
        .iter()
        .find(|choice| choice.index == 0)
        .ok_or_else(|| GatewayError::plugin("the adapter's answer has no choice"))?;
    let parts = parts(choice.message.content)?;
    let called = choice.message.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty());
    let refused = spoken(choice.message.refusal).is_some();
    let answer = Answer {
        id: answer_id(word(&answered.id), facts),
        finish_reason: finish_reason(choice, called, refused),
        message: message(&choice.message, &parts, facts),
        usage: answered.usage.as_ref().map(Told),
        logprobs: logprobs(choice.logprobs),
        own: own(&choice.vendor, VENDOR),
    };
    Ok(json(&answer))
}

/// The provider's id, or ours.
pub(super) fn answer_id<'a>(id: &'a str, facts: &'a AnswerFacts) -> &'a str {
    if id.is_empty() { &facts.request_id } else { id }
}

/// Why it ended, in Cohere's words. What was said counts too: vendors say `stop` after a call as well.
pub(super) fn finish_reason(choice: &Choice<'_>, called: bool, refused: bool) -> &'static str {
    let native = word(&choice.native_finish_reason);
    let known = ["COMPLETE", "STOP_SEQUENCE", "MAX_TOKENS", "TOOL_CALL"];
    if let Some(own) = known.into_iter().find(|own| *own == native) {
        return own;
    }
    match word(&choice.finish_reason) {
        "length" => "MAX_TOKENS",
        // Version 2 has no word for it; this one is version 1's.
        "content_filter" => "ERROR_TOXIC",
        _ if refused => "ERROR_TOXIC",
        "tool_calls" | "function_call" => "TOOL_CALL",
        _ if called => "TOOL_CALL",
        _ if choice.stop_sequence.is_some() => "STOP_SEQUENCE",
        _ => "COMPLETE",
    }
}

struct Answer<'a> {
    id: &'a str,
    finish_reason: &'static str,
    message: Message<'a>,
    usage: Option<Told<'a>>,
    logprobs: Vec<Logprob>,
    /// What only Cohere says.
    own: Object<'a>,
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", self.id)?;
        map.serialize_entry("finish_reason", self.finish_reason)?;
        map.serialize_entry("message", &self.message)?;
        if let Some(usage) = &self.usage {
            map.serialize_entry("usage", usage)?;
        }
        if !self.logprobs.is_empty() {
            map.serialize_entry("logprobs", &self.logprobs)?;
        }
        for (name, value) in &self.own.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[derive(serde::Serialize, Default)]
struct Message<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    tool_plan: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    content: Vec<Block<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    citations: Vec<Cited<'a>>,
    /// State that is bound to the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

/// A content block.
#[derive(serde::Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: &'a RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    Thinking {
        thinking: &'a RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    },
    ImageUrl {
        image_url: Image<'a>,
    },
    #[serde(untagged)]
    Own(&'a RawValue),
}

/// An image, in the form a client sends one.
#[derive(serde::Serialize)]
pub(super) struct Image<'a> {
    url: &'a str,
}

#[derive(serde::Serialize)]
struct ToolCall<'a> {
    id: Cow<'a, str>,
    r#type: &'static str,
    function: Function<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

#[derive(serde::Serialize)]
struct Function<'a> {
    name: &'a RawValue,
    arguments: Cow<'a, str>,
}

/// The probability of a token. Which number a token has, only its vendor knows.
#[derive(serde::Serialize)]
pub(super) struct Logprob {
    text: String,
    token_ids: [u32; 0],
    logprobs: [f64; 1],
}

impl<'a> Block<'a> {
    /// An entry of reasoning that is no plan.
    pub(super) fn reasoning(detail: &'a Detail<'a>) -> Option<Self> {
        let format = word(&detail.format);
        let sealed = |state: &str| (!state.is_empty()).then(|| seal::mark(format, state));
        let (data, signature) = (sealed(word(&detail.data)), sealed(word(&detail.signature)));
        let thinking = detail.shown();
        if thinking.is_none() && data.is_none() && signature.is_none() {
            return None;
        }
        Some(Self::Thinking { thinking: thinking.unwrap_or(empty()), signature, data })
    }

    /// A content part. `None`: Cohere's clients have no place for it.
    pub(super) fn part(part: &'a Part<'a>) -> Option<Self> {
        let signature = part.extra_content.map(|state| seal::bind(Owner::Message, state));
        match part.r#type.0.as_ref() {
            "text" => Some(Self::Text { text: spoken(part.text)?, signature }),
            "refusal" => Some(Self::Text { text: spoken(part.refusal)?, signature }),
            "image_url" => {
                Some(Self::ImageUrl { image_url: Image { url: part.image_url.as_ref()?.url.0.as_ref() } })
            }
            "vendor" => {
                let vendor = decode(part.vendor?)?;
                part.value.filter(|_| vendor == VENDOR).map(Self::Own)
            }
            _ => None,
        }
    }
}

/// Whether an entry of reasoning is what Cohere calls a plan.
pub(super) fn is_plan(detail: &Detail<'_>) -> bool {
    detail.summary.is_some() && word(&detail.format) == VENDOR
}

/// The parts of content that is a list.
fn parts(content: Option<&RawValue>) -> Result<Vec<Part<'_>>, GatewayError> {
    match content.filter(|raw| raw.get().starts_with('[')) {
        None => Ok(Vec::new()),
        Some(raw) => serde_json::from_str(raw.get())
            .map_err(|error| GatewayError::plugin("the adapter's content is not canonical").context(error)),
    }
}

fn message<'a>(said: &'a Said<'a>, parts: &'a [Part<'a>], facts: &AnswerFacts) -> Message<'a> {
    let mut message = Message { role: "assistant", ..Message::default() };
    let mut entries: Vec<(Place, Block<'a>)> = Vec::new();
    let details = said.reasoning_details.as_deref().unwrap_or_default();
    for (index, detail) in details.iter().enumerate() {
        if is_plan(detail) {
            message.tool_plan.push_str(&detail.summary.and_then(decode).unwrap_or_default());
        } else {
            entries.extend(Block::reasoning(detail).map(|block| (Place::Reasoning(index), block)));
        }
    }
    if let Some(thinking) = spoken(said.reasoning_content).filter(|_| details.is_empty()) {
        entries.push((Place::Reasoning(0), Block::Thinking { thinking, signature: None, data: None }));
    }
    spoken_parts(said, parts, &mut entries);
    if let Some(order) = &said.order {
        let order: Vec<Option<Place>> = order.iter().map(|entry| Place::parse(&entry.0)).collect();
        let position = |place: Place| order.iter().position(|entry| *entry == Some(place));
        entries.sort_by_key(|(place, _)| position(*place).unwrap_or(usize::MAX));
    }
    for (block, (place, written)) in entries.iter().enumerate() {
        message.citations.extend(cited(*place, written, block, parts));
    }
    message.content = entries.into_iter().map(|(_, block)| block).collect();
    let find = |start, end| span(&message.content, start, end);
    let cited: Vec<_> = said.annotations.iter().flatten().filter_map(|note| Cited::of(note, find)).collect();
    message.citations.extend(cited);
    let calls = said.tool_calls.iter().flatten().enumerate();
    message.tool_calls = calls.filter_map(|(index, given)| call(given, index, facts)).collect();
    message.signature = said.extra_content.map(|state| seal::bind(Owner::Message, state));
    message
}

fn spoken_parts<'a>(said: &'a Said<'a>, parts: &'a [Part<'a>], entries: &mut Vec<(Place, Block<'a>)>) {
    let text = |text| Block::Text { text, signature: None };
    for (index, part) in parts.iter().enumerate() {
        entries.extend(Block::part(part).map(|block| (Place::Content(index), block)));
    }
    entries.extend(spoken(said.content).map(|content| (Place::Content(0), text(content))));
    entries.extend(spoken(said.refusal).map(|refusal| (Place::Content(usize::MAX), text(refusal))));
}

/// The sources that stand on a part, which became this block.
fn cited<'a>(place: Place, written: &Block<'a>, block: usize, parts: &'a [Part<'a>]) -> Vec<Cited<'a>> {
    let (Place::Content(index), Block::Text { text, .. }) = (place, written) else { return Vec::new() };
    let Some(sources) = parts.get(index).and_then(|part| part.citations.as_ref()) else { return Vec::new() };
    let text = decode(text).unwrap_or_default();
    let end = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    let span = Span { start: 0, end, text, block };
    sources.iter().filter_map(|source| Cited::other(source, Some(span.clone()))).collect()
}

/// The words between two places of the first text that reaches so far.
fn span<'a>(content: &[Block<'a>], start: u64, end: u64) -> Option<Span<'a>> {
    let (from, to) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
    content.iter().enumerate().find_map(|(block, written)| {
        let Block::Text { text, .. } = written else { return None };
        let words = decode(text)?;
        let text: String = words.chars().skip(from).take(to.checked_sub(from)?).collect();
        (!text.is_empty()).then(|| Span { start, end, text: text.into(), block })
    })
}

fn call<'a>(call: &'a Call<'a>, index: usize, facts: &AnswerFacts) -> Option<ToolCall<'a>> {
    let arguments = call.function.arguments.and_then(decode).filter(|text| !text.trim().is_empty());
    Some(ToolCall {
        id: call_id(word(&call.id), index, facts),
        r#type: "function",
        function: Function { name: call.function.name?, arguments: arguments.unwrap_or(Cow::Borrowed("{}")) },
        signature: call.extra_content.map(|state| seal::bind(Owner::Message, state)),
    })
}

/// The provider's id of a call, or one of ours.
pub(super) fn call_id<'a>(id: &'a str, index: usize, facts: &AnswerFacts) -> Cow<'a, str> {
    if id.is_empty() { Cow::Owned(format!("call_{}_{index}", facts.request_id)) } else { Cow::Borrowed(id) }
}

/// Canonical log probabilities, token by token.
pub(super) fn logprobs(told: Option<&RawValue>) -> Vec<Logprob> {
    #[derive(serde::Deserialize)]
    struct Told {
        #[serde(default)]
        content: Option<Vec<Token>>,
    }
    #[derive(serde::Deserialize)]
    struct Token {
        token: String,
        logprob: f64,
    }
    let told: Option<Told> = told.and_then(|told| serde_json::from_str(told.get()).ok());
    let tokens = told.and_then(|told| told.content).unwrap_or_default();
    let written = |token: Token| Logprob { text: token.token, token_ids: [], logprobs: [token.logprob] };
    tokens.into_iter().map(written).collect()
}

/// `""`
pub(super) fn empty() -> &'static RawValue {
    serde_json::from_str("\"\"").unwrap_or(RawValue::NULL)
}
