//! The keys that may be asked, in the order of choice, and those that are away until some time.
//!
//! Every key is in one of the two. Whether it may really be asked is looked at when it is its turn: one that may not goes
//! away until it may. So a rest costs one step when it begins to matter and one when it ends, however many keys there are.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::Millis;

/// How the next key is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// One after the other.
    #[default]
    RoundRobin,
    /// By chance.
    Random,
    /// The first of the list that may be used.
    Fixed,
    /// The most successful of a few drawn by chance; now and then whoever's turn it is, so that each is tried.
    Smart,
}

/// Every so many choices, [`Choice::Smart`] takes whoever's turn it is.
const EXPLORED_EVERY: u32 = 16;
/// From so many drawn keys it takes the best.
const DRAWN: usize = 4;

/// What a choice depends on.
pub(super) struct Question<'a> {
    pub(super) now: Millis,
    /// From when on a key may be asked.
    pub(super) free_at: &'a dyn Fn(u32) -> Millis,
    /// Keys that were tried just now: at most a handful.
    pub(super) avoided: &'a dyn Fn(u32) -> bool,
    /// How well a key does.
    pub(super) score: &'a dyn Fn(u32) -> f32,
    /// A number below the given one.
    pub(super) random: &'a mut dyn FnMut(usize) -> usize,
}

/// The keys of a pool, by their index.
#[derive(Debug)]
pub(super) struct Ring {
    line: Line,
    away: BinaryHeap<Reverse<(Millis, u32)>>,
    /// Which keys stand in line, one bit each. What is in `away` besides has been overtaken.
    standing: Vec<u64>,
    keys: u32,
    turn: u32,
    /// How many keys were looked at, ever.
    #[cfg(test)]
    pub(super) steps: u64,
}

#[derive(Debug)]
enum Line {
    Queue(VecDeque<u32>),
    /// Smallest index first.
    Sorted(BinaryHeap<Reverse<u32>>),
}

impl Ring {
    /// All keys in line.
    pub(super) fn new(choice: Choice, keys: u32) -> Self {
        let line = match choice {
            Choice::Fixed => Line::Sorted((0..keys).map(Reverse).collect()),
            _ => Line::Queue((0..keys).collect()),
        };
        let words = usize::try_from(keys.div_ceil(64)).unwrap_or(0);
        Self {
            line,
            away: BinaryHeap::new(),
            standing: vec![u64::MAX; words],
            keys,
            turn: 0,
            #[cfg(test)]
            steps: 0,
        }
    }

    /// How many keys there are, in line and away.
    pub(super) fn keys(&self) -> u32 {
        self.keys
    }

    /// Whether a key could be chosen; those in line that may not be asked go away on the way.
    pub(super) fn has_free(
        &mut self,
        now: Millis,
        free_at: &dyn Fn(u32) -> Millis,
        avoided: &dyn Fn(u32) -> bool,
    ) -> bool {
        self.welcome_back(now);
        let mut question = Question { now, free_at, avoided, score: &|_| 1.0, random: &mut |_| 0 };
        match self.line {
            Line::Queue(_) => self.at_random(&mut question).is_some(),
            Line::Sorted(_) => self.first(&mut question).is_some(),
        }
    }

    /// The next key that may be asked.
    pub(super) fn choose(&mut self, choice: Choice, question: &mut Question<'_>) -> Option<u32> {
        self.welcome_back(question.now);
        match choice {
            Choice::RoundRobin => self.in_turn(question),
            Choice::Random => self.at_random(question),
            Choice::Fixed => self.first(question),
            Choice::Smart => self.best(question),
        }
    }

    /// When the first key comes back, if none may be asked now.
    pub(super) fn earliest(&mut self, free_at: &dyn Fn(u32) -> Millis) -> Option<(Millis, u32)> {
        while let Some(Reverse((at, key))) = self.away.peek().copied() {
            if self.stands(key) {
                self.away.pop();
                continue;
            }
            let free = free_at(key);
            if free <= at {
                return Some((at.min(free), key));
            }
            self.away.pop();
            self.away.push(Reverse((free, key)));
        }
        None
    }

    /// The key may be asked again before its time.
    pub(super) fn lift(&mut self, key: u32) {
        if !self.stands(key) {
            self.away.push(Reverse((0, key)));
        }
    }

    fn welcome_back(&mut self, now: Millis) {
        while let Some(Reverse((at, key))) = self.away.peek().copied() {
            if at > now {
                return;
            }
            self.away.pop();
            if !self.stands(key) {
                self.mark(key, true);
                match &mut self.line {
                    Line::Queue(queue) => queue.push_back(key),
                    Line::Sorted(heap) => heap.push(Reverse(key)),
                }
            }
        }
    }

    /// Whether a key that was taken out of the line may be asked; if not, it goes away.
    fn passes(&mut self, key: u32, question: &Question<'_>) -> bool {
        #[cfg(test)]
        {
            self.steps += 1;
        }
        let free = (question.free_at)(key);
        let passes = free <= question.now;
        if !passes {
            self.mark(key, false);
            self.away.push(Reverse((free, key)));
        }
        passes
    }

    fn in_turn(&mut self, question: &mut Question<'_>) -> Option<u32> {
        let mut passed = 0;
        while passed < self.queue()?.len() {
            let key = self.queue()?.pop_front()?;
            if !self.passes(key, question) {
                continue;
            }
            self.queue()?.push_back(key);
            if !(question.avoided)(key) {
                return Some(key);
            }
            passed += 1;
        }
        None
    }

    fn at_random(&mut self, question: &mut Question<'_>) -> Option<u32> {
        let length = self.queue()?.len();
        let start = if length == 0 { 0 } else { (question.random)(length) };
        let mut passed = 0;
        while passed < self.queue()?.len() {
            let queue = self.queue()?;
            let at = (start + passed).checked_rem(queue.len())?;
            let key = *queue.get(at)?;
            if !self.passes(key, question) {
                self.queue()?.swap_remove_back(at);
            } else if (question.avoided)(key) {
                passed += 1;
            } else {
                return Some(key);
            }
        }
        None
    }

    fn best(&mut self, question: &mut Question<'_>) -> Option<u32> {
        self.turn = self.turn.wrapping_add(1);
        if self.turn.is_multiple_of(EXPLORED_EVERY) {
            return self.in_turn(question);
        }
        let mut best: Option<(f32, u32)> = None;
        for _ in 0..DRAWN {
            let key = self.at_random(question)?;
            let score = (question.score)(key);
            if best.is_none_or(|(highest, _)| score > highest) {
                best = Some((score, key));
            }
        }
        best.map(|(_, key)| key)
    }

    fn first(&mut self, question: &mut Question<'_>) -> Option<u32> {
        let mut aside = Vec::new();
        let mut found = None;
        while let Line::Sorted(heap) = &mut self.line {
            let Some(Reverse(key)) = heap.pop() else { break };
            if !self.passes(key, question) {
                continue;
            }
            aside.push(Reverse(key));
            if !(question.avoided)(key) {
                found = Some(key);
                break;
            }
        }
        if let Line::Sorted(heap) = &mut self.line {
            heap.extend(aside);
        }
        found
    }

    fn queue(&mut self) -> Option<&mut VecDeque<u32>> {
        match &mut self.line {
            Line::Queue(queue) => Some(queue),
            Line::Sorted(_) => None,
        }
    }

    fn stands(&self, key: u32) -> bool {
        let (word, bit) = place(key);
        self.standing.get(word).is_some_and(|bits| bits & bit != 0)
    }

    fn mark(&mut self, key: u32, stands: bool) {
        let (word, bit) = place(key);
        if let Some(bits) = self.standing.get_mut(word) {
            *bits = if stands { *bits | bit } else { *bits & !bit };
        }
    }
}

/// The word of a key's bit, and the bit.
fn place(key: u32) -> (usize, u64) {
    (usize::try_from(key / 64).unwrap_or(usize::MAX), 1 << (key % 64))
}
