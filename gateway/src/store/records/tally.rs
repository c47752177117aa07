//! What must be there: of each space the number of its records and the sum of their checksums.
//!
//! An engine that finds its file damaged may leave out what it cannot read and say nothing. The tally changes in the
//! same batch as the records, so a record that is gone without having been removed is noticed at the next start.

use super::super::StoreError;
use super::super::keyspace::{Key, Space};
use super::super::record::{self, Record};
use super::Tree;

/// So many records are looked at together.
const PAGE: usize = 1024;

/// Number and sum; both wrap, so that a change may be less than nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Tally {
    pub(in crate::store) count: u64,
    sum: u64,
}

/// A space that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Missing {
    pub(in crate::store) space: Space,
    pub(in crate::store) what: String,
}

impl Tally {
    pub(super) fn plus(self, record: &[u8]) -> Self {
        Self { count: self.count.wrapping_add(1), sum: self.sum.wrapping_add(record::sum_in(record)) }
    }

    pub(super) fn minus(self, record: &[u8]) -> Self {
        Self { count: self.count.wrapping_sub(1), sum: self.sum.wrapping_sub(record::sum_in(record)) }
    }

    pub(super) fn and(self, change: Self) -> Self {
        Self { count: self.count.wrapping_add(change.count), sum: self.sum.wrapping_add(change.sum) }
    }

    /// The record that holds it, and its key.
    pub(super) fn record(self, space: Space) -> (Vec<u8>, Option<Vec<u8>>) {
        let key = key(space);
        let value = [self.count.to_be_bytes(), self.sum.to_be_bytes()].concat();
        let bytes = Record { expires: None, value: value.into() }.encode(&key.0);
        (key.0, Some(bytes))
    }

    /// In words, what was found instead.
    pub(in crate::store) fn against(self, found: Self) -> String {
        if found.count < self.count {
            format!("{} of {} records are missing", self.count - found.count, self.count)
        } else {
            format!("its {} records are not all what was written last", found.count)
        }
    }
}

/// The store's own records are checked by themselves when it is opened.
pub(super) fn is_counted(space: Space) -> bool {
    !matches!(space, Space::Meta | Space::Due)
}

fn key(space: Space) -> Key {
    Space::Meta.key(&["tally", space.name()])
}

/// What was said last; nothing: by a version of the program that did not count.
pub(in crate::store) fn said(tree: &impl Tree, space: Space) -> Result<Option<Tally>, StoreError> {
    let Some(record) = super::get(tree, 0, &key(space))? else { return Ok(None) };
    let halves = record.value.split_first_chunk::<8>();
    let halves = halves.and_then(|(count, sum)| Some((*count, <[u8; 8]>::try_from(sum).ok()?)));
    Ok(halves.map(|(count, sum)| Tally { count: u64::from_be_bytes(count), sum: u64::from_be_bytes(sum) }))
}

/// What is there.
pub(super) fn found(tree: &impl Tree, space: Space) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = tree.range(&space.prefix(), after.as_deref(), PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(tally) };
        after = Some(last.clone());
        tally = page.iter().fold(tally, |tally, (_, record)| tally.plus(record));
    }
}
