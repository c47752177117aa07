//! Canonical chunks as OpenAI's stream: the same lines framed as events, with the time and an id where there is none.

use memchr::memchr;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::answer::{Flattened, own_id};
use super::{failure, foreign};
use crate::dialect::word::Word;
use crate::dialect::{AnswerFacts, StreamWriter, sse};
use crate::error::GatewayError;

/// The gaps of a canonical chunk.
static NO_ID: Word = Word::new("\"id\":\"\"");
static NO_TIME: Word = Word::new("\"created\":0");
/// What only canonical chunks have.
static CONTENT_PARTS: Word = Word::new("\"content_parts\"");

/// One stream.
pub(super) struct Writer {
    created: String,
    /// Quotes included.
    id: String,
    include_usage: bool,
    /// `[DONE]` or an error was written; nothing may follow.
    closed: bool,
}

impl Writer {
    pub(super) fn new(facts: &AnswerFacts, include_usage: bool) -> Self {
        Self { created: facts.created.to_string(), id: own_id(facts), include_usage, closed: false }
    }

    /// The line with its gaps filled. Both stand before the first nested value, where nothing of the provider's can be mistaken for them.
    fn fill(&self, line: &[u8], out: &mut Vec<u8>) {
        let front = line.get(1..).and_then(|rest| memchr(b'{', rest)).map_or(line.len(), |at| at + 1);
        let front = line.get(..front).unwrap_or_default();
        let id = NO_ID.find(front).map(|at| (at + 5, 2, self.id.as_bytes()));
        let created = NO_TIME
            .find(front)
            .filter(|at| front.get(at + 11).is_some_and(|next| matches!(next, b',' | b'}')))
            .map(|at| (at + 10, 1, self.created.as_bytes()));
        let mut gaps: Vec<_> = id.into_iter().chain(created).collect();
        gaps.sort_unstable();
        let mut from = 0;
        for (at, length, filling) in gaps {
            out.extend_from_slice(line.get(from..at).unwrap_or_default());
            out.extend_from_slice(filling);
            from = at + length;
        }
        out.extend_from_slice(line.get(from..).unwrap_or_default());
    }
}

impl StreamWriter for Writer {
    fn chunk(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), GatewayError> {
        if self.closed || line.is_empty() {
            return Ok(());
        }
        let chunk = Chunk::read(line)?;
        let line = &*foreign::marked(line);
        if !self.include_usage && chunk.is_usage() {
            return Ok(());
        }
        out.extend_from_slice(b"data: ");
        if CONTENT_PARTS.is_in(line) {
            let mut filled = Vec::with_capacity(line.len() + 64);
            self.fill(line, &mut filled);
            out.extend_from_slice(&flatten(&filled)?);
        } else {
            self.fill(line, out);
        }
        out.extend_from_slice(b"\n\n");
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.closed {
            self.closed = true;
            sse::data(out, b"[DONE]");
        }
    }

    fn fail(&mut self, error: &GatewayError, request_id: &str, out: &mut Vec<u8>) {
        if !self.closed {
            self.closed = true;
            sse::data(out, &failure::body(error, request_id));
        }
    }
}

/// As much of a chunk as is looked at.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Vec<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

impl<'a> Chunk<'a> {
    /// The line goes to the client as it is, so this is where an adapter's nonsense is noticed.
    fn read(line: &'a [u8]) -> Result<Self, GatewayError> {
        let nonsense = || GatewayError::plugin("a chunk of the adapter is not canonical chat");
        // A struct would also be read from a list.
        if !line.starts_with(b"{") {
            return Err(nonsense());
        }
        let chunk: Self = serde_json::from_slice(line).map_err(|error| nonsense().context(error))?;
        let is_object = |value: &&RawValue| value.get().starts_with('{');
        if chunk.choices.iter().all(is_object) && chunk.report().iter().all(is_object) {
            return Ok(chunk);
        }
        Err(nonsense())
    }

    fn report(&self) -> Option<&'a RawValue> {
        self.usage.filter(|usage| usage.get() != "null")
    }

    /// The last chunk: no choices, but usage.
    fn is_usage(&self) -> bool {
        self.choices.is_empty() && self.report().is_some()
    }
}

/// Moves the text of `delta.content_parts` into `delta.content` and its pictures into `delta.images`; see
/// [`super::OpenAiChat`]. Such chunks are rare, so a tree will do.
fn flatten(line: &[u8]) -> Result<Vec<u8>, GatewayError> {
    let nonsense = |error: &dyn std::fmt::Display| {
        GatewayError::plugin("a chunk of the adapter is not canonical chat").context(error)
    };
    let mut chunk: Value = serde_json::from_slice(line).map_err(|error| nonsense(&error))?;
    let choices = chunk.get_mut("choices").and_then(Value::as_array_mut);
    for delta in choices.into_iter().flatten().filter_map(|choice| choice.get_mut("delta")?.as_object_mut()) {
        let Some(parts) = delta.remove("content_parts") else { continue };
        let parts = parts.to_string();
        let parts: Vec<&RawValue> = serde_json::from_str(&parts).map_err(|error| nonsense(&error))?;
        let flattened = Flattened::of(&parts)?;
        if let Some(text) = &flattened.text {
            let before = delta.get("content").and_then(Value::as_str).unwrap_or_default();
            let joined = format!("{before}{text}");
            delta.insert("content".to_owned(), joined.into());
        }
        for (name, list) in [("images", &flattened.images), ("content_parts", &flattened.others)] {
            let list: Vec<Value> =
                list.iter().filter_map(|raw| serde_json::from_str(raw.get()).ok()).collect();
            if !list.is_empty() {
                delta.insert(name.to_owned(), list.into());
            }
        }
    }
    serde_json::to_vec(&chunk).map_err(|error| nonsense(&error))
}
