//! The open blocks of a stream, and what each piece of them is in canonical chat.

use plugin_sdk::Losses;
use plugin_sdk::chat::{Delta, Fields, Json, ReasoningDetail, Text, ToolCallDelta};
use serde_json::{Value, json};

use crate::VENDOR;
use crate::answer_tool::{self, Form};
use crate::response::{own_part, says_something, take, take_text};

/// The blocks of one answer.
#[derive(Default)]
pub(super) struct Blocks {
    /// Anthropic keeps one open at a time; nothing here relies on that.
    open: Vec<(u64, Block)>,
    calls: u64,
    thoughts: u64,
    answered: bool,
}

/// An open block.
enum Block {
    Text,
    Thinking {
        entry: u64,
        begun: bool,
    },
    Redacted,
    Call {
        call: u64,
        /// The input of the start; it counts when no piece comes.
        input: String,
        argued: bool,
    },
    /// The call that is the answer: its input is text.
    Answer {
        form: Form,
        /// What waits: all of a wrapped answer, or the input of the start when no piece comes.
        input: String,
        begun: bool,
    },
    /// A block of Anthropic's own, handed over whole when it is complete.
    Own {
        block: Value,
        input: String,
    },
}

/// A piece of a block.
#[derive(serde::Deserialize)]
pub(super) struct BlockDelta<'a> {
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(borrow, default)]
    thinking: Option<Text<'a>>,
    #[serde(borrow, default)]
    signature: Option<Text<'a>>,
    #[serde(borrow, default)]
    partial_json: Option<Text<'a>>,
    #[serde(borrow, default)]
    citation: Option<Json<'a>>,
    /// Of `compaction_delta`.
    #[serde(borrow, default)]
    content: Option<Json<'a>>,
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
}

impl Blocks {
    /// Whether the model called a tool of the client's.
    pub(super) fn called(&self) -> bool {
        self.calls > 0
    }

    /// Whether a call was the answer.
    pub(super) fn answered(&self) -> bool {
        self.answered
    }

    /// A block begins. Most say nothing yet.
    pub(super) fn start<'a>(&mut self, index: u64, raw: &Json<'a>, losses: &mut Losses) -> Option<Delta<'a>> {
        let mut fields: Fields<'a> = raw.read().unwrap_or_default();
        let kind = take_text(&mut fields, "type");
        let (block, delta) = match &*kind {
            "text" => {
                take(&mut fields, "citations");
                (Block::Text, text_delta(take_text(&mut fields, "text")))
            }
            "thinking" => {
                let entry = self.next_thought();
                let (text, signature) =
                    (take_text(&mut fields, "thinking"), take_text(&mut fields, "signature"));
                let begun = !text.is_empty() || !signature.is_empty();
                (
                    Block::Thinking { entry, begun },
                    begun.then(|| thinking_delta(entry, false, text, signature)),
                )
            }
            "redacted_thinking" => {
                let detail = ReasoningDetail {
                    kind: "reasoning.encrypted".into(),
                    index: Some(self.next_thought()),
                    data: Some(take_text(&mut fields, "data")),
                    format: Some(VENDOR.into()),
                    ..ReasoningDetail::default()
                };
                (Block::Redacted, Some(Delta { reasoning_details: vec![detail], ..Delta::default() }))
            }
            "tool_use" => {
                let (id, name) = (take_text(&mut fields, "id"), take_text(&mut fields, "name"));
                let input = take(&mut fields, "input")
                    .map_or_else(|| "{}".to_owned(), |input| input.text().into_owned());
                if let Some(form) = answer_tool::form_of(&name) {
                    self.answered = true;
                    self.open.push((index, Block::Answer { form, input, begun: false }));
                    return None;
                }
                let call = self.calls;
                self.calls += 1;
                let first = ToolCallDelta::first(call, id, name, "");
                let delta = Delta { tool_calls: vec![first], ..Delta::default() };
                (Block::Call { call, input, argued: false }, Some(delta))
            }
            _ => (Block::Own { block: raw.to_value(), input: String::new() }, None),
        };
        if !matches!(block, Block::Own { .. }) {
            for (name, _) in fields.present().filter(|(name, value)| says_something(name, value)) {
                losses.add(format!("content[{index}].{name}"), "a stream has no place for it");
            }
        }
        self.open.push((index, block));
        delta
    }

    /// A block goes on.
    pub(super) fn grow<'a>(
        &mut self,
        index: u64,
        piece: BlockDelta<'a>,
        losses: &mut Losses,
    ) -> Option<Delta<'a>> {
        let Some((_, block)) = self.open.iter_mut().rev().find(|(own, _)| *own == index) else {
            losses.add(format!("content[{index}]"), "a piece of a block that is not open");
            return None;
        };
        match block {
            Block::Text => match piece.citation {
                Some(citation) => Some(citation_delta(&citation)),
                None => text_delta(piece.text.unwrap_or_default()),
            },
            Block::Thinking { entry, begun } => {
                let (text, signature) =
                    (piece.thinking.unwrap_or_default(), piece.signature.unwrap_or_default());
                if text.is_empty() && signature.is_empty() {
                    return None;
                }
                let again = std::mem::replace(begun, true);
                Some(thinking_delta(*entry, again, text, signature))
            }
            Block::Call { call, argued, .. } => {
                let arguments = piece.partial_json.filter(|json| !json.is_empty())?;
                *argued = true;
                Some(call_delta(*call, arguments))
            }
            Block::Answer { form, input, begun } => {
                let more = piece.partial_json.filter(|json| !json.is_empty())?;
                if !std::mem::replace(begun, true) {
                    input.clear();
                }
                if *form == Form::Plain {
                    return text_delta(more);
                }
                input.push_str(&more);
                None
            }
            Block::Own { block, input } => {
                match (piece.partial_json, piece.content) {
                    (Some(json), _) => input.push_str(&json),
                    (None, Some(content)) => append(block, "content", content.to_value()),
                    (None, None) => losses.add(&*piece.kind, "a piece this adapter does not know"),
                }
                None
            }
            Block::Redacted => None,
        }
    }

    /// A block is complete.
    pub(super) fn stop<'a>(&mut self, index: u64) -> Option<Delta<'a>> {
        let position = self.open.iter().rposition(|(own, _)| *own == index)?;
        close(self.open.remove(position).1)
    }

    /// Closes a block whose end was never told. `None`: none has anything left to say.
    pub(super) fn stop_any<'a>(&mut self) -> Option<Delta<'a>> {
        while !self.open.is_empty() {
            let delta = close(self.open.remove(0).1);
            if delta.is_some() {
                return delta;
            }
        }
        None
    }

    fn next_thought(&mut self) -> u64 {
        let entry = self.thoughts;
        self.thoughts += 1;
        entry
    }
}

fn close<'a>(block: Block) -> Option<Delta<'a>> {
    match block {
        // A call without arguments gets no piece; clients expect JSON all the same.
        Block::Call { call, input, argued: false } => Some(call_delta(call, input.into())),
        Block::Answer { form: Form::Plain, begun: true, .. } => None,
        Block::Answer { form, input, .. } => text_delta(answer_tool::answer_in(form, &input).into()),
        Block::Own { mut block, input } => {
            if !input.is_empty() {
                let input = serde_json::from_str(&input).unwrap_or(Value::String(input));
                append(&mut block, "input", input);
            }
            Some(Delta { content_parts: vec![own_part(block)], ..Delta::default() })
        }
        _ => None,
    }
}

/// Adds to a field of a block: text to text, everything else replaces.
fn append(block: &mut Value, name: &str, more: Value) {
    match (block.get_mut(name), more) {
        (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
        (_, more) => {
            if let Value::Object(block) = block {
                block.insert(name.to_owned(), more);
            }
        }
    }
}

fn text_delta(text: Text<'_>) -> Option<Delta<'_>> {
    (!text.is_empty()).then(|| Delta { content: Some(text), ..Delta::default() })
}

/// `again`: the entry's type and format have been told.
fn thinking_delta<'a>(entry: u64, again: bool, text: Text<'a>, signature: Text<'a>) -> Delta<'a> {
    let said = Some(text).filter(|text| !text.is_empty());
    let detail = ReasoningDetail {
        kind: "reasoning.text".into(),
        index: Some(entry),
        text: said.clone(),
        signature: Some(signature).filter(|signature| !signature.is_empty()),
        format: (!again).then(|| VENDOR.into()),
        ..ReasoningDetail::default()
    };
    Delta { reasoning_content: said, reasoning_details: vec![detail], ..Delta::default() }
}

fn call_delta(call: u64, arguments: Text<'_>) -> Delta<'_> {
    Delta { tool_calls: vec![ToolCallDelta::more(call, arguments)], ..Delta::default() }
}

fn citation_delta<'a>(citation: &Json<'_>) -> Delta<'a> {
    let note = json!({ "type": "vendor", "vendor": VENDOR, "value": citation.to_value() });
    Delta { annotations: vec![note.into()], ..Delta::default() }
}
