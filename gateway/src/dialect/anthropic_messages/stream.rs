//! Canonical chunks as Anthropic's events.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::answer::{carrier, message_id, model, stand_in};
use super::answered::{Answered, Call, Choice, Detail, Part, Said, spoken, word};
use super::ending::Ending;
use super::error;
use super::object::{Object, decode};
use super::queue::{Lane, Queue, json};
use super::state::{self, Owner};
use super::tokens::Tokens;
use super::written::{Block, call_id};
use crate::dialect::{AnswerFacts, StreamWriter, sse};
use crate::error::GatewayError;

/// One stream on its way to the client.
pub(super) struct Writer {
    facts: AnswerFacts,
    queue: Queue,
    started: bool,
    /// The ids of the calls so far, as the client sees them.
    calls: Vec<String>,
    /// Whose state each entry of reasoning is; only its first piece says so.
    formats: Vec<String>,
    /// How many content blocks have been begun.
    parts: usize,
    /// Other vendors' state of the whole message, until it is known whether calls follow.
    state: Option<Box<RawValue>>,
    refused: bool,
    ending: Option<Ending>,
    /// Whether the end has been told, all but `message_stop`.
    ended: bool,
}

impl Writer {
    pub(super) fn new(facts: &AnswerFacts) -> Self {
        Self {
            facts: facts.clone(),
            queue: Queue::default(),
            started: false,
            calls: Vec::new(),
            formats: Vec::new(),
            parts: 0,
            state: None,
            refused: false,
            ending: None,
            ended: false,
        }
    }
}

impl StreamWriter for Writer {
    fn chunk(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let answered: Answered<'_> = serde_json::from_slice(line)
            .map_err(|error| GatewayError::plugin("the adapter's chunk is not canonical").context(error))?;
        self.start(word(&answered.id), word(&answered.model), out);
        for mut choice in answered.choices {
            if choice.index != 0 {
                continue;
            }
            self.said(std::mem::take(&mut choice.message), out)?;
            if !word(&choice.finish_reason).is_empty() {
                self.end(&choice, out);
            }
        }
        if let Some(usage) = answered.usage.filter(|_| self.ending.is_some()) {
            self.message_delta(&usage, out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.start("", "", out);
        self.close(out);
        self.message_delta(&Tokens::default(), out);
        sse::event(out, "message_stop", b"{\"type\":\"message_stop\"}");
    }

    fn fail(&mut self, error: &GatewayError, request_id: &str, out: &mut Vec<u8>) {
        sse::event(out, "error", &error::body(error, request_id));
    }

    fn keep_alive(&self, out: &mut Vec<u8>) {
        sse::event(out, "ping", b"{\"type\":\"ping\"}");
    }
}

impl Writer {
    /// The opening frame, once. Usage is told at the end: only then is it known.
    fn start(&mut self, id: &str, name: &str, out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        self.started = true;
        let start = MessageStart {
            r#type: "message_start",
            message: Opening {
                id: message_id(id, &self.facts),
                r#type: "message",
                role: "assistant",
                model: model(name, &self.facts),
                content: [],
                stop_reason: None,
                stop_sequence: None,
                usage: Tokens::default(),
            },
        };
        sse::event(out, "message_start", &json(&start));
    }

    fn said(&mut self, said: Said<'_>, out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let details = said.reasoning_details.unwrap_or_default();
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
        for note in said.annotations.iter().flatten() {
            if let Some(citation) = note.citation().filter(|_| self.queue.ends_with(Lane::Text)) {
                self.queue.delta(json(&Delta::Citations { citation }), out);
            }
        }
        for part in said.content_parts.into_iter().flatten() {
            self.part(part, out);
        }
        for call in said.tool_calls.into_iter().flatten() {
            self.call(call, out)?;
        }
        if let Some(extra_content) = said.extra_content {
            self.state = Some(extra_content.to_owned());
        }
        Ok(())
    }

    fn text(&mut self, text: &RawValue, out: &mut Vec<u8>) {
        if !self.queue.ends_with(Lane::Text) {
            self.parts += 1;
            let start = Block::Text { text: empty(), citations: Vec::new() };
            self.queue.push(Lane::Text, &start, out);
        }
        self.queue.delta(json(&Delta::Text { text }), out);
    }

    /// Text of reasoning; without text the block is opened all the same, for its signature.
    fn thought(&mut self, index: Option<usize>, text: Option<&RawValue>, out: &mut Vec<u8>) {
        let lane = Lane::Reasoning(index);
        if !self.queue.ends_with(lane) {
            let start = Block::Thinking { text: None, signature: Cow::Borrowed("") };
            self.queue.push(lane, &start, out);
        }
        if let Some(thinking) = text {
            self.queue.delta(json(&Delta::Thinking { thinking }), out);
        }
    }

    fn detail(&mut self, detail: &Detail<'_>, out: &mut Vec<u8>) {
        let lane = Lane::Reasoning(detail.index);
        let entry = detail.index.unwrap_or(0).min(self.formats.len());
        if entry == self.formats.len() {
            self.formats.push(String::new());
        }
        let Some(format) = self.formats.get_mut(entry) else {
            return;
        };
        if let Some(named) = &detail.format {
            named.0.as_ref().clone_into(format);
        }
        if let Some(data) = &detail.data {
            if !(self.queue.ends_with(lane) && self.queue.grow_redacted(&data.0)) {
                self.queue.push_redacted(lane, &state::mark(format, data.0.clone()), out);
            }
            return;
        }
        let signature = detail.signature.as_ref().map(|piece| match self.queue.is_signed_in(lane) {
            true => piece.0.clone(),
            false => state::mark(format, piece.0.clone()),
        });
        let text = spoken(detail.shown());
        if text.is_some() || signature.is_some() {
            self.thought(detail.index, text, out);
        }
        if let Some(piece) = signature {
            self.queue.sign(&piece);
        }
    }

    fn part(&mut self, part: Part<'_>, out: &mut Vec<u8>) {
        if let Some(extra_content) = part.extra_content {
            self.carry(Owner::Content(self.parts), extra_content, out);
        }
        let Some(block) = Block::part(part) else {
            return;
        };
        self.parts += 1;
        match block {
            Block::Text { text, citations } => {
                let start = Block::Text { text: empty(), citations: Vec::new() };
                self.queue.push(Lane::Whole, &start, out);
                self.queue.delta(json(&Delta::Text { text }), out);
                for citation in citations {
                    self.queue.delta(json(&Delta::Citations { citation }), out);
                }
            }
            Block::Own(raw) => self.own(raw, out),
            block => self.queue.push(Lane::Whole, &block, out),
        }
    }

    /// A whole block of Anthropic's own. The input of a server tool's call goes where clients look for it.
    fn own(&mut self, raw: &RawValue, out: &mut Vec<u8>) {
        let mut block: Object<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
        let calls = block.get("type").is_some_and(|kind| kind.get().ends_with("tool_use\""));
        let input = block.0.iter_mut().find(|(name, _)| calls && name == "input").map(|(_, input)| input);
        let Some(input) = input else {
            return self.queue.push_raw(Lane::Whole, raw.get().as_bytes().to_vec(), out);
        };
        let partial_json = std::mem::replace(input, nothing()).get();
        self.queue.push_raw(Lane::Whole, json(&block), out);
        self.queue.delta(json(&Delta::Input { partial_json }), out);
    }

    fn call(&mut self, call: Call<'_>, out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let index = call.index.unwrap_or(0);
        if index > self.calls.len() {
            return Err(GatewayError::plugin(format!("tool call {index} comes before its predecessor")));
        }
        if index == self.calls.len() {
            self.release(out);
            let name = call
                .function
                .name
                .ok_or_else(|| GatewayError::plugin(format!("tool call {index} begins without a name")))?;
            let id = call_id(word(&call.id), || stand_in(&self.facts, index));
            let own = call.vendor.and_then(|vendor| vendor.anthropic);
            let start = Block::ToolUse { id: Cow::Borrowed(&id), name, input: nothing().to_owned(), own };
            self.queue.push(Lane::Call(index), &start, out);
            self.calls.push(id);
        }
        if let Some(piece) = spoken(call.function.arguments).and_then(decode) {
            let delta = json(&Delta::Input { partial_json: &piece });
            if !self.queue.argue(index, &piece, delta, out) && !piece.trim().is_empty() {
                return Err(GatewayError::plugin(format!("tool call {index} goes on after its end")));
            }
        }
        if let Some(extra_content) = call.extra_content {
            let id = self.calls.get(index).cloned().unwrap_or_default();
            self.carry(Owner::Call(id), extra_content, out);
        }
        Ok(())
    }

    /// Other vendors' state, in a block that the client brings back unread.
    fn carry(&mut self, owner: Owner, extra_content: &RawValue, out: &mut Vec<u8>) {
        self.queue.push(Lane::Whole, &carrier(owner, extra_content), out);
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        if let Some(extra_content) = self.state.take() {
            self.carry(Owner::Message, &extra_content, out);
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.calls.is_empty() && self.queue.ends_with(Lane::Text) {
            // The text is the answer, and stays alone: see `state`.
            self.state = None;
        }
        self.release(out);
        self.queue.close_all(out);
    }

    fn end(&mut self, choice: &Choice<'_>, out: &mut Vec<u8>) {
        self.close(out);
        self.ending = Some(Ending::of(choice, !self.calls.is_empty(), self.refused));
    }

    /// Why it ended and what it took, once.
    fn message_delta(&mut self, usage: &Tokens<'_>, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let ending = self.ending.take().unwrap_or_else(|| Ending::unknown(!self.calls.is_empty()));
        let event = MessageDelta { r#type: "message_delta", delta: &ending, usage, beside: ending.beside() };
        sse::event(out, "message_delta", &json(&event));
    }
}

/// `""` and `{}` as raw values.
fn empty() -> &'static RawValue {
    constant("\"\"")
}

fn nothing() -> &'static RawValue {
    constant("{}")
}

fn constant(text: &'static str) -> &'static RawValue {
    serde_json::from_str(text).unwrap_or(RawValue::NULL)
}

#[derive(serde::Serialize)]
struct MessageStart<'a> {
    r#type: &'static str,
    message: Opening<'a>,
}

#[derive(serde::Serialize)]
struct Opening<'a> {
    id: Cow<'a, str>,
    r#type: &'static str,
    role: &'static str,
    model: &'a str,
    content: [(); 0],
    stop_reason: Option<()>,
    stop_sequence: Option<()>,
    usage: Tokens<'a>,
}

#[derive(serde::Serialize)]
#[serde(tag = "type")]
enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a RawValue },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a RawValue },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: &'a str },
    #[serde(rename = "citations_delta")]
    Citations { citation: &'a RawValue },
}

#[derive(serde::Serialize)]
struct MessageDelta<'a> {
    r#type: &'static str,
    delta: &'a Ending,
    usage: &'a Tokens<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "context_management")]
    beside: Option<&'a RawValue>,
}
