//! The open blocks of a stream, and what each piece of them is in canonical chat.

use plugin_sdk::Losses;
use plugin_sdk::chat::{Delta, Fields, Json, ReasoningDetail, Text, ToolCallDelta};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::VENDOR;
use crate::model::Family;
use crate::response::{citation, image, own_part, take_text};

/// `contentBlockStart`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockStart<'a> {
    #[serde(default)]
    content_block_index: u64,
    #[serde(borrow, default)]
    start: Fields<'a>,
}

/// `contentBlockDelta`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockPiece<'a> {
    #[serde(default)]
    content_block_index: u64,
    #[serde(borrow)]
    delta: Piece<'a>,
}

/// `contentBlockStop`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockStop {
    #[serde(default)]
    content_block_index: u64,
}

plugin_sdk::object! {
    /// What is new; one field is set.
    Piece {
        text: Option<Text<'a>> = "text",
        tool_use: Option<ToolPiece<'a>> = "toolUse",
        reasoning: Option<Thought<'a>> = "reasoningContent",
        citation: Option<Json<'a>> = "citation",
        image: Option<Json<'a>> = "image",
    }
}

plugin_sdk::object! {
    /// A piece of a call's arguments.
    ToolPiece {
        input: Text<'a> = "input",
    }
}

plugin_sdk::object! {
    /// A piece of a thought; one field is set.
    Thought {
        text: Option<Text<'a>> = "text",
        signature: Option<Text<'a>> = "signature",
        redacted: Option<Text<'a>> = "redactedContent",
    }
}

/// The blocks of one answer.
pub(super) struct Blocks {
    family: Family,
    /// Bedrock keeps one open at a time; nothing here relies on that.
    open: Vec<(u64, Block)>,
    calls: u64,
    thoughts: u64,
}

/// An open block. Texts and thoughts have no start of their own.
enum Block {
    Thought {
        entry: u64,
    },
    Call {
        call: u64,
        argued: bool,
    },
    /// A block of Bedrock's own, handed over whole when it is complete.
    Own {
        kind: String,
        block: Value,
        pieces: Vec<Value>,
    },
}

impl Blocks {
    /// None yet.
    pub(super) fn of(family: Family) -> Self {
        Self { family, open: Vec::new(), calls: 0, thoughts: 0 }
    }

    /// Whether the model called a tool of the client's.
    pub(super) fn called(&self) -> bool {
        self.calls > 0
    }

    /// A block begins that is more than text.
    pub(super) fn start<'a>(&mut self, event: BlockStart<'a>, losses: &mut Losses) -> Option<Delta<'a>> {
        let index = event.content_block_index;
        let (kind, inside) = event.start.present().next()?;
        let mut fields: Fields<'a> = inside.read().unwrap_or_default();
        if kind != "toolUse" || fields.get("type").is_some() {
            let (kind, block) = (kind.to_owned(), inside.to_value());
            self.open.push((index, Block::Own { kind, block, pieces: Vec::new() }));
            return None;
        }
        let call = self.calls;
        self.calls += 1;
        let (id, name) = (take_text(&mut fields, "toolUseId"), take_text(&mut fields, "name"));
        losses.add_fields(&fields, &format!("content[{index}].toolUse"), "a call has no place for it");
        self.open.push((index, Block::Call { call, argued: false }));
        Some(Delta { tool_calls: vec![ToolCallDelta::first(call, id, name, "")], ..Delta::default() })
    }

    /// A block goes on, or a text or thought begins.
    pub(super) fn grow<'a>(&mut self, event: BlockPiece<'a>, losses: &mut Losses) -> Option<Delta<'a>> {
        let (index, piece) = (event.content_block_index, event.delta);
        let open = self.open.iter_mut().rev().find(|(own, _)| *own == index).map(|(_, block)| block);
        if let Some(Block::Own { pieces, .. }) = open {
            pieces.push(serde_json::to_value(&piece).unwrap_or_default());
            return None;
        }
        losses.add_fields(&piece.rest, &format!("content[{index}]"), "a piece this adapter does not know");
        if let Some(text) = piece.text {
            return (!text.is_empty()).then(|| Delta { content: Some(text), ..Delta::default() });
        }
        if let Some(tool) = piece.tool_use {
            let Some(Block::Call { call, argued }) = open else {
                losses.add(format!("content[{index}]"), "a piece of a call that is not open");
                return None;
            };
            if tool.input.is_empty() {
                return None;
            }
            *argued = true;
            let more = ToolCallDelta::more(*call, tool.input);
            return Some(Delta { tool_calls: vec![more], ..Delta::default() });
        }
        if let Some(thought) = piece.reasoning {
            return self.think(index, thought, losses);
        }
        if let Some(told) = piece.citation {
            return Some(Delta { annotations: vec![citation(&told)], ..Delta::default() });
        }
        let picture = piece.image?;
        let part = picture.read::<Fields<'_>>().and_then(|fields| image(&fields));
        let part = part.unwrap_or_else(|| own_part(json!({ "image": picture.to_value() })));
        Some(Delta { content_parts: vec![part], ..Delta::default() })
    }

    fn think<'a>(&mut self, index: u64, thought: Thought<'a>, losses: &mut Losses) -> Option<Delta<'a>> {
        losses.add_fields(&thought.rest, &format!("content[{index}]"), "a thought has no place for it");
        let said = |text: &Option<Text<'_>>| text.as_ref().is_some_and(|text| !text.is_empty());
        if !said(&thought.text) && !said(&thought.signature) && !said(&thought.redacted) {
            return None;
        }
        let known = self.open.iter().rev().find_map(|(own, block)| match block {
            Block::Thought { entry } if *own == index => Some(*entry),
            _ => None,
        });
        let entry = known.unwrap_or_else(|| {
            let entry = self.thoughts;
            self.thoughts += 1;
            self.open.push((index, Block::Thought { entry }));
            entry
        });
        let format = if thought.redacted.is_some() { VENDOR } else { self.family.signature_format() };
        let kind = if thought.redacted.is_some() { "reasoning.encrypted" } else { "reasoning.text" };
        let detail = ReasoningDetail {
            kind: kind.into(),
            index: Some(entry),
            text: thought.text.clone().filter(|text| !text.is_empty()),
            signature: thought.signature.filter(|text| !text.is_empty()),
            data: thought.redacted,
            format: known.is_none().then(|| format.into()),
            ..ReasoningDetail::default()
        };
        let reasoning_content = thought.text.filter(|text| !text.is_empty());
        Some(Delta { reasoning_content, reasoning_details: vec![detail], ..Delta::default() })
    }

    /// A block ends.
    pub(super) fn stop<'a>(&mut self, event: BlockStop) -> Option<Delta<'a>> {
        let place = self.open.iter().rposition(|(own, _)| *own == event.content_block_index)?;
        match self.open.remove(place).1 {
            // A call without arguments gets no piece.
            Block::Call { call, argued: false } => {
                Some(Delta { tool_calls: vec![ToolCallDelta::more(call, "{}")], ..Delta::default() })
            }
            Block::Own { kind, block, pieces } => {
                let mut whole = serde_json::Map::new();
                whole.insert(kind, block);
                if !pieces.is_empty() {
                    whole.insert("pieces".to_owned(), Value::Array(pieces));
                }
                Some(Delta { content_parts: vec![own_part(Value::Object(whole))], ..Delta::default() })
            }
            Block::Call { .. } | Block::Thought { .. } => None,
        }
    }
}
