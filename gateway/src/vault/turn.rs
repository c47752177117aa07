//! What an answer said beside its calls, gathered from a whole answer or from the chunks of a stream.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Call, Kept, Provenance, digest};

/// One turn of the assistant while it comes in.
#[derive(Default)]
pub struct Turn {
    details: Vec<Detail>,
    parts: Vec<Part>,
    calls: Vec<Calling>,
    extra_content: Option<Box<RawValue>>,
    /// The order in which the blocks came.
    came: Vec<Place>,
    /// The order a whole answer tells.
    told: Vec<String>,
    ended: bool,
}

/// One entry of reasoning; pieces of a stream are put together.
#[derive(Default, Serialize)]
struct Detail {
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<Box<RawValue>>,
}

/// A part of the content: text as it grows, or a part as it came.
enum Part {
    Text(String),
    Whole { raw: Box<RawValue>, has_state: bool },
}

#[derive(Default)]
struct Calling {
    id: String,
    name: String,
    arguments: String,
    extra_content: Option<Box<RawValue>>,
}

/// Kinds stand in the default order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Reasoning(usize),
    Content(usize),
    ToolCall(usize),
}

impl Place {
    fn word(self) -> String {
        match self {
            Self::Reasoning(index) => format!("reasoning:{index}"),
            Self::Content(index) => format!("content:{index}"),
            Self::ToolCall(index) => format!("tool_call:{index}"),
        }
    }
}

/// A `chat.completion` or a `chat.completion.chunk`.
#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u64,
    #[serde(default, alias = "delta")]
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Said {
    content: Option<Box<RawValue>>,
    reasoning_details: Option<Vec<Piece>>,
    tool_calls: Option<Vec<CallPiece>>,
    content_parts: Option<Vec<Box<RawValue>>>,
    extra_content: Option<Box<RawValue>>,
    order: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Piece {
    index: Option<usize>,
    r#type: Option<String>,
    id: Option<String>,
    text: Option<String>,
    summary: Option<String>,
    signature: Option<String>,
    data: Option<String>,
    format: Option<String>,
    vendor: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct CallPiece {
    index: Option<usize>,
    id: Option<String>,
    #[serde(default)]
    function: Function,
    extra_content: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
struct Function {
    name: Option<String>,
    arguments: Option<String>,
}

impl Turn {
    /// Takes a whole answer, or the next chunk of one. What cannot be read is someone else's to complain about.
    pub fn take(&mut self, canonical: &[u8]) {
        let Ok(answered) = serde_json::from_slice::<Answered>(canonical) else { return };
        // Clients of the dialects in question ask for one choice when they call tools.
        for choice in answered.choices.into_iter().filter(|choice| choice.index == 0) {
            self.say(choice.message);
            self.ended |= choice.finish_reason.is_some_and(|reason| !reason.is_empty());
        }
    }

    /// Whether its last block has come.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    fn say(&mut self, said: Said) {
        for (place, piece) in said.reasoning_details.into_iter().flatten().enumerate() {
            self.think(piece.index.unwrap_or(place), piece);
        }
        if let Some(content) = said.content {
            if let Ok(text) = serde_json::from_str::<String>(content.get()) {
                self.write(&text);
            } else if let Ok(parts) = serde_json::from_str::<Vec<Box<RawValue>>>(content.get()) {
                parts.into_iter().for_each(|part| self.part(part));
            }
        }
        said.content_parts.into_iter().flatten().for_each(|part| self.part(part));
        for (place, piece) in said.tool_calls.into_iter().flatten().enumerate() {
            self.call(piece.index.unwrap_or(place), piece);
        }
        self.extra_content = said.extra_content.or(self.extra_content.take());
        self.told = said.order.unwrap_or(std::mem::take(&mut self.told));
    }

    fn think(&mut self, index: usize, piece: Piece) {
        // Indexes count up; one that jumps far ahead is nonsense.
        if index > self.details.len() {
            return;
        }
        if index == self.details.len() {
            self.details.push(Detail::default());
            self.came.push(Place::Reasoning(index));
        }
        let Some(detail) = self.details.get_mut(index) else { return };
        if let Some(kind) = piece.r#type {
            detail.r#type = kind;
        }
        detail.id = piece.id.or(detail.id.take());
        detail.format = piece.format.or(detail.format.take());
        detail.vendor = piece.vendor.or(detail.vendor.take());
        let grown = [
            (&mut detail.text, piece.text),
            (&mut detail.summary, piece.summary),
            (&mut detail.signature, piece.signature),
            (&mut detail.data, piece.data),
        ];
        for (slot, more) in grown {
            if let Some(more) = more {
                slot.get_or_insert_default().push_str(&more);
            }
        }
    }

    fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if let Some(Part::Text(open)) = self.parts.last_mut() {
            open.push_str(text);
            return;
        }
        self.came.push(Place::Content(self.parts.len()));
        self.parts.push(Part::Text(text.to_owned()));
    }

    fn part(&mut self, raw: Box<RawValue>) {
        #[derive(Deserialize)]
        struct Stateful {
            extra_content: Option<serde::de::IgnoredAny>,
        }
        let has_state =
            serde_json::from_str::<Stateful>(raw.get()).is_ok_and(|part| part.extra_content.is_some());
        self.came.push(Place::Content(self.parts.len()));
        self.parts.push(Part::Whole { raw, has_state });
    }

    fn call(&mut self, index: usize, piece: CallPiece) {
        if index > self.calls.len() {
            return;
        }
        if index == self.calls.len() {
            self.calls.push(Calling::default());
            self.came.push(Place::ToolCall(index));
        }
        let Some(call) = self.calls.get_mut(index) else { return };
        if let Some(id) = piece.id.filter(|id| !id.is_empty()) {
            call.id = id;
        }
        call.name.push_str(&piece.function.name.unwrap_or_default());
        call.arguments.push_str(&piece.function.arguments.unwrap_or_default());
        call.extra_content = piece.extra_content.or(call.extra_content.take());
    }

    /// What has to be kept; nothing when the calls need nothing but themselves.
    pub(super) fn into_kept(self, provenance: &Provenance) -> Option<Kept> {
        let stateful_parts =
            self.parts.iter().any(|part| matches!(part, Part::Whole { has_state: true, .. }));
        let state = self.details.iter().any(|detail| detail.signature.is_some() || detail.data.is_some())
            || self.extra_content.is_some()
            || self.calls.iter().any(|call| call.extra_content.is_some())
            || stateful_parts;
        if self.calls.is_empty() || !state {
            return None;
        }
        let order = self.order(stateful_parts);
        let calls = self.calls.into_iter().map(|call| Call {
            digest: digest(&call.name, &call.arguments),
            id: call.id,
            extra_content: call.extra_content,
        });
        let content = self.parts.into_iter().filter(|_| stateful_parts).filter_map(Part::into_raw);
        let details = self.details.iter().filter_map(|detail| serde_json::value::to_raw_value(detail).ok());
        Some(Kept {
            provenance: provenance.clone(),
            calls: calls.collect(),
            reasoning_details: details.collect(),
            extra_content: self.extra_content,
            content: content.collect(),
            order,
        })
    }

    /// The order of the blocks as it will be true when they come back: the client joins all text.
    fn order(&self, parts_stay: bool) -> Vec<String> {
        let came: Vec<String> = match self.told.is_empty() {
            false => self.told.clone(),
            true if self.came.is_sorted() => return Vec::new(),
            true => self.came.iter().map(|place| place.word()).collect(),
        };
        let mut text_stood = false;
        let stays = |word: &String| {
            let joined =
                !parts_stay && word.starts_with("content:") && std::mem::replace(&mut text_stood, true);
            !joined
        };
        let mut order: Vec<String> = came.into_iter().filter(stays).collect();
        if !parts_stay {
            for word in order.iter_mut().filter(|word| word.starts_with("content:")) {
                "content:0".clone_into(word);
            }
        }
        order
    }
}

impl Part {
    fn into_raw(self) -> Option<Box<RawValue>> {
        match self {
            Self::Whole { raw, .. } => Some(raw),
            Self::Text(text) => {
                let part = serde_json::json!({ "type": "text", "text": text });
                serde_json::value::to_raw_value(&part).ok()
            }
        }
    }
}
