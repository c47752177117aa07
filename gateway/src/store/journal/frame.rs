//! One entry as it stands in a file, and how entries are found again, also behind damage.
//!
//! mark (2) ‖ length of what follows the checksum (4) ‖ CRC-32 of that (4) ‖ version ‖ kind ‖ length of the id ‖ id ‖
//! payload. Numbers have their highest byte first.

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;

use super::{Entry, EntryKind};

/// What every entry begins with, so that the next one is found behind a damaged one.
const MARK: [u8; 2] = [0xCA, 0x57];
const VERSION: u8 = 1;
/// Mark, length, checksum.
const HEAD: usize = 10;
/// Version, kind, length of the id.
const FIXED: usize = 3;
/// No entry is longer.
const LONGEST: usize = 1 << 20;

/// A part of a file that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file's name.
    pub file: String,
    /// Which bytes of it.
    pub bytes: Range<u64>,
}

/// What a stretch of bytes holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) entries: Vec<Entry>,
    /// So many bytes need not be looked at again.
    pub(super) read: usize,
    pub(super) damaged: Vec<Range<usize>>,
}

/// Appends an entry. A payload that is too long is left out, which nobody writes.
pub(super) fn write(entry: &Entry, out: &mut Vec<u8>) {
    let id = entry.id.as_bytes();
    let id = id.get(..255).unwrap_or(id);
    let body = FIXED + id.len() + entry.payload.len();
    if body > LONGEST {
        return;
    }
    let start = out.len();
    out.extend_from_slice(&MARK);
    out.extend_from_slice(&u32::try_from(body).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    let kind = match entry.kind {
        EntryKind::Hold => 1,
        EntryKind::Row => 2,
        EntryKind::Settled => 3,
    };
    out.extend_from_slice(&[VERSION, kind, u8::try_from(id.len()).unwrap_or(0)]);
    out.extend_from_slice(id);
    out.extend_from_slice(&entry.payload);
    let sum = out.get(start + HEAD..).map_or(0, crc32fast::hash);
    if let Some(place) = out.get_mut(start + 6..start + HEAD) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
}

/// What stands at the beginning of some bytes.
enum Next {
    Entry(Entry, usize),
    /// An entry of a kind or version this program does not know; whole all the same.
    Unknown(usize),
    /// It goes on behind these bytes.
    Short,
    Damaged,
}

/// Reads all entries in these bytes. `last`: nothing comes behind them, so what is cut off at their end was never finished.
pub(super) fn read(bytes: &[u8], last: bool) -> Found {
    let mut found = Found::default();
    while let Some(rest) = bytes.get(found.read..).filter(|rest| !rest.is_empty()) {
        match next(rest) {
            Next::Entry(entry, size) => {
                found.entries.push(entry);
                found.read += size;
            }
            Next::Unknown(size) => {
                found.damaged.push(found.read..found.read + size);
                found.read += size;
            }
            Next::Short if !last => return found,
            // A length that was changed looks like an entry cut off: only where nothing follows is it the end.
            Next::Short | Next::Damaged => match behind(rest, last) {
                Some(skipped) => {
                    found.damaged.push(found.read..found.read + skipped);
                    found.read += skipped;
                }
                None => {
                    if matches!(next(rest), Next::Damaged) && rest.iter().any(|byte| *byte != 0) {
                        found.damaged.push(found.read..bytes.len());
                    }
                    found.read = bytes.len();
                }
            },
        }
    }
    found
}

/// How far it is to the next whole entry. Before the end of the file one that goes on behind these bytes counts too.
fn behind(rest: &[u8], last: bool) -> Option<usize> {
    let places = memmem::find_iter(rest, &MARK).filter(|at| *at > 0);
    places.into_iter().find(|at| {
        let Some(from) = rest.get(*at..) else { return false };
        match next(from) {
            Next::Entry(..) | Next::Unknown(_) => true,
            Next::Short => !last,
            Next::Damaged => false,
        }
    })
}

fn next(bytes: &[u8]) -> Next {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else {
        let begun = MARK.starts_with(bytes.get(..2).unwrap_or(bytes));
        return if begun { Next::Short } else { Next::Damaged };
    };
    let [mark_one, mark_two, l0, l1, l2, l3, s0, s1, s2, s3] = *head;
    let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
    if [mark_one, mark_two] != MARK || !(FIXED..=LONGEST).contains(&length) {
        return Next::Damaged;
    }
    let Some(body) = rest.get(..length) else { return Next::Short };
    if crc32fast::hash(body) != u32::from_be_bytes([s0, s1, s2, s3]) {
        return Next::Damaged;
    }
    entry(body).map_or(Next::Unknown(HEAD + length), |entry| Next::Entry(entry, HEAD + length))
}

fn entry(body: &[u8]) -> Option<Entry> {
    let (fixed, rest) = body.split_first_chunk::<FIXED>()?;
    let [VERSION, kind, id] = *fixed else { return None };
    let kind = match kind {
        1 => EntryKind::Hold,
        2 => EntryKind::Row,
        3 => EntryKind::Settled,
        _ => return None,
    };
    let (id, payload) = rest.split_at_checked(usize::from(id))?;
    Some(Entry {
        kind,
        id: std::str::from_utf8(id).ok()?.to_owned(),
        payload: Bytes::copy_from_slice(payload),
    })
}
