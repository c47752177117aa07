//! Answers in memory, bounded by their bytes; the least recently used goes first.
//!
//! Own lines and not a crate: time is passed in, the order is exact, so both can be tested without waiting; and a
//! lookup costs less than the digest that leads to it.

use std::collections::{BTreeMap, HashMap};

use super::fingerprint::Fingerprint;
use super::kept::Kept;

/// All kept answers.
#[derive(Default)]
pub(super) struct Shelf {
    entries: HashMap<Fingerprint, Entry>,
    /// By when they were used, in turns: the first is the least recent.
    order: BTreeMap<u64, Fingerprint>,
    /// Counts uses.
    turn: u64,
    /// What all entries take.
    size: u64,
}

struct Entry {
    kept: Kept,
    /// Unix time in milliseconds.
    expires: u64,
    used: u64,
}

impl Shelf {
    pub(super) fn get(&mut self, fingerprint: &Fingerprint, now: u64) -> Option<Kept> {
        let entry = self.entries.get_mut(fingerprint)?;
        if entry.expires <= now {
            self.remove(fingerprint);
            return None;
        }
        self.order.remove(&entry.used);
        self.turn += 1;
        entry.used = self.turn;
        self.order.insert(self.turn, *fingerprint);
        Some(entry.kept.clone())
    }

    pub(super) fn put(&mut self, fingerprint: Fingerprint, kept: Kept, expires: u64, room: u64) {
        self.remove(&fingerprint);
        self.turn += 1;
        self.size += kept.size();
        self.order.insert(self.turn, fingerprint);
        self.entries.insert(fingerprint, Entry { kept, expires, used: self.turn });
        while self.size > room {
            let Some((_, oldest)) = self.order.first_key_value() else { break };
            let oldest = *oldest;
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, fingerprint: &Fingerprint) {
        let Some(entry) = self.entries.remove(fingerprint) else { return };
        self.order.remove(&entry.used);
        self.size -= entry.kept.size();
    }

    /// How many there are, and what they take.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, u64) {
        (self.entries.len(), self.size)
    }
}
