//! Canonical chunks as Converse's events, in frames.

use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::answer::{Metrics, carrier, stand_in};
use super::ending::{self, Ending};
use super::tokens::Told;
use super::written::{Block, Citation, call_id};
use super::{error, state};
use crate::dialect::lanes::{Lane, Lanes};
use crate::dialect::object::{Object, decode};
use crate::dialect::said::{Answered, Call, Choice, Detail, Part, Said, Tokens, json, spoken, word};
use crate::dialect::seal::Owner;
use crate::dialect::{AnswerFacts, StreamWriter};
use crate::domain::event_stream;
use crate::error::GatewayError;

/// One stream on its way to the client.
pub(super) struct Writer {
    facts: AnswerFacts,
    lanes: Lanes,
    started: bool,
    /// How many blocks have been begun.
    blocks: usize,
    /// The ids of the calls so far, as the client sees them.
    calls: Vec<String>,
    /// The place of each call among the blocks.
    places: Vec<usize>,
    /// Whose state each entry of reasoning is; only its first piece says so.
    formats: Vec<String>,
    /// State of the last thought, which clients take for whole when they see it.
    sealed: Option<Sealed>,
    /// How many content parts have been begun.
    parts: usize,
    refused: bool,
    stopped: bool,
    metadata: Metadata,
    took: Duration,
}

/// State in the making.
enum Sealed {
    Signature { vendor: String, text: String },
    Redacted { vendor: String, data: String },
}

/// What the last event tells.
#[derive(Default)]
struct Metadata {
    usage: Option<Vec<u8>>,
    metrics: Option<Box<RawValue>>,
    beside: Vec<(String, Box<RawValue>)>,
}

impl Writer {
    pub(super) fn new(facts: &AnswerFacts) -> Self {
        Self {
            facts: facts.clone(),
            lanes: Lanes::default(),
            started: false,
            blocks: 0,
            calls: Vec::new(),
            places: Vec::new(),
            formats: Vec::new(),
            sealed: None,
            parts: 0,
            refused: false,
            stopped: false,
            metadata: Metadata::default(),
            took: facts.waited,
        }
    }
}

impl StreamWriter for Writer {
    fn content_type(&self) -> &'static str {
        "application/vnd.amazon.eventstream"
    }

    fn chunk(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let answered = Answered::read(line)?;
        self.start(out);
        for choice in answered.choices.iter().filter(|choice| choice.index == 0) {
            self.said(&choice.message, out)?;
            if !word(&choice.finish_reason).is_empty() {
                self.end(choice, out);
            }
        }
        if let Some(tokens) = &answered.usage {
            self.metadata.usage = Some(json(&Told(Some(tokens))));
        }
        Ok(())
    }

    fn took(&mut self, took: Duration) {
        self.took = took;
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.start(out);
        self.close_all(out);
        if !self.stopped {
            self.stop(ending::unknown(!self.calls.is_empty()), None, out);
        }
        let Metadata { usage, metrics, beside } = &self.metadata;
        let usage = usage.clone().unwrap_or_else(|| json(&Told(Some(&Tokens::default()))));
        let metrics = json(&Metrics::told(metrics.as_deref(), self.took.as_millis()));
        let mut payload = [b"{\"usage\":", usage.as_slice(), b",\"metrics\":", metrics.as_slice()].concat();
        for (name, value) in beside {
            payload.extend_from_slice(b",");
            payload.extend_from_slice(&json(name));
            payload.extend_from_slice(b":");
            payload.extend_from_slice(value.get().as_bytes());
        }
        payload.extend_from_slice(b"}");
        event_stream::event(out, "metadata", &payload);
    }

    fn fail(&mut self, error: &GatewayError, _request_id: &str, out: &mut Vec<u8>) {
        let (name, payload) = error::in_stream(error);
        event_stream::exception(out, name, &payload);
    }

    /// Nothing: every frame is an event, and there is none that means nothing.
    fn keep_alive(&self, _out: &mut Vec<u8>) {}
}

impl Writer {
    fn start(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.started, true) {
            event_stream::event(out, "messageStart", b"{\"role\":\"assistant\"}");
        }
    }

    fn said(&mut self, said: &Said<'_>, out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let details = said.reasoning_details.as_deref().unwrap_or_default();
        match spoken(said.reasoning_content).filter(|_| details.is_empty()) {
            Some(text) => self.thought(None, Some(text), out),
            None => details.iter().for_each(|detail| self.detail(detail, out)),
        }
        if let Some(text) = spoken(said.content) {
            self.text(text, out);
        }
        if let Some(text) = spoken(said.refusal) {
            self.refused = true;
            self.text(text, out);
        }
        for citation in said.annotations.iter().flatten().filter_map(Citation::of) {
            if self.lanes.ends_with(Lane::Text) {
                self.delta(&Delta::Citation(citation), out);
            }
        }
        for part in said.content_parts.iter().flatten() {
            self.part(part, out);
        }
        for call in said.tool_calls.iter().flatten() {
            self.call(call, out)?;
        }
        if let Some(extra_content) = said.extra_content {
            self.whole(&carrier(Owner::Message, extra_content), out);
        }
        Ok(())
    }

    /// Begins a block; texts and thoughts have no start of their own.
    fn begin(&mut self, lane: Lane, start: Option<&Start<'_>>, out: &mut Vec<u8>) {
        self.seal(out);
        let index = self.blocks;
        self.blocks += 1;
        let (mut opening, mut closing) = (Vec::new(), Vec::new());
        if let Some(start) = start {
            event_stream::event(
                &mut opening,
                "contentBlockStart",
                &json(&BlockStart { content_block_index: index, start }),
            );
        }
        event_stream::event(
            &mut closing,
            "contentBlockStop",
            &json(&BlockStop { content_block_index: index }),
        );
        self.lanes.push(lane, opening, closing, out);
    }

    /// Adds to the last block.
    fn delta(&mut self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        if let Some(index) = self.blocks.checked_sub(1) {
            self.lanes.add(&framed(index, delta), out);
        }
    }

    /// Writes the state of the last thought, now that nothing can be added to it.
    fn seal(&mut self, out: &mut Vec<u8>) {
        match self.sealed.take() {
            Some(Sealed::Signature { vendor, text }) => {
                let signature = state::signature(&vendor, &text);
                self.delta(&Delta::ReasoningContent(Thought::Signature(&signature)), out);
            }
            Some(Sealed::Redacted { vendor, data }) => {
                let data = state::redact(&vendor, &data);
                self.delta(&Delta::ReasoningContent(Thought::RedactedContent(&data)), out);
            }
            None => {}
        }
    }

    fn close_all(&mut self, out: &mut Vec<u8>) {
        self.seal(out);
        self.lanes.close_all(out);
    }

    fn text(&mut self, text: &RawValue, out: &mut Vec<u8>) {
        if !self.lanes.ends_with(Lane::Text) {
            self.parts += 1;
            self.begin(Lane::Text, None, out);
        }
        self.delta(&Delta::Text(text), out);
    }

    fn thought(&mut self, index: Option<usize>, text: Option<&RawValue>, out: &mut Vec<u8>) {
        let lane = Lane::Reasoning(index);
        if !self.lanes.ends_with(lane) {
            self.begin(lane, None, out);
        }
        if let Some(text) = text {
            self.delta(&Delta::ReasoningContent(Thought::Text(text)), out);
        }
    }

    fn detail(&mut self, detail: &Detail<'_>, out: &mut Vec<u8>) {
        let entry = detail.index.unwrap_or(0).min(self.formats.len());
        if entry == self.formats.len() {
            self.formats.push(String::new());
        }
        let Some(format) = self.formats.get_mut(entry) else { return };
        if let Some(named) = &detail.format {
            named.0.as_ref().clone_into(format);
        }
        let vendor = format.clone();
        let text = spoken(detail.shown());
        let (signature, data) = (word(&detail.signature), word(&detail.data));
        if text.is_some() || !signature.is_empty() || !data.is_empty() {
            self.thought(detail.index, text, out);
        }
        if !data.is_empty() {
            match &mut self.sealed {
                Some(Sealed::Redacted { data: so_far, .. }) => so_far.push_str(data),
                _ => self.sealed = Some(Sealed::Redacted { vendor, data: data.to_owned() }),
            }
        } else if !signature.is_empty() {
            match &mut self.sealed {
                Some(Sealed::Signature { text, .. }) => text.push_str(signature),
                _ => self.sealed = Some(Sealed::Signature { vendor, text: signature.to_owned() }),
            }
        }
    }

    fn part(&mut self, part: &Part<'_>, out: &mut Vec<u8>) {
        if let Some(extra_content) = part.extra_content {
            self.whole(&carrier(Owner::Content(self.parts), extra_content), out);
        }
        if let Some(block) = Block::part(part) {
            self.parts += 1;
            self.whole(&block, out);
        }
    }

    /// A block that came whole.
    fn whole(&mut self, block: &Block<'_>, out: &mut Vec<u8>) {
        match block {
            Block::Text { text, .. } => {
                self.begin(Lane::Whole, None, out);
                self.delta(&Delta::Text(text), out);
            }
            Block::Link(url) => {
                self.begin(Lane::Whole, None, out);
                self.delta(&Delta::Words(url), out);
            }
            Block::Redacted { data } => {
                self.begin(Lane::Whole, None, out);
                self.delta(&Delta::ReasoningContent(Thought::RedactedContent(data)), out);
            }
            Block::Image { format, base64 } => {
                self.begin(Lane::Whole, Some(&Start::Image { format }), out);
                self.delta(&Delta::Image { source: Bytes { bytes: base64 } }, out);
            }
            Block::Own(raw) => self.own(raw, out),
            // These come in pieces only.
            Block::Thought { .. } | Block::ToolUse { .. } => {}
        }
    }

    /// A block of Bedrock's own: how it began, and the pieces it came in.
    fn own(&mut self, raw: &RawValue, out: &mut Vec<u8>) {
        let mut block: Object<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
        let pieces = block.0.iter().position(|(name, _)| name == "pieces");
        let pieces = pieces.map(|place| block.0.remove(place).1);
        let pieces: Vec<&RawValue> =
            pieces.and_then(|pieces| serde_json::from_str(pieces.get()).ok()).unwrap_or_default();
        self.begin(Lane::Whole, Some(&Start::Own(&block)), out);
        for piece in pieces {
            self.delta(&Delta::Own(piece), out);
        }
    }

    fn call(&mut self, call: &Call<'_>, out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let index = call.index.unwrap_or(0);
        if index > self.calls.len() {
            return Err(GatewayError::plugin(format!("tool call {index} comes before its predecessor")));
        }
        if index == self.calls.len() {
            let name = call
                .function
                .name
                .ok_or_else(|| GatewayError::plugin(format!("tool call {index} begins without a name")))?;
            let id = call_id(word(&call.id), || stand_in(&self.facts, index)).into_owned();
            // The state comes first, so that it is there when the call is done.
            if let Some(extra_content) = call.extra_content {
                self.whole(&carrier(Owner::Call(id.clone()), extra_content), out);
            }
            self.begin(Lane::Call(index), Some(&Start::ToolUse { tool_use_id: &id, name }), out);
            self.places.push(self.blocks.saturating_sub(1));
            self.calls.push(id);
        } else if let Some(extra_content) = call.extra_content {
            let id = self.calls.get(index).cloned().unwrap_or_default();
            self.whole(&carrier(Owner::Call(id), extra_content), out);
        }
        if let Some(piece) = spoken(call.function.arguments).and_then(decode) {
            let place = self.places.get(index).copied().unwrap_or(0);
            let delta = framed(place, &Delta::ToolUse { input: &piece });
            if !self.lanes.argue(index, &piece, &delta, out) && !piece.trim().is_empty() {
                return Err(GatewayError::plugin(format!("tool call {index} goes on after its end")));
            }
        }
        Ok(())
    }

    /// The choice has ended; what Bedrock says beside it is told last.
    fn end(&mut self, choice: &Choice<'_>, out: &mut Vec<u8>) {
        self.close_all(out);
        let ending = Ending::of(choice, !self.calls.is_empty(), self.refused);
        self.metadata.metrics = ending.metrics().map(ToOwned::to_owned);
        self.metadata.beside =
            ending.beside().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        self.stop(ending.reason, ending.models_own(), out);
    }

    fn stop(&mut self, reason: &'static str, models_own: Option<Box<RawValue>>, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.stopped, true) {
            let stop = MessageStop { stop_reason: reason, additional_model_response_fields: models_own };
            event_stream::event(out, "messageStop", &json(&stop));
        }
    }
}

/// A `contentBlockDelta`.
fn framed(index: usize, delta: &Delta<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    event_stream::event(
        &mut out,
        "contentBlockDelta",
        &json(&BlockDelta { content_block_index: index, delta }),
    );
    out
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockStart<'s, 'a> {
    content_block_index: usize,
    start: &'s Start<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockDelta<'s, 'a> {
    content_block_index: usize,
    delta: &'s Delta<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockStop {
    content_block_index: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop {
    stop_reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_model_response_fields: Option<Box<RawValue>>,
}

/// How a block begins that is more than text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Start<'a> {
    #[serde(rename_all = "camelCase")]
    ToolUse {
        tool_use_id: &'a str,
        name: &'a RawValue,
    },
    Image {
        format: &'a str,
    },
    #[serde(untagged)]
    Own(&'a Object<'a>),
}

/// A piece of a block.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Delta<'a> {
    Text(&'a RawValue),
    #[serde(rename = "text")]
    Words(&'a str),
    ToolUse {
        input: &'a str,
    },
    ReasoningContent(Thought<'a>),
    Citation(Citation<'a>),
    Image {
        source: Bytes<'a>,
    },
    #[serde(untagged)]
    Own(&'a RawValue),
}

/// A piece of a thought.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Thought<'a> {
    Text(&'a RawValue),
    Signature(&'a str),
    RedactedContent(&'a str),
}

#[derive(Serialize)]
struct Bytes<'a> {
    bytes: &'a str,
}
