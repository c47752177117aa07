//! Canonical chunks as Cohere's events.

use serde::Serialize;
use serde_json::value::RawValue;

use super::answer::{Block, Logprob, answer_id, call_id, empty, finish_reason, is_plan, logprobs};
use super::cited::Cited;
use super::error;
use super::tokens::Told;
use crate::dialect::lanes::{Lane, Lanes};
use crate::dialect::object::{Object, decode};
use crate::dialect::said::{Answered, Call, Choice, Detail, Part, Said, json, own, spoken, word};
use crate::dialect::seal::{self, Owner};
use crate::dialect::{AnswerFacts, StreamWriter, sse};
use crate::error::GatewayError;

/// One stream on its way to the client.
pub(super) struct Writer {
    facts: AnswerFacts,
    lanes: Lanes,
    started: bool,
    /// How many content blocks have been begun.
    blocks: usize,
    citations: usize,
    /// How many calls have been begun.
    calls: usize,
    /// Whose state each entry of reasoning is; only its first piece says so.
    formats: Vec<String>,
    /// State of the last thought: whose, whether it is encrypted, and what there is of it.
    sealed: Option<(String, bool, String)>,
    refused: bool,
    ending: Option<&'static str>,
    own: Vec<(String, Box<RawValue>)>,
    usage: Option<Box<RawValue>>,
}

impl Writer {
    pub(super) fn new(facts: &AnswerFacts) -> Self {
        Self {
            facts: facts.clone(),
            lanes: Lanes::default(),
            started: false,
            blocks: 0,
            citations: 0,
            calls: 0,
            formats: Vec::new(),
            sealed: None,
            refused: false,
            ending: None,
            own: Vec::new(),
            usage: None,
        }
    }
}

impl StreamWriter for Writer {
    fn chunk(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let answered = Answered::read(line)?;
        self.start(word(&answered.id), out);
        for choice in answered.choices.iter().filter(|choice| choice.index == 0) {
            self.said(&choice.message, logprobs(choice.logprobs), out)?;
            if !word(&choice.finish_reason).is_empty() {
                self.end(choice, out);
            }
        }
        if let Some(tokens) = &answered.usage {
            self.usage = serde_json::value::to_raw_value(&Told(tokens)).ok();
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.start("", out);
        self.close_all(out);
        let otherwise = if self.calls > 0 { "TOOL_CALL" } else { "COMPLETE" };
        let mut delta = Object::default();
        for (name, value) in &self.own {
            delta.0.push((name.as_str().into(), value));
        }
        let delta = End {
            finish_reason: self.ending.unwrap_or(otherwise),
            usage: self.usage.as_deref(),
            error: None,
            own: delta,
        };
        event(out, "message-end", None, &delta, &[]);
        sse::data(out, b"[DONE]");
    }

    fn fail(&mut self, error: &GatewayError, request_id: &str, out: &mut Vec<u8>) {
        // Cohere's clients have no event for errors; the end says that it is none.
        self.start(request_id, out);
        let delta = End {
            finish_reason: error::finish_reason(error.kind),
            usage: None,
            error: Some(error::said(error)),
            own: Object::default(),
        };
        event(out, "message-end", None, &delta, &[]);
    }
}

impl Writer {
    /// The opening event, once.
    fn start(&mut self, id: &str, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let opening =
            Opening { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] };
        let start = Start {
            id: answer_id(id, &self.facts),
            r#type: "message-start",
            delta: Message { message: opening },
        };
        sse::event(out, "message-start", &json(&start));
    }

    fn said(&mut self, said: &Said<'_>, odds: Vec<Logprob>, out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let details = said.reasoning_details.as_deref().unwrap_or_default();
        match spoken(said.reasoning_content).filter(|_| details.is_empty()) {
            Some(text) => self.thought(None, Some(text), out),
            None => details.iter().for_each(|detail| self.detail(detail, out)),
        }
        let mut odds = Some(odds);
        for text in [spoken(said.content), spoken(said.refusal)].into_iter().flatten() {
            self.text(text, odds.take().unwrap_or_default(), out);
        }
        self.refused |= spoken(said.refusal).is_some();
        for note in said.annotations.iter().flatten() {
            if let Some(cited) = Cited::of(note, |_, _| None) {
                self.cite(&cited, out);
            }
        }
        for part in said.content_parts.iter().flatten() {
            self.part(part, out);
        }
        for call in said.tool_calls.iter().flatten() {
            self.call(call, out)?;
        }
        Ok(())
    }

    /// Begins a content block.
    fn begin(&mut self, lane: Lane, block: &impl Serialize, out: &mut Vec<u8>) {
        self.seal(out);
        let index = self.blocks;
        self.blocks += 1;
        let (mut start, mut stop) = (Vec::new(), Vec::new());
        event(
            &mut start,
            "content-start",
            Some(index),
            &Message { message: Content { content: block } },
            &[],
        );
        ended(&mut stop, "content-end", index);
        self.lanes.push(lane, start, stop, out);
    }

    /// Adds to the last content block.
    fn delta(&mut self, piece: &Piece<'_>, odds: &[Logprob], out: &mut Vec<u8>) {
        let Some(index) = self.blocks.checked_sub(1) else { return };
        let mut bytes = Vec::new();
        event(
            &mut bytes,
            "content-delta",
            Some(index),
            &Message { message: Content { content: piece } },
            odds,
        );
        self.lanes.add(&bytes, out);
    }

    /// Writes the state of the last thought, now that nothing can be added to it.
    fn seal(&mut self, out: &mut Vec<u8>) {
        let Some((vendor, encrypted, state)) = self.sealed.take() else { return };
        let state = seal::mark(&vendor, &state);
        let piece = if encrypted { Piece::Data(&state) } else { Piece::Signature(&state) };
        self.delta(&piece, &[], out);
    }

    fn close_all(&mut self, out: &mut Vec<u8>) {
        self.seal(out);
        self.lanes.close_all(out);
    }

    fn text(&mut self, text: &RawValue, odds: Vec<Logprob>, out: &mut Vec<u8>) {
        if !self.lanes.ends_with(Lane::Text) {
            self.begin(Lane::Text, &Block::Text { text: empty(), signature: None }, out);
        }
        self.delta(&Piece::Text(text), &odds, out);
    }

    fn thought(&mut self, index: Option<usize>, text: Option<&RawValue>, out: &mut Vec<u8>) {
        let lane = Lane::Reasoning(index);
        if !self.lanes.ends_with(lane) {
            self.begin(lane, &Block::Thinking { thinking: empty(), signature: None, data: None }, out);
        }
        if let Some(text) = text {
            self.delta(&Piece::Thinking(text), &[], out);
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
        if let Some(plan) = detail.summary.filter(|_| is_plan(detail) || vendor == super::VENDOR) {
            return self.plan(plan, out);
        }
        let text = spoken(detail.shown());
        let (signature, data) = (word(&detail.signature), word(&detail.data));
        if text.is_some() || !signature.is_empty() || !data.is_empty() {
            self.thought(detail.index, text, out);
        }
        let (encrypted, state) = if data.is_empty() { (false, signature) } else { (true, data) };
        match &mut self.sealed {
            _ if state.is_empty() => {}
            Some((_, _, so_far)) => so_far.push_str(state),
            None => self.sealed = Some((vendor, encrypted, state.to_owned())),
        }
    }

    /// A piece of a plan, which is no block.
    fn plan(&mut self, plan: &RawValue, out: &mut Vec<u8>) {
        self.seal(out);
        let mut bytes = Vec::new();
        event(&mut bytes, "tool-plan-delta", None, &Message { message: Plan { tool_plan: plan } }, &[]);
        self.lanes.push(Lane::Whole, bytes, Vec::new(), out);
    }

    fn part(&mut self, part: &Part<'_>, out: &mut Vec<u8>) {
        match Block::part(part) {
            Some(Block::Text { text, signature }) => {
                self.begin(Lane::Whole, &Block::Text { text: empty(), signature }, out);
                self.delta(&Piece::Text(text), &[], out);
                for source in part.citations.iter().flatten() {
                    if let Some(cited) = Cited::other(source, None) {
                        self.cite(&cited, out);
                    }
                }
            }
            Some(block) => self.begin(Lane::Whole, &block, out),
            None => {}
        }
    }

    fn cite(&mut self, cited: &Cited<'_>, out: &mut Vec<u8>) {
        let index = self.citations;
        self.citations += 1;
        let mut bytes = Vec::new();
        event(
            &mut bytes,
            "citation-start",
            Some(index),
            &Message { message: Cites { citations: cited } },
            &[],
        );
        ended(&mut bytes, "citation-end", index);
        if self.lanes.is_empty() {
            out.extend_from_slice(&bytes);
        } else {
            self.lanes.add(&bytes, out);
        }
    }

    fn call(&mut self, call: &Call<'_>, out: &mut Vec<u8>) -> Result<(), GatewayError> {
        let index = call.index.unwrap_or(0);
        if index > self.calls {
            return Err(GatewayError::plugin(format!("tool call {index} comes before its predecessor")));
        }
        let signature = call.extra_content.map(|state| seal::bind(Owner::Message, state));
        if index == self.calls {
            let name = call
                .function
                .name
                .ok_or_else(|| GatewayError::plugin(format!("tool call {index} begins without a name")))?;
            let id = call_id(word(&call.id), index, &self.facts).into_owned();
            self.seal(out);
            self.calls += 1;
            let function = Function { name: Some(name), arguments: "" };
            let given = ToolCall {
                id: Some(&id),
                r#type: Some("function"),
                function,
                signature: signature.as_deref(),
            };
            let (mut start, mut stop) = (Vec::new(), Vec::new());
            called(&mut start, "tool-call-start", index, given);
            ended(&mut stop, "tool-call-end", index);
            self.lanes.push(Lane::Call(index), start, stop, out);
        }
        let piece = spoken(call.function.arguments).and_then(decode).unwrap_or_default();
        let late = signature.filter(|_| call.function.name.is_none());
        if piece.is_empty() && late.is_none() {
            return Ok(());
        }
        let function = Function { name: None, arguments: &piece };
        let given = ToolCall { id: None, r#type: None, function, signature: late.as_deref() };
        let mut bytes = Vec::new();
        called(&mut bytes, "tool-call-delta", index, given);
        if !self.lanes.argue(index, &piece, &bytes, out) && !piece.trim().is_empty() {
            return Err(GatewayError::plugin(format!("tool call {index} goes on after its end")));
        }
        Ok(())
    }

    fn end(&mut self, choice: &Choice<'_>, out: &mut Vec<u8>) {
        self.close_all(out);
        self.ending = Some(finish_reason(choice, self.calls > 0, self.refused));
        let own = own(&choice.vendor, super::VENDOR);
        self.own = own.0.into_iter().map(|(name, value)| (name.into_owned(), value.to_owned())).collect();
    }
}

/// One event around what is new.
fn event(
    out: &mut Vec<u8>,
    name: &'static str,
    index: Option<usize>,
    delta: &impl Serialize,
    odds: &[Logprob],
) {
    // Of several tokens in one piece there is one entry, as Cohere writes it.
    let event = Event { r#type: name, index, delta, logprobs: odds.first() };
    sse::event(out, name, &json(&event));
}

/// The end of something.
fn ended(out: &mut Vec<u8>, name: &'static str, index: usize) {
    sse::event(out, name, &json(&Ended { r#type: name, index }));
}

fn called(out: &mut Vec<u8>, name: &'static str, index: usize, call: ToolCall<'_>) {
    event(out, name, Some(index), &Message { message: Calls { tool_calls: call } }, &[]);
}

#[derive(Serialize)]
struct Start<'a> {
    id: &'a str,
    r#type: &'static str,
    delta: Message<Opening>,
}

#[derive(Serialize)]
struct Opening {
    role: &'static str,
    content: [(); 0],
    tool_plan: &'static str,
    tool_calls: [(); 0],
    citations: [(); 0],
}

#[derive(Serialize)]
struct Event<'a, T> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    delta: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<&'a Logprob>,
}

#[derive(Serialize)]
struct Ended {
    r#type: &'static str,
    index: usize,
}

#[derive(Serialize)]
struct Message<T> {
    message: T,
}

#[derive(Serialize)]
struct Content<'a, T> {
    content: &'a T,
}

#[derive(Serialize)]
struct Plan<'a> {
    tool_plan: &'a RawValue,
}

#[derive(Serialize)]
struct Cites<'a> {
    citations: &'a Cited<'a>,
}

#[derive(Serialize)]
struct Calls<'a> {
    tool_calls: ToolCall<'a>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    function: Function<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<&'a str>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a RawValue>,
    arguments: &'a str,
}

/// What is new in a content block.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Piece<'a> {
    Text(&'a RawValue),
    Thinking(&'a RawValue),
    Signature(&'a str),
    Data(&'a str),
}

/// The end of the message.
struct End<'a> {
    finish_reason: &'static str,
    usage: Option<&'a RawValue>,
    error: Option<String>,
    own: Object<'a>,
}

impl Serialize for End<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        if let Some(error) = &self.error {
            map.serialize_entry("error", error)?;
        }
        map.serialize_entry("finish_reason", self.finish_reason)?;
        if let Some(usage) = self.usage {
            map.serialize_entry("usage", usage)?;
        }
        for (name, value) in &self.own.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
