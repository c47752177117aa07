//! Anthropic's blocks cannot interleave, canonical deltas can: blocks queue here, and only the first is open.
//!
//! What belongs to the open block is written at once; what belongs to a later one waits. The open block closes
//! when something stands behind it and it can get nothing more: text and reasoning always, a call when its
//! arguments are a complete object. At the end all close, in order.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::written::Block;
use crate::dialect::sse;

/// What a block is, so that the next delta finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Text,
    /// Reasoning, with its index where the provider counts.
    Reasoning(Option<usize>),
    /// A tool call with this index.
    Call(usize),
    /// A block that came whole.
    Whole,
}

/// A block on its way out.
struct Waiting {
    lane: Lane,
    /// What `content_block_start` shows.
    start: Vec<u8>,
    /// Deltas not written yet.
    deltas: Vec<Vec<u8>>,
    /// A signature comes in pieces; clients take each `signature_delta` for the whole.
    signature: String,
    /// The data of redacted thinking stands in its start, which therefore waits for the last piece.
    redacted: Option<String>,
    arguments: Arguments,
}

/// The blocks of one answer.
#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether the first one's start is written.
    open: bool,
    /// The index of the first one.
    index: usize,
}

impl Queue {
    /// Whether the last block is in this lane, so that it grows.
    pub(super) fn ends_with(&self, lane: Lane) -> bool {
        self.waiting.back().is_some_and(|block| block.lane == lane)
    }

    /// Puts a block at the end.
    pub(super) fn push(&mut self, lane: Lane, start: &Block<'_>, out: &mut Vec<u8>) {
        self.push_raw(lane, json(start), out);
    }

    /// Puts a block at the end whose start is already written down.
    pub(super) fn push_raw(&mut self, lane: Lane, start: Vec<u8>, out: &mut Vec<u8>) {
        self.waiting.push_back(Waiting {
            lane,
            start,
            deltas: Vec::new(),
            signature: String::new(),
            redacted: None,
            arguments: Arguments::default(),
        });
        self.advance(out);
    }

    /// Puts redacted thinking at the end, whose data may go on.
    pub(super) fn push_redacted(&mut self, lane: Lane, data: &str, out: &mut Vec<u8>) {
        self.waiting.push_back(Waiting {
            lane,
            start: Vec::new(),
            deltas: Vec::new(),
            signature: String::new(),
            redacted: Some(data.to_owned()),
            arguments: Arguments::default(),
        });
        self.advance(out);
    }

    /// Adds a delta to the last block.
    pub(super) fn delta(&mut self, delta: Vec<u8>, out: &mut Vec<u8>) {
        let first = self.open && self.waiting.len() == 1;
        if first {
            block_delta(self.index, &delta, out);
        } else if let Some(last) = self.waiting.back_mut() {
            last.deltas.push(delta);
        }
    }

    /// Adds a piece to the signature of the last block.
    pub(super) fn sign(&mut self, piece: &str) {
        if let Some(last) = self.waiting.back_mut() {
            last.signature.push_str(piece);
        }
    }

    /// Whether the last block is in this lane and has a signature, or the beginning of one.
    pub(super) fn is_signed_in(&self, lane: Lane) -> bool {
        self.waiting.back().is_some_and(|last| last.lane == lane && !last.signature.is_empty())
    }

    /// Adds a piece of data to the last block; false when it is not redacted thinking.
    pub(super) fn grow_redacted(&mut self, piece: &str) -> bool {
        let data = self.waiting.back_mut().and_then(|last| last.redacted.as_mut());
        data.map(|data| data.push_str(piece)).is_some()
    }

    /// Adds a piece to a call's arguments; false when that call is closed already.
    pub(super) fn argue(&mut self, call: usize, piece: &str, delta: Vec<u8>, out: &mut Vec<u8>) -> bool {
        let Some(position) = self.waiting.iter().position(|block| block.lane == Lane::Call(call)) else {
            return false;
        };
        if let Some(block) = self.waiting.get_mut(position) {
            block.arguments.feed(piece);
            if position > 0 || !self.open {
                block.deltas.push(delta);
            } else {
                block_delta(self.index, &delta, out);
            }
        }
        self.advance(out);
        true
    }

    /// Closes every block.
    pub(super) fn close_all(&mut self, out: &mut Vec<u8>) {
        while !self.waiting.is_empty() {
            self.open_first(out);
            self.close_first(out);
        }
    }

    /// Closes what can be closed and opens what has come to the front.
    fn advance(&mut self, out: &mut Vec<u8>) {
        loop {
            self.open_first(out);
            let done = self.waiting.len() > 1 && self.waiting.front().is_some_and(Waiting::is_done);
            if !done {
                return;
            }
            self.close_first(out);
        }
    }

    fn open_first(&mut self, out: &mut Vec<u8>) {
        let Some(first) = self.waiting.front_mut() else {
            return;
        };
        if self.open || first.redacted.is_some() {
            return;
        }
        block_start(self.index, &first.start, out);
        for delta in first.deltas.drain(..) {
            block_delta(self.index, &delta, out);
        }
        self.open = true;
    }

    fn close_first(&mut self, out: &mut Vec<u8>) {
        let Some(first) = self.waiting.pop_front() else {
            return;
        };
        if let Some(data) = first.redacted {
            block_start(self.index, &json(&Block::Redacted { data: Cow::Owned(data) }), out);
        }
        if !first.signature.is_empty() {
            let delta = json(&Signature { r#type: "signature_delta", signature: &first.signature });
            block_delta(self.index, &delta, out);
        }
        let stop = format!("{{\"type\":\"content_block_stop\",\"index\":{}}}", self.index);
        sse::event(out, "content_block_stop", stop.as_bytes());
        self.open = false;
        self.index += 1;
    }
}

impl Waiting {
    fn is_done(&self) -> bool {
        !matches!(self.lane, Lane::Call(_)) || self.arguments.is_complete()
    }
}

#[derive(serde::Serialize)]
struct Signature<'a> {
    r#type: &'static str,
    signature: &'a str,
}

/// Follows a call's arguments as far as it takes to see their end.
#[derive(Default)]
struct Arguments {
    depth: usize,
    begun: bool,
    in_string: bool,
    escaped: bool,
}

impl Arguments {
    fn feed(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => {
                    self.depth += 1;
                    self.begun = true;
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.begun && self.depth == 0
    }
}

/// Writes a value; what we serialise here has no way to fail.
pub(super) fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn block_start(index: usize, block: &[u8], out: &mut Vec<u8>) {
    framed("content_block_start", index, "content_block", block, out);
}

fn block_delta(index: usize, delta: &[u8], out: &mut Vec<u8>) {
    framed("content_block_delta", index, "delta", delta, out);
}

/// One event around JSON that is already written.
fn framed(name: &str, index: usize, field: &str, value: &[u8], out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    let index = digits.format(index);
    let pieces = ["event: ", name, "\ndata: {\"type\":\"", name, "\",\"index\":", index, ",\"", field, "\":"];
    for piece in pieces {
        out.extend_from_slice(piece.as_bytes());
    }
    out.extend_from_slice(value);
    out.extend_from_slice(b"}\n\n");
}
