//! The items of one answer while they come in, and the events that tell of them.
//!
//! Text and reasoning are open one at a time; calls stay open until the end, because their pieces may interleave.

mod calls;

use serde_json::value::RawValue;

use super::events::{Event, Events};
use super::object::Name;
use super::output::{Body, Item, Part, Status};
use super::said::{self, Detail, word};
use super::state::{self, Bound, Owner, Sealed};
use crate::dialect::AnswerFacts;

/// What is being said at the moment.
enum Open {
    /// Reasoning, with its index where the provider counts, and its state so far.
    Reasoning { lane: Option<usize>, state: state::Detail },
    /// A message; whether its last part may grow.
    Message { growing: bool },
}

/// The items of one answer.
pub(super) struct Progress {
    pub(super) events: Events,
    pub(super) items: Vec<Item>,
    request_id: String,
    /// What is open, and which item it is.
    open: Option<(usize, Open)>,
    /// The items of the calls, by the calls' index.
    calls: Vec<usize>,
    /// How many content parts have been begun.
    parts: usize,
}

impl Progress {
    /// Of a stream, or of a whole answer, which is `silent`.
    pub(super) fn new(facts: &AnswerFacts, silent: bool) -> Self {
        Self {
            events: Events::new(silent),
            items: Vec::new(),
            request_id: facts.request_id.clone(),
            open: None,
            calls: Vec::new(),
            parts: 0,
        }
    }

    fn add(&mut self, prefix: &str, body: Body, out: &mut Vec<u8>) -> usize {
        let index = self.items.len();
        let id = format!("{prefix}_{}_{index}", self.request_id);
        self.items.push(Item { id, status: Status::InProgress, body });
        let event = Event { output_index: Some(index), item: self.items.last(), ..Event::default() };
        self.events.send("response.output_item.added", &event, out);
        index
    }

    fn done(&mut self, index: usize, status: Status, out: &mut Vec<u8>) {
        let Some(item) = self.items.get_mut(index) else { return };
        item.status = status;
        let event = Event { output_index: Some(index), item: Some(item), ..Event::default() };
        self.events.send("response.output_item.done", &event, out);
    }

    /// State that comes back to us inside an item of its own.
    fn carry(&mut self, sealed: &Sealed, out: &mut Vec<u8>) {
        let encrypted = Some(state::seal(sealed));
        let index = self.add("rs", Body::Reasoning { summary: String::new(), encrypted }, out);
        self.done(index, Status::Completed, out);
    }

    /// `extra_content` and citations that belong to `to`.
    pub(super) fn bind(
        &mut self,
        to: Owner,
        extra_content: Option<&RawValue>,
        citations: Option<&RawValue>,
        out: &mut Vec<u8>,
    ) {
        if extra_content.is_none() && citations.is_none() {
            return;
        }
        let (extra_content, citations) =
            (extra_content.map(ToOwned::to_owned), citations.map(ToOwned::to_owned));
        self.carry(&Sealed::Bound(Bound { to, extra_content, citations }), out);
    }

    /// An entry of reasoning, or a piece of one.
    pub(super) fn thought(&mut self, detail: &Detail<'_>, out: &mut Vec<u8>) {
        let same = matches!(&self.open, Some((_, Open::Reasoning { lane, .. })) if *lane == detail.index);
        if !same {
            self.close(Status::Completed, out);
            let body = Body::Reasoning { summary: String::new(), encrypted: None };
            let index = self.add("rs", body, out);
            let state = state::Detail { r#type: "reasoning.text".to_owned(), ..state::Detail::default() };
            self.open = Some((index, Open::Reasoning { lane: detail.index, state }));
        }
        let Some((index, Open::Reasoning { state, .. })) = &mut self.open else { return };
        let index = *index;
        grow(state, detail);
        let shown = if detail.text.is_some() { word(&detail.text) } else { word(&detail.summary) };
        let Some(Item { id, body: Body::Reasoning { summary, .. }, .. }) = self.items.get_mut(index) else {
            return;
        };
        if shown.is_empty() {
            return;
        }
        let part = Part::Summary(String::new());
        let of = |delta, part| Event {
            item_id: Some(id),
            output_index: Some(index),
            summary_index: Some(0),
            delta,
            part,
            ..Event::default()
        };
        if summary.is_empty() {
            self.events.send("response.reasoning_summary_part.added", &of(None, Some(&part)), out);
        }
        summary.push_str(shown);
        self.events.send("response.reasoning_summary_text.delta", &of(Some(shown), None), out);
    }

    /// Makes sure that the last part of the open message is a growing one of the wanted kind.
    fn part(&mut self, refusal: bool, out: &mut Vec<u8>) -> Option<usize> {
        if !matches!(self.open, Some((_, Open::Message { .. }))) {
            self.close(Status::Completed, out);
            let index = self.add("msg", Body::Message(Vec::new()), out);
            self.open = Some((index, Open::Message { growing: false }));
        }
        let &mut Some((index, Open::Message { growing })) = &mut self.open else { return None };
        let Some(Item { body: Body::Message(parts), .. }) = self.items.get(index) else { return None };
        if growing && parts.last().is_some_and(|last| matches!(last, Part::Refusal(_)) == refusal) {
            return Some(index);
        }
        self.close_part(out);
        self.parts += 1;
        let part = if refusal { Part::Refusal(String::new()) } else { Part::empty_text() };
        let Some(Item { id, body: Body::Message(parts), .. }) = self.items.get_mut(index) else {
            return None;
        };
        let event = Event {
            item_id: Some(id),
            output_index: Some(index),
            content_index: Some(parts.len()),
            part: Some(&part),
            ..Event::default()
        };
        self.events.send("response.content_part.added", &event, out);
        parts.push(part);
        self.open = Some((index, Open::Message { growing: true }));
        Some(index)
    }

    /// Text, with the probabilities of its tokens. They may also come behind it.
    pub(super) fn text(&mut self, piece: &str, logprobs: &[&RawValue], out: &mut Vec<u8>) {
        let behind = !logprobs.is_empty() && matches!(self.open, Some((_, Open::Message { .. })));
        if piece.is_empty() && !behind {
            return;
        }
        let Some(index) = self.part(false, out) else { return };
        let Some(Item { id, body: Body::Message(parts), .. }) = self.items.get_mut(index) else { return };
        let content_index = parts.len().saturating_sub(1);
        let Some(Part::Text { text, logprobs: all, .. }) = parts.last_mut() else { return };
        text.push_str(piece);
        let before = all.len();
        all.extend(logprobs.iter().map(|entry| (*entry).to_owned()));
        let event = Event {
            item_id: Some(id),
            output_index: Some(index),
            content_index: Some(content_index),
            delta: Some(piece),
            logprobs: all.get(before..),
            ..Event::default()
        };
        self.events.send("response.output_text.delta", &event, out);
    }

    /// A refusal.
    pub(super) fn refusal(&mut self, piece: &str, out: &mut Vec<u8>) {
        if piece.is_empty() {
            return;
        }
        let Some(index) = self.part(true, out) else { return };
        let Some(Item { id, body: Body::Message(parts), .. }) = self.items.get_mut(index) else { return };
        let content_index = parts.len().saturating_sub(1);
        let Some(Part::Refusal(refusal)) = parts.last_mut() else { return };
        refusal.push_str(piece);
        let event = Event {
            item_id: Some(id),
            output_index: Some(index),
            content_index: Some(content_index),
            delta: Some(piece),
            ..Event::default()
        };
        self.events.send("response.refusal.delta", &event, out);
    }

    /// An annotation; it belongs to the last text.
    pub(super) fn annotate(&mut self, note: &RawValue, out: &mut Vec<u8>) {
        let note = flat(note);
        let texts =
            self.items.iter_mut().enumerate().rev().filter_map(|(index, item)| match &mut item.body {
                Body::Message(parts) => Some((index, &item.id, parts)),
                _ => None,
            });
        for (index, id, parts) in texts {
            for (place, part) in parts.iter_mut().enumerate().rev() {
                let Part::Text { annotations, .. } = part else { continue };
                let event = Event {
                    item_id: Some(id),
                    output_index: Some(index),
                    content_index: Some(place),
                    annotation_index: Some(annotations.len()),
                    annotation: Some(&note),
                    ..Event::default()
                };
                self.events.send("response.output_text.annotation.added", &event, out);
                annotations.push(note);
                return;
            }
        }
    }

    /// A whole content part.
    pub(super) fn whole_part(&mut self, part: &said::Part<'_>, logprobs: &[&RawValue], out: &mut Vec<u8>) {
        self.freeze();
        self.bind(Owner::Content(self.parts), part.extra_content, part.citations, out);
        match (part.r#type.0.as_ref(), &part.image_url, part.vendor, part.value) {
            ("text", ..) => {
                // State may be bound to a text that is empty; its place must be there all the same.
                self.part(false, out);
                self.text(word(&part.text), logprobs, out);
            }
            ("refusal", ..) => self.refusal(word(&part.refusal), out),
            ("image_url", Some(image), ..) => self.picture(&image.url, out),
            ("vendor", _, Some(vendor), Some(value)) => {
                let Some(vendor) = super::object::decode(vendor) else { return };
                self.close(Status::Completed, out);
                self.parts += 1;
                let (vendor, value) = (vendor.into_owned(), value.to_owned());
                self.carry(&Sealed::Part(state::Part { vendor, value }), out);
            }
            _ => {}
        }
        self.freeze();
    }

    /// The last part does not grow any more.
    fn freeze(&mut self) {
        if let Some((_, Open::Message { growing })) = &mut self.open
            && *growing
        {
            // The part is closed when the next begins or the message ends.
            *growing = false;
        }
    }

    fn picture(&mut self, url: &Name<'_>, out: &mut Vec<u8>) {
        let data = url.0.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"));
        let Some((format, result)) = data else { return self.text(&url.0, &[], out) };
        self.close(Status::Completed, out);
        self.parts += 1;
        let body = Body::Picture { format: format.to_owned(), result: result.to_owned() };
        let index = self.add("ig", body, out);
        self.done(index, Status::Completed, out);
    }

    /// Closes text or reasoning.
    fn close(&mut self, status: Status, out: &mut Vec<u8>) {
        if matches!(self.open, Some((_, Open::Message { .. }))) {
            self.close_part(out);
        }
        let Some((index, open)) = self.open.take() else { return };
        if let Open::Reasoning { state, .. } = open {
            let Some(Item { id, body: Body::Reasoning { summary, encrypted }, .. }) =
                self.items.get_mut(index)
            else {
                return;
            };
            if !state.is_plain() {
                *encrypted = Some(state::seal(&Sealed::Detail(state)));
            }
            if !summary.is_empty() {
                let part = Part::Summary(summary.clone());
                let of = |text, part| Event {
                    item_id: Some(id),
                    output_index: Some(index),
                    summary_index: Some(0),
                    text,
                    part,
                    ..Event::default()
                };
                self.events.send("response.reasoning_summary_text.done", &of(Some(summary), None), out);
                self.events.send("response.reasoning_summary_part.done", &of(None, Some(&part)), out);
            }
        }
        self.done(index, status, out);
    }

    /// Tells that the last part of the open message is complete.
    fn close_part(&mut self, out: &mut Vec<u8>) {
        let Some((index, Open::Message { .. })) = self.open else { return };
        let Some(Item { id, body: Body::Message(parts), .. }) = self.items.get(index) else { return };
        let Some(part) = parts.last() else { return };
        let of = || Event {
            item_id: Some(id),
            output_index: Some(index),
            content_index: Some(parts.len().saturating_sub(1)),
            ..Event::default()
        };
        match part {
            Part::Text { text, logprobs, .. } => {
                let event = Event { text: Some(text), logprobs: Some(logprobs), ..of() };
                self.events.send("response.output_text.done", &event, out);
            }
            Part::Refusal(refusal) => {
                let event = Event { refusal: Some(refusal), ..of() };
                self.events.send("response.refusal.done", &event, out);
            }
            Part::Summary(_) => {}
        }
        self.events.send("response.content_part.done", &Event { part: Some(part), ..of() }, out);
    }

    /// What was open stays as it is: nothing more will come.
    pub(super) fn give_up(&mut self) {
        for item in self.items.iter_mut().filter(|item| item.status == Status::InProgress) {
            item.status = Status::Incomplete;
            if let Body::Call(call) = &mut item.body
                && call.custom
            {
                // Half of the JSON around a text is of no use.
                call.input.clear();
            }
        }
    }

    /// Closes everything; what was open at the end is as complete as the answer.
    pub(super) fn end(&mut self, status: Status, out: &mut Vec<u8>) {
        self.close(status, out);
        for index in std::mem::take(&mut self.calls) {
            self.end_call(index, status, out);
        }
    }
}

/// Adds a piece to the state of an entry.
fn grow(state: &mut state::Detail, piece: &Detail<'_>) {
    let text = |name: &Option<Name<'_>>| name.as_ref().map(|name| name.0.to_string());
    if let Some(kind) = text(&piece.r#type) {
        state.r#type = kind;
    }
    for (slot, name) in [(&mut state.format, &piece.format), (&mut state.id, &piece.id)] {
        if name.is_some() {
            *slot = text(name);
        }
    }
    for (slot, name) in [(&mut state.signature, &piece.signature), (&mut state.data, &piece.data)] {
        if let Some(more) = name {
            slot.get_or_insert_default().push_str(&more.0);
        }
    }
    if let Some(vendor) = piece.vendor {
        state.vendor = Some(vendor.to_owned());
    }
}

/// An annotation in this API's form, where a `url_citation` has its fields one level higher.
fn flat(note: &RawValue) -> Box<RawValue> {
    #[derive(serde::Deserialize)]
    struct Note<'a> {
        #[serde(borrow)]
        url_citation: &'a RawValue,
    }
    let flattened = serde_json::from_str::<Note<'_>>(note.get()).ok().and_then(|note| {
        let inner = note.url_citation.get().strip_prefix('{')?.trim_start();
        let comma = if inner.starts_with('}') { "" } else { "," };
        RawValue::from_string(format!("{{\"type\":\"url_citation\"{comma}{inner}")).ok()
    });
    flattened.unwrap_or_else(|| note.to_owned())
}
