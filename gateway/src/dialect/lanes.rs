//! Blocks of one answer, one after the other: deltas may interleave in canonical chat, clients do not expect that.
//!
//! What belongs to the open block is written at once; what belongs to a later one waits. The open block closes when
//! something stands behind it and it can get nothing more: text and reasoning always, a call when its arguments are a
//! complete object. At the end all close, in order. Everything here is bytes that are framed already.

use std::collections::VecDeque;

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

struct Block {
    lane: Lane,
    /// Bytes not written yet.
    waiting: Vec<u8>,
    /// What closes it.
    stop: Vec<u8>,
    arguments: Arguments,
}

/// The blocks that are not closed.
#[derive(Default)]
pub(super) struct Lanes {
    blocks: VecDeque<Block>,
}

impl Lanes {
    /// Whether the last block is in this lane, so that it grows.
    pub(super) fn ends_with(&self, lane: Lane) -> bool {
        self.blocks.back().is_some_and(|block| block.lane == lane)
    }

    /// Whether there is a block that has not closed.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Puts a block at the end.
    pub(super) fn push(&mut self, lane: Lane, start: Vec<u8>, stop: Vec<u8>, out: &mut Vec<u8>) {
        self.blocks.push_back(Block { lane, waiting: start, stop, arguments: Arguments::default() });
        self.advance(out);
    }

    /// Adds to the last block.
    pub(super) fn add(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let is_open = self.blocks.len() == 1;
        match self.blocks.back_mut() {
            Some(_) if is_open => out.extend_from_slice(bytes),
            Some(last) => last.waiting.extend_from_slice(bytes),
            None => {}
        }
    }

    /// Adds a piece of arguments to a call; false when that call is closed already.
    pub(super) fn argue(&mut self, call: usize, piece: &str, framed: &[u8], out: &mut Vec<u8>) -> bool {
        let place = self.blocks.iter().position(|block| block.lane == Lane::Call(call));
        let Some((place, block)) = place.and_then(|place| Some((place, self.blocks.get_mut(place)?))) else {
            return false;
        };
        block.arguments.feed(piece);
        if place == 0 {
            out.extend_from_slice(framed);
        } else {
            block.waiting.extend_from_slice(framed);
        }
        self.advance(out);
        true
    }

    /// Closes every block.
    pub(super) fn close_all(&mut self, out: &mut Vec<u8>) {
        for block in self.blocks.drain(..) {
            out.extend_from_slice(&block.waiting);
            out.extend_from_slice(&block.stop);
        }
    }

    /// Closes what can be closed; the first block has nothing to wait for.
    fn advance(&mut self, out: &mut Vec<u8>) {
        loop {
            let behind = self.blocks.len() > 1;
            let Some(first) = self.blocks.front_mut() else { return };
            out.append(&mut first.waiting);
            if !behind || !first.is_done() {
                return;
            }
            out.append(&mut first.stop);
            self.blocks.pop_front();
        }
    }
}

impl Block {
    fn is_done(&self) -> bool {
        !matches!(self.lane, Lane::Call(_)) || self.arguments.is_complete()
    }
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
