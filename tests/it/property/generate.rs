//! Random answers: texts, thoughts and calls in any order, in pieces of any size.

use serde_json::{Value, json};

/// A source of chance that starts with a seed (splitmix64).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }

    /// A text that is hard to carry, and never blank.
    pub(super) fn text(&mut self) -> String {
        const PIECES: &[&str] = &[
            "tide",
            " ",
            "ü",
            "🌊",
            "日本",
            "\"",
            "\\",
            "\n",
            "\n\n",
            "data: ",
            "[DONE]",
            "{\"a\":1}",
            "</think>",
            "\t",
            "\u{2028}",
            "event: x",
            "null",
            "\u{1F468}\u{200D}\u{1F469}",
        ];
        let mut text = String::from("a");
        for _ in 0..self.below(12) {
            let piece: &&str = self.pick(PIECES);
            text.push_str(piece);
        }
        text.push('z');
        text
    }

    /// Arguments of a call.
    pub(super) fn arguments(&mut self) -> Value {
        let mut arguments = serde_json::Map::new();
        for name in 0..self.below(4) {
            let value = match self.below(5) {
                0 => json!(self.below(1000)),
                1 => json!(self.chance(50)),
                2 => json!([self.text(), null]),
                3 => json!({ "deep": { "er": self.text() } }),
                _ => json!(self.text()),
            };
            arguments.insert(format!("field_{name}"), value);
        }
        Value::from(arguments)
    }

    /// A text in pieces, cut between any two letters.
    pub(super) fn pieces(&mut self, text: &str) -> Vec<String> {
        let mut pieces = vec![String::new()];
        for letter in text.chars() {
            if self.chance(30) {
                pieces.push(String::new());
            }
            pieces.last_mut().unwrap().push(letter);
        }
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    /// Bytes in slices, cut anywhere.
    pub(super) fn slices<'b>(&mut self, bytes: &'b [u8]) -> Vec<&'b [u8]> {
        let (mut slices, mut rest) = (Vec::new(), bytes);
        let largest = *self.pick(&[2, 7, 60, 4000]);
        while !rest.is_empty() {
            let (slice, after) = rest.split_at(rest.len().min(1 + self.below(largest)));
            slices.push(slice);
            rest = after;
        }
        slices
    }

    /// What a model says: up to seven blocks, never two texts or two thoughts in a row.
    pub(super) fn blocks(&mut self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        for number in 0..=self.below(7) {
            let block = match self.below(4) {
                0 => Block::Thought(self.text()),
                1 => Block::Text(self.text()),
                _ => Block::Call {
                    id: format!("call_{number}"),
                    name: format!("tool_{}", self.below(3)),
                    arguments: self.arguments(),
                },
            };
            if blocks.last().is_none_or(|last| !last.is_like(&block)) {
                blocks.push(block);
            }
        }
        blocks
    }
}

/// One thing a model says.
#[derive(Clone, Debug)]
pub(super) enum Block {
    Text(String),
    Thought(String),
    Call { id: String, name: String, arguments: Value },
}

impl Block {
    fn is_like(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Text(_), Self::Text(_)) | (Self::Thought(_), Self::Thought(_)))
    }
}

/// All texts, all thoughts, and the calls with their arguments, in order.
pub(super) fn summed(blocks: &[Block]) -> (String, String, Vec<(String, Value)>) {
    let (mut text, mut thought, mut calls) = (String::new(), String::new(), Vec::new());
    for block in blocks {
        match block {
            Block::Text(more) => text.push_str(more),
            Block::Thought(more) => thought.push_str(more),
            Block::Call { name, arguments, .. } => calls.push((name.clone(), arguments.clone())),
        }
    }
    (text, thought, calls)
}
