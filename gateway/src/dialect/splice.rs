//! Parts of a body replaced, every other byte kept.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde_json::value::RawValue;

/// Where `part`, which was borrowed from `body`, stands in it.
pub(super) fn span(body: &[u8], part: &RawValue) -> Option<Range<usize>> {
    let start = part.get().as_ptr().addr().checked_sub(body.as_ptr().addr())?;
    let end = start.checked_add(part.get().len())?;
    (end <= body.len()).then_some(start..end)
}

/// A list of these elements, each as it was.
pub(super) fn list<'e>(elements: impl IntoIterator<Item = &'e str>) -> String {
    let elements: Vec<&str> = elements.into_iter().collect();
    format!("[{}]", elements.join(","))
}

/// The body with these parts replaced. They do not overlap.
pub(super) fn splice(body: &[u8], mut parts: Vec<(Range<usize>, String)>) -> Bytes {
    parts.sort_by_key(|(span, _)| span.start);
    let grown: usize = parts.iter().map(|(_, new)| new.len()).sum();
    let mut out = BytesMut::with_capacity(body.len() + grown);
    let mut from = 0;
    for (span, new) in parts {
        out.extend_from_slice(body.get(from..span.start).unwrap_or_default());
        out.extend_from_slice(new.as_bytes());
        from = span.end;
    }
    out.extend_from_slice(body.get(from..).unwrap_or_default());
    out.freeze()
}
