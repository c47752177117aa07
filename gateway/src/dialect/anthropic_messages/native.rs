//! A body on its way to Anthropic itself: thinking of others, which this gateway gave the client sealed, is taken out.
//!
//! Anthropic refuses a signature it did not make, and no other vendor's state is its business. Every byte outside the
//! lists of blocks that held such thinking stays as it is.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::state::MARK;
use crate::dialect::splice::{list, span, splice};
use crate::dialect::word::Word;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: &'a RawValue,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

impl Block<'_> {
    /// Sealed by us, or reasoning of a vendor that signs nothing.
    fn is_foreign(&self) -> bool {
        let text =
            |raw: Option<&RawValue>| raw.and_then(super::object::decode).unwrap_or_default().into_owned();
        match &*self.r#type {
            "thinking" => {
                let signature = text(self.signature);
                signature.is_empty() || signature.starts_with(MARK)
            }
            "redacted_thinking" => text(self.data).starts_with(MARK),
            _ => false,
        }
    }
}

/// The body without what is not Anthropic's; nothing when all of it is.
pub(super) fn native(body: &[u8]) -> Option<Bytes> {
    if !may_hold_foreign(body) {
        return None;
    }
    let request: Body<'_> = serde_json::from_slice(body).ok()?;
    let mut parts: Vec<(Range<usize>, String)> = Vec::new();
    let mut messages: Vec<Turn<'_>> = Vec::with_capacity(request.messages.len());
    for raw in request.messages {
        messages.push(Turn::read(raw));
    }
    if messages.iter().all(|turn| turn.foreign == 0) {
        return None;
    }
    // A message of which nothing is left cannot stay, so the whole list is written anew around the others' bytes.
    let emptied = messages.iter().any(Turn::is_empty);
    if emptied {
        let all = span_of_all(body, &messages)?;
        let kept: Vec<Cow<'_, str>> =
            messages.iter().filter(|turn| !turn.is_empty()).map(Turn::written).collect();
        parts.push((all, kept.join(",")));
    } else {
        for turn in messages.iter().filter(|turn| turn.foreign > 0) {
            parts.push((span(body, turn.content?)?, list(turn.kept.iter().map(|raw| raw.get()))));
        }
    }
    if let Some(thinking) =
        request.thinking.filter(|thinking| is_enabled(thinking) && starts_unthought(&messages))
    {
        // Anthropic wants its own thoughts before calls whose results come now, and there are none.
        parts.push((span(body, thinking)?, r#"{"type":"disabled"}"#.to_owned()));
    }
    Some(splice(body, parts))
}

static SEALED: Word = Word::new(MARK);
static SIGNATURE: Word = Word::new("\"signature\"");

/// A search that most bodies end with. In JSON neither text has letters that are commonly escaped.
fn may_hold_foreign(body: &[u8]) -> bool {
    SEALED.is_in(body)
        || SIGNATURE.places(body).any(|at| {
            let rest = body.get(at + SIGNATURE.len()..).unwrap_or_default().trim_ascii_start();
            rest.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(b"\"\""))
        })
}

/// One message, its blocks sorted.
struct Turn<'a> {
    raw: &'a RawValue,
    role: Cow<'a, str>,
    content: Option<&'a RawValue>,
    kept: Vec<&'a RawValue>,
    foreign: usize,
}

impl<'a> Turn<'a> {
    /// What cannot be read stays: Anthropic will say what is wrong with it.
    fn read(raw: &'a RawValue) -> Self {
        let mut turn = Self { raw, role: Cow::Borrowed(""), content: None, kept: Vec::new(), foreign: 0 };
        let Ok(message) = serde_json::from_str::<Message<'a>>(raw.get()) else { return turn };
        turn.role = message.role;
        let Ok(blocks) = serde_json::from_str::<Vec<&'a RawValue>>(message.content.get()) else {
            return turn;
        };
        turn.content = Some(message.content);
        for block in blocks {
            let foreign = turn.role == "assistant"
                && serde_json::from_str::<Block<'_>>(block.get()).is_ok_and(|block| block.is_foreign());
            if foreign {
                turn.foreign += 1;
            } else {
                turn.kept.push(block);
            }
        }
        turn
    }

    fn is_empty(&self) -> bool {
        self.foreign > 0 && self.kept.is_empty()
    }

    /// The message without what is foreign.
    fn written(&self) -> Cow<'a, str> {
        let content = self.content.filter(|_| self.foreign > 0);
        let Some(span) = content.and_then(|content| span(self.raw.get().as_bytes(), content)) else {
            return Cow::Borrowed(self.raw.get());
        };
        let blocks = list(self.kept.iter().map(|raw| raw.get()));
        let written = splice(self.raw.get().as_bytes(), vec![(span, blocks)]);
        Cow::Owned(String::from_utf8_lossy(&written).into_owned())
    }
}

fn span_of_all(body: &[u8], messages: &[Turn<'_>]) -> Option<Range<usize>> {
    let first = span(body, messages.first()?.raw)?;
    let last = span(body, messages.last()?.raw)?;
    Some(first.start..last.end)
}

fn is_enabled(thinking: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Thinking<'a> {
        #[serde(borrow)]
        r#type: Cow<'a, str>,
    }
    serde_json::from_str::<Thinking<'_>>(thinking.get()).is_ok_and(|thinking| thinking.r#type == "enabled")
}

/// Whether results come now for calls of a turn that does not begin with thinking any more.
fn starts_unthought(messages: &[Turn<'_>]) -> bool {
    let kind = |block: &RawValue| {
        serde_json::from_str::<Block<'_>>(block.get())
            .map(|block| block.r#type.into_owned())
            .unwrap_or_default()
    };
    let Some(last) = messages.last() else { return false };
    if !last.kept.iter().any(|block| kind(block) == "tool_result") {
        return false;
    }
    // Messages of one role in a row are one turn.
    let turn = messages.iter().rev().skip_while(|turn| turn.role != "assistant");
    let turn = turn.take_while(|turn| turn.role == "assistant" || turn.is_empty());
    let Some(first) = turn.filter(|turn| !turn.is_empty()).last() else { return false };
    first.kept.first().is_some_and(|block| !matches!(kind(block).as_str(), "thinking" | "redacted_thinking"))
}

#[cfg(test)]
mod tests;
