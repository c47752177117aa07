//! Puts kept state back into a canonical request, message by message; everything else stays as it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{Kept, Provenance, digest};

/// A message that may lack its state.
pub(super) struct Wanted {
    /// The id of its first call.
    pub(super) call: String,
    /// Where the message stands.
    span: Range<usize>,
}

/// What was found for one request.
#[derive(Default)]
pub struct Recalled(Vec<(Range<usize>, Kept)>);

#[derive(Deserialize)]
struct Chat<'a> {
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default)]
    tool_calls: Option<Vec<Called<'a>>>,
    #[serde(borrow, default)]
    reasoning_details: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Called<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    function: Function<'a>,
    #[serde(borrow, default)]
    extra_content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    arguments: Cow<'a, str>,
}

/// The messages with calls that came without reasoning, or with a call without state.
pub(super) fn wanted(canonical: &[u8]) -> Vec<Wanted> {
    let Ok(chat) = serde_json::from_slice::<Chat<'_>>(canonical) else { return Vec::new() };
    let one = |message: &&RawValue| {
        // Most messages are found out without parsing: inside a string the quotes would be escaped.
        memchr::memmem::find(message.get().as_bytes(), b"\"tool_calls\"")?;
        let said: Said<'_> = serde_json::from_str(message.get()).ok()?;
        let calls = said.tool_calls?;
        let first = calls.first().filter(|first| !first.id.is_empty())?;
        let bare = said.reasoning_details.is_none_or(|details| details.is_empty())
            || calls.iter().all(|call| call.extra_content.is_none());
        let start = message.get().as_ptr().addr() - canonical.as_ptr().addr();
        bare.then(|| Wanted { call: first.id.clone().into_owned(), span: start..start + message.get().len() })
    };
    chat.messages.iter().filter_map(one).collect()
}

impl Recalled {
    pub(super) fn new(wanted: Vec<Wanted>, found: Vec<Option<Bytes>>) -> Self {
        let read = |(wanted, found): (Wanted, Option<Bytes>)| {
            Some((wanted.span, serde_json::from_slice::<Kept>(&found?).ok()?))
        };
        Self(wanted.into_iter().zip(found).filter_map(read).collect())
    }

    /// The same request with the state that came from `provenance`; nothing when there is none. `canonical` is what
    /// was given to [`super::Vault::recall`].
    pub fn restored(&self, provenance: &Provenance, canonical: &[u8]) -> Option<Bytes> {
        let mut body = BytesMut::new();
        let mut from = 0;
        for (span, kept) in self.0.iter().filter(|(_, kept)| kept.provenance == *provenance) {
            let message = canonical.get(span.clone()).and_then(|bytes| std::str::from_utf8(bytes).ok());
            let Some(message) = message.and_then(|message| completed(message, kept)) else { continue };
            body.extend_from_slice(canonical.get(from..span.start)?);
            body.extend_from_slice(message.as_bytes());
            from = span.end;
        }
        if from == 0 {
            return None;
        }
        body.extend_from_slice(canonical.get(from..)?);
        Some(body.freeze())
    }
}

/// The message with its state; nothing when it is not the one that was kept, or lacks nothing.
fn completed(message: &str, kept: &Kept) -> Option<String> {
    let said: Said<'_> = serde_json::from_str(message).ok()?;
    let calls = said.tool_calls?;
    let mut fields: BTreeMap<Cow<'_, str>, Cow<'_, RawValue>> = BTreeMap::new();
    for (name, value) in serde_json::from_str::<BTreeMap<String, &RawValue>>(message).ok()? {
        fields.insert(Cow::Owned(name), Cow::Borrowed(value));
    }
    let first = calls.first()?;
    let own = |call: &Called<'_>| {
        let same = kept.calls.iter().find(|own| own.id == call.id)?;
        (same.digest == digest(&call.function.name, &call.function.arguments)).then_some(same)
    };
    own(first)?;
    let mut changed = false;
    let missing = |fields: &BTreeMap<Cow<'_, str>, Cow<'_, RawValue>>, name: &str| {
        fields.get(name).is_none_or(|value| matches!(value.get(), "null" | "[]"))
    };
    if missing(&fields, "reasoning_details") && !kept.reasoning_details.is_empty() {
        fields.insert("reasoning_details".into(), Cow::Owned(to_raw_value(&kept.reasoning_details).ok()?));
        changed = true;
        if missing(&fields, "order") && order_fits(&fields, kept) {
            fields.insert("order".into(), Cow::Owned(to_raw_value(&kept.order).ok()?));
        }
    }
    if let (true, Some(extra)) = (missing(&fields, "extra_content"), &kept.extra_content) {
        fields.insert("extra_content".into(), Cow::Borrowed(extra));
        changed = true;
    }
    if !kept.content.is_empty() && fields.get("content").is_some_and(|text| says(text, &kept.content)) {
        fields.insert("content".into(), Cow::Owned(to_raw_value(&kept.content).ok()?));
        changed = true;
    }
    let bare = |call: &Called<'_>| {
        call.extra_content.is_none() && own(call).is_some_and(|own| own.extra_content.is_some())
    };
    if calls.iter().any(bare) {
        let raw = fields.get("tool_calls")?.get().to_owned();
        fields.insert("tool_calls".into(), Cow::Owned(signed(&raw, &calls, &own)?));
        changed = true;
    }
    changed.then(|| serde_json::to_string(&fields).ok()).flatten()
}

/// The calls with their state.
fn signed<'k>(
    list: &str,
    calls: &[Called<'_>],
    own: &impl Fn(&Called<'_>) -> Option<&'k super::Call>,
) -> Option<Box<RawValue>> {
    let mut list: Vec<BTreeMap<String, Cow<'_, RawValue>>> =
        serde_json::from_str::<Vec<BTreeMap<String, Box<RawValue>>>>(list)
            .ok()?
            .into_iter()
            .map(|call| call.into_iter().map(|(name, value)| (name, Cow::Owned(value))).collect())
            .collect();
    for (fields, call) in list.iter_mut().zip(calls) {
        if call.extra_content.is_none()
            && let Some(extra) = own(call).and_then(|own| own.extra_content.as_deref())
        {
            fields.insert("extra_content".to_owned(), Cow::Borrowed(extra));
        }
    }
    to_raw_value(&list).ok()
}

/// The kept order names each block once; it is of use only while there are as many.
fn order_fits(fields: &BTreeMap<Cow<'_, str>, Cow<'_, RawValue>>, kept: &Kept) -> bool {
    let said = |kind: &str| kept.order.iter().filter(|word| word.starts_with(kind)).count();
    let has_text =
        fields.get("content").is_some_and(|content| !matches!(content.get(), "null" | "\"\"" | "[]"));
    let contents = if kept.content.is_empty() { usize::from(has_text) } else { kept.content.len() };
    let calls =
        fields.get("tool_calls").and_then(|calls| serde_json::from_str::<Vec<&RawValue>>(calls.get()).ok());
    !kept.order.is_empty()
        && said("content:") == contents
        && said("tool_call:") == calls.map_or(0, |calls| calls.len())
        && said("reasoning:") == kept.reasoning_details.len()
}

/// Whether a text is what these parts say.
fn says(text: &RawValue, parts: &[Box<RawValue>]) -> bool {
    #[derive(Deserialize)]
    struct Part {
        #[serde(default)]
        text: String,
    }
    let joined: String = parts
        .iter()
        .filter_map(|part| serde_json::from_str::<Part>(part.get()).ok())
        .map(|part| part.text)
        .collect();
    let text: Option<String> = serde_json::from_str(text.get()).ok();
    text.as_ref() == Some(&joined) || text.is_none() && joined.is_empty()
}
