//! What the operator sees of a pool, and what may be lifted by hand. Ids and times only, never a key.

use std::collections::BTreeSet;

use serde::Serialize;

use super::rest::{Cause, Rest};
use super::{ChosenKey, Millis, Pool, read_id, shown};

/// How many keys there are, and how many may be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All keys.
    pub keys: usize,
    /// Those that do not rest.
    pub usable: usize,
    /// Those that rest at every model.
    pub resting: usize,
    /// Those that rest at some model only.
    pub limited: usize,
}

/// Which keys to list.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Only those that rest, at every model or at some.
    pub resting: bool,
    /// So many are left out at the beginning.
    pub skip: usize,
    /// At most so many are listed.
    pub limit: usize,
}

/// A part of the list.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Listed {
    /// In the order of the configuration.
    pub keys: Vec<KeyState>,
    /// What to skip for the next part; absent: this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
}

/// What is known of one key.
#[derive(Clone, Debug, Serialize)]
pub struct KeyState {
    /// Its id.
    pub id: String,
    /// The operator's note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// `usable` or `resting`.
    pub state: &'static str,
    /// Why it rests, and until when.
    #[serde(flatten)]
    pub rest: Option<Resting>,
    /// Refusals in a row.
    #[serde(skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// Where it rests at some models only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<AtModel>,
}

/// A rest at one model.
#[derive(Clone, Debug, Serialize)]
pub struct AtModel {
    /// The provider's own model name.
    pub model: String,
    /// The rest.
    #[serde(flatten)]
    pub rest: Resting,
}

/// A rest that is not over.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Resting {
    /// Why.
    pub cause: Cause,
    /// From when on, in milliseconds since 1970.
    pub since: Millis,
    /// Until when.
    pub until: Millis,
}

impl Resting {
    fn of(rest: &Rest, now: Millis) -> Option<Self> {
        let Rest { cause, since, until, .. } = *rest;
        (until > now).then_some(Self { cause, since, until })
    }
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Pool {
    /// How many keys may be asked now.
    pub fn counts(&self, now: Millis) -> Counts {
        let state = self.state.lock();
        let rests = |key: &u32| state.rests.get(key).is_some_and(|rest| rest.until > now);
        let resting = state.rests.keys().filter(|key| rests(key)).count();
        let at_models = state.models.values().flat_map(|line| &line.rests);
        let limited: BTreeSet<u32> =
            at_models.filter(|(key, rest)| rest.until > now && !rests(key)).map(|(key, _)| *key).collect();
        let keys = self.keys.len();
        Counts { keys, usable: keys - resting.min(keys), resting, limited: limited.len() }
    }

    /// A part of the list of keys.
    pub fn list(&self, wanted: Wanted, now: Millis) -> Listed {
        let state = self.state.lock();
        let every = 0..u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let indexes: Vec<u32> = if wanted.resting {
            let at_models = state.models.values().flat_map(|line| &line.rests);
            let all = state.rests.iter().chain(at_models);
            let found: BTreeSet<u32> =
                all.filter(|(_, rest)| rest.until > now).map(|(key, _)| *key).collect();
            found.into_iter().skip(wanted.skip).take(wanted.limit.saturating_add(1)).collect()
        } else {
            every.skip(wanted.skip).take(wanted.limit.saturating_add(1)).collect()
        };
        let next = (indexes.len() > wanted.limit).then(|| wanted.skip.saturating_add(wanted.limit));
        let one = |index: u32| {
            let rest = state.rests.get(&index);
            let at_models = state.models.iter().filter_map(|(model, line)| {
                let rest = Resting::of(line.rests.get(&index)?, now)?;
                Some(AtModel { model: model.to_string(), rest })
            });
            let resting = rest.and_then(|rest| Resting::of(rest, now));
            Some(KeyState {
                id: shown(self.keys.get(index as usize)?.digest),
                note: self.notes.get(&index).map(|note| note.to_string()),
                state: if resting.is_some() { "resting" } else { "usable" },
                rest: resting,
                failures: rest.map_or(0, |rest| rest.failures),
                models: at_models.collect(),
            })
        };
        Listed { keys: indexes.into_iter().take(wanted.limit).filter_map(one).collect(), next }
    }

    /// Lifts the rests of the key with this id, or of all; tells how many keys rested. `None`: there is no such key.
    pub fn restore(&self, id: Option<&str>) -> Option<usize> {
        let mut state = self.state.lock();
        let indexes: BTreeSet<u32> = match id {
            Some(id) => [self.circle.index(read_id(id)?)?].into(),
            None => {
                let at_models = state.models.values().flat_map(|line| line.rests.keys());
                state.rests.keys().chain(at_models).copied().collect()
            }
        };
        let mut lifted = Vec::new();
        for index in indexes {
            let at = |line: &&super::state::ModelLine| line.rests.contains_key(&index);
            let models: Vec<Box<str>> =
                state.models.iter().filter(|(_, line)| at(line)).map(|(model, _)| model.clone()).collect();
            if state.restore(index) {
                lifted.push((index, models));
            }
        }
        drop(state);
        for (index, models) in &lifted {
            if let Some(key) = self.keys.get(*index as usize) {
                self.forget(key.digest, models.iter().map(AsRef::as_ref));
            }
        }
        Some(lifted.len())
    }

    /// Refused keys that could be asked whether they are well again: those past half of their rest. One whose quota is used
    /// up is not among them, for it may still ask what costs nothing.
    pub fn due(&self, most: usize, now: Millis) -> Vec<ChosenKey> {
        let mut state = self.state.lock();
        let serial = state.next_serial();
        let half = |rest: &Rest| rest.since + rest.until.saturating_sub(rest.since) / 2;
        let due = state
            .rests
            .iter()
            .filter(|(_, rest)| rest.cause == Cause::Refused && rest.until > now && half(rest) <= now);
        let due = due.filter_map(|(index, _)| {
            Some(ChosenKey { index: *index, digest: self.keys.get(*index as usize)?.digest, serial })
        });
        due.take(most).collect()
    }

    /// Every key, for a test of them all.
    pub fn each(&self) -> impl Iterator<Item = ChosenKey> + '_ {
        (0_u32..).zip(&self.keys).map(|(index, key)| ChosenKey { index, digest: key.digest, serial: 0 })
    }
}
